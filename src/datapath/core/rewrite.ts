// From a changed flow key back to the packet: `src/packet/rewrite.ts` and `resize.ts` once more. Checksums stay as right or
// wrong as they were. Works on the packet that is worked on, which must be its holder's own.

import {
  BUFFER_VIRTIO,
  KEY_ARP_SHA,
  KEY_ARP_THA,
  KEY_ETH_DST,
  KEY_IP_DST,
  KEY_IP_PROTO,
  KEY_IP_SRC,
  KEY_IP_TOS,
  KEY_IP_TTL,
  KEY_IPV6_DST,
  KEY_IPV6_LABEL,
  KEY_IPV6_SRC,
  KEY_L4_DST,
  KEY_L4_SRC,
  KEY_MPLS_LSE,
  KEY_ND_RESERVED,
  KEY_ND_TARGET,
  KEY_NSH_CONTEXT,
  KEY_NSH_FLAGS,
  KEY_NSH_PATH,
  KEY_NSH_TTL,
  KEY_PACKET_END,
  KEY_TCP_FLAGS,
  KEY_VLAN_TCI,
  KEY_VLAN_TPID,
  SCRATCH_CRC,
  SCRATCH_CURRENT,
  SCRATCH_DESIRED,
} from '../layout.ts';
import { closeGap, openGap, recordOf } from './buffers.ts';
import { be16, copy6, differ, putBe16, putBe32 } from './bytes.ts';
import { extractLocated } from './extract.ts';
import {
  end,
  ethType,
  FRAG_LATER,
  frag,
  hasEthernet,
  hasTransport,
  ipProto,
  isMplsType,
  isSourceRouted,
  l3,
  l4,
  l4End,
  locate,
  NETWORK_ARP,
  NETWORK_IPV4,
  NETWORK_IPV6,
  NETWORK_MPLS,
  NETWORK_NSH,
  network,
  PROTO_ICMP,
  PROTO_ICMPV6,
  PROTO_IGMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  TYPE_VLAN,
  transportHeaderBytes,
  vlanTags,
} from './headers.ts';
import { buffer, length, packet, scratch } from './state.ts';

let current: usize = 0;
let desired: usize = 0;

/** Builds the table of CRC32c (RFC 9260 appendix A). */
export function prepareRewrite(): void {
  current = scratch + SCRATCH_CURRENT;
  desired = scratch + SCRATCH_DESIRED;
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    store<u32>(scratch + SCRATCH_CRC + byte * 4, crc);
  }
}

/** Writes bits of the packet's key: `count` records of {u32 offset, u32, u64 value, u64 mask}. False when there was no room. */
export function setBits(records: usize, count: u32): bool {
  locate(packet, length);
  extractLocated(packet, current);
  for (let i: usize = 0; i < <usize>KEY_PACKET_END; i += 8) store<u64>(desired + i, load<u64>(current + i));
  for (let i: u32 = 0; i < count; i++) {
    const record = records + i * 24;
    const place = desired + load<u32>(record);
    store<u64>(place, (load<u64>(place) & ~load<u64>(record, 16)) | load<u64>(record, 8));
  }
  return rewrite();
}

/** The same when only the Ethernet addresses are written. */
export function setAddresses(records: usize, count: u32): void {
  if (length < 14) return;
  for (let i: u32 = 0; i < count; i++) {
    const record = records + i * 24;
    // The key has both addresses as the packet has them, its bytes 8 to 20 are the packet's 0 to 12.
    const place = packet + load<u32>(record) - KEY_ETH_DST;
    store<u64>(place, (load<u64>(place) & ~load<u64>(record, 16)) | load<u64>(record, 8));
  }
}

/** Adds what a 16-bit word at `at` contributes to a checksum when it goes, or when it comes. */
function goes(at: usize): u32 {
  return ~be16(at) & 0xffff;
}

/**
 * The same as `setBits` for a common packet (`common.ts`), whose places are known, and for records of its first words only.
 * Sums are taken over the same words as there, so that the same one of the two forms of zero comes out.
 */
