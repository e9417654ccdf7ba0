import { HEADER_BYTES } from './codec.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * Cuts the bytes of a connection into messages, however the transport parted them. Holds at most one incomplete message,
 * so at most 64 kB.
 */
export class MessageStream {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #failed = false;

  /** Bytes held of a message that is not complete. */
  get buffered(): number {
    return this.#buffered;
  }

  /**
   * Takes bytes and yields the messages that they complete. Throws ProtocolError when a header says a length that no
   * message has: nothing after it can be understood, so the connection must be closed.
   */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    if (this.#failed) throw new ProtocolError('OFPBRC_BAD_LEN', 'the stream was broken before');
    if (bytes.length > 0) this.#chunks.push(bytes);
    this.#buffered += bytes.length;
    let all = this.#join();
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const length = (all[at + 2] << 8) | all[at + 3];
      if (length < HEADER_BYTES) {
        this.#failed = true;
        this.#chunks = [];
        this.#buffered = 0;
        throw new ProtocolError('OFPBRC_BAD_LEN', `a message of ${length} bytes is shorter than its header`);
      }
      if (all.length - at < length) break;
      const message = all.subarray(at, at + length);
      at += length;
      this.#keep(all, at);
      yield message;
      // More may have been pushed while the caller had the message.
      all = this.#join();
      at = 0;
    }
    this.#keep(all, at);
  }

  #join(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0];
    const all = new Uint8Array(this.#buffered);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  #keep(all: Uint8Array, from: number): void {
    const rest = all.subarray(from);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
  }
}
