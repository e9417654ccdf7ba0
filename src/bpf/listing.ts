import { toHex } from '../bytes/index.ts';
import { encodeProgram, SLOT_BYTES } from './codec.ts';
import { disassemble } from './disassembler.ts';
import { helperById } from './helpers.ts';
import { formOf } from './isa.ts';
import type { Instruction, Program, ProgramFunction, SourceLine } from './program.ts';

/**
 * The lines of a program's listing in llvm-objdump's form: a header for each function, then slot number, bytes, text, and the
 * target of jumps by function and byte offset. Maps and helpers are named in comments; so is, if `source` asks for it, each
 * source line in front of its first instruction. The assembler reads it all back.
 */
export function listing(program: Program, { source = false }: { readonly source?: boolean } = {}): string[] {
  const { instructions, functions } = program;
  const bytes = encodeProgram(instructions);
  const functionAt = new Map(functions.map((func) => [func.pc, func.name]));
  const linesAt = source ? linesBySlot(program.lines) : new Map<number, readonly SourceLine[]>();
  const lines: string[] = [];
  for (const { pc, slots, text, target } of disassemble(instructions)) {
    const name = functionAt.get(pc);
    if (name !== undefined) lines.push('', `${(pc * SLOT_BYTES).toString(16).padStart(16, '0')} <${name}>:`);
    for (const { file, line, text: sourceText } of linesAt.get(pc) ?? [])
      lines.push(`; ${file}:${line}  ${sourceText}`);
    const raw = toHex(bytes.subarray(pc * SLOT_BYTES, (pc + slots) * SLOT_BYTES), ' ');
    const label = target === undefined ? '' : ` <${placeText(functions, target)}>`;
    lines.push(`${String(pc).padStart(8)}:\t${raw}\t${text}${label}${comment(program, instructions[pc])}`);
  }
  return lines;
}

function linesBySlot(lines: readonly SourceLine[]): Map<number, SourceLine[]> {
  const bySlot = new Map<number, SourceLine[]>();
  for (const line of lines) {
    const known = bySlot.get(line.pc);
    if (known === undefined) bySlot.set(line.pc, [line]);
    else known.push(line);
  }
  return bySlot;
}

/** `entry+0x38`: bytes from the function that the slot is in. */
function placeText(functions: readonly ProgramFunction[], pc: number): string {
  const func = functions.findLast((candidate) => candidate.pc <= pc);
  const distance = `0x${((pc - (func?.pc ?? 0)) * SLOT_BYTES).toString(16)}`;
  if (func === undefined) return distance;
  return func.pc === pc ? func.name : `${func.name}+${distance}`;
}

function comment(program: Program, instruction: Instruction): string {
  const form = formOf(instruction);
  if (form?.kind === 'lddw' && (form.value === 'map' || form.value === 'map-value')) {
    const map = program.maps[instruction.imm];
    return map === undefined ? '' : `\t; ${map.name}`;
  }
  if (form?.kind !== 'call' || form.target !== 'helper') return '';
  const helper = helperById(instruction.imm);
  return helper === undefined ? '' : `\t; ${helper.name}`;
}
