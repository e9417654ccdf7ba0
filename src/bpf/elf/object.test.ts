import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated } from '../../../test/support/mutation.ts';
import { runs } from '../../../test/support/property-runs.ts';
import { BpfError } from '../errors.ts';
import { loadObject } from './object.ts';

const folder = fileURLToPath(new URL('../../../examples/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.o'));
const objects = new Map(names.map((name) => [name, new Uint8Array(readFileSync(folder + name))]));

function example(name: string): Uint8Array {
  const bytes = objects.get(name);
  if (bytes === undefined) throw new Error(`there is no example ${name}`);
  return bytes;
}

/** The example with bytes changed. */
function patched(name: string, ...patches: [offset: number, ...bytes: number[]][]): Uint8Array {
  const copy = example(name).slice();
  for (const [offset, ...bytes] of patches) copy.set(bytes, offset);
  return copy;
}

function refusal(bytes: Uint8Array): string {
  try {
    loadObject(bytes).select();
  } catch (error) {
    if (error instanceof BpfError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('accepted');
}

describe('the example objects', () => {
  it('are all there', () => expect(names).toHaveLength(8));

  it.each(names)('%s is one program, linked, with its lines', (name) => {
    const program = loadObject(example(name)).select();
    expect(program.name).toBe('entry');
    expect(program.section).toBe('.text');
    expect(program.functions).toEqual([{ pc: 0, name: 'entry' }]);
    expect(program.instructions.length).toBeGreaterThan(50);
    expect(program.lines[0].pc).toBe(0);
    expect(new Set(program.lines.map((line) => line.file))).toEqual(new Set([name.replace('.o', '.c'), 'oko.h']));
    for (const line of program.lines) {
      const source = readFileSync(folder + line.file, 'utf8').split('\n');
      expect(source[line.line - 1].trim()).toBe(line.text);
    }
    for (const [pc, { opcode, src, imm }] of program.instructions.entries())
      if (opcode === 0x18 && src !== 0) {
        expect([1, 2]).toContain(src);
        expect(imm).toBeLessThan(program.maps.length);
        expect(program.instructions[pc + 1].opcode).toBe(0);
      }
  });

  it('declare maps in both styles', () => {
    expect(loadObject(example('rate-limiter.o')).maps).toEqual([
      { name: 'limits', kind: 'array', keySize: 4, valueSize: 16, maxEntries: 256, hashCount: 0 },
      { name: 'budgets', kind: 'lru-hash', keySize: 8, valueSize: 16, maxEntries: 65536, hashCount: 0 },
    ]);
    expect(loadObject(example('block-list.o')).maps).toEqual([
      { name: 'blocked', kind: 'bloom', keySize: 4, valueSize: 0, maxEntries: 2 ** 23, hashCount: 11 },
      { name: 'excepted', kind: 'hash', keySize: 4, valueSize: 4, maxEntries: 1024, hashCount: 0 },
      { name: 'hits', kind: 'per-thread-array', keySize: 4, valueSize: 8, maxEntries: 2, hashCount: 0 },
    ]);
  });

  it('bring their constants as a read-only map', () => {
    const program = loadObject(example('port-knocking.o')).select();
    expect(program.maps[1]).toEqual({
      name: '.rodata',
      kind: 'array',
      keySize: 4,
      valueSize: 6,
      maxEntries: 1,
      hashCount: 0,
      initial: new Uint8Array(Uint16Array.of(7000, 8000, 9000).buffer),
      readOnly: true,
    });
    const references = program.instructions.filter(({ opcode, src }) => opcode === 0x18 && src === 2);
    expect(references.map(({ imm }) => imm)).toEqual(references.map(() => 1));
    expect(references.length).toBeGreaterThan(0);
  });
});

describe('select', () => {
  it('names what there is when the choice fits nothing', () => {
    const object = loadObject(example('rate-limiter.o'));
    expect(object.entries).toEqual([{ section: '.text', function: 'entry' }]);
    expect(() => object.select({ function: 'filter' })).toThrow(
      'the object has no program called filter; it has entry (section .text)',
    );
    expect(object.select({ section: '.text', function: 'entry' })).toBe(object.programs[0]);
  });
});

describe('loadObject refuses', () => {
  const limits = example('rate-limiter.o');
  const sectionTable = new DataView(limits.buffer).getUint32(40, true);

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'BPF_NOT_ELF'],
    ['text', new TextEncoder().encode('uint64_t entry(void *pkt)'), 'BPF_NOT_ELF'],
    ['a cut header', limits.subarray(0, 63), 'BPF_BAD_ELF the ELF header is cut: the file has 63 bytes'],
    ['32 bits', patched('rate-limiter.o', [4, 1]), 'BPF_WRONG_MACHINE the object is not 64-bit'],
    ['big endian', patched('rate-limiter.o', [5, 2]), 'BPF_WRONG_MACHINE the object is big-endian'],
    ['x86-64', patched('rate-limiter.o', [18, 62, 0]), 'BPF_WRONG_MACHINE the object is for machine 62'],
    ['an executable', patched('rate-limiter.o', [16, 2, 0]), 'BPF_BAD_ELF the file has ELF type 2'],
    ['no sections', patched('rate-limiter.o', [60, 0, 0]), 'BPF_BAD_ELF the object has 0 sections'],
    ['a section table past the end', patched('rate-limiter.o', [41, 0xff]), 'BPF_BAD_ELF the offset of the section'],
    ['a cut section table', limits.subarray(0, limits.length - 1), 'BPF_BAD_ELF the section table is cut'],
    [
      'a section past the end',
      patched('rate-limiter.o', [sectionTable + 2 * 64 + 33, 0xff]),
      'section 2 (.text): its size',
    ],
    ['code cut in an instruction', patched('rate-limiter.o', [sectionTable + 2 * 64 + 32, 0x71]), 'BPF_BAD_'],
    ['a file too large', new Uint8Array(16 * 1024 * 1024 + 1), 'BPF_OBJECT_TOO_LARGE'],
  ])('%s', (_, bytes, text) => expect(refusal(bytes)).toContain(text));

  /** Where the section `maps` starts in the file. */
  function mapsOffset(): number {
    const view = new DataView(limits.buffer);
    for (let at = sectionTable; at < limits.length; at += 64)
      if (view.getUint32(at + 32, true) === 40 && view.getUint32(at + 4, true) === 1)
        return view.getUint32(at + 24, true);
    throw new Error('no section of 40 bytes');
  }

  it.each<[string, number, number[], string]>([
    ['type 0', 0, [0], 'map limits: type 0 is not one of 1 array, 2 bloom'],
    ['type 9', 0, [9], 'map limits: type 9'],
    ['an array key of 5 bytes', 4, [5], 'map limits (array): key_size is 5, must be 4 or 8'],
    ['an empty value', 8, [0], 'map limits (array): value_size is 0'],
    ['no entries', 12, [0, 0], 'map limits (array): max_entries is 0'],
    ['2^31 entries', 12, [0, 0, 0, 0x80], 'map limits (array): max_entries is 2147483648'],
    ['a hash without key', 20 + 4, [0], 'map budgets (lru-hash): key_size is 0'],
    ['a key of 2^24 bytes', 20 + 7, [1], 'map budgets (lru-hash): key_size is 16777224'],
  ])('a map with %s', (_, offset, bytes, text) =>
    expect(refusal(patched('rate-limiter.o', [mapsOffset() + offset, ...bytes]))).toContain(`BPF_BAD_MAP ${text}`),
  );

  /** Bytes changed in place: the object stays whole enough to reach the stages behind the section table. */
  const scribbled = fc
    .tuple(
      fc.constantFrom(...objects.values()),
      fc.array(fc.tuple(fc.nat(0xffff), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 127, 128, 255))), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([seed, changes]) => {
      const bytes = seed.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });

  it('damaged objects, or loads them, and throws nothing else', () => {
    let loaded = 0;
    const seeds = [...objects.values()];
    fc.assert(
      fc.property(fc.oneof(mutated(seeds), scribbled), (bytes) => {
        try {
          const { programs } = loadObject(bytes);
          loaded += programs.length;
        } catch (error) {
          if (!(error instanceof BpfError)) throw error;
        }
      }),
      { numRuns: runs(10_000) },
    );
    expect(loaded).toBeGreaterThan(1000);
  });
});
