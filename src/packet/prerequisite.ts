import type { Prerequisite } from './field.ts';
import { ETH_TYPE, IP_PROTO } from './headers.ts';
import { KEY } from './key.ts';

/**
 * What a prerequisite may look at: `exact(offset, bytes)` is the number at a place if every bit of it is known, and
 * `bits(offset, bytes)` the known bits there. A match knows the bits it matches; a packet's key knows all.
 */
export interface KnownBits {
  exact(offset: number, bytes: number): number | undefined;
  bits(offset: number, bytes: number): { readonly value: number; readonly mask: number };
}

/** Bits of ct_state (ovs-fields(7), "Connection Tracking Fields"). */
export const CT_STATE = {
  new: 0x01,
  est: 0x02,
  rel: 0x04,
  rpl: 0x08,
  inv: 0x10,
  trk: 0x20,
  snat: 0x40,
  dnat: 0x80,
} as const;

const CT_IMPLIES_VALID = CT_STATE.new | CT_STATE.est | CT_STATE.rel | CT_STATE.rpl | CT_STATE.snat | CT_STATE.dnat;

/** Does what is known imply the prerequisite? */
export function prerequisiteHolds(prerequisite: Prerequisite, known: KnownBits): boolean {
  switch (prerequisite) {
    case 'none':
      return true;
    case 'ethernet':
      return (known.exact(KEY.packetType, 4) ?? 0) === 0;
    case 'vlan': {
      const tci = known.bits(KEY.vlanTci, 2);
      return (tci.mask & tci.value & 0x1000) !== 0 && prerequisiteHolds('ethernet', known);
    }
    case 'ipv4':
      return etherType(known) === ETH_TYPE.ipv4;
    case 'ipv6':
      return etherType(known) === ETH_TYPE.ipv6;
    case 'ip': {
      const type = etherType(known);
      return type === ETH_TYPE.ipv4 || type === ETH_TYPE.ipv6;
    }
    case 'arp': {
      const type = etherType(known);
      return type === ETH_TYPE.arp || type === ETH_TYPE.rarp;
    }
    case 'mpls': {
      const type = etherType(known);
      return type === ETH_TYPE.mpls || type === ETH_TYPE.mplsMulticast;
    }
    case 'nsh':
      return etherType(known) === ETH_TYPE.nsh;
    case 'ct':
      return ctValid(known);
    case 'ctIpv4':
      return ctValid(known) && etherType(known) === ETH_TYPE.ipv4;
    case 'ctIpv6':
      return ctValid(known) && etherType(known) === ETH_TYPE.ipv6;
    case 'ctL4':
      return ctValid(known) && known.exact(KEY.ctNwProto, 1) !== undefined;
    case 'tcp':
      return hasL4(known, IP_PROTO.tcp);
    case 'udp':
      return hasL4(known, IP_PROTO.udp);
    case 'sctp':
      return hasL4(known, IP_PROTO.sctp);
    case 'icmpv4':
      return etherType(known) === ETH_TYPE.ipv4 && ipProto(known) === IP_PROTO.icmp;
    case 'icmpv6':
      return etherType(known) === ETH_TYPE.ipv6 && ipProto(known) === IP_PROTO.icmpv6;
    case 'nd':
      return isNeighbourDiscovery(known, 135) || isNeighbourDiscovery(known, 136);
    case 'ndSolicit':
      return isNeighbourDiscovery(known, 135);
    case 'ndAdvert':
      return isNeighbourDiscovery(known, 136);
  }
}

/** How to write in a flow what a prerequisite asks for, for error messages. */
export const PREREQUISITE_TEXT: Readonly<Record<Prerequisite, string>> = {
  none: 'nothing',
  ethernet: 'an Ethernet packet (no packet_type but (0,0))',
  vlan: 'a VLAN tag (dl_vlan=…)',
  mpls: '"mpls" or "mplsm"',
  arp: '"arp" or "rarp"',
  ipv4: '"ip"',
  ipv6: '"ipv6"',
  ip: '"ip" or "ipv6"',
  nsh: '"dl_type=0x894f"',
  ct: 'a tracked connection (as ct_state=+trk+est)',
  ctIpv4: 'a tracked IPv4 connection (as ct_state=+trk+est,ip)',
  ctIpv6: 'a tracked IPv6 connection (as ct_state=+trk+est,ipv6)',
  ctL4: 'ct_nw_proto',
  tcp: '"tcp" or "tcp6"',
  udp: '"udp" or "udp6"',
  sctp: '"sctp" or "sctp6"',
  icmpv4: '"icmp"',
  icmpv6: '"icmp6"',
  nd: '"icmp6,icmp_type=135,icmp_code=0" or "icmp6,icmp_type=136,icmp_code=0"',
  ndSolicit: '"icmp6,icmp_type=135,icmp_code=0"',
  ndAdvert: '"icmp6,icmp_type=136,icmp_code=0"',
};

/** The Ethertype, which a packet type of namespace 1 gives as well. */
export function etherType(known: KnownBits): number | undefined {
  const packetType = known.exact(KEY.packetType, 4);
  if (packetType !== undefined && packetType >>> 16 === 1) return packetType & 0xffff;
  return known.exact(KEY.ethType, 2);
}

function ipProto(known: KnownBits): number | undefined {
  const type = etherType(known);
  return type === ETH_TYPE.ipv4 || type === ETH_TYPE.ipv6 ? known.exact(KEY.ipProto, 1) : undefined;
}

/** A transport header is there unless later fragments are asked for. */
function hasL4(known: KnownBits, proto: number): boolean {
  const frag = known.bits(KEY.ipFrag, 1);
  return ipProto(known) === proto && (frag.value & frag.mask & 2) === 0;
}

function isNeighbourDiscovery(known: KnownBits, type: number): boolean {
  return (
    etherType(known) === ETH_TYPE.ipv6 &&
    ipProto(known) === IP_PROTO.icmpv6 &&
    known.exact(KEY.l4Src + 1, 1) === type &&
    (known.exact(KEY.l4Dst + 1, 1) ?? 0) === 0
  );
}

function ctValid(known: KnownBits): boolean {
  const { value, mask } = known.bits(KEY.ctState, 4);
  const set = value & mask;
  return (set & CT_IMPLIES_VALID) !== 0 || ((set & CT_STATE.trk) !== 0 && (mask & CT_STATE.inv & ~value) !== 0);
}
