import { type FunctionCode, ValueType } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import { keyWords } from '../../maps/key-hash.ts';
import { LPM_LENGTHS, lpmCountsOffset } from '../../maps/layout.ts';
import type { BpfMap } from '../../maps/map.ts';
import { assign, type Expression, i32, i64, type Local, let32, local, when } from '../expression.ts';
import type { SharedWords } from '../shared-words.ts';
import { type KeySource, keyInMemory, keyWord } from './key.ts';
import type { MapCode, MapSurroundings } from './map-code.ts';
import { pushRefusal } from './refusal.ts';
import { copyBytes, SlotTableCode } from './slot-table-code.ts';

/** Longest-prefix match: a hash of prefixes, and the lengths that occur. */
export class LpmCode implements MapCode {
  readonly inlinesLookup = false;
  readonly keyParts = [];
  readonly #map: BpfMap;
  readonly #table: SlotTableCode;
  readonly #words: SharedWords;

  constructor(map: BpfMap, { words, epochAddress }: MapSurroundings) {
    this.#map = map;
    this.#table = new SlotTableCode(map, words, epochAddress);
    this.#words = words;
  }

  get #maxLength(): number {
    return 8 * (this.#map.definition.keySize - 4);
  }

  get #lengths(): number {
    return this.#map.address + this.#map.layout.lengths;
  }

  /** The key's words with the bits beyond `length` cleared and the length put in front. */
  #prefixWord(code: FunctionCode, words: readonly Local[], index: number, length: Expression): Expression {
    // Of a word, `kept` leading bits of its data count, in network order: byte by byte from the lowest.
    const firstBit = index === 0 ? 0 : 64 * index - 32;
    const kept = local(code, ValueType.i32);
    const mask = local(code, ValueType.i64);
    assign(code, kept, i32.sub(length, i32.const(firstBit)));
    const dataBits = index === 0 ? 32 : 64;
    // All of the word, a part, or nothing.
    assign(code, mask, i64.const(0n));
    when(code, i32.gtS(kept.get, i32.const(0)), () => {
      assign(code, mask, i64.const(-1n));
      when(code, i32.ltU(kept.get, i32.const(dataBits)), () => {
        const whole = i64.extendU(i32.and(kept.get, i32.const(~7)));
        const wholeBytes = i64.add(i64.shl(i64.const(1n), whole), i64.const(-1n));
        const lastByte = i64.shl(
          i64.extendU(i32.and(i32.shrU(i32.const(0xff00), i32.and(kept.get, i32.const(7))), i32.const(0xff))),
          whole,
        );
        assign(code, mask, i64.or(wholeBytes, lastByte));
      });
    });
    const word = words[index].get;
    if (index > 0) return i64.and(word, mask.get);
    const data = i64.and(i64.shrU(word, i64.const(32n)), mask.get);
    return i64.or(i64.shl(data, i64.const(32n)), i64.extendU(length));
  }

  #keyWords(code: FunctionCode, key: KeySource): Local[] {
    const { keySize } = this.#map.definition;
    return Array.from({ length: keyWords(keySize) }, (_, i) => {
      const word = local(code, ValueType.i64);
      assign(code, word, keyWord(key, keySize, i));
      return word;
    });
  }

  lookup(code: FunctionCode, key: KeySource): void {
    const words = this.#keyWords(code, key);
    const result = let32(code, i32.const(0));
    const length = let32(code, key.narrow(0, 4));
    const bits = local(code, ValueType.i32);
    const word = local(code, ValueType.i32);
    when(code, i32.gtU(length.get, i32.const(this.#maxLength)), () => assign(code, length, i32.const(this.#maxLength)));
    const done = code.block();
    const again = code.loop();
    // The longest length of the bitmap up to `length`.
    assign(code, word, i32.shrU(length.get, i32.const(5)));
    const upTo = i32.shrU(i32.const(-1), i32.sub(i32.const(31), i32.and(length.get, i32.const(31))));
    assign(code, bits, i32.and(this.#bitmapWord(word.get), upTo));
    const found = code.block();
    const search = code.loop();
    bits.get(code);
    code.brIf(found);
    i32.eqz(word.get)(code);
    code.brIf(done);
    assign(code, word, i32.sub(word.get, i32.const(1)));
    assign(code, bits, this.#bitmapWord(word.get));
    code.br(search);
    code.end();
    code.end();
    assign(code, length, i32.sub(i32.add(i32.shl(word.get, i32.const(5)), i32.const(31)), i32.clz(bits.get)));
    const hashed = this.#table.hashKey(code, (i) => this.#prefixWord(code, words, i, length.get));
    const value = this.#table.lookup(code, hashed);
    assign(code, result, value.get);
    value.get(code);
    code.brIf(done);
    i32.eqz(length.get)(code);
    code.brIf(done);
    assign(code, length, i32.sub(length.get, i32.const(1)));
    code.br(again);
    code.end();
    code.end();
    result.get(code);
  }

  #bitmapWord(index: Expression): Expression {
    return this.#words.load(i32.shl(index, i32.const(2)), this.#lengths + LPM_LENGTHS.bitmap);
  }

  /** Leaves 0 or an errno; `operation` does its work when the prefix is not longer than the key. */
  #onPrefix(
    code: FunctionCode,
    key: Expression,
    operation: (words: (index: number) => Expression, length: Local) => Local,
  ): void {
    if (this.#map.definition.readOnly === true) {
      code.i32Const(ERRNO.EPERM);
      return;
    }
    const source = keyInMemory(key);
    const words = this.#keyWords(code, source);
    const length = let32(code, source.narrow(0, 4));
    const result = let32(code, i32.const(ERRNO.EINVAL));
    when(code, i32.ltU(length.get, i32.const(this.#maxLength + 1)), () => {
      const outcome = operation((i) => this.#prefixWord(code, words, i, length.get), length);
      assign(code, result, outcome.get);
    });
    result.get(code);
  }

  update(code: FunctionCode, key: Expression, value: Expression): void {
    this.#onPrefix(code, key, (words, length) => {
      const target = local(code, ValueType.i32);
      return this.#table.update(code, this.#table.hashKey(code, words), {
        writeValue: (address) => {
          assign(code, target, address);
          copyBytes(code, target.get, value, this.#map.definition.valueSize);
        },
        onInsert: () => this.#countLength(code, length.get, 1),
      });
    });
  }

  delete(code: FunctionCode, key: Expression): void {
    this.#onPrefix(code, key, (words, length) =>
      this.#table.delete(code, this.#table.hashKey(code, words), () => this.#countLength(code, length.get, -1)),
    );
  }

  #countLength(code: FunctionCode, length: Expression, change: 1 | -1): void {
    const lock = i32.const(this.#lengths + LPM_LENGTHS.lock);
    const counts = this.#lengths + lpmCountsOffset(this.#map.definition.keySize);
    const word = i32.shl(i32.shrU(length, i32.const(5)), i32.const(2));
    const bit = i32.shl(i32.const(1), length);
    const bitmap = this.#lengths + LPM_LENGTHS.bitmap;
    this.#words.acquire(code, lock, 0);
    const before = this.#words.fetchAdd(code, i32.shl(length, i32.const(2)), counts, i32.const(change));
    i32.eq(before, i32.const(-change))(code);
    code.if();
    this.#words.and(code, word, bitmap, i32.xor(bit, i32.const(-1)));
    code.else();
    this.#words.or(code, word, bitmap, bit);
    code.end();
    this.#words.release(code, lock, 0);
  }

  add(code: FunctionCode): void {
    pushRefusal(code, this.#map, ERRNO.EOPNOTSUPP);
  }
}
