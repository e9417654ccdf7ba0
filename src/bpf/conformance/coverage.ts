import { formOf, INSTRUCTION_FORMS, Opcode } from '../isa.ts';
import type { Instruction } from '../program.ts';

export interface InstructionCoverage {
  readonly group: string;
  readonly name: string;
  readonly opcode: number;
  /** Programs that contain the instruction. */
  readonly cases: number;
}

/** How many of the programs contain each instruction of the instruction set. */
export function coverage(programs: readonly (readonly Instruction[])[]): InstructionCoverage[] {
  const counts = new Map<string, number>();
  for (const instructions of programs) {
    const names = new Set<string>();
    for (const [pc, instruction] of instructions.entries()) {
      if (instructions[pc - 1]?.opcode === Opcode.LDDW) continue;
      const form = formOf(instruction);
      if (form !== undefined) names.add(form.name);
    }
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return INSTRUCTION_FORMS.map(({ group, name, opcode }) => ({ group, name, opcode, cases: counts.get(name) ?? 0 }));
}

/** A line for each conformance group; names the instructions that no program contains. */
export function coverageTable(rows: readonly InstructionCoverage[]): string {
  const groups = [...new Set(rows.map((row) => row.group))];
  const lines = groups.map((group) => {
    const own = rows.filter((row) => row.group === group);
    const absent = own.filter((row) => row.cases === 0).map((row) => row.name);
    const fewest = Math.min(...own.filter((row) => row.cases > 0).map((row) => row.cases));
    const summary = `${group.padEnd(10)}${own.length - absent.length} of ${own.length} instructions, each in ${fewest} cases or more`;
    return absent.length === 0 ? summary : `${summary}; absent: ${absent.join(', ')}`;
  });
  return lines.join('\n');
}
