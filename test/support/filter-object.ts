import { assemble, encodeProgram } from '../../src/bpf/index.ts';
import { ByteWriter } from '../../src/bytes/index.ts';
import { type BuiltSection, buildObject } from './elf-builder.ts';

const KINDS = ['array', 'bloom', 'count-min', 'hash', 'lru-hash', 'lpm-trie', 'per-thread-array', 'per-thread-hash'];
const CODE_FLAGS = 6;
const DATA_FLAGS = 3;
const LDDW_BYTES = 16;

export interface ObjectMap {
  readonly name: string;
  readonly kind: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly hashCount?: number;
}

/** An object file with maps and one program, `entry`, in the assembler's words; `rN = @name ll` is the address of a map. */
export function filterObject(maps: readonly ObjectMap[], code: string, filler = 0): Uint8Array {
  const references: { offset: number; type: number; symbol: number }[] = [];
  let offset = 0;
  const lines = code
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const plain = lines.map((line) => {
    const name = /@(\w+)/.exec(line)?.[1];
    if (name !== undefined) {
      const symbol = 2 + maps.findIndex((map) => map.name === name);
      references.push({ offset, type: 1, symbol });
    }
    if (!/^\w+:$/.test(line)) offset += / ll$/.test(line) ? LDDW_BYTES : 8;
    return line.replace(/@\w+/, '0');
  });
  const bytes = encodeProgram(assemble(plain.join('\n')));
  const definitions = new ByteWriter();
  for (const { kind, keySize, valueSize, maxEntries, hashCount = 0 } of maps)
    for (const word of [KINDS.indexOf(kind) + 1, keySize, valueSize, maxEntries, hashCount])
      definitions.u32(word, true);
  const sections: BuiltSection[] = [
    { name: '.text', flags: CODE_FLAGS, bytes },
    { name: 'maps', flags: DATA_FLAGS, bytes: definitions.finish() },
  ];
  if (filler > 0) sections.push({ name: '.comment', bytes: new Uint8Array(filler) });
  return buildObject(
    sections,
    [
      { name: 'entry', type: 2, section: 1, value: 0, size: bytes.length },
      ...maps.map(({ name }, i) => ({ name, type: 1, section: 2, value: 20 * i, size: 20 })),
    ],
    references.length === 0 ? [] : [{ section: 1, entries: references }],
  );
}

/** Counts packets in element 0 of the array `sequence`, `step` at a time, and matches every one. */
export function countingObject(step: number, maps: readonly ObjectMap[] = [], filler = 0): Uint8Array {
  return filterObject(
    [{ name: 'sequence', kind: 'array', keySize: 4, valueSize: 8, maxEntries: 1 }, ...maps],
    `r1 = @sequence ll
     r2 = r10
     r2 += -4
     *(u32 *)(r2 + 0) = 0
     call 1
     if r0 == 0 goto out
     r3 = *(u64 *)(r0 + 0)
     r3 += ${step}
     *(u64 *)(r0 + 0) = r3
     out:
     r0 = 1
     exit`,
    filler,
  );
}
