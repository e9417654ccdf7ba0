// Where the headers of a packet lie: `src/packet/layout.ts` once more, step by step the same.

import { be16 } from './bytes.ts';

export const NETWORK_NONE: u32 = 0;
export const NETWORK_IPV4: u32 = 1;
export const NETWORK_IPV6: u32 = 2;
export const NETWORK_IPV6_BROKEN: u32 = 3;
export const NETWORK_ARP: u32 = 4;
export const NETWORK_MPLS: u32 = 5;
export const NETWORK_NSH: u32 = 6;

export const TYPE_IPV4: u32 = 0x0800;
export const TYPE_ARP: u32 = 0x0806;
export const TYPE_RARP: u32 = 0x8035;
export const TYPE_VLAN: u32 = 0x8100;
export const TYPE_IPV6: u32 = 0x86dd;
export const TYPE_MPLS: u32 = 0x8847;
export const TYPE_QINQ: u32 = 0x88a8;
export const TYPE_NSH: u32 = 0x894f;
export const TYPE_NONE: u32 = 0x05ff;
const TYPE_MIN: u32 = 0x0600;

export const PROTO_ICMP: u32 = 1;
export const PROTO_IGMP: u32 = 2;
export const PROTO_TCP: u32 = 6;
export const PROTO_UDP: u32 = 17;
export const PROTO_ICMPV6: u32 = 58;
export const PROTO_SCTP: u32 = 132;
const PROTO_FRAGMENT: u32 = 44;
const PROTO_ROUTING: u32 = 43;
const PROTO_AUTHENTICATION: u32 = 51;

export const FRAG_ANY: u32 = 1;
export const FRAG_LATER: u32 = 2;

export let hasEthernet: bool = false;
export let vlanTags: u32 = 0;
export let ethType: u32 = 0;
export let l3: usize = 0;
export let end: usize = 0;
export let network: u32 = NETWORK_NONE;
export let frag: u32 = 0;
export let ipProto: u32 = 0;
export let isSourceRouted: bool = false;
export let l4: usize = 0;
export let l4End: usize = 0;
export let hasTransport: bool = false;

export function isMplsType(type: u32): bool {
  return type >>> 1 === TYPE_MPLS >>> 1 ? type === TYPE_MPLS || type === TYPE_MPLS + 1 : type === TYPE_MPLS + 1;
}

function isVlanType(type: u32): bool {
  return type === TYPE_VLAN || type === TYPE_QINQ;
}

export function locate(packet: usize, length: u32): void {
  end = packet + length;
  vlanTags = 0;
  ethType = 0;
  network = NETWORK_NONE;
  frag = 0;
  ipProto = 0;
  isSourceRouted = false;
  hasTransport = false;
  hasEthernet = length >= 14;
  if (!hasEthernet) return;
  let at = packet + 12;
  while (vlanTags < 2 && isVlanType(be16(at)) && end - at >= 6) {
    vlanTags++;
    at += 4;
  }
  ethType = be16(at);
  at += 2;
  if (ethType < TYPE_MIN) {
    ethType = snapType(at);
    if (ethType !== TYPE_NONE) at += 8;
  }
  l3 = at;
  if (ethType === TYPE_IPV4) locateIpv4();
  else if (ethType === TYPE_IPV6) locateIpv6();
  else if (ethType === TYPE_ARP || ethType === TYPE_RARP) {
    if (isArp(at)) network = NETWORK_ARP;
  } else if (isMplsType(ethType)) network = NETWORK_MPLS;
  else if (ethType === TYPE_NSH && isNsh(at)) network = NETWORK_NSH;
}

function snapType(at: usize): u32 {
  if (end - at < 8) return TYPE_NONE;
  if (be16(at) !== 0xaaaa || load<u8>(at + 2) !== 3 || load<u8>(at + 3) !== 0 || be16(at + 4) !== 0) return TYPE_NONE;
  const type = be16(at + 6);
  return type >= TYPE_MIN ? type : TYPE_NONE;
}

