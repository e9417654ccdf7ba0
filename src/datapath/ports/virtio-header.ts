import { completeChecksum, segment } from '../../packet/index.ts';

/**
 * The virtio network header that goes before a packet on sockets and tun devices that ask for it (VIRTIO 1.1 section 5.1.6),
 * little-endian, 10 bytes:
 *
 *     0       1          2         4          6            8             10
 *     | flags | gso type | hdr len | gso size | csum start | csum offset |
 */
export const VIRTIO_HEADER_BYTES = 10;
const NEEDS_CHECKSUM = 1;
const GSO_ECN = 0x80;
const GSO_NONE = 0;

/** The packets that a packet with this header stands for, checksums complete. None when the header makes no sense. */
export function finishPacket(header: Uint8Array, packet: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(header.buffer, header.byteOffset, VIRTIO_HEADER_BYTES);
  const gsoType = view.getUint8(1) & ~GSO_ECN;
  if (gsoType !== GSO_NONE) return segment(packet, view.getUint16(4, true)) ?? [];
  if ((view.getUint8(0) & NEEDS_CHECKSUM) === 0) return [packet];
  return completeChecksum(packet, view.getUint16(6, true), view.getUint16(8, true)) ? [packet] : [];
}

const CHECKSUM_START = 6;

/** Whether something is left to be done to the packet with this header. */
export function isUnfinished(bytes: Uint8Array, header: number): boolean {
  return (bytes[header] & NEEDS_CHECKSUM) !== 0 || (bytes[header + 1] & ~GSO_ECN) !== GSO_NONE;
}

/** Moves the checksum's start along when bytes were put in front of what it covers, or taken away there. */
export function shiftChecksumStart(bytes: Uint8Array, header: number, by: number): void {
  if ((bytes[header] & NEEDS_CHECKSUM) === 0) return;
  const at = header + CHECKSUM_START;
  const start = (bytes[at] | (bytes[at + 1] << 8)) + by;
  bytes[at] = start;
  bytes[at + 1] = start >> 8;
}
