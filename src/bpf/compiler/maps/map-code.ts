import type { FunctionCode, Label } from '../../../wasm/index.ts';
import type { BpfMap } from '../../maps/map.ts';
import type { AbstractValue } from '../abstract-value.ts';
import type { Expression } from '../expression.ts';
import type { SharedWords } from '../shared-words.ts';
import { ArrayCode } from './array-code.ts';
import { BloomCode } from './bloom-code.ts';
import { CountMinCode } from './count-min-code.ts';
import { HashCode } from './hash-code.ts';
import type { KeySource } from './key.ts';
import { LpmCode } from './lpm-code.ts';

/** Where generated code finds what belongs to all maps. */
export interface MapSurroundings {
  readonly words: SharedWords;
  /** Of the epoch clock's word. */
  readonly epochAddress: number;
  /** Pushes the address of the running thread's block. */
  readonly thread: Expression;
}

/**
 * The helpers of one map as generated code, the twin of the kind's class in `maps/`. Each writes code that pushes the
 * helper's result as i32: an address or 0, or 0 or an errno.
 */
export interface MapCode {
  /** Whether a lookup is short enough to be written at every call. */
  readonly inlinesLookup: boolean;
  /** The parts of the key that an inlined lookup reads: offset and bytes. */
  readonly keyParts: readonly (readonly [offset: number, bytes: number])[];
  /** With `absent`, a lookup that finds nothing goes there; without, it pushes 0. */
  lookup(code: FunctionCode, key: KeySource, absent?: Label): void;
  /** What a lookup gives for certain, from what is known of the first 4 bytes of the key. */
  lookupResult?(key: AbstractValue): AbstractValue | undefined;
  /** `key` and `value` are addresses that an access may use as they are. */
  update(code: FunctionCode, key: Expression, value: Expression): void;
  delete(code: FunctionCode, key: Expression): void;
  add(code: FunctionCode, item: Expression): void;
}

export function mapCode(map: BpfMap, surroundings: MapSurroundings): MapCode {
  switch (map.definition.kind) {
    case 'array':
    case 'per-thread-array':
      return new ArrayCode(map, surroundings);
    case 'hash':
    case 'lru-hash':
    case 'per-thread-hash':
      return new HashCode(map, surroundings);
    case 'lpm-trie':
      return new LpmCode(map, surroundings);
    case 'bloom':
      return new BloomCode(map, surroundings);
    case 'count-min':
      return new CountMinCode(map, surroundings);
  }
}
