import {
  adjustChecksum,
  coversAddresses,
  getSctpChecksum,
  putSctpChecksum,
  sctpChecksum,
  transportChecksumOffset,
} from './checksum.ts';
import { extractKeyAt } from './extract.ts';
import type { Field } from './field.ts';
import {
  ARP,
  ETH,
  ETH_ADDRESS_BYTES,
  ETH_TYPE,
  ICMP,
  IP_PROTO,
  IPV4,
  IPV6,
  MPLS,
  ND,
  NSH,
  TCP,
  VLAN,
} from './headers.ts';
import { FRAG_LATER, KEY, KEY_PACKET_BYTES, MPLS_LSE_COUNT, newKey, VLAN_CFI } from './key.ts';
import { NETWORK, PacketLayout, transportHeaderBytes } from './layout.ts';
import { type KnownBits, prerequisiteHolds } from './prerequisite.ts';
import { popVlan, pushVlan } from './resize.ts';
import { type FieldValue, readField, writeField } from './value.ts';

const layout = new PacketLayout();
const current = newKey();
const desired = newKey();

/**
 * Makes the packet have `value` for a field, where `mask` has ones (everywhere without it), and keeps its checksums as
 * right or wrong as they were. In place, except that a VLAN field may add a tag to a packet without one or, with a TCI
 * of zero, take it away. Returns the packet, which is a new array in the latter cases. A packet without the header that
 * the field belongs to, or a field that is no part of packets, changes nothing.
 */
export function setField(packet: Uint8Array, field: Field, value: FieldValue, mask?: FieldValue): Uint8Array {
  layout.locate(packet, 0, packet.length);
  extractKeyAt(packet, layout, current);
  if (field.origin !== 'packet' || !prerequisiteHolds(field.prerequisite, allKnown)) return packet;
  desired.set(current);
  const now = mask && readField(field, current);
  writeField(field, desired, mask && now ? value.map((v, i) => (v & mask[i]) | (now[i] & ~mask[i])) : value);
  return rewrite(packet, desired);
}

/**
 * Makes the packet have what `key` says, as far as it has the headers: the way to carry out at once what several
 * actions did to a packet's key. Returns the packet as `setField` does.
 */
export function applyKey(packet: Uint8Array, key: Uint8Array): Uint8Array {
  layout.locate(packet, 0, packet.length);
  extractKeyAt(packet, layout, current);
  return rewrite(packet, key);
}

const allKnown: KnownBits = {
  exact: (offset, bytes) => currentNumber(offset, bytes),
  bits: (offset, bytes) => ({ value: currentNumber(offset, bytes), mask: 2 ** (8 * bytes) - 1 }),
};

function currentNumber(offset: number, bytes: number): number {
  let number = 0;
  for (let i = 0; i < bytes; i++) number = number * 256 + current[offset + i];
  return number;
}

/** From `current`, which tells of the packet at `layout`, to `want`. */
function rewrite(packet: Uint8Array, want: Uint8Array): Uint8Array {
  if (!layout.hasEthernet || !differs(want, KEY.ethDst, KEY_PACKET_BYTES - KEY.ethDst)) return packet;
  copy(want, KEY.ethDst, packet, layout.start + ETH.dst, 2 * ETH_ADDRESS_BYTES);
  switch (layout.network) {
    case NETWORK.ipv4:
      rewriteIpv4(packet, want);
      break;
    case NETWORK.ipv6:
      rewriteIpv6(packet, want);
      break;
    case NETWORK.arp:
      rewriteArp(packet, want);
      break;
    case NETWORK.mpls:
      rewriteMpls(packet, want);
      break;
    case NETWORK.nsh:
      rewriteNsh(packet, want);
      break;
  }
  return rewriteVlan(packet, want);
}

function rewriteVlan(packet: Uint8Array, want: Uint8Array): Uint8Array {
  const isWanted = (want[KEY.vlanTci] & (VLAN_CFI >> 8)) !== 0;
  if (layout.vlanTags === 0) {
    return isWanted ? pushVlan(packet, u16(want, KEY.vlanTpid) || ETH_TYPE.vlan, u16(want, KEY.vlanTci)) : packet;
  }
  if (!isWanted) return popVlan(packet);
  for (let i = 0; i < layout.vlanTags; i++) {
    const place = KEY.vlanTpid + i * VLAN.tagBytes;
    if (!differs(want, place, VLAN.tagBytes)) continue;
    const at = layout.start + ETH.type + i * VLAN.tagBytes;
    // In a key that bit says that there is a tag; in the packet it stays the sender's drop eligible indicator.
    const dropEligible = packet[at + VLAN.tci] & (VLAN_CFI >> 8);
    copy(want, place, packet, at, VLAN.tagBytes);
    packet[at + VLAN.tci] = (packet[at + VLAN.tci] & ~(VLAN_CFI >> 8)) | dropEligible;
  }
  return packet;
}

