import { HELPER_ID } from '../helpers.ts';
import { formOf, type InstructionForm, Opcode } from '../isa.ts';
import type { Instruction, Program } from '../program.ts';
import type { PreparedProgram } from './prepare.ts';

const goto = (offset: number): Instruction => ({ opcode: Opcode.JA32, dst: 0, src: 0, offset: 0, imm: offset });

/**
 * A lookup is mostly followed by moves of its result and a comparison of it with NULL. The lookup itself knows how that ends:
 * then let it branch. The moves and a jump to where NULL leads are put once more behind the program's end, for the case
 * that there is no value; the comparison becomes a jump to where a value leads.
 */
export function threadNullChecks(
  program: Program,
  forms: readonly (InstructionForm | undefined)[],
  targets: ReadonlySet<number>,
): Pick<PreparedProgram, 'program' | 'forms' | 'absentTargets'> {
  const instructions = [...program.instructions];
  const absentTargets = new Map<number, number>();
  const checks: number[] = [];
  for (let pc = 0; pc < program.instructions.length; pc++) {
    const check = isLookup(forms[pc], program.instructions[pc])
      ? nullCheckAfter(program, forms, targets, pc)
      : undefined;
    if (check === undefined) continue;
    absentTargets.set(pc, instructions.length);
    for (let move = pc + 1; move < check.pc; move++) instructions.push(program.instructions[move]);
    instructions.push(goto(check.absent - instructions.length - 1));
    checks.push(check.pc);
    instructions[check.pc] = goto(check.present - check.pc - 1);
  }
  if (absentTargets.size === 0) return { program, forms, absentTargets };
  const allForms = [...forms];
  for (let pc = forms.length; pc < instructions.length; pc++) allForms.push(formOf(instructions[pc]));
  for (const pc of checks) allForms[pc] = formOf(instructions[pc]);
  return { program: { ...program, instructions }, forms: allForms, absentTargets };
}

function isLookup(form: InstructionForm | undefined, { imm }: Instruction): boolean {
  return form?.kind === 'call' && form.target === 'helper' && imm === HELPER_ID.mapLookup;
}

interface NullCheck {
  readonly pc: number;
  readonly present: number;
  readonly absent: number;
}

/** The comparison with NULL of the result of the lookup at `lookup`, when nothing but moves is in between. */
function nullCheckAfter(
  program: Program,
  forms: readonly (InstructionForm | undefined)[],
  targets: ReadonlySet<number>,
  lookup: number,
): NullCheck | undefined {
  const copies = new Set([0]);
  for (let pc = lookup + 1; pc < program.instructions.length && !targets.has(pc); pc++) {
    const form = forms[pc];
    const { dst, src, imm, offset } = program.instructions[pc];
    if (form?.kind === 'alu' && form.op === 'mov') {
      if (form.width === 64 && form.source === 'reg' && copies.has(src)) copies.add(dst);
      else copies.delete(dst);
      continue;
    }
    const isCheck =
      form?.kind === 'jump' &&
      form.width === 64 &&
      form.source === 'imm' &&
      imm === 0 &&
      copies.has(dst) &&
      (form.condition === 'eq' || form.condition === 'ne');
    if (!isCheck) return undefined;
    const taken = pc + 1 + offset;
    return form.condition === 'eq' ? { pc, present: pc + 1, absent: taken } : { pc, present: taken, absent: pc + 1 };
  }
  return undefined;
}
