import type { Field, OpenflowVersion, Prerequisite, Special, TextForm, WireId } from './field.ts';
import { KEY, KEY_PACKET_BYTES, REG_COUNT, TUN_METADATA_BYTES, TUN_METADATA_COUNT } from './key.ts';

/*
 * The registry of match fields: every field of ovs-fields(7), and ours, exactly once. Texts, wire formats, matches and
 * caches all read it.
 */

export const NICIRA_EXPERIMENTER = 0x00002320;
export const ONF_EXPERIMENTER = 0x4f4e4600;
export const NSH_EXPERIMENTER = 0x005ad650;
/** Ours: "OKO"; as an OUI it has the group bit, so that no vendor can own it. */
export const OKO_EXPERIMENTER = 0x004f4b4f;
export const OXM_CLASS_EXPERIMENTER = 0xffff;

const nxm = (oxmClass: 0 | 1, number: number, name: string): WireId => ({
  name: `${oxmClass === 0 ? 'NXM_OF_' : 'NXM_NX_'}${name}`,
  oxmClass,
  number,
  since: 1,
});
const oxm = (number: number, name: string, since: OpenflowVersion = 3): WireId => ({
  name: `OXM_OF_${name}`,
  oxmClass: 0x8000,
  number,
  since,
});
const experimental = (experimenter: number, prefix: string, number: number, name: string, since: OpenflowVersion) => ({
  name: `${prefix}_${name}`,
  oxmClass: OXM_CLASS_EXPERIMENTER,
  experimenter,
  number,
  since,
});
const onf = (number: number, name: string): WireId => experimental(ONF_EXPERIMENTER, 'ONFOXM_ET', number, name, 4);
const nxEt = (number: number, name: string): WireId => experimental(NICIRA_EXPERIMENTER, 'NXOXM_ET', number, name, 1);
const nshId = (number: number, name: string): WireId => experimental(NSH_EXPERIMENTER, 'NXOXM_NSH', number, name, 1);
const ericsson = (number: number, name: string): WireId => ({
  name: `ERICOXM_OF_${name}`,
  oxmClass: 0x1000,
  number,
  since: 1,
});

/** `+`: masks allowed, `-`: exact only; `w`: writable, `r`: read only. */
type Access = '+w' | '+r' | '-w' | '-r';

interface Extra {
  readonly alias?: string;
  /** Significant bits of the value, when fewer than its bytes have. */
  readonly bits?: number;
  readonly width?: number;
  /** Bytes of the place, when not those of the value. */
  readonly placeBytes?: number;
  readonly shift?: number;
  readonly special?: Special;
  readonly values?: readonly number[];
  /** Another field is the canonical one for these bits. */
  readonly overlaps?: true;
  readonly origin?: 'identity';
}

const registry: Field[] = [];

function onesOf(bytes: number, bits: number): Uint8Array {
  const ones = new Uint8Array(bytes);
  for (let bit = 0; bit < bits; bit++) ones[bytes - 1 - (bit >> 3)] |= 1 << (bit & 7);
  return ones;
}

function add(
  name: string,
  bytes: number,
  offset: number,
  form: TextForm,
  access: Access,
  prerequisite: Prerequisite,
  wire: readonly WireId[],
  extra: Extra = {},
): void {
  const bits = extra.bits ?? 8 * bytes;
  const inPacket = offset < KEY_PACKET_BYTES && offset !== KEY.inPort && offset !== KEY.packetType;
  registry.push({
    id: registry.length,
    name,
    alias: extra.alias,
    bytes,
    bits,
    width: extra.width ?? bits,
    place: { offset, bytes: extra.placeBytes ?? bytes, shift: extra.shift ?? 0, bits },
    ones: onesOf(bytes, bits),
    special: extra.special,
    values: extra.values,
    maskable: access[0] === '+',
    prerequisite,
    form,
    writable: access[1] === 'w',
    wire,
    canonical: extra.overlaps !== true,
    origin: extra.origin ?? (inPacket ? 'packet' : 'metadata'),
  });
}

