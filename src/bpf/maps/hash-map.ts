import { ERRNO } from '../helpers.ts';
import type { BpfMap, MapEntries, UpdateMode } from './map.ts';
import { type MapBlock, MapBytes } from './map-bytes.ts';
import { SlotTable } from './slot-table.ts';

/** Hash, LRU hash and per-thread hash. */
export class HashMap extends MapBytes implements BpfMap {
  readonly #table: SlotTable;
  readonly #evicts: boolean;

  constructor(block: MapBlock) {
    super(block);
    const { keySize, valueSize, maxEntries, kind } = block.definition;
    this.#evicts = kind === 'lru-hash';
    this.#table = new SlotTable({
      ...block,
      keySize,
      valueSize,
      copies: block.threads,
      maxEntries,
      evicts: this.#evicts,
    });
  }

  get count(): number {
    return this.#table.count;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#setKey(key);
    for (;;) {
      const slot = this.#table.find();
      if (slot === 0) return undefined;
      const value = this.#table.storedValue(slot);
      if (value !== undefined) return value;
    }
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any'): number {
    const { valueSize } = this.definition;
    this.#setKey(key);
    this.checkLength('value', value, valueSize, valueSize * this.threads);
    return this.#table.update(mode, {
      writeValue: (at) => {
        for (let thread = 0; thread < this.threads; thread++) {
          const from = value.length === valueSize ? 0 : thread * valueSize;
          this.memory.bytes.set(value.subarray(from, from + valueSize), at + thread * this.layout.threadStride);
        }
      },
    });
  }

  delete(key: Uint8Array): number {
    this.#setKey(key);
    return this.#table.delete();
  }

  entries(cursor: number, limit: number): MapEntries {
    return this.#table.entries(cursor, limit);
  }

  clear(cursor: number): number | undefined {
    const { entries, next } = this.entries(cursor, Number.POSITIVE_INFINITY);
    for (const entry of entries) this.delete(entry.key);
    return next;
  }

  helperLookup(key: number, thread: number): number {
    this.#setKeyAt(key);
    const slot = this.#table.find();
    if (slot === 0) return 0;
    if (this.#evicts) this.#table.touch(slot);
    return slot + this.layout.valueOffset + thread * this.layout.threadStride;
  }

  helperUpdate(key: number, value: number, thread: number): number {
    if (this.definition.readOnly === true) return ERRNO.EPERM;
    this.#setKeyAt(key);
    return this.#table.update('any', {
      writeValue: (at, isNew) => {
        const { bytes } = this.memory;
        const own = at + thread * this.layout.threadStride;
        bytes.copyWithin(own, value, value + this.definition.valueSize);
        if (!isNew || this.threads === 1) return;
        for (let other = 0; other < this.threads; other++) {
          const copy = at + other * this.layout.threadStride;
          if (other !== thread) bytes.fill(0, copy, copy + this.definition.valueSize);
        }
      },
    });
  }

  helperDelete(key: number): number {
    if (this.definition.readOnly === true) return ERRNO.EPERM;
    this.#setKeyAt(key);
    return this.#table.delete();
  }

  #setKey(key: Uint8Array): void {
    this.checkLength('key', key, this.definition.keySize);
    this.#table.keyBytes.set(key);
  }

  #setKeyAt(address: number): void {
    this.#table.keyBytes.set(this.memory.bytes.subarray(address, address + this.definition.keySize));
  }
}
