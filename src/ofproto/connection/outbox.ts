import type { Duplex } from 'node:stream';

/** Messages that a peer who does not read may have waiting for it before further ones of their kind are dropped. */
export const DEFAULT_QUEUE_SIZE = 100;
/** Bytes of announcements (ports, removed flows) that may wait; a peer that lets more pile up is given up. */
const MAX_WAITING_BYTES = 16 << 20;

/**
 * What waits to be sent to one peer. Kinds of messages, by what may be done when the peer does not read: replies are never
 * dropped, instead their sender waits for `drained`; packets are dropped and counted; announcements are kept, up to a bound;
 * of updates to flow monitors it is known how many wait, so that there can be fewer of them.
 */
export class Outbox {
  readonly #stream: Duplex;
  readonly #sent: (bytes: Uint8Array) => void;
  /** How many packets may wait. */
  queueSize: number;
  #waitingPackets = 0;
  #droppedPackets = 0;
  #waitingUpdateBytes = 0;

  /** `sent` sees each message that goes out. */
  constructor(stream: Duplex, sent: (bytes: Uint8Array) => void, queueSize = DEFAULT_QUEUE_SIZE) {
    this.#stream = stream;
    this.#sent = sent;
    this.queueSize = queueSize;
  }

  /** Packets that were dropped because the peer did not read. */
  get droppedPackets(): number {
    return this.#droppedPackets;
  }

  reply(bytes: Uint8Array): void {
    if (!this.#stream.writable) return;
    this.#stream.write(bytes);
    this.#sent(bytes);
  }

  /** False when the packet was dropped. */
  packet(bytes: Uint8Array): boolean {
    if (!this.#stream.writable) return false;
    if (this.#waitingPackets >= this.queueSize) {
      this.#droppedPackets++;
      return false;
    }
    this.#waitingPackets++;
    this.#stream.write(bytes, () => {
      this.#waitingPackets--;
    });
    this.#sent(bytes);
    return true;
  }

  /** False when too much waits: the peer would miss something that it relies on, so the connection has to end. */
  announce(bytes: Uint8Array): boolean {
    if (!this.#stream.writable) return true;
    if (this.#stream.writableLength + bytes.length > MAX_WAITING_BYTES) return false;
    this.#stream.write(bytes);
    this.#sent(bytes);
    return true;
  }

  /** The same for an update to a flow monitor; `onSent` is called when it is on its way. */
  update(bytes: Uint8Array, onSent: () => void): boolean {
    if (!this.#stream.writable) return true;
    if (this.#stream.writableLength + bytes.length > MAX_WAITING_BYTES) return false;
    this.#waitingUpdateBytes += bytes.length;
    this.#stream.write(bytes, () => {
      this.#waitingUpdateBytes -= bytes.length;
      onSent();
    });
    this.#sent(bytes);
    return true;
  }

  /** Bytes of updates to flow monitors that wait. */
  get waitingUpdateBytes(): number {
    return this.#waitingUpdateBytes;
  }

  /** Resolves when the peer has read enough for more replies, or is gone; undefined when it has already. */
  drained(): Promise<void> | undefined {
    const stream = this.#stream;
    if (!stream.writableNeedDrain || stream.destroyed) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
  }
}
