import { formOf } from '../isa.ts';
import type { Program } from '../program.ts';

/** The instruction at pc, as llvm-objdump writes it; maps by name. */
export function instructionText(program: Program, pc: number): string {
  const instruction = program.instructions[pc];
  const form = instruction && formOf(instruction);
  if (form === undefined) return 'no instruction';
  const { dst, src, offset, imm } = instruction;
  const next = program.instructions[pc + 1]?.imm ?? 0;
  const map = program.maps[imm]?.name ?? `map ${imm}`;
  const name: Partial<Record<string, string>> = {
    map: `r${dst} = &${map} ll`,
    'map-value': `r${dst} = &${map}[0] + ${next} ll`,
  };
  const named = form.kind === 'lddw' ? name[form.value] : undefined;
  if (named !== undefined) return named;
  const fields: Record<string, string> = {
    dst: `r${dst}`,
    src: `r${src}`,
    wdst: `w${dst}`,
    wsrc: `w${src}`,
    offset: offset < 0 ? `- ${-offset}` : `+ ${offset}`,
    imm: String(imm),
    target: `pc ${pc + 1 + offset}`,
    target32: `pc ${pc + 1 + imm}`,
    imm64: String((BigInt(next) << 32n) | BigInt(imm >>> 0)),
    imm_next: String(next),
    plus_imm: imm === 0 ? '' : ` + ${imm}`,
  };
  return form.syntax.replace(/\{(\w+)\}/g, (_, field: string) => fields[field] ?? '');
}
