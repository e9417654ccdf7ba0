import { BulkOp, type FunctionCode, type Label, ValueType } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import { keyWords } from '../../maps/key-hash.ts';
import type { BpfMap } from '../../maps/map.ts';
import { THREAD_BLOCK } from '../../thread.ts';
import { assign, type Expression, i32, let32, local, when } from '../expression.ts';
import { type KeySource, keyInMemory, keyWord } from './key.ts';
import type { MapCode, MapSurroundings } from './map-code.ts';
import { pushRefusal } from './refusal.ts';
import { copyBytes, type HashedKeyCode, SlotTableCode } from './slot-table-code.ts';

/** Longer keys are looked up by a function of the module. */
const MAX_INLINE_WORDS = 6;

/** Hash, LRU hash and per-thread hash. */
export class HashCode implements MapCode {
  readonly inlinesLookup: boolean;
  readonly keyParts: readonly (readonly [number, number])[];
  readonly #map: BpfMap;
  readonly #surroundings: MapSurroundings;
  readonly #table: SlotTableCode;

  constructor(map: BpfMap, surroundings: MapSurroundings) {
    const { keySize } = map.definition;
    this.#map = map;
    this.#surroundings = surroundings;
    this.#table = new SlotTableCode(map, surroundings.words, surroundings.epochAddress);
    this.inlinesLookup = keyWords(keySize) <= MAX_INLINE_WORDS;
    this.keyParts = Array.from({ length: keyWords(keySize) }, (_, i) => [8 * i, Math.min(8, keySize - 8 * i)]);
  }

  get #perThread(): boolean {
    return this.#map.definition.kind === 'per-thread-hash';
  }

  #key(code: FunctionCode, key: KeySource): HashedKeyCode {
    return this.#table.hashKey(code, (i) => keyWord(key, this.#map.definition.keySize, i));
  }

  /** Bytes from the first thread's value to the running one's. */
  #ownOffset(): Expression {
    const index = i32.load(this.#surroundings.thread, THREAD_BLOCK.index);
    return i32.mul(index, i32.const(this.#map.layout.threadStride));
  }

  lookup(code: FunctionCode, key: KeySource, absent?: Label): void {
    const value = this.#table.lookup(code, this.#key(code, key), absent);
    if (this.#perThread) {
      when(code, value.get, () => assign(code, value, i32.add(value.get, this.#ownOffset())));
    }
    value.get(code);
  }

  update(code: FunctionCode, key: Expression, value: Expression): void {
    const { definition, layout, threads } = this.#map;
    if (definition.readOnly === true) {
      code.i32Const(ERRNO.EPERM);
      return;
    }
    const hashed = this.#key(code, keyInMemory(key));
    const own = this.#perThread ? let32(code, this.#ownOffset()) : undefined;
    const target = local(code, ValueType.i32);
    const result = this.#table.update(code, hashed, {
      writeValue: (address) => {
        assign(code, target, own === undefined ? address : i32.add(address, own.get));
        copyBytes(code, target.get, value, definition.valueSize);
      },
      // The value to store may lie in the bytes that are cleared for the other threads: those go last.
      afterNew: (address) => {
        for (let thread = 0; own !== undefined && thread < threads; thread++) {
          const offset = thread * layout.threadStride;
          when(code, i32.ne(own.get, i32.const(offset)), () => {
            i32.add(address, i32.const(offset))(code);
            code.i32Const(0);
            code.i32Const(definition.valueSize);
            code.bulk(BulkOp.memoryFill);
          });
        }
      },
    });
    result.get(code);
  }

  delete(code: FunctionCode, key: Expression): void {
    if (this.#map.definition.readOnly === true) code.i32Const(ERRNO.EPERM);
    else this.#table.delete(code, this.#key(code, keyInMemory(key))).get(code);
  }

  add(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EOPNOTSUPP);
  }
}
