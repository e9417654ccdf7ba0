import { internetChecksum } from '../bytes/index.ts';
import { fillTransportChecksum } from './checksum.ts';
import { IP_PROTO, IPV4, IPV6, TCP, UDP } from './headers.ts';
import { NETWORK, PacketLayout } from './layout.ts';

// What a network card would have done to a packet that left its sender unfinished: the kernel hands such packets to
// sockets that ask for the virtio header (VIRTIO 1.1 section 5.1.6), and a port without offloads has to finish them.

const FIN_PSH = 0x09;
const CWR = 0x80;

/**
 * Finishes a partial checksum in place: the field at `start + offset` holds the sum of the pseudo header, and the checksum
 * covers everything from `start` on. Answers false, the packet untouched, when that lies outside the packet.
 */
export function completeChecksum(packet: Uint8Array, start: number, offset: number): boolean {
  const at = start + offset;
  if (at + 2 > packet.length) return false;
  const sum = internetChecksum(packet, start, packet.length - start);
  // In UDP zero means "no checksum"; all ones is the same number (RFC 768).
  const written = sum === 0 && offset === UDP.checksum ? 0xffff : sum;
  packet[at] = written >> 8;
  packet[at + 1] = written;
  return true;
}

/**
 * Cuts a TCP or UDP packet over IPv4 or IPv6 into packets with at most `segmentBytes` of payload each, with lengths, IPv4
 * identifications, sequence numbers, flags and checksums as a card would have sent them. `undefined` when the packet is
 * none that can be cut.
 */
export function segment(packet: Uint8Array, segmentBytes: number): Uint8Array[] | undefined {
  const layout = new PacketLayout();
  layout.locate(packet, 0, packet.length);
  const payload = payloadStart(packet, layout);
  if (payload === undefined || segmentBytes < 1) return undefined;
  const { l3, l4 } = layout;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const isTcp = layout.ipProto === IP_PROTO.tcp;
  const segments: Uint8Array[] = [];
  for (let at = payload; at < packet.length; at += segmentBytes) {
    const end = Math.min(at + segmentBytes, packet.length);
    const piece = new Uint8Array(payload + end - at);
    piece.set(packet.subarray(0, payload));
    piece.set(packet.subarray(at, end), payload);
    const out = new DataView(piece.buffer);
    if (layout.network === NETWORK.ipv6) {
      out.setUint16(l3 + IPV6.payloadLength, piece.length - l3 - IPV6.headerBytes);
    } else {
      out.setUint16(l3 + IPV4.totalLength, piece.length - l3);
      out.setUint16(l3 + IPV4.id, view.getUint16(l3 + IPV4.id) + segments.length);
      out.setUint16(l3 + IPV4.checksum, 0);
      out.setUint16(l3 + IPV4.checksum, internetChecksum(piece, l3, (packet[l3] & 0xf) * 4));
    }
    if (isTcp) {
      out.setUint32(l4 + TCP.seq, view.getUint32(l4 + TCP.seq) + at - payload);
      if (end < packet.length) piece[l4 + TCP.flags + 1] &= ~FIN_PSH;
      if (at > payload) piece[l4 + TCP.flags + 1] &= ~CWR;
    } else {
      out.setUint16(l4 + UDP.length, piece.length - l4);
    }
    const pieceLayout = new PacketLayout();
    pieceLayout.locate(piece, 0, piece.length);
    fillTransportChecksum(piece, pieceLayout);
    segments.push(piece);
  }
  return segments;
}

/** Where the payload of a whole TCP or UDP packet begins. */
function payloadStart(packet: Uint8Array, layout: PacketLayout): number | undefined {
  const { l4, ipProto, frag } = layout;
  if (!layout.hasTransport || frag !== 0) return undefined;
  if (ipProto === IP_PROTO.udp) return l4 + UDP.headerBytes;
  if (ipProto !== IP_PROTO.tcp) return undefined;
  const start = l4 + (packet[l4 + TCP.flags] >> 4) * 4;
  return start >= l4 + TCP.minHeaderBytes && start <= packet.length ? start : undefined;
}
