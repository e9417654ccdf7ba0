import { MESSAGE_SKIP, RING_DATA, RING_HEAD, RING_TAIL } from '../layout.ts';
import type { DatapathMemory } from './memory.ts';

/** Reads the messages that a thread's core writes. */
export class RingReader {
  readonly #memory: DatapathMemory;
  readonly #ring: number;
  readonly #mask: number;

  constructor(memory: DatapathMemory, ring: number) {
    this.#memory = memory;
    this.#ring = ring;
    this.#mask = memory.limits.ringBytes - 1;
  }

  get isEmpty(): boolean {
    const { words } = this.#memory;
    return Atomics.load(words, (this.#ring + RING_HEAD) >> 2) === Atomics.load(words, (this.#ring + RING_TAIL) >> 2);
  }

  /** Address of the next message, which stays until `finish`; undefined when there is none. */
  next(): number | undefined {
    const { words } = this.#memory;
    for (;;) {
      const tail = Atomics.load(words, (this.#ring + RING_TAIL) >> 2);
      if (tail === Atomics.load(words, (this.#ring + RING_HEAD) >> 2)) return undefined;
      const message = this.#ring + RING_DATA + (tail & this.#mask);
      if (this.#memory.word(message + 4) !== MESSAGE_SKIP) return message;
      this.finish(message);
    }
  }

  finish(message: number): void {
    const { words } = this.#memory;
    Atomics.add(words, (this.#ring + RING_TAIL) >> 2, words[message >> 2]);
  }
}
