import { type FunctionCode, ValueType } from '../../../wasm/index.ts';
import { ERRNO, itemSize } from '../../helpers.ts';
import { BLOOM_BITS, BLOOM_FLAG } from '../../maps/layout.ts';
import type { BpfMap } from '../../maps/map.ts';
import { assign, type Expression, i32, let32, local, when } from '../expression.ts';
import { hashlittleOfSize } from '../lookup3-code.ts';
import type { SharedWords } from '../shared-words.ts';
import { type KeySource, keyInMemory } from './key.ts';
import type { MapCode, MapSurroundings } from './map-code.ts';
import { pushRefusal } from './refusal.ts';

/** Bloom filter. */
export class BloomCode implements MapCode {
  readonly inlinesLookup = false;
  readonly keyParts = [];
  readonly #map: BpfMap;
  readonly #words: SharedWords;

  constructor(map: BpfMap, { words }: MapSurroundings) {
    this.#map = map;
    this.#words = words;
  }

  /** Runs `each` for every bit of the item: the offset of its word from the map, and its mask. */
  #bits(code: FunctionCode, item: KeySource, each: (word: Expression, bit: Expression) => void): void {
    const { definition, layout } = this.#map;
    const word = local(code, ValueType.i32);
    const index = let32(code, i32.const(0));
    const again = code.loop();
    const hash = let32(code, hashlittleOfSize(code, item, itemSize(definition), index.get));
    const bit = i32.and(hash.get, i32.const(2 ** layout.slotBits - 1));
    assign(code, word, i32.shl(i32.shrU(bit, i32.const(5)), i32.const(2)));
    // A shift counts modulo 32.
    each(word.get, i32.shl(i32.const(1), hash.get));
    assign(code, index, i32.add(index.get, i32.const(1)));
    i32.ltU(index.get, i32.const(definition.hashCount))(code);
    code.brIf(again);
    code.end();
  }

  get #firstWord(): number {
    return this.#map.address + this.#map.layout.data + BLOOM_BITS;
  }

  lookup(code: FunctionCode, key: KeySource): void {
    const result = let32(code, i32.const(0));
    const absent = code.block();
    this.#bits(code, key, (word, bit) => {
      i32.eqz(i32.and(this.#words.load(word, this.#firstWord), bit))(code);
      code.brIf(absent);
    });
    assign(code, result, i32.const(this.#map.address + this.#map.layout.data + BLOOM_FLAG));
    code.end();
    result.get(code);
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
    // Most bits are set already in a filter that is in use, and looking is cheaper than an atomic write.
    this.#bits(code, keyInMemory(item), (word, bit) => {
      when(code, i32.eqz(i32.and(this.#words.load(word, this.#firstWord), bit)), () =>
        this.#words.or(code, word, this.#firstWord, bit),
      );
    });
    code.i32Const(0);
  }
}
