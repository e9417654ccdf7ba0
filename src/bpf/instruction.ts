import { INSTRUCTION_FORMS, type InstructionForm, Opcode } from './isa.ts';
import type { Instruction } from './program.ts';

const formByName = new Map(INSTRUCTION_FORMS.map((form) => [form.name, form]));

export interface Operands {
  readonly dst?: number;
  readonly src?: number;
  readonly offset?: number;
  readonly imm?: number;
}

/** An instruction of the form (or the one of that name); operands that it does not use are dropped. */
export function instruction(form: InstructionForm | string, operands: Operands = {}): Instruction {
  const found = typeof form === 'string' ? formByName.get(form) : form;
  if (found === undefined) throw new Error(`no instruction is called ${form}`);
  const field = (name: keyof Operands): number =>
    found.selector?.field === name ? found.selector.value : found.uses[name] ? (operands[name] ?? 0) : 0;
  return { opcode: found.opcode, dst: field('dst'), src: field('src'), offset: field('offset'), imm: field('imm') };
}

/** The two slots of dst = a 64-bit number. */
export function wideConstant(dst: number, value: bigint): Instruction[] {
  const half = (shift: bigint) => Number(BigInt.asIntN(32, value >> shift));
  return [
    { opcode: Opcode.LDDW, dst, src: 0, offset: 0, imm: half(0n) },
    { opcode: 0, dst: 0, src: 0, offset: 0, imm: half(32n) },
  ];
}
