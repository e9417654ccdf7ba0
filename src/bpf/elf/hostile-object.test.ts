import { describe, expect, it } from 'vitest';
import { type BuiltSection, buildObject } from '../../../test/support/elf-builder.ts';
import { assemble } from '../assembler.ts';
import { encodeProgram } from '../codec.ts';
import { BpfError } from '../errors.ts';
import { loadObject } from './object.ts';

const ALLOC = 2;
const CODE = 6;
const DATA = 3;

const code = (text: string): Uint8Array => encodeProgram(assemble(text));
const text = (source: string): BuiltSection => ({ name: '.text', flags: CODE, bytes: code(source) });
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const func = (name: string, value: number, size: number, section = 1) => ({ name, type: 2, section, value, size });

function refusal(bytes: Uint8Array): string {
  try {
    return `loaded ${loadObject(bytes).programs.length}`;
  } catch (error) {
    if (error instanceof BpfError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const MAP = new Uint8Array(Uint32Array.of(4, 4, 8, 16, 0).buffer);

describe('objects that no compiler writes', () => {
  it('the builder makes an object that loads', () => {
    const object = loadObject(
      buildObject(
        [
          text('r1 = 0 ll\nr2 = r10\nr2 += -4\n*(u32 *)(r2 + 0) = 1\ncall 1\nr0 = 0\nexit'),
          { name: 'maps', flags: DATA, bytes: MAP },
        ],
        [func('entry', 0, 64), { name: 'm', type: 1, section: 2, size: 20 }],
        [{ section: 1, entries: [{ offset: 0, type: 1, symbol: 2 }] }],
      ),
    );
    expect(object.maps).toEqual([{ name: 'm', kind: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, hashCount: 0 }]);
    expect(object.select().instructions[0]).toMatchObject({ opcode: 0x18, src: 1, imm: 0 });
  });

  const twice = 'r0 = 0\nexit\nr0 = 1\nexit';
  const count = 1500;
  /** 1500 references to as many variables, each followed by a long way to go. */
  const manyReferences = (section: number) =>
    [
      text(`${'r6 = 0 ll\ngoto tail\n'.repeat(count)}tail:\n${'r0 = 0\n'.repeat(1100)}exit`),
      [
        func('entry', 0, 8 * (3 * count + 1101)),
        ...range(count).map((i) => ({ name: `v${i}`, type: 1, section, value: 4 * i, size: 4 })),
      ],
      [{ section: 1, entries: range(count).map((i) => ({ offset: 24 * i, type: 1, symbol: 2 + i })) }],
    ] as const;

  it.each<[string, () => Uint8Array, string]>([
    [
      'functions that overlap',
      () => buildObject([text(twice)], [func('a', 0, 24), func('b', 16, 16)]),
      'function a reaches into b',
    ],
    [
      '16,000 functions over the same code',
      () =>
        buildObject(
          [text(`${'r0 = 0\n'.repeat(16_000)}exit`)],
          range(16_000).map((i) => func(`f${i}`, 8 * i, 8 * (16_001 - i))),
        ),
      'BPF_BAD_FUNCTION section .text: function f0 reaches into f1',
    ],
    [
      'a function of half an instruction',
      () => buildObject([text(twice)], [func('a', 4, 8)]),
      'function a does not consist of whole',
    ],
    [
      'a function past its section',
      () => buildObject([text(twice)], [func('a', 8, 64)]),
      'BPF_BAD_ELF symbol 1 (a): its size',
    ],
    [
      'a jump into another function',
      () => buildObject([text('goto +2\nexit\nr0 = 1\nexit')], [func('a', 0, 16), func('b', 16, 16)]),
      'jumps to instruction 3, out of its function a',
    ],
    [
      'a jump before the section',
      () => buildObject([text('goto -2\nexit')], [func('a', 0, 16)]),
      'jumps to instruction -1',
    ],
    [
      'a call into a function',
      () => buildObject([text('call +2\nexit\nr0 = 1\nexit')], [func('a', 0, 16), func('b', 16, 16)]),
      'calls instruction 3 of section .text, where no function starts',
    ],
    [
      'a lddw cut by the end of its function',
      () => buildObject([text('r1 = 0 ll\nexit')], [func('a', 0, 8), func('b', 8, 16)]),
      'BPF_CUT_LDDW section .text, instruction 0: function a ends',
    ],
    [
      'code that is not whole instructions',
      () => buildObject([{ name: 'x', flags: CODE, bytes: new Uint8Array(12) }]),
      'BPF_BAD_FUNCTION section x has 12 bytes',
    ],
    [
      'a map reference that no relocation made',
      () => buildObject([text('r1 = map 0 ll\nexit')], [func('a', 0, 24)]),
      'lddw with source 1 and no relocation',
    ],
    [
      'more code than allowed',
      () =>
        buildObject(
          range(5).map((i) => ({ name: `x${i}`, flags: CODE, bytes: new Uint8Array(65_536 * 8).fill(0x95) })),
        ),
      'BPF_OBJECT_TOO_LARGE the object has 327680 instructions',
    ],
    [
      'programs that share a long function until they are too long together',
      () => {
        const long = `${'r0 = 0\n'.repeat(30_000)}exit\n`;
        return buildObject(
          [text(`${long}${'call -1\nexit\n'.repeat(1000)}`)],
          [func('long', 0, 240_008), ...range(1000).map((i) => func(`p${i}`, 240_008 + 16 * i, 16))],
          [{ section: 1, entries: range(1000).map((i) => ({ offset: 240_008 + 16 * i, type: 10, symbol: 1 })) }],
        );
      },
      'BPF_OBJECT_TOO_LARGE the programs of the object have more than 1048576 instructions',
    ],
    [
      'functions that call one another 300 deep',
      () =>
        buildObject(
          [text(`${'call +1\nexit\n'.repeat(300)}r0 = 0\nexit`)],
          range(301).map((i) => ({ ...func(`f${i}`, 16 * i, 16), local: i > 0 })),
        ),
      'BPF_TOO_MANY_FUNCTIONS program f0 calls more than 256 local functions',
    ],
    [
      'references without end to data that might be maps',
      () => {
        const [program, symbols, relocations] = manyReferences(2);
        return buildObject(
          [program, { name: '.data', flags: DATA, bytes: new Uint8Array(6020) }],
          symbols,
          relocations,
        );
      },
      'BPF_OBJECT_TOO_LARGE the object has too many references to global data',
    ],
    [
      'references that lead nowhere',
      () => {
        const [program, symbols, relocations] = manyReferences(0);
        return buildObject([program], symbols, relocations);
      },
      'BPF_UNDEFINED_SYMBOL section .text, instruction 3000: variable v1000 is not defined',
    ],
    [
      'names that overlap to a hundred times their length',
      () => {
        const bytes = buildObject(
          [text('exit'), { name: '.data', flags: DATA, bytes: MAP }],
          range(45_000).map((i) => ({ name: i < 45 ? 'a'.repeat(1000) : '', type: 1, section: 2 })),
        );
        // Symbol 1000 k + i is named by what name k has from its byte i on.
        const view = new DataView(bytes.buffer);
        const table = findSection(view, 2);
        for (let i = 0; i < 45_000; i++)
          view.setUint32(table + 24 * (i + 1), 1 + 1001 * Math.floor(i / 1000) + (i % 1000), true);
        return bytes;
      },
      'BPF_BAD_ELF symbol names: the strings in use overlap to more than 16777216 bytes',
    ],
    [
      'NOBITS of 2^60 bytes',
      () => {
        const bytes = buildObject([text('exit'), { name: '.bss', type: 8, flags: DATA, size: 8 }], [func('a', 0, 8)]);
        const view = new DataView(bytes.buffer);
        view.setBigUint64(sectionHeader(view, 8) + 32, 1n << 60n, true);
        return bytes;
      },
      'BPF_BAD_ELF section 2 (.bss): its size is 1152921504606846976',
    ],
    [
      'more global data than allowed',
      () =>
        buildObject(
          [
            text(`${'r1 = 0 ll\n'.repeat(20)}exit`),
            ...range(20).map((i) => ({ name: `.bss${i}`, type: 8, flags: DATA, size: 1 << 20 })),
          ],
          [func('a', 0, 8 * 41), ...range(20).map((i) => ({ name: `v${i}`, type: 1, section: i + 2, size: 8 }))],
          [{ section: 1, entries: range(20).map((i) => ({ offset: 16 * i, type: 1, symbol: i + 2 })) }],
        ),
      'BPF_OBJECT_TOO_LARGE the object has more than 16777216 bytes of global data',
    ],
    [
      '300 maps',
      () =>
        buildObject(
          [
            text('exit'),
            {
              name: 'maps',
              flags: DATA,
              bytes: new Uint8Array(Uint32Array.from(range(1500), (i) => [4, 4, 8, 16, 0][i % 5]).buffer),
            },
          ],
          [func('a', 0, 8)],
        ),
      'BPF_TOO_MANY_MAPS section maps has 300 maps',
    ],
    [
      'a relocation in the middle of an instruction',
      () =>
        buildObject(
          [text('r1 = 0 ll\nexit')],
          [func('a', 0, 24)],
          [{ section: 1, entries: [{ offset: 4, type: 1, symbol: 1 }] }],
        ),
      'the relocation at byte 4 is not at an instruction',
    ],
    [
      'two relocations of one instruction',
      () =>
        buildObject(
          [text('r1 = 0 ll\nexit'), { name: '.data', flags: DATA, bytes: new Uint8Array(8) }],
          [func('a', 0, 24), { name: 'v', type: 1, section: 2 }],
          [{ section: 1, entries: [0, 0].map((offset) => ({ offset, type: 1, symbol: 2 })) }],
        ),
      'the relocation at byte 0 is the second one there',
    ],
    [
      'a relocation of an addition',
      () =>
        buildObject(
          [text('r0 = 0\nr0 += 1\nexit'), { name: '.data', flags: DATA, bytes: new Uint8Array(8) }],
          [func('a', 0, 24), { name: 'v', type: 1, section: 2 }],
          [{ section: 1, entries: [{ offset: 8, type: 1, symbol: 2 }] }],
        ),
      'BPF_BAD_RELOCATION section .text, instruction 1: a relocation patches neither a lddw nor a call',
    ],
    [
      'an unknown relocation of a lddw',
      () =>
        buildObject(
          [text('r1 = 0 ll\nexit'), { name: '.data', flags: DATA, bytes: new Uint8Array(8) }],
          [func('a', 0, 24), { name: 'v', type: 1, section: 2 }],
          [{ section: 1, entries: [{ offset: 0, type: 2, symbol: 2 }] }],
        ),
      'BPF_BAD_RELOCATION section .text, instruction 0: relocation type 2 cannot patch this instruction',
    ],
    [
      'a reference past the data',
      () =>
        buildObject(
          [text('r1 = 9 ll\nexit'), { name: '.data', flags: DATA, bytes: new Uint8Array(8) }],
          [func('a', 0, 24), { name: 'v', type: 1, section: 2 }],
          [{ section: 1, entries: [{ offset: 0, type: 1, symbol: 2 }] }],
        ),
      'refers to a byte outside section .data (8 bytes)',
    ],
    [
      'a reference into the middle of a map',
      () =>
        buildObject(
          [text('r1 = 4 ll\nexit'), { name: 'maps', flags: DATA, bytes: MAP }],
          [func('a', 0, 24), { name: 'm', type: 1, section: 2, size: 20 }],
          [{ section: 1, entries: [{ offset: 0, type: 1, symbol: 2 }] }],
        ),
      'refers to byte 4 of section maps, where no map starts',
    ],
    [
      'a reference to a debug section',
      () =>
        buildObject(
          [text('r1 = 0 ll\nexit'), { name: '.note', bytes: new Uint8Array(8) }],
          [func('a', 0, 24), { name: 'v', type: 1, section: 2 }],
          [{ section: 1, entries: [{ offset: 0, type: 1, symbol: 2 }] }],
        ),
      'refers to section .note, which is not data',
    ],
    ['no section that runs', () => buildObject([{ name: '.data', flags: DATA, bytes: MAP }]), 'BPF_NO_PROGRAM'],
    [
      'BTF that is none',
      () => buildObject([text('exit'), { name: '.BTF', bytes: new Uint8Array(24) }], [func('a', 0, 8)]),
      'BPF_BAD_BTF .BTF: starts with 0x0, not 0xeb9f',
    ],
  ])('%s', (_, build, message) => expect(refusal(build())).toContain(message));

  it('read-only data is told by its section', () => {
    const { maps } = loadObject(
      buildObject(
        [text('r1 = 0 ll\nexit'), { name: '.rodata', flags: ALLOC, bytes: MAP }],
        [func('a', 0, 24), { name: 'v', type: 1, section: 2, size: 20 }],
        [{ section: 1, entries: [{ offset: 0, type: 1, symbol: 2 }] }],
      ),
    );
    // It looks like a map, but nobody uses it as one.
    expect(maps).toEqual([
      {
        name: '.rodata',
        kind: 'array',
        keySize: 4,
        valueSize: 20,
        maxEntries: 1,
        hashCount: 0,
        initial: MAP,
        readOnly: true,
      },
    ]);
  });
});

/** Where the header of the first section of a type is in the file. */
function sectionHeader(view: DataView, type: number): number {
  const table = Number(view.getBigUint64(40, true));
  for (let at = table; at < view.byteLength; at += 64) if (view.getUint32(at + 4, true) === type) return at;
  throw new Error(`no section of type ${type}`);
}

function findSection(view: DataView, type: number): number {
  return Number(view.getBigUint64(sectionHeader(view, type) + 24, true));
}
