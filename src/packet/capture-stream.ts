import type { CaptureSource } from './capture.ts';
import { PacketError } from './errors.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * A window over a CaptureSource that holds only what is being parsed. `fill(n)` makes the next n bytes readable at
 * `start` of `bytes` and `view`; both are valid until the next `fill`.
 */
export class CaptureStream {
  readonly name: string;
  readonly #source: CaptureSource;
  #bytes = new Uint8Array(CHUNK_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;
  #passed = 0;
  #ended = false;

  constructor(source: CaptureSource) {
    this.name = source.name;
    this.#source = source;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  /** Index of the next byte in `bytes` and `view`. */
  get start(): number {
    return this.#start;
  }

  /** Bytes read from the source and not yet consumed. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Position of the next byte in the file. */
  get position(): number {
    return this.#passed + this.#start;
  }

  /** Makes `count` bytes available, which the caller has bounded; false when the source ends before. */
  fill(count: number): boolean {
    if (this.buffered >= count) return true;
    if (this.#start + count > this.#bytes.length) this.#makeRoom(count);
    while (this.buffered < count && !this.#ended) {
      const got = this.#source.read(this.#bytes.subarray(this.#end));
      if (got === 0) this.#ended = true;
      this.#end += got;
    }
    return this.buffered >= count;
  }

  #makeRoom(count: number): void {
    const target = count > this.#bytes.length ? new Uint8Array(count + CHUNK_BYTES) : this.#bytes;
    target.set(this.#bytes.subarray(this.#start, this.#end));
    if (target !== this.#bytes) {
      this.#bytes = target;
      this.#view = new DataView(target.buffer);
    }
    this.#passed += this.#start;
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** Passes over `count` bytes that `fill` has made available. */
  consume(count: number): void {
    this.#start += count;
  }

  /** Passes over `count` bytes without holding them; false when the source ends before. */
  skip(count: number): boolean {
    let left = count;
    while (left > this.buffered) {
      left -= this.buffered;
      this.#start = this.#end;
      if (!this.fill(1)) return false;
    }
    this.#start += left;
    return true;
  }

  /** The error for a source that ended inside `what`, of which `need` bytes were expected. */
  cut(what: string, need: number): PacketError {
    return new PacketError(
      'PACKET_PCAP_CUT',
      `${this.name}: cut in ${what} at byte ${this.position}: ${need} bytes expected, ${this.buffered} left`,
    );
  }
}