// What is known of a packet before its headers.
add('dp_hash', 4, KEY.dpHash, 'hexadecimal', '+r', 'none', [nxm(1, 35, 'DP_HASH')]);
add('recirc_id', 4, KEY.recircId, 'decimal', '-r', 'none', [nxm(1, 36, 'RECIRC_ID')]);
add('conj_id', 4, KEY.conjId, 'decimal', '-r', 'none', [nxm(1, 37, 'CONJ_ID')]);
add(
  'filter_prog',
  2,
  KEY.filterProg,
  'decimal',
  '-r',
  'none',
  [experimental(OKO_EXPERIMENTER, 'OKOOXM', 1, 'FILTER_PROG', 1)],
  { origin: 'identity' },
);
add('packet_type', 4, KEY.packetType, 'packetType', '-r', 'none', [oxm(44, 'PACKET_TYPE', 6)], {
  special: 'packetType',
});
add('in_port', 2, KEY.inPort, 'port', '-w', 'none', [nxm(0, 0, 'IN_PORT')], {
  placeBytes: 4,
  special: 'port16',
  overlaps: true,
});
add('in_port_oxm', 4, KEY.inPort, 'port', '-w', 'none', [oxm(0, 'IN_PORT')]);
add('actset_output', 4, KEY.actsetOutput, 'port', '-r', 'none', [
  onf(43, 'ACTSET_OUTPUT'),
  oxm(43, 'ACTSET_OUTPUT', 6),
]);
add('skb_priority', 4, KEY.skbPriority, 'hexadecimal', '-r', 'none', []);

// Ethernet and what lies between it and the network layer.
add('eth_src', 6, KEY.ethSrc, 'ethernet', '+w', 'ethernet', [nxm(0, 2, 'ETH_SRC'), oxm(4, 'ETH_SRC')], {
  alias: 'dl_src',
});
add('eth_dst', 6, KEY.ethDst, 'ethernet', '+w', 'ethernet', [nxm(0, 1, 'ETH_DST'), oxm(3, 'ETH_DST')], {
  alias: 'dl_dst',
});
add('eth_type', 2, KEY.ethType, 'hexadecimal', '-r', 'ethernet', [nxm(0, 3, 'ETH_TYPE'), oxm(5, 'ETH_TYPE')], {
  alias: 'dl_type',
});
add('vlan_tci', 2, KEY.vlanTci, 'hexadecimal', '+w', 'ethernet', [nxm(0, 4, 'VLAN_TCI')]);
add('dl_vlan', 2, KEY.vlanTci, 'decimal', '-w', 'ethernet', [], { bits: 12, special: 'dlVlan', overlaps: true });
add('dl_vlan_pcp', 1, KEY.vlanTci, 'decimal', '-w', 'ethernet', [], {
  bits: 3,
  placeBytes: 2,
  shift: 13,
  special: 'vlanPcp',
  overlaps: true,
});
// 13 bits: OpenFlow's "present" bit is the CFI bit of our TCI.
add('vlan_vid', 2, KEY.vlanTci, 'decimal', '+w', 'ethernet', [oxm(6, 'VLAN_VID')], {
  bits: 13,
  width: 12,
  overlaps: true,
});
add('vlan_pcp', 1, KEY.vlanTci, 'decimal', '-w', 'vlan', [oxm(7, 'VLAN_PCP')], {
  bits: 3,
  placeBytes: 2,
  shift: 13,
  special: 'vlanPcp',
  overlaps: true,
});
add('mpls_tc', 1, KEY.mplsLse, 'decimal', '-w', 'mpls', [oxm(35, 'MPLS_TC')], { bits: 3, placeBytes: 4, shift: 9 });
add('mpls_bos', 1, KEY.mplsLse, 'decimal', '-r', 'mpls', [oxm(36, 'MPLS_BOS', 4)], {
  bits: 1,
  placeBytes: 4,
  shift: 8,
});
add('mpls_ttl', 1, KEY.mplsLse, 'decimal', '-w', 'mpls', [nxm(1, 30, 'MPLS_TTL')], { bits: 8, placeBytes: 4 });
add('mpls_label', 4, KEY.mplsLse, 'decimal', '-w', 'mpls', [oxm(34, 'MPLS_LABEL')], { bits: 20, shift: 12 });