export function setCommon(records: usize, count: u32): void {
  const ip = packet + 14;
  const isPartial = (load<u8>(recordOf(buffer), BUFFER_VIRTIO) & 1) !== 0;
  let header: u32 = 0;
  let addresses = load<u64>(ip, 12);
  let ports = load<u32>(ip, 20);
  for (let i: u32 = 0; i < count; i++) {
    const record = records + i * 24;
    const offset = load<u32>(record);
    const value = load<u64>(record, 8);
    const mask = load<u64>(record, 16);
    if (offset < 24) {
      const place = packet + offset - KEY_ETH_DST;
      store<u64>(place, (load<u64>(place) & ~mask) | value);
    } else if (offset === 24) {
      const tos: u32 = load<u8>(ip, 1);
      const wanted = (tos & ~(<u32>(mask >>> 56))) | <u32>(value >>> 56);
      if (wanted === tos) continue;
      header += goes(ip);
      store<u8>(ip, wanted, 1);
      header += be16(ip);
    } else if (offset === 32) {
      const ttl: u32 = load<u8>(ip, 8);
      const wanted = (ttl & ~(<u32>mask & 0xff)) | (<u32>value & 0xff);
      if (wanted !== ttl) {
        header += goes(ip + 8);
        store<u8>(ip, wanted, 8);
        header += be16(ip + 8);
      }
      addresses = (addresses & ~(mask >>> 32)) | (value >>> 32);
    } else {
      addresses = (addresses & ~(mask << 32)) | (value << 32);
      ports = (ports & ~(<u32>(mask >>> 32))) | <u32>(value >>> 32);
    }
  }
  let ofAddresses: u32 = 0;
  if (addresses !== load<u64>(ip, 12)) {
    ofAddresses = goes(ip + 12) + goes(ip + 14) + goes(ip + 16) + goes(ip + 18);
    store<u64>(ip, addresses, 12);
    ofAddresses += be16(ip + 12) + be16(ip + 14) + be16(ip + 16) + be16(ip + 18);
  }
  if (ofAddresses + header !== 0) adjustChecksum(ip + 10, ofAddresses + header);
  let ofPorts: u32 = 0;
  if (ports !== load<u32>(ip, 20)) {
    ofPorts = goes(ip + 20) + goes(ip + 22);
    store<u32>(ip, ports, 20);
    ofPorts += be16(ip + 20) + be16(ip + 22);
  }
  const delta = isPartial ? ofAddresses : ofAddresses + ofPorts;
  if (delta !== 0) adjustPortsChecksum(ip + 20, load<u8>(ip, 9) === 17, delta, isPartial);
}

function adjustPortsChecksum(at: usize, isUdp: bool, delta: u32, isPartial: bool): void {
  const checksum = at + (isUdp ? 6 : 16);
  if (isPartial) {
    putBe16(checksum, fold(be16(checksum) + delta));
  } else if (!isUdp) {
    adjustChecksum(checksum, delta);
  } else if (load<u16>(checksum) !== 0) {
    adjustChecksum(checksum, delta);
    if (load<u16>(checksum) === 0) store<u16>(checksum, 0xffff);
  }
}

function rewrite(): bool {
  if (!hasEthernet || !differ(current + KEY_ETH_DST, desired + KEY_ETH_DST, KEY_PACKET_END - KEY_ETH_DST)) return true;
  store<u64>(packet, load<u64>(desired, KEY_ETH_DST));
  store<u32>(packet, load<u32>(desired, KEY_ETH_DST + 8), 8);
  if (network === NETWORK_IPV4) rewriteIpv4();
  else if (network === NETWORK_IPV6) rewriteIpv6();
  else if (network === NETWORK_ARP) rewriteArp();
  else if (network === NETWORK_MPLS) rewriteMpls();
  else if (network === NETWORK_NSH) rewriteNsh();
  return rewriteVlan();
}

function rewriteVlan(): bool {
  const isWanted = (load<u8>(desired, KEY_VLAN_TCI) & 0x10) !== 0;
  if (vlanTags === 0) {
    if (!isWanted) return true;
    const tpid = be16(desired + KEY_VLAN_TPID);
    return pushVlan(tpid === 0 ? TYPE_VLAN : tpid, be16(desired + KEY_VLAN_TCI));
  }
  if (!isWanted) {
    popVlan();
    return true;
  }
  for (let i: u32 = 0; i < vlanTags; i++) {
    const want = desired + KEY_VLAN_TPID + 4 * i;
    if (!differ(want, current + KEY_VLAN_TPID + 4 * i, 4)) continue;
    const at = packet + 12 + 4 * i;
    // In a key that bit says that there is a tag; in the packet it stays the sender's drop eligible indicator.
    const dropEligible = load<u8>(at, 2) & 0x10;
    store<u32>(at, load<u32>(want));
    store<u8>(at, (load<u8>(at, 2) & ~0x10) | dropEligible, 2);
  }
  return true;
}

function rewriteMpls(): void {
  for (let i: u32 = 0; i < 3; i++) {
    const at = l3 + 4 * i;
    if (at + 4 > end) return;
    const isLast = (load<u8>(at, 2) & 1) !== 0;
    store<u32>(at, load<u32>(desired + 4 * i, KEY_MPLS_LSE));
    if (isLast) return;
  }
}

