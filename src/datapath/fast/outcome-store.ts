import {
  COUNTER_BYTES,
  COUNTER_PACKETS,
  COUNTER_USED,
  OUTCOME_ACTIONS,
  OUTCOME_COUNTERS,
  OUTCOME_ONLY_PORT,
  OUTCOME_THREAD_BYTES,
} from '../layout.ts';
import type { Outcome } from '../outcome.ts';
import { encodeActions, onlyPort } from './action-code.ts';
import type { DatapathMemory } from './memory.ts';

/** An outcome as the core has it, and what of its counters has been taken over. */
interface Placed {
  readonly outcome: Outcome;
  readonly address: number;
  packets: number;
  bytes: number;
}

const LINE = 64;

/**
 * The outcomes of the generation that holds, in shared memory. They are written one after the other into one of two areas,
 * and all given up together when the generation changes.
 */
export class OutcomeStore {
  readonly #memory: DatapathMemory;
  readonly #slotOf: (port: number) => number;
  readonly #recordBytes: number;
  #placed = new Map<Outcome, Placed>();
  readonly #byAddress = new Map<number, Outcome>();
  #area = 0;
  #next: number;

  constructor(memory: DatapathMemory, slotOf: (port: number) => number) {
    this.#memory = memory;
    this.#slotOf = slotOf;
    this.#recordBytes = Math.ceil((OUTCOME_COUNTERS + memory.threads * OUTCOME_THREAD_BYTES) / LINE) * LINE;
    this.#next = memory.outcomes[0];
  }

  /** Where the core finds the outcome; `undefined` when there is no room left in this generation. */
  place(outcome: Outcome): number | undefined {
    const known = this.#placed.get(outcome);
    if (known !== undefined) return known.address;
    const memory = this.#memory;
    const words = encodeActions(outcome.actions, this.#slotOf);
    const bytes = Math.ceil((this.#recordBytes + 4 * words.length) / LINE) * LINE;
    const address = this.#next;
    if (address + bytes > memory.outcomes[this.#area] + memory.limits.outcomeBytes) return undefined;
    this.#next += bytes;
    memory.words.fill(0, address >> 2, (address + this.#recordBytes) >> 2);
    memory.words.set(words, (address + this.#recordBytes) >> 2);
    memory.setWord(address + OUTCOME_ACTIONS, address + this.#recordBytes);
    memory.setWord(address + OUTCOME_ONLY_PORT, onlyPort(outcome.actions, this.#slotOf));
    this.#placed.set(outcome, { outcome, address, packets: 0, bytes: 0 });
    this.#byAddress.set(address, outcome);
    return address;
  }

  at(address: number): Outcome | undefined {
    return this.#byAddress.get(address);
  }

  /** Adds to every outcome what the threads have counted since the last call. */
  collect(): void {
    for (const placed of this.#placed.values()) this.#collect(placed);
  }

  #collect(placed: Placed): void {
    const memory = this.#memory;
    let packets = 0;
    let bytes = 0;
    for (let thread = 0; thread < memory.threads; thread++) {
      const counters = placed.address + OUTCOME_COUNTERS + thread * OUTCOME_THREAD_BYTES;
      packets += memory.counter(counters + COUNTER_PACKETS);
      bytes += memory.counter(counters + COUNTER_BYTES);
    }
    if (packets === placed.packets) return;
    const { outcome } = placed;
    outcome.packets += packets - placed.packets;
    outcome.bytes += bytes - placed.bytes;
    placed.packets = packets;
    placed.bytes = bytes;
    for (let thread = 0; thread < memory.threads; thread++) {
      const usedNs = memory.view.getBigUint64(
        placed.address + OUTCOME_COUNTERS + thread * OUTCOME_THREAD_BYTES + COUNTER_USED,
        true,
      );
      if (usedNs > outcome.lastUsedNs) outcome.lastUsedNs = usedNs;
    }
  }

  /**
   * All are void; what was counted is taken over first. Those of the generation before this one must be out of use, for the next ones
   * are put in their place, unless `staysInArea`.
   */
  startGeneration(staysInArea = false): void {
    this.collect();
    this.#placed = new Map();
    this.#byAddress.clear();
    if (staysInArea) return;
    this.#area = 1 - this.#area;
    this.#next = this.#memory.outcomes[this.#area];
  }
}