// Network layer.
add('ip_src', 4, KEY.ipSrc, 'ipv4', '+w', 'ipv4', [nxm(0, 7, 'IP_SRC'), oxm(11, 'IPV4_SRC')], { alias: 'nw_src' });
add('ip_dst', 4, KEY.ipDst, 'ipv4', '+w', 'ipv4', [nxm(0, 8, 'IP_DST'), oxm(12, 'IPV4_DST')], { alias: 'nw_dst' });
add('ipv6_src', 16, KEY.ipv6Src, 'ipv6', '+w', 'ipv6', [nxm(1, 19, 'IPV6_SRC'), oxm(26, 'IPV6_SRC')]);
add('ipv6_dst', 16, KEY.ipv6Dst, 'ipv6', '+w', 'ipv6', [nxm(1, 20, 'IPV6_DST'), oxm(27, 'IPV6_DST')]);
add('ip_frag', 1, KEY.ipFrag, 'frag', '+r', 'ip', [nxm(1, 26, 'IP_FRAG')], { bits: 2, alias: 'nw_frag' });
add('nw_tos', 1, KEY.ipTos, 'decimal', '-w', 'ip', [nxm(0, 5, 'IP_TOS')], { special: 'tos', overlaps: true });
add('ip_dscp', 1, KEY.ipTos, 'decimal', '-w', 'ip', [oxm(8, 'IP_DSCP')], { bits: 6, shift: 2 });
add('nw_ecn', 1, KEY.ipTos, 'decimal', '-w', 'ip', [nxm(1, 28, 'IP_ECN'), oxm(9, 'IP_ECN')], {
  bits: 2,
  alias: 'ip_ecn',
});
add('nw_ttl', 1, KEY.ipTtl, 'decimal', '-w', 'ip', [nxm(1, 29, 'IP_TTL')]);
add('ipv6_label', 4, KEY.ipv6Label, 'hexadecimal', '+w', 'ipv6', [nxm(1, 27, 'IPV6_LABEL'), oxm(28, 'IPV6_FLABEL')], {
  bits: 20,
});
add('nw_proto', 1, KEY.ipProto, 'decimal', '-r', 'ip', [nxm(0, 6, 'IP_PROTO'), oxm(10, 'IP_PROTO')], {
  alias: 'ip_proto',
});
add('arp_op', 2, KEY.ipProto, 'decimal', '-w', 'arp', [nxm(0, 15, 'ARP_OP'), oxm(21, 'ARP_OP')], {
  bits: 8,
  width: 16,
  placeBytes: 1,
});
add('arp_spa', 4, KEY.ipSrc, 'ipv4', '+w', 'arp', [nxm(0, 16, 'ARP_SPA'), oxm(22, 'ARP_SPA')]);
add('arp_tpa', 4, KEY.ipDst, 'ipv4', '+w', 'arp', [nxm(0, 17, 'ARP_TPA'), oxm(23, 'ARP_TPA')]);
add('arp_sha', 6, KEY.arpSha, 'ethernet', '+w', 'arp', [nxm(1, 17, 'ARP_SHA'), oxm(24, 'ARP_SHA')]);
add('arp_tha', 6, KEY.arpTha, 'ethernet', '+w', 'arp', [nxm(1, 18, 'ARP_THA'), oxm(25, 'ARP_THA')]);

