import type { EbpfMemory } from './memory.ts';

/**
 * Batches counted, so that a deleted key's slot is not reused while a program that found it still runs (the quarantine of
 * `maps/layout.ts`). One block of the window:
 *
 *     0        4              64 + 64 t     68 + 64 t
 *     | epoch  | threadCount  … | online    | announced | … one cache line a thread
 *
 * The epoch goes from E to E + 1 only when every online thread has announced E, and a thread announces only between two
 * batches. So at epoch E no running batch began before E − 1 was announced: what was unlinked at an epoch ≤ E − 2 is out of sight.
 */
export const EPOCH_BLOCK = { epoch: 0, threadCount: 4, threads: 64, threadBytes: 64, online: 0, announced: 4 } as const;

export class EpochClock {
  /** Where the block lies; the u32 epoch itself is its first word. */
  readonly address: number;
  readonly threadCount: number;
  readonly #memory: EbpfMemory;

  private constructor(memory: EbpfMemory, address: number) {
    this.#memory = memory;
    this.address = address;
    this.threadCount = memory.words[(address + EPOCH_BLOCK.threadCount) / 4];
  }

  static create(memory: EbpfMemory, threadCount: number): EpochClock {
    const bytes = EPOCH_BLOCK.threads + threadCount * EPOCH_BLOCK.threadBytes;
    const address = memory.allocate(bytes, 'the epoch of the maps');
    memory.words[(address + EPOCH_BLOCK.epoch) / 4] = QUARANTINE_START;
    memory.words[(address + EPOCH_BLOCK.threadCount) / 4] = threadCount;
    return new EpochClock(memory, address);
  }

  static attach(memory: EbpfMemory, address: number): EpochClock {
    return new EpochClock(memory, address);
  }

  /** The epoch as u32. */
  get now(): number {
    return Atomics.load(this.#memory.words, this.address / 4) >>> 0;
  }

  /** Before a thread's first batch, and after `leave`. */
  enter(thread: number): void {
    const words = this.#memory.words;
    const base = this.#threadWord(thread);
    Atomics.store(words, base, 1);
    this.advance(thread);
  }

  /** A thread that will sleep must not hold the epoch back. */
  leave(thread: number): void {
    Atomics.store(this.#memory.words, this.#threadWord(thread), 0);
  }

  /** After every batch of a thread that is online: moves the epoch on if everyone is ready for it, and announces it. */
  advance(thread: number): void {
    const words = this.#memory.words;
    const base = this.#threadWord(thread);
    const epochWord = this.address / 4;
    const epoch = Atomics.load(words, epochWord);
    Atomics.store(words, base + 1, epoch);
    for (let other = 0; other < this.threadCount; other++) {
      const word = this.#threadWord(other);
      if (Atomics.load(words, word) === 1 && Atomics.load(words, word + 1) !== epoch) return;
    }
    if (Atomics.compareExchange(words, epochWord, epoch, (epoch + 1) | 0) === epoch)
      Atomics.store(words, base + 1, (epoch + 1) | 0);
  }

  #threadWord(thread: number): number {
    return (this.address + EPOCH_BLOCK.threads + thread * EPOCH_BLOCK.threadBytes) / 4;
  }
}

/** High enough that a slot never used (stamp 0) is not in quarantine. */
const QUARANTINE_START = 16;
