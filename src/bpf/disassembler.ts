import { formOf, type InstructionForm } from './isa.ts';
import type { Instruction } from './program.ts';
import { type OperandField, syntaxOf } from './syntax.ts';

/** What stands for an instruction that does not exist, as llvm-objdump has it. */
const UNKNOWN = '<unknown>';

/**
 * The instruction at `pc` as llvm-objdump writes it, e.g. `if r1 > 0x5 goto +0x3`. Beyond it, a local call shows its sign
 * (`call +0x16`, where `call 0x16` is a helper's number) and a reference to map 2 is `r1 = map 0x2 ll`.
 */
export function instructionText(instructions: readonly Instruction[], pc: number): string {
  const instruction = instructions[pc];
  const form = formOf(instruction);
  const next = instructions[pc + 1]?.imm ?? 0;
  if (form === undefined) return UNKNOWN;
  return syntaxOf(form)
    .map((part) => ('text' in part ? part.text : operandText(part.field, instruction, next)))
    .join('');
}

/** One line of a disassembly. */
export interface DisassembledInstruction {
  readonly pc: number;
  /** The slots that it takes: 2 for lddw. */
  readonly slots: 1 | 2;
  readonly text: string;
  /** Where a jump or local call leads. */
  readonly target?: number;
}

export function disassemble(instructions: readonly Instruction[]): DisassembledInstruction[] {
  const lines: DisassembledInstruction[] = [];
  for (let pc = 0; pc < instructions.length; pc++) {
    const form = formOf(instructions[pc]);
    const slots = form?.kind === 'lddw' && pc + 1 < instructions.length ? 2 : 1;
    const target = form === undefined ? undefined : jumpTarget(form, instructions[pc], pc);
    const text = instructionText(instructions, pc);
    lines.push(target === undefined ? { pc, slots, text } : { pc, slots, text, target });
    pc += slots - 1;
  }
  return lines;
}

/** Where a jump, a local call or a code address leads; `undefined` for the rest. */
export function jumpTarget(form: InstructionForm, instruction: Instruction, pc: number): number | undefined {
  switch (form.kind) {
    case 'jump':
      return pc + 1 + instruction.offset;
    case 'goto':
      return pc + 1 + (form.wide ? instruction.imm : instruction.offset);
    case 'call':
      return form.target === 'local' ? pc + 1 + instruction.imm : undefined;
    default:
      return undefined;
  }
}

function operandText(field: OperandField, { dst, src, offset, imm }: Instruction, next: number): string {
  switch (field) {
    case 'dst':
    case 'dst|w':
      return `r${dst}`;
    case 'src':
    case 'src|w':
      return `r${src}`;
    case 'wdst':
      return `w${dst}`;
    case 'wsrc':
      return `w${src}`;
    case 'offset':
      return displacement(offset);
    case 'imm':
      return hex(imm);
    case 'uimm':
      return hex(imm >>> 0);
    case 'plus_imm':
      return imm === 0 ? '' : displacement(imm);
    case 'target':
      return signed(offset);
    case 'target32':
      return signed(imm);
    case 'imm64':
      return hex(BigInt.asIntN(64, (BigInt(next) << 32n) | BigInt(imm >>> 0)));
    case 'imm_next':
      return hex(next);
  }
}

function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? hex(value) : `+${hex(value)}`;
}

function displacement(value: number): string {
  return value < 0 ? ` - ${hex(-value)}` : ` + ${hex(value)}`;
}