// Transport layer.
add('tcp_src', 2, KEY.l4Src, 'decimal', '+w', 'tcp', [nxm(0, 9, 'TCP_SRC'), oxm(13, 'TCP_SRC')], { alias: 'tp_src' });
add('tcp_dst', 2, KEY.l4Dst, 'decimal', '+w', 'tcp', [nxm(0, 10, 'TCP_DST'), oxm(14, 'TCP_DST')], { alias: 'tp_dst' });
add(
  'tcp_flags',
  2,
  KEY.tcpFlags,
  'tcpFlags',
  '+r',
  'tcp',
  [nxm(1, 34, 'TCP_FLAGS'), onf(42, 'TCP_FLAGS'), oxm(42, 'TCP_FLAGS', 6)],
  { bits: 12 },
);
add('udp_src', 2, KEY.l4Src, 'decimal', '+w', 'udp', [nxm(0, 11, 'UDP_SRC'), oxm(15, 'UDP_SRC')]);
add('udp_dst', 2, KEY.l4Dst, 'decimal', '+w', 'udp', [nxm(0, 12, 'UDP_DST'), oxm(16, 'UDP_DST')]);
add('sctp_src', 2, KEY.l4Src, 'decimal', '+w', 'sctp', [oxm(17, 'SCTP_SRC')]);
add('sctp_dst', 2, KEY.l4Dst, 'decimal', '+w', 'sctp', [oxm(18, 'SCTP_DST')]);
add('icmp_type', 1, KEY.l4Src + 1, 'decimal', '-w', 'icmpv4', [nxm(0, 13, 'ICMP_TYPE'), oxm(19, 'ICMPV4_TYPE')]);
add('icmp_code', 1, KEY.l4Dst + 1, 'decimal', '-w', 'icmpv4', [nxm(0, 14, 'ICMP_CODE'), oxm(20, 'ICMPV4_CODE')]);
add('icmpv6_type', 1, KEY.l4Src + 1, 'decimal', '-w', 'icmpv6', [nxm(1, 21, 'ICMPV6_TYPE'), oxm(29, 'ICMPV6_TYPE')]);
add('icmpv6_code', 1, KEY.l4Dst + 1, 'decimal', '-w', 'icmpv6', [nxm(1, 22, 'ICMPV6_CODE'), oxm(30, 'ICMPV6_CODE')]);
add('nd_reserved', 4, KEY.ndReserved, 'decimal', '-w', 'nd', [ericsson(1, 'ICMPV6_ND_RESERVED')]);
add('nd_options_type', 1, KEY.tcpFlags + 1, 'decimal', '-w', 'nd', [ericsson(2, 'ICMPV6_ND_OPTIONS_TYPE')]);
add('nd_target', 16, KEY.ndTarget, 'ipv6', '+w', 'nd', [nxm(1, 23, 'ND_TARGET'), oxm(31, 'IPV6_ND_TARGET')]);
add('nd_sll', 6, KEY.arpSha, 'ethernet', '+w', 'ndSolicit', [nxm(1, 24, 'ND_SLL'), oxm(32, 'IPV6_ND_SLL')]);
add('nd_tll', 6, KEY.arpTha, 'ethernet', '+w', 'ndAdvert', [nxm(1, 25, 'ND_TLL'), oxm(33, 'IPV6_ND_TLL')]);

// Network service headers.
add('nsh_flags', 1, KEY.nshFlags, 'decimal', '+w', 'nsh', [nshId(1, 'FLAGS')]);
add('nsh_ttl', 1, KEY.nshTtl, 'decimal', '-w', 'nsh', [nshId(10, 'TTL')], { bits: 6, width: 8, placeBytes: 1 });
add('nsh_mdtype', 1, KEY.nshMdtype, 'decimal', '-r', 'nsh', [nshId(2, 'MDTYPE')], { values: [1, 2] });
add('nsh_np', 1, KEY.nshNp, 'decimal', '-r', 'nsh', [nshId(3, 'NP')]);
add('nsh_spi', 4, KEY.nshPath, 'hexadecimal', '-w', 'nsh', [nshId(4, 'SPI')], { bits: 24, shift: 8, alias: 'nsp' });
add('nsh_si', 1, KEY.nshPath + 3, 'decimal', '-w', 'nsh', [nshId(5, 'SI')], { alias: 'nsi' });
for (let i = 1; i <= 4; i++)
  add(`nsh_c${i}`, 4, KEY.nshContext + 4 * (i - 1), 'hexadecimal', '+w', 'nsh', [nshId(5 + i, `C${i}`)], {
    alias: `nshc${i}`,
  });

