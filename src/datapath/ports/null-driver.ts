import { type DriverCounters, type LargeBuffers, PACKET_START, type PacketBatch, type PortDriver } from './driver.ts';
import { VIRTIO_HEADER_BYTES } from './virtio-header.ts';

const MIN_BYTES = 14;
const MAX_BYTES = 1518;

/** Takes every packet and forgets it; with a size, an endless source of packets of zeros as well, as DPDK's net_null is. */
export class NullDriver implements PortDriver {
  readonly name: string;
  readonly descriptors: readonly number[] = [];
  readonly alwaysReady: boolean;
  readonly counters: DriverCounters = { rxErrors: 0, rxDropped: 0, txErrors: 0 };
  readonly #size: number;

  /** @param size bytes of the packets that come in, 14 to 1518; 0: none come in */
  constructor(name: string, size = 0) {
    this.name = name;
    this.#size = size === 0 ? 0 : Math.max(MIN_BYTES, Math.min(MAX_BYTES, size));
    this.alwaysReady = size > 0;
  }

  receive({ bytes, buffers, starts, lengths }: PacketBatch, limit: number, _large: LargeBuffers): number {
    if (this.#size === 0) return 0;
    for (let i = 0; i < limit; i++) {
      const start = buffers[i] + PACKET_START;
      bytes.fill(0, buffers[i], buffers[i] + VIRTIO_HEADER_BYTES);
      bytes.fill(0, start, start + this.#size);
      starts[i] = start;
      lengths[i] = this.#size;
    }
    return limit;
  }

  transmit(_batch: PacketBatch, count: number): number {
    return count;
  }

  close(): void {}
}
