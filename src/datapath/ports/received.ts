import { type DriverCounters, type LargeBuffers, PACKET_START, type PacketBatch } from './driver.ts';
import { VIRTIO_HEADER_BYTES } from './virtio-header.ts';

/** What of a packet finds no place in the buffer it was given goes here: the largest packet and its link header. */
export const SPILL_BYTES = 65_536 + 64;
const ETHERNET_BYTES = 14;

/**
 * Gives packet `from` of a batch, just received into its buffer and on into `spill`, its place as number `to` of the batch, in a
 * large buffer when it spilt. False when it is given up, and counted.
 */
export function placeReceived(
  batch: PacketBatch,
  from: number,
  to: number,
  length: number,
  spill: Uint8Array,
  large: LargeBuffers,
  counters: DriverCounters,
): boolean {
  if (length < ETHERNET_BYTES) {
    counters.rxErrors++;
    return false;
  }
  swapBuffers(batch, from, to);
  const small = batch.capacities[to] - PACKET_START;
  if (length > small) {
    const room = large(PACKET_START + length);
    if (room === undefined) {
      counters.rxDropped++;
      return false;
    }
    const { bytes } = batch;
    const given = batch.buffers[to];
    bytes.copyWithin(room.buffer, given, given + VIRTIO_HEADER_BYTES);
    bytes.copyWithin(room.buffer + PACKET_START, given + PACKET_START, given + PACKET_START + small);
    bytes.set(spill.subarray(0, length - small), room.buffer + PACKET_START + small);
    batch.buffers[to] = room.buffer;
    batch.capacities[to] = room.capacity;
  }
  batch.starts[to] = batch.buffers[to] + PACKET_START;
  batch.lengths[to] = length;
  return true;
}

function swapBuffers({ buffers, capacities }: PacketBatch, a: number, b: number): void {
  if (a === b) return;
  const buffer = buffers[a];
  const capacity = capacities[a];
  buffers[a] = buffers[b];
  capacities[a] = capacities[b];
  buffers[b] = buffer;
  capacities[b] = capacity;
}
