import { BpfError } from '../errors.ts';
import { jumpTarget } from './jump-target.ts';
import type { PreparedProgram } from './prepare.ts';

/** Instructions that run one after the other: slots `start` up to, not including, `end`. */
export interface BasicBlock {
  readonly start: number;
  readonly end: number;
}

/** One function of a program as a control flow graph of basic blocks; block 0 is its entry. */
export interface FunctionBody {
  readonly pc: number;
  readonly blocks: readonly BasicBlock[];
  /** Successors by block; of a condition first the jump, then the fall through; of a lookup first where it succeeds. */
  readonly graph: readonly (readonly number[])[];
  readonly predecessors: readonly (readonly number[])[];
  /** First slots of the functions it calls. */
  readonly callees: ReadonlySet<number>;
}

/** Where control goes after an instruction: jump target first, then the next slot; of a lookup first where it succeeds. */
function successorsOf({ program, forms, absentTargets, conditionalMoves }: PreparedProgram, pc: number): number[] {
  const form = forms[pc];
  const instruction = program.instructions[pc];
  if (form === undefined || instruction === undefined)
    throw new BpfError('BPF_BAD_CONTROL_FLOW', `control comes to pc ${pc}, where no instruction begins`);
  switch (form.kind) {
    case 'exit':
      return [];
    case 'goto':
      return [jumpTarget(form, instruction, pc)];
    case 'jump':
      if (conditionalMoves.has(pc + 1)) return [pc + 1];
      return [jumpTarget(form, instruction, pc), pc + 1];
    case 'call': {
      const absent = absentTargets.get(pc);
      return absent === undefined ? [pc + 1] : [pc + 1, absent];
    }
    case 'lddw':
      return [pc + 2];
    default:
      return [pc + 1];
  }
}

/** Splits the instructions that a function reaches into blocks. */
export function functionBody(prepared: PreparedProgram, entry: number): FunctionBody {
  const { program, forms } = prepared;
  const reached = new Map<number, number[]>();
  const leaders = new Set<number>([entry]);
  const callees = new Set<number>();
  const pending = [entry];
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    if (reached.has(pc)) continue;
    const successors = successorsOf(prepared, pc);
    reached.set(pc, successors);
    const form = forms[pc];
    if (form?.kind === 'call' && form.target === 'local') callees.add(pc + 1 + (program.instructions[pc]?.imm ?? 0));
    if (form?.kind === 'jump' || form?.kind === 'goto' || successors.length > 1)
      for (const target of successors) leaders.add(target);
    pending.push(...successors);
  }
  const starts = [...leaders].sort((a, b) => a - b);
  // The entry is block 0 wherever it stands.
  const ordered = [entry, ...starts.filter((pc) => pc !== entry)];
  const blockAt = new Map(ordered.map((pc, block) => [pc, block]));
  const blocks: BasicBlock[] = [];
  const graph: number[][] = [];
  for (const start of ordered) {
    let pc = start;
    for (;;) {
      const successors = reached.get(pc) ?? [];
      const next = successors[0];
      if (successors.length !== 1 || next === undefined || blockAt.has(next)) {
        blocks.push({ start, end: forms[pc]?.kind === 'lddw' ? pc + 2 : pc + 1 });
        graph.push(successors.map((target) => blockAt.get(target) ?? 0));
        break;
      }
      pc = next;
    }
  }
  const predecessors: number[][] = blocks.map(() => []);
  graph.forEach((successors, block) => {
    for (const successor of successors) predecessors[successor]?.push(block);
  });
  return { pc: entry, blocks, graph, predecessors, callees };
}
