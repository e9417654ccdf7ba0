import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyInstruction } from '../../test/support/any-instruction.ts';
import { runs } from '../../test/support/property-runs.ts';
import { assemble } from './assembler.ts';
import { disassemble } from './disassembler.ts';
import { loadObject } from './elf/object.ts';
import { BpfError } from './errors.ts';
import { listing } from './listing.ts';

const program = fc.array(anyInstruction, { minLength: 1, maxLength: 30 }).map((parts) => parts.flat());

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const examplePrograms = readdirSync(examples)
  .filter((name) => name.endsWith('.o'))
  .map((name) => loadObject(new Uint8Array(readFileSync(examples + name))).select());

describe('assemble', () => {
  it('gives back what the disassembler wrote, for any instructions', () => {
    fc.assert(
      fc.property(program, (instructions) => {
        const text = disassemble(instructions).map((line) => line.text);
        expect(assemble(text.join('\n'))).toEqual(instructions);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('reads whole listings, of examples and of any instructions', () => {
    for (const example of examplePrograms)
      expect(assemble(listing(example, { source: true }).join('\n'))).toEqual(example.instructions);
    fc.assert(
      fc.property(program, (instructions) => {
        const functions = [
          { pc: 0, name: 'entry' },
          { pc: Math.floor(instructions.length / 2), name: 'local_2' },
        ];
        const text = listing({ name: 'entry', instructions, functions, maps: [], lines: [] });
        expect(assemble(text.join('\n'))).toEqual(instructions);
      }),
      { numRuns: runs(300) },
    );
  });

  it('resolves labels, forwards and backwards, of jumps and calls', () => {
    const text = `
      ; sums 1 to 5
      entry:
          r1 = 5            # counter
          call sum
          exit
      sum: r0 = 0
      again:  r0 += r1      // add
          r1 -= 1
          if r1 != 0 goto again
          gotol end
      end:
          exit`;
    expect(disassemble(assemble(text)).map((line) => line.text)).toEqual([
      'r1 = 0x5',
      'call +0x1',
      'exit',
      'r0 = 0x0',
      'r0 += r1',
      'r1 -= 0x1',
      'if r1 != 0x0 goto -0x3',
      'gotol +0x0',
      'exit',
    ]);
  });

  it.each([
    ['w3 = *(u16 *)(r1 + 12)', 'r3 = *(u16 *)(r1 + 0xc)'],
    ['r3=*(u8*)(r1)', 'r3 = *(u8 *)(r1 + 0x0)'],
    ['*(u32 *)(r10 - 4) = w2', '*(u32 *)(r10 - 0x4) = r2'],
    ['r1 = 0xffffffff', 'r1 = -0x1'],
    ['r1 = 18446744073709551615 ll', 'r1 = -0x1 ll'],
    ['  12:\tb7 00 00 00 01 00 00 00\tr0 = 0x1', 'r0 = 0x1'],
    ['call 1', 'call 0x1'],
    ['call btf 7', 'call btf 0x7'],
    ['r2 = map 1 value 8 ll', 'r2 = map 0x1 value 0x8 ll'],
    ['r0 = *(u16 *)skb[r3 + 4]', 'r0 = *(u16 *)skb[r3 + 0x4]'],
  ])('accepts %s', (text, canonical) => {
    expect(disassemble(assemble(text)).map((line) => line.text)).toEqual([canonical]);
  });

  it.each([
    ['', 'BPF_BAD_BYTECODE_LENGTH'],
    ['exit\nr1 ** r2', 'BPF_BAD_ASSEMBLY line 2: "r1 ** r2" is not an instruction'],
    ['r11 = 1', 'BPF_BAD_REGISTER'],
    ['r1 = r99', 'BPF_BAD_OPERAND'],
    ['r1 = 0x100000000', 'BPF_BAD_ASSEMBLY line 1: "r1 = 0x100000000": 4294967296 is not within'],
    ['r1 = *(u8 *)(r2 + 0x8000)', 'BPF_BAD_ASSEMBLY line 1'],
    ['goto nowhere', 'BPF_BAD_ASSEMBLY line 1: there is no label nowhere'],
    ['a: exit\na: exit', 'BPF_BAD_ASSEMBLY line 2: label a is defined twice'],
    ['r1 = -r2', 'BPF_BAD_ASSEMBLY line 1: "r1 = -r2": both must be the same register'],
    [
      'r1 = cmpxchg_64(r2 + 0, r0, r3)',
      'BPF_BAD_ASSEMBLY line 1: "r1 = cmpxchg_64(r2 + 0, r0, r3)": the register must be r0',
    ],
    ['w1 = r2', 'BPF_BAD_ASSEMBLY line 1'],
    ['lock *(u16 *)(r1 + 0) += r2', 'BPF_BAD_ASSEMBLY line 1'],
    [`goto far\n${'r0 = 0\n'.repeat(32768)}far: exit`, 'BPF_BAD_ASSEMBLY line 1: label far is 32768 slots away'],
    ['exit\n'.repeat(65_537), 'BPF_BAD_ASSEMBLY line 65537: more than 65536 instructions'],
    [`exit ${'x'.repeat(2000)}`, 'BPF_BAD_ASSEMBLY line 1: longer than 1024'],
  ])('refuses case %#', (text, message) => {
    try {
      assemble(text);
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      expect(`${error.code} ${error.message}`).toContain(message);
      return;
    }
    throw new Error('accepted');
  });

  it('takes damaged text or refuses it by line', () => {
    const lines = examplePrograms.flatMap((example) => listing(example));
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom(
        'r',
        'w1',
        ' ',
        '+',
        '-',
        '0x',
        '(',
        ')',
        '*',
        '<',
        '>',
        ':',
        ' ll',
        'goto',
        '99999999999999999999',
        '\n',
      ),
    );
    const damagedLine = fc
      .tuple(fc.constantFrom(...lines), fc.array(fc.tuple(fc.nat(80), fc.nat(4), piece), { maxLength: 3 }))
      .map(([line, damages]) =>
        damages.reduce((text, [at, count, insert]) => text.slice(0, at) + insert + text.slice(at + count), line),
      );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(damagedLine, { minLength: 1, maxLength: 4 }), (text) => {
        try {
          const instructions = assemble(text.join('\n'));
          expect(
            assemble(
              disassemble(instructions)
                .map((line) => line.text)
                .join('\n'),
            ),
          ).toEqual(instructions);
          accepted++;
        } catch (error) {
          if (!(error instanceof BpfError)) throw error;
        }
      }),
      { numRuns: runs(10_000) },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});
