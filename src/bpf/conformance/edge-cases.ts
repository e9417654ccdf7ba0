import { instruction, wideConstant } from '../instruction.ts';
import { INSTRUCTION_FORMS, type InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { ConformanceCase } from './case.ts';
import { ARITHMETIC_EDGES, ATOMIC_EDGES, JUMP_EDGES, UNARY_EDGES } from './edges.ts';

const hex = (value: bigint): string => `${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}`;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const formByName = new Map(INSTRUCTION_FORMS.map((form) => [form.name, form]));

function form(name: string): InstructionForm {
  const found = formByName.get(name);
  if (found === undefined) throw new Error(`no instruction is called ${name}`);
  return found;
}

/** Linux's verifier refuses, as constants, shifts by the width or more and divisions by 0. */
function senselessConstant(name: string, operand: bigint): string | undefined {
  const found = form(name);
  if (found.kind !== 'alu' || found.source !== 'imm') return undefined;
  if (operand === 0n && /div|mod/.test(found.op)) return 'refuses a constant division by 0';
  if (/sh$/.test(found.op) && (operand < 0n || operand >= BigInt(found.width))) return 'refuses the constant shift';
  return undefined;
}

function* arithmeticCases(): Generator<ConformanceCase> {
  for (const [name, rows] of Object.entries(ARITHMETIC_EDGES))
    for (const [dst, operand, r0] of rows) {
      const notInLinux = senselessConstant(name, operand);
      yield {
        name: `${name} of ${hex(dst)} and ${hex(operand)}`,
        program: [
          ...wideConstant(3, dst),
          ...wideConstant(4, u64(operand)),
          instruction(name, { dst: 3, src: 4, imm: Number(BigInt.asIntN(32, operand)) }),
          instruction('mov64_reg', { dst: 0, src: 3 }),
          instruction('exit'),
        ],
        expect: { r0 },
        ...(notInLinux === undefined ? {} : { notInLinux }),
      };
    }
}

function* unaryCases(): Generator<ConformanceCase> {
  for (const [name, rows] of Object.entries(UNARY_EDGES))
    for (const [operand, r0] of rows)
      yield {
        name: `${name} of ${hex(operand)}`,
        program: [
          ...wideConstant(3, operand),
          ...wideConstant(4, operand),
          instruction(name, { dst: 3, src: 4 }),
          instruction('mov64_reg', { dst: 0, src: 3 }),
          instruction('exit'),
        ],
        expect: { r0 },
      };
}

function* jumpCases(): Generator<ConformanceCase> {
  for (const [name, rows] of Object.entries(JUMP_EDGES))
    for (const [dst, operand, taken] of rows)
      yield {
        name: `${name} of ${hex(dst)} and ${hex(operand)}`,
        program: [
          ...wideConstant(3, dst),
          ...wideConstant(4, u64(operand)),
          instruction('mov64_imm', { dst: 0, imm: 1 }),
          instruction(name, { dst: 3, src: 4, imm: Number(BigInt.asIntN(32, operand)), offset: 1 }),
          instruction('mov64_imm', { dst: 0, imm: 0 }),
          instruction('exit'),
        ],
        expect: { r0: taken ? 1n : 0n },
      };
}

/** A run for each thing that an atomic instruction can change. */
function* atomicCases(): Generator<ConformanceCase> {
  const readers: readonly [what: string, into: Instruction][] = [
    ['memory', instruction('ldxdw', { dst: 0, src: 10, offset: -8 })],
    ['source', instruction('mov64_reg', { dst: 0, src: 3 })],
    ['r0', instruction('ja')],
  ];
  for (const [name, rows] of Object.entries(ATOMIC_EDGES))
    for (const [[memory, source, before], after] of rows)
      for (const [index, [what, reader]] of readers.entries())
        yield {
          name: `${name} on ${hex(memory)} with ${hex(source)}, r0 = ${hex(before)}: ${what}`,
          program: [
            ...wideConstant(3, memory),
            instruction('stxdw', { dst: 10, src: 3, offset: -8 }),
            ...wideConstant(3, source),
            ...wideConstant(0, before),
            instruction(name, { dst: 10, src: 3, offset: -8 }),
            reader,
            instruction('exit'),
          ],
          expect: { r0: after[index] },
        };
}

export const EDGE_CASES: readonly ConformanceCase[] = [
  ...arithmeticCases(),
  ...unaryCases(),
  ...jumpCases(),
  ...atomicCases(),
];
