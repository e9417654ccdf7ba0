import { type FunctionCode, ValueType } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import type { BpfMap } from '../../maps/map.ts';
import { assign, type Expression, i32, i64, let32, let64, local, when } from '../expression.ts';
import { hashlittleOfSize } from '../lookup3-code.ts';
import type { SharedWords } from '../shared-words.ts';
import { type KeySource, keyInMemory } from './key.ts';
import type { MapCode, MapSurroundings } from './map-code.ts';
import { pushRefusal } from './refusal.ts';

/** Count-min sketch. */
export class CountMinCode implements MapCode {
  readonly inlinesLookup = false;
  readonly keyParts = [];
  readonly #map: BpfMap;
  readonly #words: SharedWords;

  constructor(map: BpfMap, { words }: MapSurroundings) {
    this.#map = map;
    this.#words = words;
  }

  /** Runs `each` for the item's counter in every row, with its address. */
  #counters(code: FunctionCode, item: KeySource, each: (counter: Expression) => void): void {
    const { definition, address, layout } = this.#map;
    const { maxEntries, valueSize, hashCount, keySize } = definition;
    const counter = local(code, ValueType.i32);
    const row = let32(code, i32.const(0));
    const rowAddress = let32(code, i32.const(address + layout.data));
    const again = code.loop();
    const column = i32.remU(hashlittleOfSize(code, item, keySize, row.get), i32.const(maxEntries | 0));
    assign(code, counter, i32.add(rowAddress.get, i32.mul(column, i32.const(valueSize))));
    each(counter.get);
    assign(code, rowAddress, i32.add(rowAddress.get, i32.const(maxEntries * valueSize)));
    assign(code, row, i32.add(row.get, i32.const(1)));
    i32.ltU(row.get, i32.const(hashCount))(code);
    code.brIf(again);
    code.end();
  }

  lookup(code: FunctionCode, key: KeySource): void {
    const best = let32(code, i32.const(0));
    const least = let64(code, i64.const(0n));
    const value = local(code, ValueType.i64);
    this.#counters(code, key, (counter) => {
      assign(code, value, this.#map.definition.valueSize === 8 ? i64.load(counter) : i64.load32(counter));
      when(code, i32.or(i32.eqz(best.get), i64.ltU(value.get, least.get)), () => {
        assign(code, best, counter);
        assign(code, least, value.get);
      });
    });
    best.get(code);
  }

  update(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EOPNOTSUPP);
  }

  delete(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EOPNOTSUPP);
  }

  add(code: FunctionCode, item: Expression): void {
    if (this.#map.definition.readOnly === true) {
      code.i32Const(ERRNO.EPERM);
      return;
    }
    this.#counters(code, keyInMemory(item), (counter) => {
      if (this.#map.definition.valueSize === 8) this.#words.add64(code, counter, 0, i64.const(1n));
      else this.#words.fetchAdd(code, counter, 0, i32.const(1));
    });
    code.i32Const(0);
  }
}
