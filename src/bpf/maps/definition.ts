/** The kinds of map a program can declare. */
export type MapKind =
  | 'array'
  | 'hash'
  | 'bloom'
  | 'count-min'
  | 'lru-hash'
  | 'lpm-trie'
  | 'per-thread-array'
  | 'per-thread-hash';

/** What a program's object says of a map, before it has memory. */
export interface MapDefinition {
  readonly name: string;
  readonly kind: MapKind;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  /** Elements; for a Bloom filter, bits; for a count-min sketch, counters in a row. */
  readonly maxEntries: number;
  /** Hash functions of a Bloom filter, rows of a count-min sketch; 0 for the other kinds. */
  readonly hashCount: number;
  /** Content of a global-data section (.data, .rodata, .bss): the value of an array map of one element. */
  readonly initial?: Uint8Array;
  /** .rodata: the program must not write it. */
  readonly readOnly?: boolean;
}