// Tunnels.
add('tun_id', 8, KEY.tunId, 'hexadecimal', '+w', 'none', [nxm(1, 16, 'TUN_ID'), oxm(38, 'TUNNEL_ID', 4)], {
  alias: 'tunnel_id',
});
add('tun_flags', 2, KEY.tunFlags, 'tunnelFlags', '+w', 'none', [nxm(1, 104, 'TUN_FLAGS')], { bits: 1 });
add('tun_src', 4, KEY.tunSrc, 'ipv4', '+w', 'none', [nxm(1, 31, 'TUN_IPV4_SRC')]);
add('tun_dst', 4, KEY.tunDst, 'ipv4', '+w', 'none', [nxm(1, 32, 'TUN_IPV4_DST')]);
add('tun_ipv6_src', 16, KEY.tunIpv6Src, 'ipv6', '+w', 'none', [nxm(1, 109, 'TUN_IPV6_SRC')]);
add('tun_ipv6_dst', 16, KEY.tunIpv6Dst, 'ipv6', '+w', 'none', [nxm(1, 110, 'TUN_IPV6_DST')]);
add('tun_ttl', 1, KEY.tunTtl, 'decimal', '-r', 'none', []);
add('tun_tos', 1, KEY.tunTos, 'decimal', '-r', 'none', []);
add('tun_gbp_id', 2, KEY.tunGbpId, 'decimal', '+w', 'none', [nxm(1, 38, 'TUN_GBP_ID')]);
add('tun_gbp_flags', 1, KEY.tunGbpFlags, 'hexadecimal', '+w', 'none', [nxm(1, 39, 'TUN_GBP_FLAGS')]);
add('tun_erspan_idx', 4, KEY.tunErspanIdx, 'hexadecimal', '+w', 'none', [nxEt(11, 'ERSPAN_IDX')], { bits: 20 });
add('tun_erspan_ver', 1, KEY.tunErspanVer, 'decimal', '+w', 'none', [nxEt(12, 'ERSPAN_VER')], { bits: 4 });
add('tun_erspan_dir', 1, KEY.tunErspanDir, 'decimal', '+w', 'none', [nxEt(13, 'ERSPAN_DIR')], { bits: 1 });
add('tun_erspan_hwid', 1, KEY.tunErspanHwid, 'hexadecimal', '+w', 'none', [nxEt(14, 'ERSPAN_HWID')], { bits: 6 });
add('tun_gtpu_flags', 1, KEY.tunGtpuFlags, 'hexadecimal', '+r', 'none', [nxEt(15, 'GTPU_FLAGS')]);
add('tun_gtpu_msgtype', 1, KEY.tunGtpuMsgtype, 'decimal', '+r', 'none', [nxEt(16, 'GTPU_MSGTYPE')]);
for (let i = 0; i < TUN_METADATA_COUNT; i++)
  add(
    `tun_metadata${i}`,
    TUN_METADATA_BYTES,
    KEY.tunMetadata + i * TUN_METADATA_BYTES,
    'hexadecimal',
    '+w',
    'none',
    [nxm(1, 40 + i, `TUN_METADATA${i}`)],
    { special: 'tunMetadata' },
  );

// Metadata of the pipeline.
for (let i = 0; i < REG_COUNT; i++)
  add(`reg${i}`, 4, KEY.regs + 4 * i, 'hexadecimal', '+w', 'none', [nxm(1, i, `REG${i}`)]);
for (let i = 0; i < REG_COUNT / 2; i++) {
  const id: WireId = { name: `OXM_OF_PKT_REG${i}`, oxmClass: 0x8001, number: i, since: 4 };
  add(`xreg${i}`, 8, KEY.regs + 8 * i, 'hexadecimal', '+w', 'none', [id], { overlaps: true });
}
for (let i = 0; i < REG_COUNT / 4; i++)
  add(`xxreg${i}`, 16, KEY.regs + 16 * i, 'hexadecimal', '+w', 'none', [nxm(1, 111 + i, `XXREG${i}`)], {
    overlaps: true,
  });
add('pkt_mark', 4, KEY.pktMark, 'hexadecimal', '+w', 'none', [nxm(1, 33, 'PKT_MARK')]);

