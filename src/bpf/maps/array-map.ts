import { ERRNO } from '../helpers.ts';
import type { BpfMap, MapEntries, MapEntry, UpdateMode } from './map.ts';
import { MapBytes } from './map-bytes.ts';
import { boundedStep } from './step.ts';

/** Bytes that one step of `clear` zeroes at most. */
const CLEAR_BYTES = 1 << 20;

/** Array and per-thread array: values in a row, always there. */
export class ArrayMap extends MapBytes implements BpfMap {
  get count(): number {
    return this.definition.maxEntries;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    this.checkLength('key', key, this.definition.keySize);
    const index = this.#index(key, 0);
    return index === undefined ? undefined : this.#copy(index);
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any'): number {
    const { keySize, valueSize } = this.definition;
    this.checkLength('key', key, keySize);
    this.checkLength('value', value, valueSize, valueSize * this.threads);
    const index = this.#index(key, 0);
    if (index === undefined) return ERRNO.E2BIG;
    if (mode === 'noexist') return ERRNO.EEXIST;
    for (let thread = 0; thread < this.threads; thread++) {
      const from = value.length === valueSize ? 0 : thread * valueSize;
      this.memory.bytes.set(value.subarray(from, from + valueSize), this.#valueAddress(index, thread));
    }
    return 0;
  }

  delete(key: Uint8Array): number {
    this.checkLength('key', key, this.definition.keySize);
    return ERRNO.EINVAL;
  }

  entries(cursor: number, limit: number): MapEntries {
    const { keySize, maxEntries } = this.definition;
    const end = Math.min(cursor + boundedStep(limit, this.definition.valueSize * this.threads), maxEntries);
    const entries: MapEntry[] = [];
    for (let index = cursor; index < end; index++) {
      const key = new Uint8Array(keySize);
      new DataView(key.buffer).setUint32(0, index, true);
      entries.push({ key, value: this.#copy(index) });
    }
    return { entries, next: end < maxEntries ? end : undefined };
  }

  clear(cursor: number): number | undefined {
    const bytes = this.layout.totalBytes - this.layout.data;
    const end = Math.min(cursor + CLEAR_BYTES, bytes);
    this.memory.bytes.fill(0, this.data + cursor, this.data + end);
    return end < bytes ? end : undefined;
  }

  helperLookup(key: number, thread: number): number {
    const index = this.#index(this.memory.bytes, key);
    return index === undefined ? 0 : this.#valueAddress(index, thread);
  }

  helperUpdate(key: number, value: number, thread: number): number {
    if (this.definition.readOnly === true) return ERRNO.EPERM;
    const index = this.#index(this.memory.bytes, key);
    if (index === undefined) return ERRNO.E2BIG;
    this.memory.bytes.copyWithin(this.#valueAddress(index, thread), value, value + this.definition.valueSize);
    return 0;
  }

  helperDelete(_key: number): number {
    return this.refusal(ERRNO.EINVAL);
  }

  #index(bytes: Uint8Array, at: number): number | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const index = view.getUint32(at, true);
    const high = this.definition.keySize === 8 ? view.getUint32(at + 4, true) : 0;
    return high === 0 && index < this.definition.maxEntries ? index : undefined;
  }

  #valueAddress(index: number, thread: number): number {
    return this.data + thread * this.layout.threadStride + index * this.layout.stride;
  }

  #copy(index: number): Uint8Array {
    const { valueSize } = this.definition;
    if (this.threads === 1) {
      const at = this.#valueAddress(index, 0);
      return this.memory.bytes.slice(at, at + valueSize);
    }
    const value = new Uint8Array(valueSize * this.threads);
    for (let thread = 0; thread < this.threads; thread++) {
      const from = this.#valueAddress(index, thread);
      value.set(this.memory.bytes.subarray(from, from + valueSize), thread * valueSize);
    }
    return value;
  }
}
