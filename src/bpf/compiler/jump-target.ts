import type { InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';

/** Where a jump goes when it is taken. */
export function jumpTarget(
  form: Extract<InstructionForm, { kind: 'jump' | 'goto' }>,
  { offset, imm }: Instruction,
  pc: number,
): number {
  return pc + 1 + (form.kind === 'goto' && form.wide ? imm : offset);
}
