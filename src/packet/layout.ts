import {
  ARP,
  ETH,
  ETH_ADDRESS_BYTES,
  ETH_TYPE,
  ETH_TYPE_MIN,
  ICMP,
  IGMP,
  IP_PROTO,
  IPV4,
  IPV6,
  IPV6_EXTENSION,
  IPV6_FRAGMENT,
  IPV6_ROUTING,
  isMplsType,
  isVlanType,
  LLC_SNAP,
  NSH,
  SCTP,
  TCP,
  UDP,
  VLAN,
} from './headers.ts';
import { ETH_TYPE_NONE, FRAG_ANY, FRAG_LATER } from './key.ts';

/** VLAN tags that are looked at; what follows them is the Ethertype, even when it is that of another tag. */
export const MAX_VLAN_TAGS = 2;

/** The header after the Ethertype, as far as it is whole and sane. */
export const NETWORK = { none: 0, ipv4: 1, ipv6: 2, ipv6Broken: 3, arp: 4, mpls: 5, nsh: 6 } as const;

/**
 * Where the headers of an Ethernet packet lie: the one walk over a packet that extraction and rewriting share. What is
 * cut or malformed counts as absent, in each case as Open vSwitch has it. Reused from packet to packet, so that a
 * walk allocates nothing; offsets of absent headers mean nothing.
 */
export class PacketLayout {
  start = 0;
  end = 0;
  hasEthernet = false;
  vlanTags = 0;
  /** After tags and SNAP header; ETH_TYPE_NONE for an 802.3 frame without one. */
  ethType = 0;
  /** What follows the Ethertype. */
  l3 = 0;
  /** IPV6_BROKEN: the fixed header is whole, but its extension headers are not. */
  network: (typeof NETWORK)[keyof typeof NETWORK] = NETWORK.none;
  /** FRAG_ANY, FRAG_LATER. */
  frag = 0;
  /** The last protocol number found; IP_PROTO.fragment in later IPv6 fragments. */
  ipProto = 0;
  /** An IPv6 routing header says that the destination address is not the last one. */
  isSourceRouted = false;
  /** What follows the IP headers, and where the IP packet ends: padding belongs to no header. */
  l4 = 0;
  l4End = 0;
  /** Is the header of `ipProto`, one of those that have fields, there in full? */
  hasTransport = false;

  /** By its Ethertype, even if nothing of the header can be used. */
  get isIp(): boolean {
    return this.ethType === ETH_TYPE.ipv4 || this.ethType === ETH_TYPE.ipv6;
  }

  /** Walks the packet in `packet[start, end)`. */
  locate(packet: Uint8Array, start: number, end: number): void {
    this.start = start;
    this.end = end;
    this.vlanTags = 0;
    this.ethType = 0;
    this.network = NETWORK.none;
    this.frag = 0;
    this.ipProto = 0;
    this.isSourceRouted = false;
    this.hasTransport = false;
    this.hasEthernet = end - start >= ETH.headerBytes;
    if (!this.hasEthernet) return;

    let at = start + ETH.type;
    while (this.vlanTags < MAX_VLAN_TAGS && isVlanType(u16(packet, at)) && end - at >= VLAN.tagBytes + 2) {
      this.vlanTags++;
      at += VLAN.tagBytes;
    }
    this.ethType = u16(packet, at);
    at += 2;
    if (this.ethType < ETH_TYPE_MIN) {
      this.ethType = snapType(packet, at, end);
      if (this.ethType !== ETH_TYPE_NONE) at += LLC_SNAP.headerBytes;
    }
    this.locateNetwork(packet, at, end);
  }

  /** The part of the walk behind the Ethertype, which the caller has put into `ethType`. */
  locateNetwork(packet: Uint8Array, at: number, end: number): void {
    this.l3 = at;
    this.end = end;
    if (this.ethType === ETH_TYPE.ipv4) this.#locateIpv4(packet);
    else if (this.ethType === ETH_TYPE.ipv6) this.#locateIpv6(packet);
    else if (this.ethType === ETH_TYPE.arp || this.ethType === ETH_TYPE.rarp) {
      if (isArp(packet, at, end)) this.network = NETWORK.arp;
    } else if (isMplsType(this.ethType)) this.network = NETWORK.mpls;
    else if (this.ethType === ETH_TYPE.nsh && isNsh(packet, at, end)) this.network = NETWORK.nsh;
  }

