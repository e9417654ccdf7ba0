import { internetChecksum, partialSum } from '../bytes/index.ts';
import { ICMP, IP_PROTO, IPV4, IPV6, SCTP, TCP, UDP } from './headers.ts';
import { NETWORK, type PacketLayout } from './layout.ts';

/** The sum over an IPv4 pseudo header (RFC 9293 section 3.1) or an IPv6 one (RFC 8200 section 8.1), not yet folded. */
export function pseudoHeaderSum(
  packet: Uint8Array,
  ipAt: number,
  isIpv6: boolean,
  protocol: number,
  length: number,
): number {
  const addresses = isIpv6 ? partialSum(packet, ipAt + IPV6.src, 32) : partialSum(packet, ipAt + IPV4.src, 8);
  return addresses + protocol + (length >>> 16) + (length & 0xffff);
}

/** Where the checksum of a transport header lies in it, `undefined` for protocols without an Internet checksum. */
export function transportChecksumOffset(protocol: number): number | undefined {
  switch (protocol) {
    case IP_PROTO.tcp:
      return TCP.checksum;
    case IP_PROTO.udp:
      return UDP.checksum;
    case IP_PROTO.icmp:
    case IP_PROTO.igmp:
    case IP_PROTO.icmpv6:
      return ICMP.checksum;
    default:
      return undefined;
  }
}

/** Does the checksum of the transport header cover the addresses of the IP header? That of ICMPv6 only over IPv6. */
export function coversAddresses(layout: PacketLayout): boolean {
  const { ipProto } = layout;
  if (ipProto === IP_PROTO.icmpv6) return layout.network === NETWORK.ipv6;
  return ipProto === IP_PROTO.tcp || ipProto === IP_PROTO.udp;
}

/** Writes the checksum of the transport header, whatever it was; that of a fragment stays as it is. */
export function fillTransportChecksum(packet: Uint8Array, layout: PacketLayout): void {
  const { l4, l4End, ipProto } = layout;
  if (!layout.hasTransport || layout.frag !== 0) return;
  if (ipProto === IP_PROTO.sctp) {
    putSctpChecksum(packet, l4, sctpChecksum(packet, l4, l4End));
    return;
  }
  const offset = transportChecksumOffset(ipProto);
  if (offset === undefined) return;
  packet[l4 + offset] = packet[l4 + offset + 1] = 0;
  const sum = transportChecksum(packet, layout);
  // RFC 768: a computed zero is sent as its other form, since zero says that there is no checksum.
  const value = sum === 0 && ipProto === IP_PROTO.udp ? 0xffff : sum;
  packet[l4 + offset] = value >> 8;
  packet[l4 + offset + 1] = value;
}

function transportChecksum(packet: Uint8Array, layout: PacketLayout): number {
  const { l3, l4, l4End, ipProto } = layout;
  const isIpv6 = layout.network === NETWORK.ipv6;
  const pseudo = coversAddresses(layout) ? pseudoHeaderSum(packet, l3, isIpv6, ipProto, l4End - l4) : 0;
  return internetChecksum(packet, l4, l4End - l4, pseudo);
}

/**
 * Do the checksums of the IP and the transport header verify? A UDP datagram without one counts as right, and so do
 * fragments, protocols that have none, and packets on their way along a routing header, whose last destination counts.
 */
export function checksumsVerify(packet: Uint8Array, layout: PacketLayout): boolean {
  const { l3, l4, l4End, ipProto } = layout;
  if (layout.network === NETWORK.ipv4 && internetChecksum(packet, l3, (packet[l3] & 0x0f) * 4) !== 0) return false;
  if (!layout.hasTransport || layout.frag !== 0 || layout.isSourceRouted) return true;
  if (ipProto === IP_PROTO.sctp) return getSctpChecksum(packet, l4) === sctpChecksum(packet, l4, l4End);
  if (ipProto === IP_PROTO.udp && packet[l4 + UDP.checksum] === 0 && packet[l4 + UDP.checksum + 1] === 0) return true;
  return transportChecksum(packet, layout) === 0;
}

/** Adds to a checksum at `checksumAt` what the change of 16-bit words by `delta` demands: RFC 1624, equation 3. */
export function adjustChecksum(packet: Uint8Array, checksumAt: number, delta: number): void {
  let sum = (~((packet[checksumAt] << 8) | packet[checksumAt + 1]) & 0xffff) + delta;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const value = ~sum & 0xffff;
  packet[checksumAt] = value >> 8;
  packet[checksumAt + 1] = value;
}

const CRC32C_POLYNOMIAL = 0x82f63b78;
const crc32cTable = new Uint32Array(256).map((_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC32c (RFC 9260 appendix A) of an SCTP packet, its checksum field taken as zero. */
export function sctpChecksum(packet: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) {
    const isChecksum = at >= start + SCTP.checksum && at < start + SCTP.checksum + 4;
    crc = crc32cTable[(crc ^ (isChecksum ? 0 : packet[at])) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** The field is transmitted least significant byte first. */
export function getSctpChecksum(packet: Uint8Array, start: number): number {
  const at = start + SCTP.checksum;
  return (packet[at] | (packet[at + 1] << 8) | (packet[at + 2] << 16) | (packet[at + 3] << 24)) >>> 0;
}

export function putSctpChecksum(packet: Uint8Array, start: number, value: number): void {
  for (let i = 0; i < 4; i++) packet[start + SCTP.checksum + i] = value >>> (8 * i);
}