function rewriteNsh(): void {
  const at = l3;
  const flags = ((<u32>load<u8>(desired, KEY_NSH_FLAGS)) << 12) & 0x3000;
  const ttl = ((<u32>load<u8>(desired, KEY_NSH_TTL)) << 6) & 0x0fc0;
  putBe16(at, (be16(at) & ~(<u32>0x3fc0)) | flags | ttl);
  store<u32>(at, load<u32>(desired, KEY_NSH_PATH), 4);
  if (load<u8>(at, 2) !== 1) return;
  store<u64>(at, load<u64>(desired, KEY_NSH_CONTEXT), 8);
  store<u64>(at, load<u64>(desired, KEY_NSH_CONTEXT + 8), 16);
}

function rewriteArp(): void {
  const at = l3;
  if (differs(KEY_IP_PROTO, 1)) putBe16(at + 6, load<u8>(desired, KEY_IP_PROTO));
  copy6(at + 8, desired + KEY_ARP_SHA);
  store<u32>(at, load<u32>(desired, KEY_IP_SRC), 14);
  copy6(at + 18, desired + KEY_ARP_THA);
  store<u32>(at, load<u32>(desired, KEY_IP_DST), 24);
}

function rewriteIpv4(): void {
  const at = l3;
  const addresses = replace(at + 12, KEY_IP_SRC, 8, at);
  const others = replace(at + 1, KEY_IP_TOS, 1, at) + replace(at + 8, KEY_IP_TTL, 1, at);
  if (addresses + others !== 0) adjustChecksum(at + 10, addresses + others);
  rewriteTransport(addresses);
}

function rewriteIpv6(): void {
  const at = l3;
  let addresses = replace(at + 8, KEY_IPV6_SRC, 16, at);
  const destination = replace(at + 24, KEY_IPV6_DST, 16, at);
  // The checksum is over the last destination, which a routing header still to be followed keeps elsewhere.
  if (!isSourceRouted) addresses += destination;
  const tos: u32 = load<u8>(desired, KEY_IP_TOS);
  store<u8>(at, (load<u8>(at) & 0xf0) | (tos >>> 4));
  store<u8>(at, ((tos << 4) & 0xf0) | (load<u8>(desired, KEY_IPV6_LABEL + 1) & 0x0f), 1);
  store<u16>(at, load<u16>(desired, KEY_IPV6_LABEL + 2), 2);
  store<u8>(at, load<u8>(desired, KEY_IP_TTL), 7);
  rewriteTransport(addresses);
}

function coversAddresses(): bool {
  if (ipProto === PROTO_ICMPV6) return network === NETWORK_IPV6;
  return ipProto === PROTO_TCP || ipProto === PROTO_UDP;
}

/** `pseudoHeaderDelta` is what the IP addresses have added to a checksum that covers them. */
function rewriteTransport(pseudoHeaderDelta: u32): void {
  const headerBytes = transportHeaderBytes(ipProto);
  // A header whose fields do not count, as its length is wrong, has a checksum nevertheless.
  if (headerBytes === 0 || (frag & FRAG_LATER) !== 0 || <i32>(l4End - l4) < <i32>headerBytes) return;
  let delta: u32 = coversAddresses() ? pseudoHeaderDelta : 0;
  const isPartial = (load<u8>(recordOf(buffer), BUFFER_VIRTIO) & 1) !== 0;
  if (hasTransport) {
    if (ipProto === PROTO_SCTP) {
      rewriteSctpPorts(isPartial);
      return;
    }
    const ofAddresses = delta;
    if (ipProto === PROTO_TCP || ipProto === PROTO_UDP) {
      delta += replace(l4, KEY_L4_SRC, 4, l4);
    } else {
      delta += replace(l4, KEY_L4_SRC + 1, 1, l4);
      delta += replace(l4 + 1, KEY_L4_DST + 1, 1, l4);
      if (ipProto === PROTO_ICMPV6) delta += rewriteNeighbourDiscovery();
    }
    // The checksum that is still to be finished holds the sum of the pseudo header alone, not complemented.
    if (isPartial) delta = ofAddresses;
  }
  if (delta !== 0) adjustTransportChecksum(delta, isPartial);
}

function checksumOffset(): u32 {
  if (ipProto === PROTO_TCP) return 16;
  if (ipProto === PROTO_UDP) return 6;
  return ipProto === PROTO_ICMP || ipProto === PROTO_ICMPV6 || ipProto === PROTO_IGMP ? 2 : 0;
}

function adjustTransportChecksum(delta: u32, isPartial: bool): void {
  const offset = checksumOffset();
  if (offset === 0) return;
  const at = l4 + offset;
  if (isPartial) {
    putBe16(at, fold(be16(at) + delta));
  } else if (ipProto !== PROTO_UDP) {
    adjustChecksum(at, delta);
  } else if (load<u16>(at) !== 0) {
    // RFC 768: zero means that there is no checksum; one that comes out as zero is written in its other form.
    adjustChecksum(at, delta);
    if (load<u16>(at) === 0) store<u16>(at, 0xffff);
  }
}

