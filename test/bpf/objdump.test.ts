import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeSlots, encodeProgram } from '../../src/bpf/codec.ts';
import { disassemble } from '../../src/bpf/disassembler.ts';
import { ElfFile } from '../../src/bpf/elf/elf-file.ts';
import { formOf } from '../../src/bpf/isa.ts';
import type { Instruction } from '../../src/bpf/program.ts';
import { anyInstruction } from '../support/any-instruction.ts';
import { runs } from '../support/property-runs.ts';
import { compilers, exampleNames, flagMatrix, Workbench } from './compilers.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

/** Text of each instruction by slot, without the labels that llvm-objdump adds. */
function objdumpTexts(output: string): Map<number, string> {
  const texts = new Map<number, string>();
  for (const line of output.split('\n')) {
    const match = /^\s*(\d+):\t[0-9a-f ]+\t(.*)$/.exec(line);
    if (match !== null) texts.set(Number(match[1]), match[2].replace(/ <[^<> ]+>$/, '').trim());
  }
  return texts;
}

/** Ours, with the plus sign taken off with which we tell a local call from a helper. */
function ourTexts(instructions: readonly Instruction[]): Map<number, string> {
  return new Map(disassemble(instructions).map(({ pc, text }) => [pc, text.replace(/^call \+/, 'call ')]));
}

for (const compiler of compilers) {
  const { name, objdump, isHere, hasObjdump } = compiler;
  describe.skipIf(!isHere || !hasObjdump)(`our text equals that of ${objdump} (needs ${name}, ${objdump})`, () => {
    it.each(flagMatrix(compiler))('%s %s', (cpu, level) => {
      for (const example of exampleNames) {
        const path = bench.compileExample(compiler, example, [cpu, level]);
        const text = new ElfFile(new Uint8Array(readFileSync(path))).section('.text');
        if (text === undefined) throw new Error('no .text');
        const theirs = objdumpTexts(bench.run(objdump, ['-d', '--print-imm-hex', path]));
        expect(ourTexts(decodeSlots(text.bytes))).toEqual(theirs);
      }
    });
  });
}

describe.skipIf(!compilers[1].hasObjdump)('our text of any instruction equals that of llvm-objdump-19', () => {
  /** What llvm-objdump has no text for, or another: symbolic lddw, BTF calls, the immediate of an indirect packet load. */
  function isOurs(instruction: Instruction): boolean {
    const form = formOf(instruction);
    if (form?.kind === 'lddw') return form.value !== 'imm';
    if (form?.kind === 'packet' && form.indirect) return instruction.imm !== 0;
    return form?.kind === 'call' && (form.target === 'btf' || (form.target === 'helper' && instruction.imm < 0));
  }

  it('as assembled by llvm-mc', () => {
    const parts = fc.sample(anyInstruction, { numRuns: runs(4000), seed: 42 }).filter(([first]) => !isOurs(first));
    const instructions = parts.flat();
    expect(instructions.length).toBeGreaterThan(3000);
    const source = join(bench.folder, 'any.s');
    const object = join(bench.folder, 'any.o');
    writeFileSync(source, `.globl entry\nentry:\n.byte ${encodeProgram(instructions).join(',')}\n`);
    bench.run('llvm-mc-19', ['-triple=bpfel', '-filetype=obj', source, '-o', object]);
    // Without 32-bit registers it takes 32-bit fetching atomics for unknown; with them it names 32-bit loads and stores w0 to w10.
    const plain = objdumpTexts(bench.run('llvm-objdump-19', ['-d', object]));
    const alu32 = objdumpTexts(bench.run('llvm-objdump-19', ['-d', '--mattr=+alu32', object]));
    const ours = ourTexts(instructions);
    expect(ours.size).toBe(plain.size);
    for (const [pc, text] of ours) {
      const form = formOf(instructions[pc]);
      const theirs = form?.kind === 'atomic' && form.bytes === 4 ? alu32 : plain;
      const normal = form?.kind === 'atomic' && form.bytes === 4 ? text.replace(/= r(\d+)$/, '= w$1') : text;
      expect(`${pc}: ${normal}`).toBe(`${pc}: ${theirs.get(pc)}`);
    }
  });
});