// Connection tracking; the original direction of a connection has a prerequisite that looks at ct_state and the Ethertype.
add('ct_state', 4, KEY.ctState, 'ctState', '+r', 'none', [nxm(1, 105, 'CT_STATE')], { bits: 8, width: 32 });
add('ct_zone', 2, KEY.ctZone, 'hexadecimal', '-r', 'none', [nxm(1, 106, 'CT_ZONE')]);
add('ct_mark', 4, KEY.ctMark, 'hexadecimal', '+w', 'none', [nxm(1, 107, 'CT_MARK')]);
add('ct_label', 16, KEY.ctLabel, 'hexadecimal', '+w', 'none', [nxm(1, 108, 'CT_LABEL')]);
add('ct_nw_src', 4, KEY.ctNwSrc, 'ipv4', '+r', 'ctIpv4', [nxm(1, 120, 'CT_NW_SRC')]);
add('ct_nw_dst', 4, KEY.ctNwDst, 'ipv4', '+r', 'ctIpv4', [nxm(1, 121, 'CT_NW_DST')]);
add('ct_ipv6_src', 16, KEY.ctIpv6Src, 'ipv6', '+r', 'ctIpv6', [nxm(1, 122, 'CT_IPV6_SRC')]);
add('ct_ipv6_dst', 16, KEY.ctIpv6Dst, 'ipv6', '+r', 'ctIpv6', [nxm(1, 123, 'CT_IPV6_DST')]);
add('ct_nw_proto', 1, KEY.ctNwProto, 'decimal', '-r', 'ct', [nxm(1, 119, 'CT_NW_PROTO')]);
add('ct_tp_src', 2, KEY.ctTpSrc, 'decimal', '+r', 'ctL4', [nxm(1, 124, 'CT_TP_SRC')]);
add('ct_tp_dst', 2, KEY.ctTpDst, 'decimal', '+r', 'ctL4', [nxm(1, 125, 'CT_TP_DST')]);
add('metadata', 8, KEY.metadata, 'hexadecimal', '+w', 'none', [oxm(2, 'METADATA')]);

/** All fields, in registry order. */
export const FIELDS: readonly Field[] = registry;

const byName = new Map<string, Field>();
/** By class and number; those of an experimenter in a map of its own. */
const byWire = new Map<number, Field>();
const byExperimenter = new Map<number, Map<number, Field>>();
for (const field of FIELDS) {
  byName.set(field.name, field);
  if (field.alias !== undefined) byName.set(field.alias, field);
  for (const { oxmClass, number, experimenter } of field.wire) {
    if (experimenter === undefined) byWire.set(oxmClass * 0x80 + number, field);
    else {
      const numbers = byExperimenter.get(experimenter) ?? new Map<number, Field>();
      byExperimenter.set(experimenter, numbers.set(number, field));
    }
  }
}

/** The field of that name or alias. */
export function fieldNamed(name: string): Field | undefined {
  return byName.get(name);
}

/** The same for names known to exist; an unknown one is a defect of the caller. */
export function field(name: string): Field {
  const found = byName.get(name);
  if (!found) throw new TypeError(`no match field is named ${name}`);
  return found;
}

/** The field of an NXM or OXM header's class and number, and its experimenter if the class is 0xffff. */
export function fieldOfWire(oxmClass: number, number: number, experimenter?: number): Field | undefined {
  if (experimenter === undefined) return byWire.get(oxmClass * 0x80 + number);
  return oxmClass === OXM_CLASS_EXPERIMENTER ? byExperimenter.get(experimenter)?.get(number) : undefined;
}

/** Names that stand for a match on several fields: [field, value] each. */
export const SHORTHANDS: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  eth: [['packet_type', 0]],
  ip: [['eth_type', 0x0800]],
  ipv6: [['eth_type', 0x86dd]],
  icmp: [
    ['eth_type', 0x0800],
    ['nw_proto', 1],
  ],
  icmp6: [
    ['eth_type', 0x86dd],
    ['nw_proto', 58],
  ],
  tcp: [
    ['eth_type', 0x0800],
    ['nw_proto', 6],
  ],
  tcp6: [
    ['eth_type', 0x86dd],
    ['nw_proto', 6],
  ],
  udp: [
    ['eth_type', 0x0800],
    ['nw_proto', 17],
  ],
  udp6: [
    ['eth_type', 0x86dd],
    ['nw_proto', 17],
  ],
  sctp: [
    ['eth_type', 0x0800],
    ['nw_proto', 132],
  ],
  sctp6: [
    ['eth_type', 0x86dd],
    ['nw_proto', 132],
  ],
  arp: [['eth_type', 0x0806]],
  rarp: [['eth_type', 0x8035]],
  mpls: [['eth_type', 0x8847]],
  mplsm: [['eth_type', 0x8848]],
};
