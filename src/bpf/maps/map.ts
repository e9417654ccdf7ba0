import type { EbpfMemory } from '../memory.ts';
import type { MapDefinition } from './definition.ts';
import type { MapLayout } from './layout.ts';

/** How `update` treats a key that is there, or not; Linux's BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export type UpdateMode = 'any' | 'noexist' | 'exist';

export interface MapEntry {
  /** keySize bytes, a copy. */
  readonly key: Uint8Array;
  /** A copy: valueSize bytes; in the per-thread kinds those of every thread after one another. */
  readonly value: Uint8Array;
}

export interface MapEntries {
  readonly entries: readonly MapEntry[];
  /** Where to go on; undefined when this was the end. */
  readonly next: number | undefined;
}

/**
 * A map in the window, as the control plane and the interpreter use it: every operation is safe against programs and other threads
 * that use the same bytes. Results are 0 or a negative `ERRNO`; a key or value of the wrong length throws BPF_MAP_ARGUMENT.
 */
export interface BpfMap {
  readonly definition: MapDefinition;
  readonly memory: EbpfMemory;
  /** Of the map's block: what lddw puts into the register. */
  readonly address: number;
  readonly layout: MapLayout;
  /** Copies of a value in the per-thread kinds, else 1. */
  readonly threads: number;
  /** The secret of the key hash (`key-hash.ts`); 0 in the kinds that need none. */
  readonly seed: bigint;
  /** Bytes of the block. */
  readonly bytesUsed: number;
  /** Live keys; elements of an array; bits set in a Bloom filter; items added to a count-min sketch. */
  readonly count: number;

  /** A copy of the value as in `MapEntry`; undefined when the key is absent. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  /** `value`: valueSize bytes (in the per-thread kinds for every thread), or in the per-thread kinds those of every thread. */
  update(key: Uint8Array, value: Uint8Array, mode?: UpdateMode): number;
  delete(key: Uint8Array): number;
  add(item: Uint8Array): number;
  /**
   * The entries from `cursor` (0 at first) on, at most `limit`, and a bounded amount of work. While others write, an entry that is there
   * all the time is seen once; others perhaps.
   */
  entries(cursor: number, limit: number): MapEntries;
  /** Takes out every key, zeroes an array, a filter, a sketch. In bounded steps: from `cursor` (0 at first) on; undefined at the end. */
  clear(cursor: number): number | undefined;

  /** Helper 1: address of the value for the thread, or 0. `key` is an address in the window. */
  helperLookup(key: number, thread: number): number;
  /** Helper 2; addresses in the window. */
  helperUpdate(key: number, value: number, thread: number): number;
  /** Helper 3. */
  helperDelete(key: number): number;
  /** Helper 4. */
  helperAdd(item: number): number;
}
