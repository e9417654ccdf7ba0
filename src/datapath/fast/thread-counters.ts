import type { DatapathCounters } from '../datapath.ts';
import {
  STAT_EVICTIONS,
  STAT_HITS,
  STAT_MISSES,
  STAT_NO_BUFFER,
  STAT_NO_PORT,
  STAT_PORT_FULL,
  STAT_TOO_DEEP,
  STAT_UNCACHED,
  STAT_UPCALL_FULL,
} from '../layout.ts';
import type { DatapathMemory } from './memory.ts';

/** The counters of a datapath as its threads have them at the moment of reading, summed. */
export class ThreadCounters implements DatapathCounters {
  readonly #memory: DatapathMemory;
  readonly #threads: readonly { readonly stats: number }[];

  constructor(memory: DatapathMemory, threads: readonly { readonly stats: number }[]) {
    this.#memory = memory;
    this.#threads = threads;
  }

  #sum(offset: number): number {
    let sum = 0;
    for (const { stats } of this.#threads) sum += this.#memory.counter(stats + offset);
    return sum;
  }

  get hits(): number {
    return this.#sum(STAT_HITS);
  }
  get misses(): number {
    return this.#sum(STAT_MISSES);
  }
  get cacheEvictions(): number {
    return this.#sum(STAT_EVICTIONS);
  }
  get uncached(): number {
    return this.#sum(STAT_UNCACHED);
  }
  get dropNoPort(): number {
    return this.#sum(STAT_NO_PORT);
  }
  get dropPortFull(): number {
    return this.#sum(STAT_PORT_FULL);
  }
  get dropTooDeep(): number {
    return this.#sum(STAT_TOO_DEEP);
  }
  get dropNoBuffer(): number {
    return this.#sum(STAT_NO_BUFFER);
  }
  get dropUpcallFull(): number {
    return this.#sum(STAT_UPCALL_FULL);
  }
}
