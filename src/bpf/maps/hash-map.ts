import { ERRNO } from '../helpers.ts';
import type { BpfMap, MapEntries, MapEntry, UpdateMode } from './map.ts';
import { type MapBlock, MapBytes } from './map-bytes.ts';
import { SlotTable } from './slot-table.ts';

/** Slots that one call of `entries` or `clear` looks at, at most. */
const SLOTS_PER_STEP = 4096;

/** Hash, LRU hash and per-thread hash. */
export class HashMap extends MapBytes implements BpfMap {
  readonly #table: SlotTable;
  readonly #evicts: boolean;

  constructor(block: MapBlock) {
    super(block);
    const { keySize, maxEntries, kind } = block.definition;
    this.#evicts = kind === 'lru-hash';
    this.#table = new SlotTable({ ...block, keySize, maxEntries, evicts: this.#evicts });
  }

  get count(): number {
    return this.#table.count;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#setKey(key);
    for (;;) {
      const slot = this.#table.find();
      if (slot === 0) return undefined;
      const copy = this.#table.copySlot((slot - this.data) / this.layout.stride);
      if (copy?.key.every((byte, i) => byte === this.#table.keyBytes[i])) return this.#values(copy.value);
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
    const entries: MapEntry[] = [];
    const end = Math.min(cursor + SLOTS_PER_STEP, this.#table.slotCount);
    let index = cursor;
    for (; index < end && entries.length < Math.max(limit, 1); index++) {
      const copy = this.#table.copySlot(index);
      if (copy !== undefined)
        entries.push({ key: copy.key.slice(0, this.definition.keySize), value: this.#values(copy.value) });
    }
    return { entries, next: index < this.#table.slotCount ? index : undefined };
  }

  clear(cursor: number): number | undefined {
    const { entries, next } = this.entries(cursor, SLOTS_PER_STEP);
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

  /** The values of a slot's value area, one after another. */
  #values(area: Uint8Array): Uint8Array {
    const { valueSize } = this.definition;
    const value = new Uint8Array(valueSize * this.threads);
    for (let thread = 0; thread < this.threads; thread++) {
      const from = thread * this.layout.threadStride;
      value.set(area.subarray(from, from + valueSize), thread * valueSize);
    }
    return value;
  }
}
