import type { InstructionForm } from '../isa.ts';
import type { Program } from '../program.ts';

/**
 * The moves that the jump in front of them skips, and that nothing else jumps to: `if (…) goto +1; r = …`. eBPF has no other way
 * to choose between two values, so this is what a compiler makes of a choice; it is compiled as one, without a branch.
 */
export function conditionalMoves(
  program: Program,
  forms: readonly (InstructionForm | undefined)[],
  targets: ReadonlySet<number>,
): ReadonlySet<number> {
  const moves = new Set<number>();
  for (let pc = 1; pc < forms.length; pc++) {
    const jump = forms[pc - 1];
    const move = forms[pc];
    if (jump?.kind !== 'jump' || program.instructions[pc - 1].offset !== 1 || targets.has(pc)) continue;
    if (move?.kind === 'alu' && move.op === 'mov') moves.add(pc);
  }
  return moves;
}