function rewriteMpls(packet: Uint8Array, want: Uint8Array): void {
  for (let i = 0; i < MPLS_LSE_COUNT; i++) {
    const at = layout.l3 + i * MPLS.lseBytes;
    if (at + MPLS.lseBytes > layout.end) return;
    const isLast = (packet[at + MPLS.bos] & MPLS.bosBit) !== 0;
    copy(want, KEY.mplsLse + i * MPLS.lseBytes, packet, at, MPLS.lseBytes);
    if (isLast) return;
  }
}

function rewriteNsh(packet: Uint8Array, want: Uint8Array): void {
  const at = layout.l3;
  // Both fields are a byte wide in matches, but 2 and 6 bits in the header.
  const flagsMask = 3 << NSH.flagsShift;
  const ttlMask = 0x3f << NSH.ttlShift;
  const flags = (want[KEY.nshFlags] << NSH.flagsShift) & flagsMask;
  const ttl = (want[KEY.nshTtl] << NSH.ttlShift) & ttlMask;
  put16(packet, at, (u16(packet, at) & ~(flagsMask | ttlMask)) | flags | ttl);
  copy(want, KEY.nshPath, packet, at + NSH.path, 4);
  if (packet[at + NSH.mdType] === 1) copy(want, KEY.nshContext, packet, at + NSH.context, NSH.contextBytes);
}

function rewriteArp(packet: Uint8Array, want: Uint8Array): void {
  const at = layout.l3;
  if (differs(want, KEY.ipProto, 1)) put16(packet, at + ARP.opcode, want[KEY.ipProto]);
  copy(want, KEY.arpSha, packet, at + ARP.sha, ETH_ADDRESS_BYTES);
  copy(want, KEY.ipSrc, packet, at + ARP.spa, 4);
  copy(want, KEY.arpTha, packet, at + ARP.tha, ETH_ADDRESS_BYTES);
  copy(want, KEY.ipDst, packet, at + ARP.tpa, 4);
}

function rewriteIpv4(packet: Uint8Array, want: Uint8Array): void {
  const at = layout.l3;
  const addresses = replace(packet, at + IPV4.src, want, KEY.ipSrc, 8, at);
  const others =
    replace(packet, at + IPV4.tos, want, KEY.ipTos, 1, at) + replace(packet, at + IPV4.ttl, want, KEY.ipTtl, 1, at);
  if (addresses + others !== 0) adjustChecksum(packet, at + IPV4.checksum, addresses + others);
  rewriteTransport(packet, want, addresses);
}

function rewriteIpv6(packet: Uint8Array, want: Uint8Array): void {
  const at = layout.l3;
  let addresses = replace(packet, at + IPV6.src, want, KEY.ipv6Src, IPV6.addressBytes, at);
  const destination = replace(packet, at + IPV6.dst, want, KEY.ipv6Dst, IPV6.addressBytes, at);
  // The checksum is over the last destination, which a routing header still to be followed keeps elsewhere.
  if (!layout.isSourceRouted) addresses += destination;
  const tos = want[KEY.ipTos];
  packet[at] = (packet[at] & 0xf0) | (tos >> 4);
  packet[at + 1] = ((tos << 4) & 0xf0) | (want[KEY.ipv6Label + 1] & 0x0f);
  copy(want, KEY.ipv6Label + 2, packet, at + 2, 2);
  packet[at + IPV6.hopLimit] = want[KEY.ipTtl];
  rewriteTransport(packet, want, addresses);
}

/** `pseudoHeaderDelta` is what the IP addresses have added to a checksum that covers them. */
function rewriteTransport(packet: Uint8Array, want: Uint8Array, pseudoHeaderDelta: number): void {
  const { l4, ipProto } = layout;
  const headerBytes = transportHeaderBytes(ipProto);
  // A header whose fields do not count, as its length is wrong, has a checksum nevertheless.
  if (headerBytes === 0 || layout.frag & FRAG_LATER || layout.l4End - l4 < headerBytes) return;
  let delta = coversAddresses(layout) ? pseudoHeaderDelta : 0;
  if (layout.hasTransport) {
    if (ipProto === IP_PROTO.sctp) {
      rewriteSctpPorts(packet, want);
      return;
    }
    if (ipProto === IP_PROTO.tcp || ipProto === IP_PROTO.udp) {
      delta += replace(packet, l4 + TCP.src, want, KEY.l4Src, 4, l4);
    } else {
      delta += replace(packet, l4 + ICMP.type, want, KEY.l4Src + 1, 1, l4);
      delta += replace(packet, l4 + ICMP.code, want, KEY.l4Dst + 1, 1, l4);
      if (ipProto === IP_PROTO.icmpv6) delta += rewriteNeighbourDiscovery(packet, want);
    }
  }
  if (delta !== 0) adjustTransportChecksum(packet, delta);
}

