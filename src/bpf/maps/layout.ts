import type { MapKind } from './definition.ts';

/**
 * The bytes of every map, as both engines, the control plane and every thread see them. All numbers are little-endian;
 * a map is one block, 64-byte aligned, of the eBPF window; offsets below are from its start. What a compiled program
 * needs of a map (address, seeds, shifts, sizes) never changes while the map lives, so the compiler writes it as constants.
 *
 *     0                  64                 128
 *     | header: shape    | header: counters | locks … | lengths (LPM only) … | data …
 *
 * ARRAY, PER-THREAD ARRAY: data is maxEntries elements of `stride` bytes (valueSize rounded up to 8); the per-thread
 * kind repeats that once a thread, `threadStride` bytes apart (a multiple of 64). Value of index i for thread t:
 * data + t × threadStride + i × stride. The key is a little-endian unsigned number of keySize (4 or 8) bytes.
 *
 * HASH, LRU HASH, PER-THREAD HASH, LPM TRIE: data is 2^slotBits slots of `stride` bytes, open addressing:
 *
 *     0        4         8                valueOffset
 *     | meta   | stamp   | key, 0-padded  | value (per-thread: one a thread, threadStride apart) | to stride
 *                          to 8 bytes
 *
 * - A stride up to 64 is a power of two, so that a slot never straddles a cache line; above, it is a multiple of 8.
 * - meta is 0: empty, ends a probe; odd: live, the tag of its key (`tag` below); even, not 0: dead, a probe passes over it.
 * - A key's home slot is the top slotBits bits of its hash (`hash.ts`); its tag is ((hash >> 24) & 0xffffffff) | 3; the
 *   meta of the same key's dead slot is tag & ~1 (or 2).
 * - Probing goes slot by slot, wrapping inside the *region* of the home slot: 2^regionBits slots, aligned. It ends at an
 *   empty slot or after the whole region. A reader takes no lock: load meta (atomic), equal to the tag → compare the key.
 * - A writer holds the region's lock: the u32 at locks + region × 64, taken by cmpxchg 0 → 1, released by a store of 0.
 * - Insert writes stamp, key, value, then meta (atomic store). An update of a live key writes its value in place.
 * - Delete writes meta = tag & ~1, then stamp = the epoch (read after the store of meta); then, if the following slot (in the
 *   region) is empty, sets this meta and the dead ones before it to 0, so that chains shrink again.
 * - *Quarantine*: the bytes of a slot that is not live may be overwritten with another key only when (epoch − stamp) as u32 ≥ 2: the slot is
 *   *free*. (So a value that a running program looked up stays that key's until its batch has ended; `epoch.ts`.) Insert, once it
 *   knows that the key is not live, takes the first that there is of
 *   (1) the first slot of the chain with meta = tag & ~1 that holds the same key, free or not;
 *   (2) the first dead free slot of the chain;
 *   (3) from the empty slot that ended the probe on, to the region's end and around: the first slot that is not live and is free or holds
 *       the same key; empty ones that it must pass it sets to META_DEAD. None: ENOMEM.
 * - `count` is reserved by an atomic add before a key goes in and given back if that fails; count > maxEntries: E2BIG.
 * - LRU: a program's lookup, and every update, stores the epoch into the stamp of the live slot (when it differs). Insert into a full map
 *   (after the search, before it takes a slot) deletes a victim as above: of the first LRU_SAMPLE live slots of the region, in slot order from the key's home on, the one whose
 *   (epoch − stamp) as u32 is greatest, the first of equals. A region without a live slot: E2BIG.
 * - PER-THREAD: a program's update writes its own thread's value; on insert the other threads' are zeroed.
 *
 * LPM TRIE: keys are {u32 prefixLength, data[keySize − 4]}, as in Linux. The slots are those of a hash whose keys are the
 * prefixes with the bits beyond the length zeroed. `lengths` says which lengths occur: lock u32 at +0, then at +8 a bitmap of
 * u64 words (bit L of word L / 64), then u32 counts by length. Insert takes the lengths lock, counts and sets the bit before it
 * puts a new key in; delete counts down, clearing the bit at 0, after it took the key out. A lookup tries the lengths of the
 * bitmap from min(prefixLength, 8 × data bytes) down, the first hit wins.
 *
 * BLOOM FILTER: `flag`, 8 bytes holding 1 (what a successful lookup points to), sits at data; the bits follow at data + 64: maxEntries
 * rounded up to a power of two, at least 64. Item's bit for function i: hashlittle(item, itemSize, i) & (bits − 1); bit b is bit (b & 31) of
 * the u32 at 4 × (b >> 5). Add sets bits by atomic or.
 *
 * COUNT-MIN: data is hashCount rows of maxEntries counters of valueSize (4 or 8) bytes. Column in row i: hashlittle(item, itemSize, i) mod
 * maxEntries. Add increments one counter a row (atomic, wrapping); lookup points to the smallest of them, the lowest row of equals.
 */
