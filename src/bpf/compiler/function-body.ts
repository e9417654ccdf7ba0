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
  const reached: (number[] | undefined)[] = new Array(forms.length);
  const leaders: number[] = [];
  /** Number of the block that starts at a pc, counted from 1. */
  const blockAt = new Int32Array(forms.length);
  const callees = new Set<number>();
  const lead = (pc: number): void => {
    if (pc === entry || pc < 0 || pc >= forms.length || blockAt[pc] !== 0) return;
    leaders.push(pc);
    blockAt[pc] = 1;
  };
  const pending = [entry];
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    if (reached[pc] !== undefined) continue;
    const successors = successorsOf(prepared, pc);
    reached[pc] = successors;
    const form = forms[pc];
    if (form?.kind === 'call' && form.target === 'local') callees.add(pc + 1 + program.instructions[pc].imm);
    if (form?.kind === 'goto' || successors.length > 1) successors.forEach(lead);
    for (const successor of successors) if (reached[successor] === undefined) pending.push(successor);
  }
  // The entry is block 0 wherever it stands.
  const starts = [entry, ...leaders.sort((a, b) => a - b)];
  starts.forEach((pc, block) => {
    blockAt[pc] = block + 1;
  });
  const blocks: BasicBlock[] = [];
  const graph: number[][] = [];
  const predecessors: number[][] = starts.map(() => []);
  for (const start of starts) {
    let pc = start;
    let successors = reached[pc] ?? [];
    while (successors.length === 1 && blockAt[successors[0]] === 0) {
      pc = successors[0];
      successors = reached[pc] ?? [];
    }
    const block = blocks.push({ start, end: forms[pc]?.kind === 'lddw' ? pc + 2 : pc + 1 }) - 1;
    graph.push(successors.map((target) => blockAt[target] - 1));
    for (const successor of graph[block]) predecessors[successor].push(block);
  }
  return { pc: entry, blocks, graph, predecessors, callees };
}