function adjustTransportChecksum(packet: Uint8Array, delta: number): void {
  const offset = transportChecksumOffset(layout.ipProto);
  if (offset === undefined) return;
  const at = layout.l4 + offset;
  if (layout.ipProto !== IP_PROTO.udp) {
    adjustChecksum(packet, at, delta);
  } else if (u16(packet, at) !== 0) {
    // RFC 768: zero means that there is no checksum; one that comes out as zero is written in its other form.
    adjustChecksum(packet, at, delta);
    if (u16(packet, at) === 0) put16(packet, at, 0xffff);
  }
}

/** A wrong checksum stays wrong by the same bits. */
function rewriteSctpPorts(packet: Uint8Array, want: Uint8Array): void {
  const { l4, l4End } = layout;
  if (!differs(want, KEY.l4Src, 4)) return;
  const error = getSctpChecksum(packet, l4) ^ sctpChecksum(packet, l4, l4End);
  copy(want, KEY.l4Src, packet, l4, 4);
  putSctpChecksum(packet, l4, sctpChecksum(packet, l4, l4End) ^ error);
}

function rewriteNeighbourDiscovery(packet: Uint8Array, want: Uint8Array): number {
  const { l4, l4End } = layout;
  const type = current[KEY.l4Src + 1];
  if (current[KEY.l4Dst + 1] !== 0 || (type !== ND.solicit && type !== ND.advert)) return 0;
  let delta = replace(packet, l4 + ND.reserved, want, KEY.ndReserved, 4, l4);
  if (l4End - l4 < ND.options) return delta;
  delta += replace(packet, l4 + ND.target, want, KEY.ndTarget, IPV6.addressBytes, l4);
  delta += rewriteLinkAddress(packet, want, KEY.arpSha, ND.sourceLinkAddress);
  delta += rewriteLinkAddress(packet, want, KEY.arpTha, ND.targetLinkAddress);
  if (differs(want, KEY.tcpFlags + 1, 1)) {
    const at = findOption(packet, current[KEY.tcpFlags + 1]);
    if (at !== undefined) delta += replace(packet, at + ND.optionType, want, KEY.tcpFlags + 1, 1, l4);
  }
  return delta;
}

function rewriteLinkAddress(packet: Uint8Array, want: Uint8Array, place: number, option: number): number {
  if (!differs(want, place, ETH_ADDRESS_BYTES)) return 0;
  const at = findOption(packet, option);
  return at === undefined ? 0 : replace(packet, at + ND.optionAddress, want, place, ETH_ADDRESS_BYTES, layout.l4);
}

/** The first link-layer address option of a type. */
function findOption(packet: Uint8Array, option: number): number | undefined {
  const end = layout.l4End;
  for (let at = layout.l4 + ND.options; end - at >= ND.optionUnitBytes; ) {
    const optionBytes = packet[at + ND.optionLength] * ND.optionUnitBytes;
    if (optionBytes === 0 || optionBytes > end - at) return undefined;
    if (packet[at + ND.optionType] === option && optionBytes === ND.optionUnitBytes) return at;
    at += optionBytes;
  }
  return undefined;
}

/**
 * Copies `count` bytes of the wanted key's place to the packet and returns what that adds to a checksum over 16-bit
 * words counted from `base` (RFC 1624, equation 3: each old word's complement, and each new word); 0 if nothing changes.
 */
function replace(packet: Uint8Array, at: number, want: Uint8Array, place: number, count: number, base: number): number {
  if (!differs(want, place, count)) return 0;
  const first = at - ((at - base) & 1);
  const last = at + count + ((at + count - base) & 1);
  let delta = 0;
  for (let i = first; i < last; i += 2) delta += ~u16(packet, i) & 0xffff;
  copy(want, place, packet, at, count);
  for (let i = first; i < last; i += 2) delta += u16(packet, i);
  return delta;
}

function differs(want: Uint8Array, place: number, count: number): boolean {
  for (let i = place; i < place + count; i++) if (want[i] !== current[i]) return true;
  return false;
}

function copy(from: Uint8Array, place: number, to: Uint8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[place + i];
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
