import type { MapDefinition, MapKind } from './maps/definition.ts';

/** What the verifier asks of an argument, and how the engines read it. Arguments come in r1, r2, … in order. */
export type HelperArgument =
  /** A map: lddw with src 1, never a number. */
  | 'map'
  /** Pointer to the map's keySize readable, initialised bytes (stack, packet, map value; any alignment). */
  | 'map-key'
  /** Pointer to the map's valueSize readable, initialised bytes. */
  | 'map-value'
  /** Pointer to the item of a Bloom filter or count-min sketch: its `itemSize` bytes. */
  | 'map-item'
  /** Pointer to readable, initialised bytes, as many as the 'constant-size' that follows says. */
  | 'memory'
  /** A number the verifier knows exactly, 0 to MAX_HASHED_BYTES. */
  | 'constant-size'
  /** Pointer to text that ends with NUL within MAX_FORMAT_BYTES: value of a read-only map, or stack bytes all known. */
  | 'format'
  /** A number, or an uninitialised register (taken as the engine finds it: 0); never a pointer. */
  | 'scalar-or-nothing';

export type HelperResult =
  /** Pointer to the value (`lookedUpValue` says size and rights) or 0. */
  | 'map-value-or-null'
  /** 0 or a negative errno of `ERRNO`, sign-extended to 64 bits. */
  | 'errno'
  /** Any 64-bit number. */
  | 'u64'
  /** A number below 2^32. */
  | 'u32'
  /** C says void; r0 is 0. */
  | 'zero';

export interface Helper {
  readonly id: number;
  readonly name: string;
  /** The C prototype. */
  readonly prototype: string;
  readonly args: readonly HelperArgument[];
  readonly returns: HelperResult;
  /** Kinds of map that carry the operation out; on the others the call returns EOPNOTSUPP. Absent: takes no map. */
  readonly mapKinds?: readonly MapKind[];
}

/** The negative results of helpers, with Linux's numbers. */
export const ERRNO = {
  /** The map is read-only to programs. */
  EPERM: -1,
  /** No such key; or an update that asked for an existing one. */
  ENOENT: -2,
  /** The map is full, or the index past its end. */
  E2BIG: -7,
  /** Every free slot waits for the running batch to end. */
  ENOMEM: -12,
  /** The key exists already. */
  EEXIST: -17,
  /** An array's elements cannot be deleted; a prefix longer than the key; flags unknown. */
  EINVAL: -22,
  /** This kind of map has no such operation. */
  EOPNOTSUPP: -95,
} as const;

/** The most bytes that ubpf_hash takes. */
export const MAX_HASHED_BYTES = 512;
/** The most bytes of a format, its NUL included. */
export const MAX_FORMAT_BYTES = 192;

const ALL_KINDS: readonly MapKind[] = [
  'array',
  'hash',
  'bloom',
  'count-min',
  'lru-hash',
  'lpm-trie',
  'per-thread-array',
  'per-thread-hash',
];
const KEYED_KINDS: readonly MapKind[] = ['hash', 'lru-hash', 'lpm-trie', 'per-thread-hash'];
const UPDATABLE_KINDS: readonly MapKind[] = ['array', 'per-thread-array', ...KEYED_KINDS];

/** Numbers of the helpers, as `call` carries them. */
export const HELPER_ID = {
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapAdd: 4,
  timeGetNs: 5,
  hash: 6,
  printf: 7,
} as const;

/**
 * The helpers a program may call. After a call r1 to r5 hold nothing. Deletion from an array gives EINVAL (as in Linux), other
 * missing operations EOPNOTSUPP, writing helpers on a read-only map EPERM (which goes before the other two).
 */
export const HELPERS: readonly Helper[] = [
  {
    id: HELPER_ID.mapLookup,
    name: 'ubpf_map_lookup',
    prototype: 'void *ubpf_map_lookup(const void *map, const void *key)',
    args: ['map', 'map-key'],
    returns: 'map-value-or-null',
    mapKinds: ALL_KINDS,
  },
  {
    id: HELPER_ID.mapUpdate,
    name: 'ubpf_map_update',
    prototype: 'int ubpf_map_update(const void *map, const void *key, const void *value)',
    args: ['map', 'map-key', 'map-value'],
    returns: 'errno',
    mapKinds: UPDATABLE_KINDS,
  },
  {
    id: HELPER_ID.mapDelete,
    name: 'ubpf_map_delete',
    prototype: 'int ubpf_map_delete(const void *map, const void *key)',
    args: ['map', 'map-key'],
    returns: 'errno',
    mapKinds: KEYED_KINDS,
  },
  {
    id: HELPER_ID.mapAdd,
    name: 'ubpf_map_add',
    prototype: 'int ubpf_map_add(const void *map, const void *item)',
    args: ['map', 'map-item'],
    returns: 'errno',
    mapKinds: ['bloom', 'count-min'],
  },
  {
    id: HELPER_ID.timeGetNs,
    name: 'ubpf_time_get_ns',
    prototype: 'uint64_t ubpf_time_get_ns(void)',
    args: [],
    returns: 'u64',
  },
  {
    id: HELPER_ID.hash,
    name: 'ubpf_hash',
    prototype: 'uint32_t ubpf_hash(const void *item, uint64_t size)',
    args: ['memory', 'constant-size'],
    returns: 'u32',
  },
  {
    id: HELPER_ID.printf,
    name: 'ubpf_printf',
    prototype: 'void ubpf_printf(const char *format, ...)',
    args: ['format', 'scalar-or-nothing', 'scalar-or-nothing', 'scalar-or-nothing', 'scalar-or-nothing'],
    returns: 'zero',
  },
];

const BY_ID = new Map(HELPERS.map((helper) => [helper.id, helper]));

export function helperById(id: number): Helper | undefined {
  return BY_ID.get(id);
}

/** Bytes of an item of a Bloom filter or count-min sketch: its key size; Linux's Bloom filters declare a value size instead. */
export function itemSize(map: Pick<MapDefinition, 'keySize' | 'valueSize'>): number {
  return map.keySize > 0 ? map.keySize : map.valueSize;
}

/** Bytes that the second argument ('map-key', 'map-item') of a map helper must have. */
export function keyArgumentSize(map: MapDefinition): number {
  return map.kind === 'bloom' || map.kind === 'count-min' ? itemSize(map) : map.keySize;
}

/**
 * What a successful lookup points to. Of a Bloom filter: 8 bytes holding 1, when the item is perhaps contained. Of a count-min
 * sketch: the item's smallest counter (valueSize bytes, 4 or 8); its lookup is never NULL.
 */
export function lookedUpValue(map: MapDefinition): { readonly size: number; readonly writable: boolean } {
  if (map.kind === 'bloom') return { size: 8, writable: false };
  if (map.kind === 'count-min') return { size: map.valueSize, writable: false };
  return { size: map.valueSize, writable: map.readOnly !== true };
}
