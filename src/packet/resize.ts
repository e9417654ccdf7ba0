import { ETH, ETH_TYPE, isMplsType, MPLS, VLAN } from './headers.ts';
import { KEY } from './key.ts';
import { PacketLayout } from './layout.ts';

// Actions that make a packet longer or shorter. Each returns a new array; a packet that they do not apply to is returned
// as it is.

const scratch = new PacketLayout();

/** Inserts a tag before all others. `tci` is written without its CFI bit, which only says "present" in flows. */
export function pushVlan(packet: Uint8Array, tpid: number, tci: number): Uint8Array {
  if (packet.length < ETH.headerBytes) return packet;
  const longer = withGap(packet, ETH.type, VLAN.tagBytes);
  put16(longer, ETH.type + VLAN.tpid, tpid);
  put16(longer, ETH.type + VLAN.tci, tci & ~0x1000);
  return longer;
}

/** Removes the outermost tag. */
export function popVlan(packet: Uint8Array): Uint8Array {
  scratch.locate(packet, 0, packet.length);
  return scratch.vlanTags === 0 ? packet : without(packet, ETH.type, VLAN.tagBytes);
}

/** Puts a label stack entry before all others, behind the VLAN tags, and makes `ethType` the packet's Ethertype. */
export function pushMpls(packet: Uint8Array, ethType: number, lse: number): Uint8Array {
  scratch.locate(packet, 0, packet.length);
  if (!scratch.hasEthernet || !isMplsType(ethType)) return packet;
  const at = scratch.l3;
  const longer = withGap(packet, at, MPLS.lseBytes);
  put16(longer, at - 2, ethType);
  put16(longer, at, lse >>> 16);
  put16(longer, at + 2, lse);
  return longer;
}

/**
 * The entry that push_mpls puts before a packet with this key: a copy of the outermost one, or, on a packet without
 * labels, an explicit null label that goes by the IP version, with traffic class and TTL of the IP header.
 */
export function mplsLseToPush(key: Uint8Array): number {
  const ethType = (key[KEY.ethType] << 8) | key[KEY.ethType + 1];
  if (isMplsType(ethType)) {
    const at = KEY.mplsLse;
    return ((key[at] << 24) | (key[at + 1] << 16) | ((key[at + 2] & ~MPLS.bosBit) << 8) | key[at + 3]) >>> 0;
  }
  const isIp = ethType === ETH_TYPE.ipv4 || ethType === ETH_TYPE.ipv6;
  const label = ethType === ETH_TYPE.ipv6 ? 2 : 0;
  const trafficClass = isIp ? (key[KEY.ipTos] >> 2) & 7 : 0;
  const ttl = (isIp && key[KEY.ipTtl]) || 64;
  return (label << 12) | (trafficClass << 9) | (MPLS.bosBit << 8) | ttl;
}

/** Removes the outermost label stack entry; `ethType` says what is below it. */
export function popMpls(packet: Uint8Array, ethType: number): Uint8Array {
  scratch.locate(packet, 0, packet.length);
  const at = scratch.l3;
  if (!isMplsType(scratch.ethType) || packet.length - at < MPLS.lseBytes) return packet;
  const shorter = without(packet, at, MPLS.lseBytes);
  put16(shorter, at - 2, ethType);
  return shorter;
}

function withGap(packet: Uint8Array, at: number, count: number): Uint8Array {
  const longer = new Uint8Array(packet.length + count);
  longer.set(packet.subarray(0, at));
  longer.set(packet.subarray(at), at + count);
  return longer;
}

function without(packet: Uint8Array, at: number, count: number): Uint8Array {
  const shorter = new Uint8Array(packet.length - count);
  shorter.set(packet.subarray(0, at));
  shorter.set(packet.subarray(at + count), at);
  return shorter;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
