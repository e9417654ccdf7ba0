/** Offsets of one ring within its mapping, as getsockopt(XDP_MMAP_OFFSETS) tells them. */
export interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly descriptors: number;
  readonly flags: number;
}

const NEEDS_WAKEUP = 1;

/**
 * One of the four rings of an AF_XDP socket (Documentation/networking/af_xdp of Linux), in shared memory: the one side produces,
 * the other consumes. `entries` is a power of two; an entry is an 8-byte address, or on rx and tx rings 16 bytes with the
 * packet's length behind the address.
 */
export class XdpRing {
  readonly #words: Int32Array;
  readonly #producer: number;
  readonly #consumer: number;
  readonly #flags: number;
  readonly #first: number;
  readonly #mask: number;
  readonly #entryWords: number;

  /** @param base offset of the ring's mapping in the memory */
  constructor(memory: SharedArrayBuffer, base: number, offsets: RingOffsets, entries: number, entryBytes: 8 | 16) {
    this.#words = new Int32Array(memory);
    this.#producer = (base + offsets.producer) >> 2;
    this.#consumer = (base + offsets.consumer) >> 2;
    this.#flags = (base + offsets.flags) >> 2;
    this.#first = (base + offsets.descriptors) >> 2;
    this.#mask = entries - 1;
    this.#entryWords = entryBytes >> 2;
  }

  get producer(): number {
    return Atomics.load(this.#words, this.#producer);
  }

  get consumer(): number {
    return Atomics.load(this.#words, this.#consumer);
  }

  /** Entries that the other side has produced and this side has not consumed. */
  get ready(): number {
    return (this.producer - this.consumer) | 0;
  }

  /** Entries that this side may still produce. */
  get room(): number {
    return this.#mask + 1 - this.ready;
  }

  /** Whether the kernel sleeps until it is called. */
  get needsWakeup(): boolean {
    return (Atomics.load(this.#words, this.#flags) & NEEDS_WAKEUP) !== 0;
  }

  #word(position: number): number {
    return this.#first + (position & this.#mask) * this.#entryWords;
  }

  /** The address in the entry at a position, which counts on from the ring's beginning. Packet memory is below 4 GiB. */
  address(position: number): number {
    return this.#words[this.#word(position)] >>> 0;
  }

  length(position: number): number {
    return this.#words[this.#word(position) + 2] >>> 0;
  }

  set(position: number, address: number, length = 0): void {
    const at = this.#word(position);
    this.#words[at] = address;
    this.#words[at + 1] = 0;
    if (this.#entryWords === 2) return;
    this.#words[at + 2] = length;
    this.#words[at + 3] = 0;
  }

  /** Hands the entries before `position` to the other side. */
  produce(position: number): void {
    Atomics.store(this.#words, this.#producer, position);
  }

  consume(position: number): void {
    Atomics.store(this.#words, this.#consumer, position);
  }
}