function fold(sum: u32): u32 {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

function adjustChecksum(at: usize, delta: u32): void {
  putBe16(at, ~fold((~be16(at) & 0xffff) + delta) & 0xffff);
}

function rewriteSctpPorts(isPartial: bool): void {
  if (!differs(KEY_L4_SRC, 4)) return;
  if (isPartial) {
    store<u32>(l4, load<u32>(desired, KEY_L4_SRC));
    return;
  }
  // A wrong checksum stays wrong by the same bits.
  const error = load<u32>(l4, 8) ^ sctpChecksum();
  store<u32>(l4, load<u32>(desired, KEY_L4_SRC));
  store<u32>(l4, sctpChecksum() ^ error, 8);
}

function sctpChecksum(): u32 {
  let crc: u32 = 0xffffffff;
  for (let at = l4; at < l4End; at++) {
    const byte: u32 = at >= l4 + 8 && at < l4 + 12 ? 0 : load<u8>(at);
    crc = load<u32>(scratch + SCRATCH_CRC + (((crc ^ byte) & 0xff) << 2)) ^ (crc >>> 8);
  }
  return ~crc;
}

function rewriteNeighbourDiscovery(): u32 {
  const type: u32 = load<u8>(current, KEY_L4_SRC + 1);
  if (load<u8>(current, KEY_L4_DST + 1) !== 0 || (type !== 135 && type !== 136)) return 0;
  let delta = replace(l4 + 4, KEY_ND_RESERVED, 4, l4);
  if (l4End - l4 < 24) return delta;
  delta += replace(l4 + 8, KEY_ND_TARGET, 16, l4);
  delta += rewriteLinkAddress(KEY_ARP_SHA, 1);
  delta += rewriteLinkAddress(KEY_ARP_THA, 2);
  if (differs(KEY_TCP_FLAGS + 1, 1)) {
    const at = findOption(load<u8>(current, KEY_TCP_FLAGS + 1));
    if (at !== 0) delta += replace(at, KEY_TCP_FLAGS + 1, 1, l4);
  }
  return delta;
}

function rewriteLinkAddress(place: usize, option: u32): u32 {
  if (!differs(place, 6)) return 0;
  const at = findOption(option);
  return at === 0 ? 0 : replace(at + 2, place, 6, l4);
}

/** The first link-layer address option of a type; 0 when there is none. */
function findOption(option: u32): usize {
  let at = l4 + 24;
  while (l4End - at >= 8) {
    const optionBytes = <u32>load<u8>(at, 1) * 8;
    if (optionBytes === 0 || optionBytes > <u32>(l4End - at)) return 0;
    if (<u32>load<u8>(at) === option && optionBytes === 8) return at;
    at += optionBytes;
  }
  return 0;
}

/**
 * Copies `bytes` bytes of the wanted key's place to the packet, and returns what that adds to a checksum over 16-bit words
 * counted from `base` (RFC 1624, equation 3: each old word's complement, and each new word); for a checksum that is not
 * complemented that is the same number. 0 if nothing changes.
 */
function replace(at: usize, place: usize, bytes: usize, base: usize): u32 {
  if (!differs(place, bytes)) return 0;
  const first = at - ((at - base) & 1);
  const last = at + bytes + ((at + bytes - base) & 1);
  let delta: u32 = 0;
  for (let i = first; i < last; i += 2) delta += ~be16(i) & 0xffff;
  for (let i: usize = 0; i < bytes; i++) store<u8>(at + i, load<u8>(desired + place + i));
  for (let i = first; i < last; i += 2) delta += be16(i);
  return delta;
}

function differs(place: usize, bytes: usize): bool {
  return differ(desired + place, current + place, bytes);
}

// ---- Headers that come and go

/** Inserts a tag before all others; `tci` is written without the bit that only says "present". False when there was no room. */
export function pushVlan(tpid: u32, tci: u32): bool {
  if (length < 14) return true;
  if (!openGap(12, 4)) return false;
  putBe16(packet + 12, tpid);
  putBe16(packet + 14, tci & 0xefff);
  return true;
}

export function popVlan(): void {
  locate(packet, length);
  if (vlanTags !== 0) closeGap(12, 4);
}

/** Puts a label before all others. False when there was no room. */
export function pushMpls(newType: u32, lse: u32): bool {
  locate(packet, length);
  if (!hasEthernet || !isMplsType(newType)) return true;
  const at = <u32>(l3 - packet);
  if (!openGap(at, 4)) return false;
  putBe16(packet + at - 2, newType);
  putBe32(packet + at, lse);
  return true;
}

export function popMpls(newType: u32): void {
  locate(packet, length);
  if (!isMplsType(ethType) || end - l3 < 4) return;
  const at = <u32>(l3 - packet);
  closeGap(at, 4);
  putBe16(packet + at - 2, newType);
}
