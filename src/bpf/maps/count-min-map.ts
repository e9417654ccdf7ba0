import { ERRNO } from '../helpers.ts';
import { hashlittle } from '../lookup3.ts';
import type { BpfMap, MapEntries } from './map.ts';
import { MapBytes } from './map-bytes.ts';

const CLEAR_BYTES = 1 << 20;

/** Count-min sketch: estimates how often an item was added, never too low. */
export class CountMinMap extends MapBytes implements BpfMap {
  /** Items added (each counts once in the first row). */
  get count(): number {
    let sum = 0;
    for (let column = 0; column < this.definition.maxEntries; column++) sum += this.#counter(this.#address(0, column));
    return sum;
  }

  /** The estimate: valueSize bytes. */
  lookup(item: Uint8Array): Uint8Array | undefined {
    this.checkLength('item', item, this.definition.keySize);
    const at = this.#smallest(item, 0);
    return this.memory.bytes.slice(at, at + this.definition.valueSize);
  }

  update(): number {
    return ERRNO.EOPNOTSUPP;
  }

  delete(): number {
    return ERRNO.EOPNOTSUPP;
  }

  override add(item: Uint8Array): number {
    this.checkLength('item', item, this.definition.keySize);
    return this.#add(item, 0);
  }

  /** A sketch does not keep its items. */
  entries(): MapEntries {
    return { entries: [], next: undefined };
  }

  clear(cursor: number): number | undefined {
    const bytes = this.layout.totalBytes - this.layout.data;
    const end = Math.min(cursor + CLEAR_BYTES, bytes);
    this.memory.bytes.fill(0, this.data + cursor, this.data + end);
    return end < bytes ? end : undefined;
  }

  helperLookup(item: number, _thread: number): number {
    return this.#smallest(this.memory.bytes, item);
  }

  helperUpdate(): number {
    return this.refusal(ERRNO.EOPNOTSUPP);
  }

  helperDelete(): number {
    return this.refusal(ERRNO.EOPNOTSUPP);
  }

  override helperAdd(item: number): number {
    return this.definition.readOnly === true ? ERRNO.EPERM : this.#add(this.memory.bytes, item);
  }

  #address(row: number, column: number): number {
    return this.data + (row * this.definition.maxEntries + column) * this.definition.valueSize;
  }

  #counterOf(bytes: Uint8Array, at: number, row: number): number {
    return this.#address(row, hashlittle(bytes, at, this.definition.keySize, row) % this.definition.maxEntries);
  }

  #counter(address: number): number {
    if (this.definition.valueSize === 8)
      return Number(BigInt.asUintN(64, Atomics.load(this.memory.longs, address / 8)));
    return Atomics.load(this.memory.words, address / 4) >>> 0;
  }

  #smallest(bytes: Uint8Array, at: number): number {
    let best = this.#counterOf(bytes, at, 0);
    let least = this.#counter(best);
    for (let row = 1; row < this.definition.hashCount; row++) {
      const address = this.#counterOf(bytes, at, row);
      const value = this.#counter(address);
      if (value < least) {
        best = address;
        least = value;
      }
    }
    return best;
  }

  #add(bytes: Uint8Array, at: number): number {
    for (let row = 0; row < this.definition.hashCount; row++) {
      const address = this.#counterOf(bytes, at, row);
      if (this.definition.valueSize === 8) Atomics.add(this.memory.longs, address / 8, 1n);
      else Atomics.add(this.memory.words, address / 4, 1);
    }
    return 0;
  }
}
