import { createPcapFile, readCaptureFile } from '../../packet/capture-file.ts';
import type { CapturedPacket, PcapWriter } from '../../packet/index.ts';
import { type DriverCounters, type LargeBuffers, PACKET_START, type PacketBatch, type PortDriver } from './driver.ts';
import { finishPacket, isUnfinished, VIRTIO_HEADER_BYTES } from './virtio-header.ts';

export interface PcapOptions {
  /** Packets that come in, as fast as they are taken. */
  readonly rx?: string;
  /** Packets that go out; the file appears when the port is closed. */
  readonly tx?: string;
  /** Whether `rx` begins anew at its end; its packets are then kept in memory. */
  readonly infinite?: boolean;
}

/** An endless `rx` may be so large: it is kept in memory. */
const MAX_INFINITE_BYTES = 64 * 1024 * 1024;

/** Captures as a port. */
export class PcapDriver implements PortDriver {
  readonly name: string;
  readonly descriptors: readonly number[] = [];
  readonly counters: DriverCounters = { rxErrors: 0, rxDropped: 0, txErrors: 0 };
  #packets: Iterator<CapturedPacket, void> | undefined;
  readonly #writer: PcapWriter | undefined;

  /** @throws PacketError PACKET_FILE_* and PACKET_PCAP_* */
  constructor(name: string, { rx, tx, infinite = false }: PcapOptions) {
    this.name = name;
    if (rx !== undefined) this.#packets = infinite ? endless(rx) : readCaptureFile(rx);
    try {
      this.#writer = tx === undefined ? undefined : createPcapFile(tx);
    } catch (error) {
      this.#packets?.return?.();
      throw error;
    }
  }

  /** Until the capture is at its end. */
  get alwaysReady(): boolean {
    return this.#packets !== undefined;
  }

  receive(batch: PacketBatch, limit: number, large: LargeBuffers): number {
    const { bytes, buffers, capacities, starts, lengths } = batch;
    let count = 0;
    while (count < limit) {
      const packet = this.#next();
      if (packet === undefined) break;
      if (packet.length > capacities[count] - PACKET_START) {
        const room = large(PACKET_START + packet.length);
        if (room === undefined || packet.length > room.capacity - PACKET_START) {
          this.counters.rxDropped++;
          continue;
        }
        buffers[count] = room.buffer;
        capacities[count] = room.capacity;
      }
      const start = buffers[count] + PACKET_START;
      bytes.fill(0, buffers[count], buffers[count] + VIRTIO_HEADER_BYTES);
      bytes.set(packet, start);
      starts[count] = start;
      lengths[count] = packet.length;
      count++;
    }
    return count;
  }

  /** A capture that turns out to be damaged ends there. */
  #next(): Uint8Array | undefined {
    try {
      const next = this.#packets?.next();
      if (next !== undefined && next.done !== true) return next.value.bytes;
    } catch {
      this.counters.rxErrors++;
    }
    this.#packets = undefined;
    return undefined;
  }

  transmit({ bytes, buffers, starts, lengths }: PacketBatch, count: number): number {
    if (this.#writer === undefined) return count;
    const timestampNs = BigInt(Date.now()) * 1_000_000n;
    for (let i = 0; i < count; i++) {
      const packet = bytes.slice(starts[i], starts[i] + lengths[i]);
      const whole = isUnfinished(bytes, buffers[i])
        ? finishPacket(bytes.subarray(buffers[i], buffers[i] + VIRTIO_HEADER_BYTES), packet)
        : [packet];
      for (const each of whole) this.#writer.write({ timestampNs, originalLength: each.length, bytes: each });
    }
    return count;
  }

  close(): void {
    this.#packets?.return?.();
    this.#packets = undefined;
    this.#writer?.finish();
  }
}

function* endless(path: string): Generator<CapturedPacket, void> {
  const packets: CapturedPacket[] = [];
  let bytes = 0;
  for (const packet of readCaptureFile(path)) {
    bytes += packet.bytes.length;
    if (bytes > MAX_INFINITE_BYTES) break;
    packets.push(packet);
  }
  while (packets.length > 0) yield* packets;
}
