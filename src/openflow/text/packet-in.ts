import { formatIpv4, formatIpv6, formatMac } from '../../bytes/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { ETH_TYPE, extractKey, field, IP_PROTO, KEY, newKey, VLAN, VLAN_CFI } from '../../packet/index.ts';
import { PACKET_IN_REASONS } from '../action.ts';
import { NO_BUFFER } from '../flow.ts';
import type { PacketIn } from '../message.ts';
import { formatFlags, TCP_FLAGS } from './flags.ts';
import { formatMatch } from './match.ts';
import { formatPort } from './names.ts';
import { messageTitle } from './reply.ts';

const TITLES: Readonly<Record<PacketIn['format'], string>> = {
  standard: 'OFPT_PACKET_IN',
  nxt_packet_in: 'NXT_PACKET_IN',
  nxt_packet_in2: 'NXT_PACKET_IN2',
};

const IN_PORT = field('in_port_oxm');

/** A packet_in as `ovs-ofctl monitor` prints it: what the switch says of the packet, then the packet as a flow. */
export function formatPacketIn(message: PacketIn & { readonly xid: number }, version: OpenflowVersion): string[] {
  const parts: string[] = [];
  if (message.table !== 0 && message.table !== 255) parts.push(`table_id=${message.table}`);
  if (message.cookie !== undefined) parts.push(`cookie=0x${message.cookie.toString(16)}`);
  parts.push(`total_len=${message.totalLength}`);
  const inPort = message.metadata.number(IN_PORT);
  const others = formatMatch(message.metadata.toBuilder().clear(IN_PORT).build());
  if (inPort !== undefined) parts.push(`in_port=${formatPort(inPort)}`);
  if (others !== '') parts.push(others);
  const buffer =
    message.bufferId === NO_BUFFER ? '(unbuffered)' : `buffer=0x${message.bufferId.toString(16).padStart(8, '0')}`;
  const reason = PACKET_IN_REASONS[message.reason] ?? `reason ${message.reason}`;
  const about = `(via ${reason}) data_len=${message.data.length} ${buffer}`;
  return [
    `${messageTitle(TITLES[message.format], version, message.xid)} ${parts.join(' ')} ${about}`,
    ...(message.userdata === undefined
      ? []
      : [` userdata=${[...message.userdata].map((b) => b.toString(16).padStart(2, '0')).join('.')}`]),
    formatPacket(message.data),
  ];
}

/** A packet as the flow that matches it exactly, field by field. */
export function formatPacket(packet: Uint8Array): string {
  const key = newKey();
  extractKey(packet, key);
  const u16 = (at: number): number => (key[at] << 8) | key[at + 1];
  const type = u16(KEY.ethType);
  const parts = [kindOf(type, key[KEY.ipProto]), ...vlanParts(u16(KEY.vlanTci))];
  parts.push(`dl_src=${formatMac(key, KEY.ethSrc)}`, `dl_dst=${formatMac(key, KEY.ethDst)}`);
  if (type === ETH_TYPE.arp || type === ETH_TYPE.rarp) return [...parts, ...arpParts(key)].join(',');
  if (type !== ETH_TYPE.ipv4 && type !== ETH_TYPE.ipv6) {
    if (parts[0] === 'eth') parts[0] = `dl_type=0x${type.toString(16).padStart(4, '0')}`;
    return parts.join(',');
  }
  const isIpv6 = type === ETH_TYPE.ipv6;
  if (isIpv6) {
    const label = (((key[KEY.ipv6Label + 1] & 0xf) << 16) | u16(KEY.ipv6Label + 2)).toString(16).padStart(5, '0');
    parts.push(
      `ipv6_src=${formatIpv6(key, KEY.ipv6Src)}`,
      `ipv6_dst=${formatIpv6(key, KEY.ipv6Dst)}`,
      `ipv6_label=0x${label}`,
    );
  } else {
    parts.push(`nw_src=${formatIpv4(key, KEY.ipSrc)}`, `nw_dst=${formatIpv4(key, KEY.ipDst)}`);
  }
  if (parts[0] === 'ip' || parts[0] === 'ipv6') parts.push(`nw_proto=${key[KEY.ipProto]}`);
  parts.push(`nw_tos=${key[KEY.ipTos] & 0xfc}`, `nw_ecn=${key[KEY.ipTos] & 3}`, `nw_ttl=${key[KEY.ipTtl]}`);
  parts.push(`nw_frag=${['no', 'first', 'later', 'later'][key[KEY.ipFrag] & 3]}`);
  return [...parts, ...transportParts(parts[0], key)].join(',');
}

function kindOf(type: number, protocol: number): string {
  switch (type) {
    case ETH_TYPE.arp:
      return 'arp';
    case ETH_TYPE.rarp:
      return 'rarp';
    case ETH_TYPE.ipv4:
      return (
        { [IP_PROTO.tcp]: 'tcp', [IP_PROTO.udp]: 'udp', [IP_PROTO.icmp]: 'icmp', [IP_PROTO.sctp]: 'sctp' }[protocol] ??
        'ip'
      );
    case ETH_TYPE.ipv6:
      return (
        { [IP_PROTO.tcp]: 'tcp6', [IP_PROTO.udp]: 'udp6', [IP_PROTO.icmpv6]: 'icmp6', [IP_PROTO.sctp]: 'sctp6' }[
          protocol
        ] ?? 'ipv6'
      );
    default:
      return 'eth';
  }
}

function vlanParts(tci: number): string[] {
  if ((tci & VLAN_CFI) === 0) return ['vlan_tci=0x0000'];
  return [`dl_vlan=${tci & VLAN.vidMask}`, `dl_vlan_pcp=${tci >> VLAN.pcpShift}`];
}

function arpParts(key: Uint8Array): string[] {
  return [
    `arp_spa=${formatIpv4(key, KEY.ipSrc)}`,
    `arp_tpa=${formatIpv4(key, KEY.ipDst)}`,
    `arp_op=${key[KEY.ipProto]}`,
    `arp_sha=${formatMac(key, KEY.arpSha)}`,
    `arp_tha=${formatMac(key, KEY.arpTha)}`,
  ];
}

function transportParts(kind: string, key: Uint8Array): string[] {
  const u16 = (at: number): number => (key[at] << 8) | key[at + 1];
  const src = u16(KEY.l4Src);
  const dst = u16(KEY.l4Dst);
  switch (kind) {
    case 'tcp':
    case 'tcp6':
      return [`tp_src=${src}`, `tp_dst=${dst}`, `tcp_flags=${formatFlags(u16(KEY.tcpFlags), 0xfff, TCP_FLAGS, true)}`];
    case 'udp':
    case 'udp6':
    case 'sctp':
    case 'sctp6':
      return [`tp_src=${src}`, `tp_dst=${dst}`];
    case 'icmp':
    case 'icmp6':
      return [`icmp_type=${src}`, `icmp_code=${dst}`];
    default:
      return [];
  }
}