function isArp(at: usize): bool {
  return (
    end - at >= 28 && be16(at) === 1 && be16(at + 2) === TYPE_IPV4 && load<u8>(at + 4) === 6 && load<u8>(at + 5) === 4
  );
}

function isNsh(at: usize): bool {
  if (end - at < 8) return false;
  const word = be16(at);
  const headerBytes = (word & 0x3f) * 4;
  if (word >>> 14 !== 0 || headerBytes > <u32>(end - at)) return false;
  const mdType = load<u8>(at + 2);
  if (mdType === 1) return headerBytes === 24;
  if (mdType === 2) return headerBytes >= 8;
  return true;
}

function locateIpv4(): void {
  const at = l3;
  const there = <u32>(end - at);
  if (there < 20) return;
  const headerBytes = (<u32>load<u8>(at) & 0x0f) * 4;
  const totalBytes = be16(at + 2);
  if (headerBytes < 20 || totalBytes > there || headerBytes > totalBytes) return;
  const fragment = be16(at + 6);
  if (fragment & 0x3fff) frag = FRAG_ANY;
  if (fragment & 0x1fff) frag |= FRAG_LATER;
  network = NETWORK_IPV4;
  ipProto = load<u8>(at + 9);
  locateTransport(at + headerBytes, at + totalBytes);
}

function isIpv6Extension(next: u32): bool {
  return (
    next === 0 || next === PROTO_ROUTING || next === 60 || next === PROTO_AUTHENTICATION || next === PROTO_FRAGMENT
  );
}

function locateIpv6(): void {
  if (end - l3 < 40) return;
  const payloadBytes = be16(l3 + 4);
  if (payloadBytes > <u32>(end - l3) - 40) return;
  network = NETWORK_IPV6_BROKEN;
  let at = l3 + 40;
  const payloadEnd = at + payloadBytes;
  let next: u32 = load<u8>(l3 + 6);
  while (isIpv6Extension(next)) {
    if (<i32>(payloadEnd - at) < 8) return;
    const header = next;
    next = load<u8>(at);
    let bytes: u32 = (<u32>load<u8>(at + 1) + 1) * 8;
    if (header === PROTO_FRAGMENT) {
      const offsetMore = be16(at + 2);
      if (offsetMore !== 0) frag = FRAG_ANY;
      if (offsetMore & 0xfff8) {
        frag |= FRAG_LATER;
        next = PROTO_FRAGMENT;
        break;
      }
      bytes = 8;
    } else if (header === PROTO_ROUTING) {
      if (load<u8>(at + 3) > 0) isSourceRouted = true;
    } else if (header === PROTO_AUTHENTICATION) {
      bytes = (<u32>load<u8>(at + 1) + 2) * 4;
    }
    at += bytes;
    if (at > payloadEnd) return;
  }
  network = NETWORK_IPV6;
  ipProto = next;
  locateTransport(at, payloadEnd);
}

export function transportHeaderBytes(proto: u32): u32 {
  if (proto === PROTO_TCP) return 20;
  if (proto === PROTO_UDP || proto === PROTO_ICMP || proto === PROTO_ICMPV6 || proto === PROTO_IGMP) return 8;
  return proto === PROTO_SCTP ? 12 : 0;
}

function locateTransport(at: usize, ends: usize): void {
  l4 = at;
  l4End = ends;
  if (frag & FRAG_LATER) return;
  const minBytes = transportHeaderBytes(ipProto);
  const there = <u32>(ends - at);
  if (minBytes === 0 || there < minBytes) return;
  if (ipProto === PROTO_TCP) {
    const headerBytes = (<u32>load<u8>(at + 12) >>> 4) * 4;
    if (headerBytes < minBytes || headerBytes > there) return;
  }
  hasTransport = true;
}