export const MAP_HEADER = {
  /** u32 MAP_MAGIC */
  magic: 0,
  /** u32, MAP_KIND_NUMBER */
  kind: 4,
  /** u32 bytes; of Bloom and count-min the item's size */
  keySize: 8,
  /** u32 bytes */
  valueSize: 12,
  /** u32 */
  maxEntries: 16,
  /** u32 */
  hashCount: 20,
  /** u32, MAP_FLAG bits */
  flags: 24,
  /** u32 bytes of the whole block */
  totalBytes: 28,
  /** u64 */
  seed: 32,
  /** u32: copies of a value in the per-thread kinds, else 1 */
  threads: 40,
  /** u32: offset of the data from the map's start, 64-byte aligned */
  data: 44,
  /** u32: bytes of an element (array), slot (hash kinds), counter (count-min); 0 for Bloom */
  stride: 48,
  /** u32: bytes between the copies of a value in the per-thread kinds */
  threadStride: 52,
  /** u8: log2 of the slots of the hash kinds; of the bits of a Bloom filter */
  slotBits: 56,
  /** u8 */
  regionBits: 57,
  /** u16: offset of the value in a slot */
  valueOffset: 58,
  /** u32: offset of the LPM lengths from the map's start */
  lengths: 60,
  /** u32, atomic: live keys of the hash kinds */
  count: 64,
  /** first region lock */
  locks: 128,
} as const;

export const MAP_MAGIC = 0x6d6f6b6f;

export const MAP_KIND_NUMBER = {
  array: 1,
  bloom: 2,
  'count-min': 3,
  hash: 4,
  'lru-hash': 5,
  'lpm-trie': 6,
  'per-thread-array': 7,
  'per-thread-hash': 8,
} as const satisfies Record<MapKind, number>;

export const MAP_FLAG = { readOnly: 1 } as const;

export const SLOT = { meta: 0, stamp: 4, key: 8 } as const;
export const META_EMPTY = 0;
/** The meta of a dead slot whose tag is not known any more. */
export const META_DEAD = 2;
/** Batches of the epoch that a dead slot waits. */
export const QUARANTINE_EPOCHS = 2;
export const LOCK_STRIDE = 64;
export const MAX_REGION_BITS = 10;
export const MIN_SLOT_BITS = 8;
export const LRU_SAMPLE = 32;
export const BLOOM_FLAG = 0;
export const BLOOM_BITS = 64;
export const LPM_LENGTHS = { lock: 0, bitmap: 8 } as const;
export const MAX_KEY_SIZE = 512;
export const MAX_HASH_COUNT = 32;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** u64 words in the bitmap of lengths of an LPM trie with keys of `keySize` bytes. */
export function lpmBitmapWords(keySize: number): number {
  return Math.floor((8 * (keySize - 4)) / 64) + 1;
}

/** Offset, from the start of `lengths`, of the count of prefixes of length 0. */
export function lpmCountsOffset(keySize: number): number {
  return LPM_LENGTHS.bitmap + 8 * lpmBitmapWords(keySize);
}

/** What of a map's shape decides its layout. */
export interface MapShape {
  readonly kind: MapKind;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly hashCount: number;
  readonly threads: number;
}

export interface MapLayout {
  readonly stride: number;
  readonly threadStride: number;
  readonly slotBits: number;
  readonly regionBits: number;
  readonly valueOffset: number;
  readonly lengths: number;
  readonly data: number;
  readonly totalBytes: number;
}

/** Computes the layout; sizes are plain numbers (they may pass 2^32 for an absurd shape: the caller refuses those). */
export function layoutOf(shape: MapShape): MapLayout {
  const base = {
    stride: 0,
    threadStride: 0,
    slotBits: 0,
    regionBits: 0,
    valueOffset: 0,
    lengths: 0,
    data: 128,
    totalBytes: 0,
  };
  const paddedValue = roundUp(shape.valueSize, 8);
  switch (shape.kind) {
    case 'array':
      return { ...base, stride: paddedValue, totalBytes: base.data + paddedValue * shape.maxEntries };
    case 'per-thread-array': {
      const threadStride = roundUp(paddedValue * shape.maxEntries, 64);
      return { ...base, stride: paddedValue, threadStride, totalBytes: base.data + threadStride * shape.threads };
    }
    case 'bloom': {
      const slotBits = Math.max(6, Math.ceil(Math.log2(shape.maxEntries)));
      return { ...base, slotBits, totalBytes: base.data + BLOOM_BITS + 2 ** slotBits / 8 };
    }
    case 'count-min': {
      const counters = shape.maxEntries * shape.hashCount;
      return { ...base, stride: shape.valueSize, totalBytes: base.data + counters * shape.valueSize };
    }
    default:
      return slotLayout(shape);
  }
}

function slotLayout(shape: MapShape): MapLayout {
  const valueOffset = SLOT.key + roundUp(shape.keySize, 8);
  const perThread = shape.kind === 'per-thread-hash';
  // Copies that several threads write must not share a cache line.
  const threadStride = perThread ? roundUp(shape.valueSize, shape.threads > 1 ? 64 : 8) : 0;
  const valueBytes = perThread ? threadStride * shape.threads : roundUp(shape.valueSize, 8);
  const slotBytes = valueOffset + valueBytes;
  const stride = slotBytes <= 64 ? 2 ** Math.ceil(Math.log2(slotBytes)) : slotBytes;
  // At most two thirds full, so that a miss passes few slots.
  const slotBits = Math.max(MIN_SLOT_BITS, Math.ceil(Math.log2(shape.maxEntries * 1.5)));
  const regionBits = Math.min(slotBits, MAX_REGION_BITS);
  const lengths = MAP_HEADER.locks + LOCK_STRIDE * 2 ** (slotBits - regionBits);
  const lengthsBytes =
    shape.kind === 'lpm-trie' ? roundUp(lpmCountsOffset(shape.keySize) + 4 * (8 * (shape.keySize - 4) + 1), 64) : 0;
  const data = lengths + lengthsBytes;
  return {
    stride,
    threadStride,
    slotBits,
    regionBits,
    valueOffset,
    lengths,
    data,
    totalBytes: data + stride * 2 ** slotBits,
  };
}
