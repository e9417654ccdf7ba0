import { type FunctionCode, type Label, ValueType } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import type { BpfMap } from '../../maps/map.ts';
import { THREAD_BLOCK } from '../../thread.ts';
import { type AbstractValue, constant, maxOf, UNKNOWN } from '../abstract-value.ts';
import { assign, type Expression, i32, i64, let32, local, when } from '../expression.ts';
import { type KeySource, keyInMemory } from './key.ts';
import type { MapCode, MapSurroundings } from './map-code.ts';
import { pushRefusal } from './refusal.ts';
import { copyBytes } from './slot-table-code.ts';

/** Array and per-thread array. */
export class ArrayCode implements MapCode {
  readonly inlinesLookup = true;
  readonly keyParts: readonly (readonly [number, number])[];
  readonly #map: BpfMap;
  readonly #surroundings: MapSurroundings;

  constructor(map: BpfMap, surroundings: MapSurroundings) {
    this.#map = map;
    this.#surroundings = surroundings;
    this.keyParts = [[0, map.definition.keySize]];
  }

  /** Of an index that is known, the value's address. */
  lookupResult(key: AbstractValue): AbstractValue | undefined {
    const { definition, address, layout } = this.#map;
    if (definition.keySize !== 4 || definition.kind !== 'array' || key.kind !== 'constant') return undefined;
    const index = Number(key.value);
    return constant(index < definition.maxEntries ? BigInt(address + layout.data + index * layout.stride) : 0n);
  }

  /** Runs `found` with the value's address when the index is within the array. */
  #access(code: FunctionCode, key: KeySource, found: (value: Expression) => void): void {
    const { definition, address, layout } = this.#map;
    const index = let32(code, key.narrow(0, 4));
    // With 8 bytes, the upper half of the index must be zero; the whole is only compared.
    const isWithin = definition.keySize === 4 && maxOf(key.known ?? UNKNOWN) < definition.maxEntries;
    const within = isWithin
      ? i32.const(1)
      : definition.keySize === 8
        ? i64.ltU(key.wide(0), i64.const(BigInt(definition.maxEntries)))
        : i32.ltU(index.get, i32.const(definition.maxEntries | 0));
    when(code, within, () => {
      const bits = Math.log2(layout.stride);
      const offset = Number.isInteger(bits)
        ? i32.shl(index.get, i32.const(bits))
        : i32.mul(index.get, i32.const(layout.stride));
      let value = i32.add(offset, i32.const(address + layout.data));
      if (definition.kind === 'per-thread-array') {
        const thread = i32.load(this.#surroundings.thread, THREAD_BLOCK.index);
        value = i32.add(value, i32.mul(thread, i32.const(layout.threadStride)));
      }
      found(value);
    });
  }

  lookup(code: FunctionCode, key: KeySource, absent?: Label): void {
    const result = let32(code, i32.const(0));
    const done = absent === undefined ? undefined : code.block();
    this.#access(code, key, (value) => {
      assign(code, result, value);
      if (done !== undefined) code.br(done);
    });
    if (absent !== undefined) {
      code.br(absent);
      code.end();
    }
    result.get(code);
  }

  update(code: FunctionCode, key: Expression, value: Expression): void {
    const { definition } = this.#map;
    if (definition.readOnly === true) {
      code.i32Const(ERRNO.EPERM);
      return;
    }
    const result = let32(code, i32.const(ERRNO.E2BIG));
    const target = local(code, ValueType.i32);
    this.#access(code, keyInMemory(key), (at) => {
      assign(code, target, at);
      copyBytes(code, target.get, value, definition.valueSize);
      assign(code, result, i32.const(0));
    });
    result.get(code);
  }

  delete(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EINVAL);
  }

  add(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EOPNOTSUPP);
  }
}