  #locateIpv4(packet: Uint8Array): void {
    const at = this.l3;
    const there = this.end - at;
    if (there < IPV4.minHeaderBytes) return;
    const headerBytes = (packet[at + IPV4.versionIhl] & 0x0f) * 4;
    const totalBytes = u16(packet, at + IPV4.totalLength);
    if (headerBytes < IPV4.minHeaderBytes || totalBytes > there || headerBytes > totalBytes) return;
    const fragment = u16(packet, at + IPV4.fragment);
    if (fragment & (IPV4.moreFragments | IPV4.fragmentOffsetMask)) this.frag = FRAG_ANY;
    if (fragment & IPV4.fragmentOffsetMask) this.frag |= FRAG_LATER;
    this.network = NETWORK.ipv4;
    this.ipProto = packet[at + IPV4.protocol];
    this.#locateTransport(packet, at + headerBytes, at + totalBytes);
  }

  #locateIpv6(packet: Uint8Array): void {
    const there = this.end - this.l3 - IPV6.headerBytes;
    if (there < 0) return;
    const payloadBytes = u16(packet, this.l3 + IPV6.payloadLength);
    if (payloadBytes > there) return;
    this.network = NETWORK.ipv6Broken;
    let at = this.l3 + IPV6.headerBytes;
    const payloadEnd = at + payloadBytes;
    let next = packet[this.l3 + IPV6.nextHeader];
    while (isIpv6Extension(next)) {
      if (payloadEnd - at < IPV6_EXTENSION.minBytes) return;
      const header = next;
      next = packet[at + IPV6_EXTENSION.nextHeader];
      if (header === IP_PROTO.fragment) {
        const offsetMore = u16(packet, at + IPV6_FRAGMENT.offsetMore);
        if (offsetMore !== 0) this.frag = FRAG_ANY;
        if (offsetMore & IPV6_FRAGMENT.offsetMask) {
          // What follows in a later fragment is not the start of a header.
          this.frag |= FRAG_LATER;
          next = IP_PROTO.fragment;
          break;
        }
      } else if (header === IP_PROTO.routing && packet[at + IPV6_ROUTING.segmentsLeft] > 0) {
        this.isSourceRouted = true;
      }
      at += ipv6ExtensionBytes(header, packet[at + IPV6_EXTENSION.length]);
      if (at > payloadEnd) return;
    }
    this.network = NETWORK.ipv6;
    this.ipProto = next;
    this.#locateTransport(packet, at, payloadEnd);
  }

  #locateTransport(packet: Uint8Array, at: number, end: number): void {
    this.l4 = at;
    this.l4End = end;
    if (this.frag & FRAG_LATER) return;
    const minBytes = transportHeaderBytes(this.ipProto);
    if (minBytes === 0 || end - at < minBytes) return;
    if (this.ipProto === IP_PROTO.tcp) {
      const headerBytes = (packet[at + TCP.flags] >> 4) * 4;
      if (headerBytes < minBytes || headerBytes > end - at) return;
    }
    this.hasTransport = true;
  }
}

/** What must be there of a transport header for its fields to count; 0 for protocols without fields. */
export function transportHeaderBytes(ipProto: number): number {
  switch (ipProto) {
    case IP_PROTO.tcp:
      return TCP.minHeaderBytes;
    case IP_PROTO.udp:
      return UDP.headerBytes;
    case IP_PROTO.sctp:
      return SCTP.headerBytes;
    case IP_PROTO.icmp:
    case IP_PROTO.icmpv6:
      return ICMP.headerBytes;
    case IP_PROTO.igmp:
      return IGMP.headerBytes;
    default:
      return 0;
  }
}

/** The Ethertype of an 802.2 frame with SNAP header and organisation 0, ETH_TYPE_NONE of any other. */
function snapType(packet: Uint8Array, at: number, end: number): number {
  if (end - at < LLC_SNAP.headerBytes) return ETH_TYPE_NONE;
  const isSnap =
    u16(packet, at + LLC_SNAP.dsap) === 0xaaaa &&
    packet[at + LLC_SNAP.control] === 0x03 &&
    packet[at + LLC_SNAP.organisation] === 0 &&
    u16(packet, at + LLC_SNAP.organisation + 1) === 0;
  const type = u16(packet, at + LLC_SNAP.type);
  return isSnap && type >= ETH_TYPE_MIN ? type : ETH_TYPE_NONE;
}

function isArp(packet: Uint8Array, at: number, end: number): boolean {
  return (
    end - at >= ARP.headerBytes &&
    u16(packet, at + ARP.hardware) === ARP.hardwareEthernet &&
    u16(packet, at + ARP.protocol) === ETH_TYPE.ipv4 &&
    packet[at + ARP.hardwareBytes] === ETH_ADDRESS_BYTES &&
    packet[at + ARP.protocolBytes] === 4
  );
}

function isNsh(packet: Uint8Array, at: number, end: number): boolean {
  if (end - at < NSH.baseBytes) return false;
  const word = u16(packet, at + NSH.versionFlagsTtlLength);
  const headerBytes = (word & NSH.lengthMask) * 4;
  if (word >> NSH.versionShift !== 0 || headerBytes > end - at) return false;
  switch (packet[at + NSH.mdType]) {
    case 1:
      return headerBytes === NSH.baseBytes + NSH.contextBytes;
    case 2:
      return headerBytes >= NSH.baseBytes;
    default:
      // Of unknown metadata, the base header counts.
      return true;
  }
}

function isIpv6Extension(nextHeader: number): boolean {
  return (
    nextHeader === IP_PROTO.hopByHop ||
    nextHeader === IP_PROTO.routing ||
    nextHeader === IP_PROTO.destination ||
    nextHeader === IP_PROTO.authentication ||
    nextHeader === IP_PROTO.fragment
  );
}

/** Whole bytes of an extension header whose length field holds `length` (RFC 8200 section 4, RFC 4302 section 2.2). */
function ipv6ExtensionBytes(header: number, length: number): number {
  if (header === IP_PROTO.fragment) return IPV6_FRAGMENT.headerBytes;
  return header === IP_PROTO.authentication ? (length + 2) * 4 : (length + 1) * 8;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}
