import type { EpochClock } from '../epoch.ts';
import { ERRNO } from '../helpers.ts';
import type { EbpfMemory } from '../memory.ts';
import { type HashedKey, KeyHasher, keyWords } from './key-hash.ts';
import {
  LOCK_STRIDE,
  LRU_SAMPLE,
  MAP_HEADER,
  type MapLayout,
  META_DEAD,
  META_EMPTY,
  QUARANTINE_EPOCHS,
  SLOT,
} from './layout.ts';
import type { MapEntries, MapEntry, UpdateMode } from './map.ts';
import { acquire, release } from './region-lock.ts';
import { boundedStep } from './step.ts';

/** Slots that one step of a dump looks at, at most. */
const SLOTS_PER_STEP = 1024;

export interface SlotTableOptions {
  readonly memory: EbpfMemory;
  readonly clock: EpochClock;
  readonly address: number;
  readonly layout: MapLayout;
  readonly keySize: number;
  readonly valueSize: number;
  /** Copies of a value in a slot, `layout.threadStride` apart. */
  readonly copies: number;
  readonly maxEntries: number;
  readonly seed: bigint;
  /** A full table evicts instead of refusing. */
  readonly evicts: boolean;
}

/** What an update does besides the slot: writes the value into a slot's value area, and keeps books of new keys. */
export interface UpdateActions {
  writeValue(valueAddress: number, isNew: boolean): void;
  /** The key is about to go in. */
  onInsert?(): void;
}

/** The open-addressing table of the hash kinds; `layout.ts` says how its bytes behave. Keys go through `key`, padded with zeros. */
export class SlotTable {
  /** The key of the next operation: 32-bit halves of its words. */
  readonly key: Int32Array;
  readonly keyBytes: Uint8Array;
  readonly #memory: EbpfMemory;
  readonly #clock: EpochClock;
  readonly #layout: MapLayout;
  readonly #hasher: KeyHasher;
  readonly #slots: number;
  readonly #locks: number;
  readonly #countWord: number;
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #copies: number;
  readonly #maxEntries: number;
  readonly #evicts: boolean;

  constructor(options: SlotTableOptions) {
    this.#memory = options.memory;
    this.#clock = options.clock;
    this.#layout = options.layout;
    this.#hasher = new KeyHasher(options.seed, options.keySize, options.layout.slotBits);
    this.#slots = options.address + options.layout.data;
    this.#locks = options.address + MAP_HEADER.locks;
    this.#countWord = (options.address + MAP_HEADER.count) / 4;
    this.#keySize = options.keySize;
    this.#valueSize = options.valueSize;
    this.#copies = options.copies;
    this.#maxEntries = options.maxEntries;
    this.#evicts = options.evicts;
    this.key = new Int32Array(2 * keyWords(options.keySize));
    this.keyBytes = new Uint8Array(this.key.buffer);
  }

  get slotCount(): number {
    return 2 ** this.#layout.slotBits;
  }

