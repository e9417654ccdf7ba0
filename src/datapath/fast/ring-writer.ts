import { MESSAGE_SKIP, RING_DATA, RING_HEAD, RING_TAIL } from '../layout.ts';
import type { DatapathMemory } from './memory.ts';

/** Writes messages for a thread's core. */
export class RingWriter {
  readonly #memory: DatapathMemory;
  readonly #ring: number;
  readonly #bytes: number;

  constructor(memory: DatapathMemory, ring: number) {
    this.#memory = memory;
    this.#ring = ring;
    this.#bytes = memory.limits.ringBytes;
  }

  get isEmpty(): boolean {
    const { words } = this.#memory;
    return Atomics.load(words, (this.#ring + RING_HEAD) >> 2) === Atomics.load(words, (this.#ring + RING_TAIL) >> 2);
  }

  /** Has `fill` write a message of so many bytes, head included, at its address. False when there is no room now. */
  write(kind: number, bytes: number, fill: (message: number) => void): boolean {
    const { words } = this.#memory;
    const whole = (bytes + 7) & ~7;
    let head = Atomics.load(words, (this.#ring + RING_HEAD) >> 2) >>> 0;
    const tail = Atomics.load(words, (this.#ring + RING_TAIL) >> 2) >>> 0;
    const at = head & (this.#bytes - 1);
    const toEnd = this.#bytes - at;
    const needed = whole <= toEnd ? whole : whole + toEnd;
    if (((head - tail) >>> 0) + needed > this.#bytes) return false;
    if (whole > toEnd) {
      this.#memory.setWord(this.#ring + RING_DATA + at, toEnd);
      this.#memory.setWord(this.#ring + RING_DATA + at + 4, MESSAGE_SKIP);
      head = (head + toEnd) >>> 0;
    }
    const message = this.#ring + RING_DATA + (head & (this.#bytes - 1));
    this.#memory.setWord(message, whole);
    this.#memory.setWord(message + 4, kind);
    fill(message);
    Atomics.store(words, (this.#ring + RING_HEAD) >> 2, (head + whole) | 0);
    return true;
  }

  /** Waits, a moment at most, until the thread has read something. */
  waitForRoom(): void {
    const { words } = this.#memory;
    const at = (this.#ring + RING_TAIL) >> 2;
    Atomics.wait(words, at, Atomics.load(words, at), 1);
  }
}
