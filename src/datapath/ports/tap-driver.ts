import { type DriverCounters, type LargeBuffers, PACKET_START, type PacketBatch, type PortDriver } from './driver.ts';
import { addressOf, close, ERRNO, errno, readv, writev } from './linux.ts';
import { MessageBlock } from './message-block.ts';
import { placeReceived, SPILL_BYTES } from './received.ts';
import { openTap } from './tap-device.ts';
import { VIRTIO_HEADER_BYTES } from './virtio-header.ts';

/** A tap device, made when the driver opens it and gone with it; checksums and segments to be cut pass through. */
export class TapDriver implements PortDriver {
  readonly name: string;
  readonly descriptors: readonly number[];
  readonly alwaysReady = false;
  readonly counters: DriverCounters = { rxErrors: 0, rxDropped: 0, txErrors: 0 };
  readonly #fd: number;
  readonly #pieces = new MessageBlock(1, 3);
  readonly #spill = new Uint8Array(SPILL_BYTES);

  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(name: string) {
    this.name = name;
    this.#fd = openTap(name, { segments: true });
    this.descriptors = [this.#fd];
  }

  receive(batch: PacketBatch, limit: number, large: LargeBuffers): number {
    const memory = Number(batch.address);
    const pieces = this.#pieces;
    let kept = 0;
    for (let taken = 0; taken < limit; taken++) {
      const buffer = memory + batch.buffers[kept];
      pieces.setPiece(0, 0, buffer, VIRTIO_HEADER_BYTES);
      pieces.setPiece(0, 1, buffer + PACKET_START, batch.capacities[kept] - PACKET_START);
      pieces.setPiece(0, 2, Number(addressOf(this.#spill)), SPILL_BYTES);
      const length = Number(readv(this.#fd, pieces.vectorsOf(0), 3));
      if (length < 0) break;
      if (placeReceived(batch, kept, kept, length - VIRTIO_HEADER_BYTES, this.#spill, large, this.counters)) kept++;
    }
    return kept;
  }

  transmit(batch: PacketBatch, count: number): number {
    const memory = Number(batch.address);
    let sent = 0;
    for (let i = 0; i < count; i++) {
      this.#pieces.setPiece(0, 0, memory + batch.buffers[i], VIRTIO_HEADER_BYTES);
      this.#pieces.setPiece(0, 1, memory + batch.starts[i], batch.lengths[i]);
      if (Number(writev(this.#fd, this.#pieces.vectorsOf(0), 2)) >= 0) sent++;
      else if (errno() === ERRNO.EAGAIN || errno() === ERRNO.EIO) break;
      else this.counters.txErrors++;
    }
    return sent;
  }

  close(): void {
    close(this.#fd);
  }
}
