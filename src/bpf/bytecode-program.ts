import { formOf } from './isa.ts';
import type { MapDefinition } from './maps/definition.ts';
import type { Instruction, Program } from './program.ts';

/** A program from instructions alone, such as hex from a file: its functions are the start and where its local calls lead. */
export function bytecodeProgram(
  instructions: readonly Instruction[],
  options: { readonly name?: string; readonly maps?: readonly MapDefinition[] } = {},
): Program {
  const starts = new Set([0]);
  instructions.forEach((instruction, pc) => {
    const form = formOf(instruction);
    const target = pc + 1 + instruction.imm;
    if (form?.kind === 'call' && form.target === 'local' && target >= 0 && target < instructions.length)
      starts.add(target);
  });
  const functions = [...starts]
    .sort((a, b) => a - b)
    .map((pc) => ({ pc, name: pc === 0 ? 'entry' : `function_${pc}` }));
  return { name: options.name ?? 'program', instructions, maps: options.maps ?? [], functions, lines: [] };
}
