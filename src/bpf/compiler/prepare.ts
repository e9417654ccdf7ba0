import { formOf, type InstructionForm } from '../isa.ts';
import type { Program } from '../program.ts';
import { conditionalMoves } from './conditional-move.ts';
import { jumpTarget } from './jump-target.ts';
import { threadNullChecks } from './null-check.ts';

/** A program as the compiler works on it. */
export interface PreparedProgram {
  /** With instructions of the compiler's own behind its end. */
  readonly program: Program;
  /** What every instruction is, by pc; undefined in the second slot of lddw. */
  readonly forms: readonly (InstructionForm | undefined)[];
  /** Of the lookups that branch by themselves: where they go when there is no value. Otherwise they go on behind themselves. */
  readonly absentTargets: ReadonlyMap<number, number>;
  /** Moves that are made unless the jump in front of them is taken; both together do not end a block. */
  readonly conditionalMoves: ReadonlySet<number>;
}

/** @param original what `checkRunnable` has let pass */
export function prepare(original: Program): PreparedProgram {
  const forms = formsOf(original);
  const targets = new Set<number>(original.functions.map(({ pc }) => pc));
  original.instructions.forEach((instruction, pc) => {
    const form = forms[pc];
    if (form?.kind === 'jump' || form?.kind === 'goto') targets.add(jumpTarget(form, instruction, pc));
    if (form?.kind === 'call' && form.target === 'local') targets.add(pc + 1 + instruction.imm);
  });
  const threaded = exitDirectly(threadNullChecks(original, forms, targets));
  return { ...threaded, conditionalMoves: conditionalMoves(threaded.program, threaded.forms, targets) };
}

/** Puts `exit` in the place of jumps to one: what is in r0 is more often known there, as a constant. */
function exitDirectly(threaded: Omit<PreparedProgram, 'conditionalMoves'>): Omit<PreparedProgram, 'conditionalMoves'> {
  const forms = [...threaded.forms];
  const instructions = [...threaded.program.instructions];
  for (let pc = 0; pc < forms.length; pc++) {
    const form = forms[pc];
    const target = form?.kind === 'goto' ? jumpTarget(form, instructions[pc], pc) : -1;
    if (forms[target]?.kind !== 'exit') continue;
    instructions[pc] = instructions[target];
    forms[pc] = forms[target];
  }
  return { ...threaded, program: { ...threaded.program, instructions }, forms };
}

function formsOf(program: Program): (InstructionForm | undefined)[] {
  const forms: (InstructionForm | undefined)[] = new Array(program.instructions.length).fill(undefined);
  for (let pc = 0; pc < forms.length; pc++) {
    const instruction = program.instructions[pc];
    const form = formOf(instruction);
    forms[pc] = form;
    if (form?.kind === 'lddw') pc++;
  }
  return forms;
}
