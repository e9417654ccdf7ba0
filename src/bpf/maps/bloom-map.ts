import { ERRNO, itemSize } from '../helpers.ts';
import { hashlittle } from '../lookup3.ts';
import { BLOOM_BITS, BLOOM_FLAG } from './layout.ts';
import type { BpfMap, MapEntries } from './map.ts';
import { MapBytes } from './map-bytes.ts';

const CLEAR_WORDS = 1 << 18;

/** Bloom filter: says of an item "never added" for certain, or "perhaps". */
export class BloomMap extends MapBytes implements BpfMap {
  /** Bits set. */
  get count(): number {
    const { words } = this.memory;
    const first = this.#bitsWord;
    let set = 0;
    for (let i = 0; i < this.#wordCount; i++) {
      let word = words[first + i];
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      set += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return set;
  }

  /** The 8 bytes of the number 1 when the item was perhaps added. */
  lookup(item: Uint8Array): Uint8Array | undefined {
    this.checkLength('item', item, itemSize(this.definition));
    const flag = this.data + BLOOM_FLAG;
    return this.#contains(item, 0) ? this.memory.bytes.slice(flag, flag + 8) : undefined;
  }

  update(): number {
    return ERRNO.EOPNOTSUPP;
  }

  delete(): number {
    return ERRNO.EOPNOTSUPP;
  }

  override add(item: Uint8Array): number {
    this.checkLength('item', item, itemSize(this.definition));
    return this.#add(item, 0);
  }

  /** A filter does not keep its items. */
  entries(): MapEntries {
    return { entries: [], next: undefined };
  }

  clear(cursor: number): number | undefined {
    const end = Math.min(cursor + CLEAR_WORDS, this.#wordCount);
    this.memory.words.fill(0, this.#bitsWord + cursor, this.#bitsWord + end);
    return end < this.#wordCount ? end : undefined;
  }

  helperLookup(item: number, _thread: number): number {
    return this.#contains(this.memory.bytes, item) ? this.data + BLOOM_FLAG : 0;
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

  get #bitsWord(): number {
    return (this.data + BLOOM_BITS) / 4;
  }

  get #wordCount(): number {
    return 2 ** (this.layout.slotBits - 5);
  }

  #bit(bytes: Uint8Array, at: number, index: number): number {
    return (hashlittle(bytes, at, itemSize(this.definition), index) & (2 ** this.layout.slotBits - 1)) >>> 0;
  }

  #contains(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.definition.hashCount; i++) {
      const bit = this.#bit(bytes, at, i);
      if ((Atomics.load(this.memory.words, this.#bitsWord + (bit >>> 5)) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  #add(bytes: Uint8Array, at: number): number {
    for (let i = 0; i < this.definition.hashCount; i++) {
      const bit = this.#bit(bytes, at, i);
      Atomics.or(this.memory.words, this.#bitsWord + (bit >>> 5), 1 << (bit & 31));
    }
    return 0;
  }
}
