import { instructionText as textOf } from '../disassembler.ts';
import { formOf } from '../isa.ts';
import type { Program } from '../program.ts';

/** The instruction at pc, as llvm-objdump writes it; a map that it refers to is named behind it. */
export function instructionText({ instructions, maps }: Program, pc: number): string {
  const text = textOf(instructions, pc);
  const form = formOf(instructions[pc]);
  const map = form?.kind === 'lddw' && form.value.startsWith('map') ? maps[instructions[pc].imm] : undefined;
  return map === undefined ? text : `${text}  ; ${map.name}`;
}