  get count(): number {
    return Atomics.load(this.#memory.words, this.#countWord) >>> 0;
  }

  /** Address of the live slot of `key`, or 0. Takes no lock. */
  find(): number {
    return this.#find(this.#hasher.hash(this.key));
  }

  /** Marks a slot as used now, for eviction. */
  touch(slot: number): void {
    const word = (slot + SLOT.stamp) / 4;
    const epoch = this.#clock.now | 0;
    if (Atomics.load(this.#memory.words, word) !== epoch) Atomics.store(this.#memory.words, word, epoch);
  }

  update(mode: UpdateMode, actions: UpdateActions): number {
    const hashed = this.#hasher.hash(this.key);
    return this.#locked(hashed.home, () => {
      const slot = this.#find(hashed);
      if (slot !== 0) {
        if (mode === 'noexist') return ERRNO.EEXIST;
        actions.writeValue(slot + this.#layout.valueOffset, false);
        if (this.#evicts) this.touch(slot);
        return 0;
      }
      return mode === 'exist' ? ERRNO.ENOENT : this.#insert(hashed, actions);
    });
  }

  /** `onDeleted` runs after the key is out of sight, under its region's lock. */
  delete(onDeleted?: () => void): number {
    const hashed = this.#hasher.hash(this.key);
    return this.#locked(hashed.home, () => {
      const slot = this.#find(hashed);
      if (slot === 0) return ERRNO.ENOENT;
      this.#retire(this.#indexOf(slot));
      Atomics.sub(this.#memory.words, this.#countWord, 1);
      onDeleted?.();
      return 0;
    });
  }

  /**
   * Copies the slot at `index` if it is live: its key and value area, of one moment. Takes no lock: reads again what a writer
   * changed meanwhile (meta and stamp tell: a slot is reused two epochs later at the earliest).
   */
  copySlot(index: number): MapEntry | undefined {
    const slot = this.#address(index);
    const { words, bytes } = this.#memory;
    for (;;) {
      const meta = Atomics.load(words, slot / 4);
      if ((meta & 1) === 0) return undefined;
      const stamp = Atomics.load(words, slot / 4 + 1);
      const key = bytes.slice(slot + SLOT.key, slot + SLOT.key + this.#keySize);
      const value = this.#copyValue(slot + this.#layout.valueOffset);
      if (Atomics.load(words, slot / 4 + 1) === stamp && Atomics.load(words, slot / 4) === meta) return { key, value };
    }
  }

  /** The live slots from the one at `cursor` on, at most `limit`, and a bounded amount of work. */
  entries(cursor: number, limit: number): MapEntries {
    const entries: MapEntry[] = [];
    const most = boundedStep(limit, this.#valueSize * this.#copies);
    const end = Math.min(cursor + SLOTS_PER_STEP, this.slotCount);
    let index = cursor;
    for (; index < end && entries.length < most; index++) {
      const entry = this.copySlot(index);
      if (entry !== undefined) entries.push(entry);
    }
    return { entries, next: index < this.slotCount ? index : undefined };
  }

  /** The value of the slot that `find` gave, if it still is the key's. */
  storedValue(slot: number): Uint8Array | undefined {
    const copy = this.copySlot(this.#indexOf(slot));
    if (copy === undefined) return undefined;
    for (let i = 0; i < copy.key.length; i++) if (copy.key[i] !== this.keyBytes[i]) return undefined;
    return copy.value;
  }

  /** The values of every thread, one after another. */
  #copyValue(at: number): Uint8Array {
    const { bytes } = this.#memory;
    if (this.#copies === 1) return bytes.slice(at, at + this.#valueSize);
    const value = new Uint8Array(this.#valueSize * this.#copies);
    for (let thread = 0; thread < this.#copies; thread++) {
      const from = at + thread * this.#layout.threadStride;
      value.set(bytes.subarray(from, from + this.#valueSize), thread * this.#valueSize);
    }
    return value;
  }

  #locked(home: number, operation: () => number): number {
    const lock = (this.#locks + (home >>> this.#layout.regionBits) * LOCK_STRIDE) / 4;
    const words = this.#memory.words;
    acquire(words, lock);
    try {
      return operation();
    } finally {
      release(words, lock);
    }
  }

  #find(hashed: HashedKey): number {
    const words = this.#memory.words;
    let index = hashed.home;
    for (let steps = 2 ** this.#layout.regionBits; steps > 0; steps--) {
      const slot = this.#address(index);
      const meta = Atomics.load(words, slot / 4) >>> 0;
      if (meta === hashed.tag && this.#holdsKey(slot)) return slot;
      if (meta === META_EMPTY) return 0;
      index = this.#following(index);
    }
    return 0;
  }

  #insert(hashed: HashedKey, actions: UpdateActions): number {
    const words = this.#memory.words;
    if (Atomics.add(words, this.#countWord, 1) >>> 0 >= this.#maxEntries) {
      // An evicted key's place in the count passes to the new one; without a victim there is none to pass.
      if (!this.#evicts || !this.#evict(hashed.home)) {
        Atomics.sub(words, this.#countWord, 1);
        return ERRNO.E2BIG;
      }
      Atomics.sub(words, this.#countWord, 1);
    }
    const slot = this.#takeSlot(hashed);
    if (slot === 0) {
      Atomics.sub(words, this.#countWord, 1);
      return ERRNO.ENOMEM;
    }
    actions.onInsert?.();
    Atomics.store(words, slot / 4 + 1, this.#clock.now | 0);
    words.set(this.key, (slot + SLOT.key) / 4);
    actions.writeValue(slot + this.#layout.valueOffset, true);
    Atomics.store(words, slot / 4, hashed.tag | 0);
    return 0;
  }

  /** The address of the slot that a new key goes to, by the preferences of `layout.ts`; 0 when none may be taken. */
  #takeSlot(hashed: HashedKey): number {
    const words = this.#memory.words;
    let firstFree = 0;
    let index = hashed.home;
    let steps = 2 ** this.#layout.regionBits;
    for (; steps > 0; steps--) {
      const slot = this.#address(index);
      const meta = Atomics.load(words, slot / 4) >>> 0;
      if (meta === META_EMPTY) break;
      if ((meta & 1) === 0) {
        if (meta === (hashed.tag & ~1) >>> 0 && this.#holdsKey(slot)) return slot;
        if (firstFree === 0 && this.#isFree(slot)) firstFree = slot;
      }
      index = this.#following(index);
    }
    if (firstFree !== 0) return firstFree;
    for (; steps > 0; steps--) {
      const slot = this.#address(index);
      const meta = Atomics.load(words, slot / 4);
      if ((meta & 1) === 0) {
        if (this.#isFree(slot) || this.#holdsKey(slot)) return slot;
        if (meta === META_EMPTY) Atomics.store(words, slot / 4, META_DEAD);
      }
      index = this.#following(index);
    }
    return 0;
  }

  /** Deletes the least recently used of a sample of the region; false when the region has no live slot. */
  #evict(home: number): boolean {
    const words = this.#memory.words;
    const epoch = this.#clock.now;
    let victim = -1;
    let victimAge = -1;
    let sampled = 0;
    let index = home;
    for (let steps = 2 ** this.#layout.regionBits; steps > 0 && sampled < LRU_SAMPLE; steps--) {
      const slot = this.#address(index);
      if ((Atomics.load(words, slot / 4) & 1) === 1) {
        sampled++;
        const age = (epoch - Atomics.load(words, slot / 4 + 1)) >>> 0;
        if (age > victimAge) {
          victimAge = age;
          victim = index;
        }
      }
      index = this.#following(index);
    }
    if (victim < 0) return false;
    this.#retire(victim);
    return true;
  }

  /** Makes a live slot dead; its bytes stay until the quarantine is over. */
  #retire(index: number): void {
    const words = this.#memory.words;
    const word = this.#address(index) / 4;
    Atomics.store(words, word, Atomics.load(words, word) & ~1);
    Atomics.store(words, word + 1, this.#clock.now | 0);
    if (Atomics.load(words, this.#address(this.#following(index)) / 4) !== META_EMPTY) return;
    let at = index;
    for (let steps = 2 ** this.#layout.regionBits; steps > 0; steps--) {
      const meta = Atomics.load(words, this.#address(at) / 4);
      if (meta === META_EMPTY || (meta & 1) === 1) return;
      Atomics.store(words, this.#address(at) / 4, META_EMPTY);
      at = this.#preceding(at);
    }
  }

  #holdsKey(slot: number): boolean {
    const words = this.#memory.words;
    const at = (slot + SLOT.key) / 4;
    for (let i = 0; i < this.key.length; i++) if (words[at + i] !== this.key[i]) return false;
    return true;
  }

  #isFree(slot: number): boolean {
    return (this.#clock.now - Atomics.load(this.#memory.words, slot / 4 + 1)) >>> 0 >= QUARANTINE_EPOCHS;
  }

  #address(index: number): number {
    return this.#slots + index * this.#layout.stride;
  }

  #indexOf(slot: number): number {
    return (slot - this.#slots) / this.#layout.stride;
  }

  #following(index: number): number {
    const within = 2 ** this.#layout.regionBits - 1;
    return (index & ~within) | ((index + 1) & within);
  }

  #preceding(index: number): number {
    const within = 2 ** this.#layout.regionBits - 1;
    return (index & ~within) | ((index - 1) & within);
  }
}
