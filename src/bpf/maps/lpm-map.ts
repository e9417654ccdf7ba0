import { ERRNO } from '../helpers.ts';
import { LPM_LENGTHS, lpmCountsOffset } from './layout.ts';
import type { BpfMap, MapEntries, UpdateMode } from './map.ts';
import { type MapBlock, MapBytes } from './map-bytes.ts';
import { acquire, release } from './region-lock.ts';
import { SlotTable } from './slot-table.ts';

/** Longest-prefix match: a hash of prefixes, and the lengths that occur. */
export class LpmMap extends MapBytes implements BpfMap {
  readonly #table: SlotTable;
  readonly #maxLength: number;

  constructor(block: MapBlock) {
    super(block);
    const { keySize, valueSize, maxEntries } = block.definition;
    this.#maxLength = 8 * (keySize - 4);
    this.#table = new SlotTable({ ...block, keySize, valueSize, copies: block.threads, maxEntries, evicts: false });
  }

  get count(): number {
    return this.#table.count;
  }

  /** The value of the longest prefix that holds the key's address. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    this.checkLength('key', key, this.definition.keySize);
    for (;;) {
      const slot = this.#match(key, 0);
      if (slot === 0) return undefined;
      const value = this.#table.storedValue(slot);
      if (value !== undefined) return value;
    }
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any'): number {
    this.checkLength('key', key, this.definition.keySize);
    this.checkLength('value', value, this.definition.valueSize);
    return this.#update(key, 0, mode, (at) => this.memory.bytes.set(value, at));
  }

  /** Exactly this prefix, not a longer or shorter one. */
  delete(key: Uint8Array): number {
    this.checkLength('key', key, this.definition.keySize);
    return this.#delete(key, 0);
  }

  entries(cursor: number, limit: number): MapEntries {
    return this.#table.entries(cursor, limit);
  }

  clear(cursor: number): number | undefined {
    const { entries, next } = this.entries(cursor, Number.POSITIVE_INFINITY);
    for (const entry of entries) this.delete(entry.key);
    return next;
  }

  helperLookup(key: number, _thread: number): number {
    const slot = this.#match(this.memory.bytes, key);
    return slot === 0 ? 0 : slot + this.layout.valueOffset;
  }

  helperUpdate(key: number, value: number, _thread: number): number {
    if (this.definition.readOnly === true) return ERRNO.EPERM;
    const { bytes } = this.memory;
    return this.#update(bytes, key, 'any', (at) => bytes.copyWithin(at, value, value + this.definition.valueSize));
  }

  helperDelete(key: number): number {
    if (this.definition.readOnly === true) return ERRNO.EPERM;
    return this.#delete(this.memory.bytes, key);
  }

  #match(bytes: Uint8Array, at: number): number {
    const asked = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    for (let length = Math.min(asked, this.#maxLength); length >= 0; length--) {
      length = this.#longestLength(length);
      if (length < 0) return 0;
      this.#setPrefix(bytes, at, length);
      const slot = this.#table.find();
      if (slot !== 0) return slot;
    }
    return 0;
  }

  /** The longest length that occurs, of those up to `atMost`; −1 when there is none. */
  #longestLength(atMost: number): number {
    const { words } = this.memory;
    const bitmap = (this.address + this.layout.lengths + LPM_LENGTHS.bitmap) / 4;
    for (let word = atMost >>> 5; word >= 0; word--) {
      const bits =
        Atomics.load(words, bitmap + word) & (word === atMost >>> 5 ? 0xffffffff >>> (31 - (atMost & 31)) : -1);
      if (bits !== 0) return 32 * word + 31 - Math.clz32(bits);
    }
    return -1;
  }

  #update(bytes: Uint8Array, at: number, mode: UpdateMode, writeValue: (at: number) => void): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    if (length > this.#maxLength) return ERRNO.EINVAL;
    this.#setPrefix(bytes, at, length);
    return this.#table.update(mode, { writeValue, onInsert: () => this.#countLength(length, 1) });
  }

  #delete(bytes: Uint8Array, at: number): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    if (length > this.#maxLength) return ERRNO.EINVAL;
    this.#setPrefix(bytes, at, length);
    return this.#table.delete(() => this.#countLength(length, -1));
  }

  #countLength(length: number, change: 1 | -1): void {
    const { words } = this.memory;
    const lengths = this.address + this.layout.lengths;
    const lock = (lengths + LPM_LENGTHS.lock) / 4;
    const count = (lengths + lpmCountsOffset(this.definition.keySize)) / 4 + length;
    const bitmapWord = (lengths + LPM_LENGTHS.bitmap) / 4 + (length >>> 5);
    acquire(words, lock);
    const left = Atomics.add(words, count, change) + change;
    if (left === 0) Atomics.and(words, bitmapWord, ~(1 << (length & 31)));
    else Atomics.or(words, bitmapWord, 1 << (length & 31));
    release(words, lock);
  }

  /** Makes the table's key the first `length` bits of the data at `at + 4`. */
  #setPrefix(bytes: Uint8Array, at: number, length: number): void {
    const key = this.#table.keyBytes;
    key.fill(0);
    new DataView(key.buffer).setUint32(0, length, true);
    const whole = length >>> 3;
    for (let i = 0; i < whole; i++) key[4 + i] = bytes[at + 4 + i];
    if ((length & 7) !== 0) key[4 + whole] = bytes[at + 4 + whole] & (0xff00 >> (length & 7));
  }
}
