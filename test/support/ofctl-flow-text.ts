import { formatIpv4, formatIpv6, formatMac } from '../../src/bytes/index.ts';
import { ETH_TYPE, IP_PROTO, KEY } from '../../src/packet/index.ts';

const TCP_FLAG_NAMES = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]', '[400]', '[800]'];
const FRAG_NAMES = ['no', 'first', '<error>', 'later'];

const TRANSPORTS: readonly number[] = Object.values(IP_PROTO).filter((p) => ![0, 43, 44, 51, 60].includes(p));

/** What `ovs-ofctl parse-pcap` prints for a packet whose key this is: an independent reading of the key's layout. */
export function ofctlFlowText(key: Uint8Array): string {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const ethType = view.getUint16(KEY.ethType);
  const proto = key[KEY.ipProto];
  const isIpv6 = ethType === ETH_TYPE.ipv6;
  const isIp = isIpv6 || ethType === ETH_TYPE.ipv4;
  const isArp = ethType === ETH_TYPE.arp || ethType === ETH_TYPE.rarp;
  const isMpls = ethType === ETH_TYPE.mpls || ethType === ETH_TYPE.mplsMulticast;
  const six = isIpv6 ? '6' : '';
  const names: Record<number, string | undefined> = {
    [IP_PROTO.icmp]: isIpv6 ? undefined : 'icmp',
    [IP_PROTO.icmpv6]: isIpv6 ? 'icmp6' : undefined,
    [IP_PROTO.tcp]: `tcp${six}`,
    [IP_PROTO.udp]: `udp${six}`,
    [IP_PROTO.sctp]: `sctp${six}`,
  };
  const out: string[] = [];
  const name = isIp ? names[proto] : undefined;
  if (name !== undefined) out.push(name);
  else if (isIp) out.push(isIpv6 ? 'ipv6' : 'ip');
  else if (isArp) out.push(ethType === ETH_TYPE.arp ? 'arp' : 'rarp');
  else if (isMpls) out.push(ethType === ETH_TYPE.mpls ? 'mpls' : 'mplsm');
  out.push('in_port=ANY');
  const outer = view.getUint16(KEY.vlanTci);
  for (const [suffix, at] of [
    ['', KEY.vlanTci],
    ['1', KEY.innerVlanTci],
  ] as const) {
    const tci = view.getUint16(at);
    if (tci === 0) {
      if (suffix === '' || outer !== 0) out.push(`vlan_tci${suffix}=0x0000`);
    } else out.push(`dl_vlan${suffix}=${tci & 0xfff}`, `dl_vlan_pcp${suffix}=${tci >> 13}`);
  }
  out.push(`dl_src=${formatMac(key, KEY.ethSrc)}`, `dl_dst=${formatMac(key, KEY.ethDst)}`);
  if (isIpv6) {
    out.push(`ipv6_src=${formatIpv6(key, KEY.ipv6Src)}`, `ipv6_dst=${formatIpv6(key, KEY.ipv6Dst)}`);
    out.push(`ipv6_label=0x${view.getUint32(KEY.ipv6Label).toString(16).padStart(5, '0')}`);
  } else if (isIp || isArp) {
    const prefix = isArp ? 'arp_spa=' : 'nw_src=';
    out.push(`${prefix}${formatIpv4(key, KEY.ipSrc)}`);
    out.push(`${isArp ? 'arp_tpa=' : 'nw_dst='}${formatIpv4(key, KEY.ipDst)}`);
  }
  if (!isIp && !isArp && !isMpls) out.push(`dl_type=0x${ethType.toString(16).padStart(4, '0')}`);
  if (isIp && name === undefined) out.push(`nw_proto=${proto}`);
  if (isArp) {
    out.push(`arp_op=${proto}`);
    out.push(`arp_sha=${formatMac(key, KEY.arpSha)}`, `arp_tha=${formatMac(key, KEY.arpTha)}`);
  }
  if (isIp) {
    const tos = key[KEY.ipTos];
    out.push(`nw_tos=${tos & 0xfc}`, `nw_ecn=${tos & 3}`, `nw_ttl=${key[KEY.ipTtl]}`);
    out.push(`nw_frag=${FRAG_NAMES[key[KEY.ipFrag]]}`);
    const [src, dst] = [view.getUint16(KEY.l4Src), view.getUint16(KEY.l4Dst)];
    const hasPorts = TRANSPORTS.includes(proto) && (key[KEY.ipFrag] & 2) === 0;
    const isIcmp = name === 'icmp' || name === 'icmp6';
    if (hasPorts) out.push(`${isIcmp ? 'icmp_type' : 'tp_src'}=${src}`, `${isIcmp ? 'icmp_code' : 'tp_dst'}=${dst}`);
    if (hasPorts && proto === IP_PROTO.tcp) {
      const flags = view.getUint16(KEY.tcpFlags);
      const set = TCP_FLAG_NAMES.filter((_, bit) => flags & (1 << bit));
      out.push(`tcp_flags=${set.length > 0 ? set.join('|') : '0'}`);
    }
    if (name === 'icmp6' && (src === 135 || src === 136) && dst === 0) {
      out.push(`nd_target=${formatIpv6(key, KEY.ndTarget)}`);
      out.push(`nd_sll=${formatMac(key, KEY.arpSha)}`, `nd_tll=${formatMac(key, KEY.arpTha)}`);
    }
  }
  if (isMpls) out.push(...mplsText([0, 4, 8].map((i) => view.getUint32(KEY.mplsLse + i))));
  if (ethType === ETH_TYPE.nsh) out.push(...nshText(view));
  return out.join(',');
}

function mplsText(entries: number[]): string[] {
  const bottom = entries.findIndex((lse) => lse & 0x100);
  const count = bottom >= 0 ? bottom + 1 : entries.length;
  const [lse] = entries;
  return [
    `mpls_label=${lse >>> 12}`,
    `mpls_tc=${(lse >>> 9) & 7}`,
    `mpls_ttl=${lse & 0xff}`,
    `mpls_bos=${(lse >>> 8) & 1}`,
    ...entries.map((entry, i) => `mpls_lse${i}=${entry}`).slice(1, count),
  ];
}

function nshText(view: DataView): string[] {
  const path = view.getUint32(KEY.nshPath);
  const context = [0, 1, 2, 3].map((i) => view.getUint32(KEY.nshContext + 4 * i));
  return [
    `nsh_flags=${view.getUint8(KEY.nshFlags)}`,
    `nsh_ttl=${view.getUint8(KEY.nshTtl)}`,
    `nsh_mdtype=${view.getUint8(KEY.nshMdtype)}`,
    `nsh_np=${view.getUint8(KEY.nshNp)}`,
    `nsh_spi=0x${(path >>> 8).toString(16)}`,
    `nsh_si=${path & 0xff}`,
    ...(view.getUint8(KEY.nshMdtype) === 1 ? context : []).map((word, i) => `nsh_c${i + 1}=0x${word.toString(16)}`),
    'nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no',
  ];
}
