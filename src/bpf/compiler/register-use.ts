import { BpfError } from '../errors.ts';
import { helperById } from '../helpers.ts';
import type { InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { FunctionBody } from './function-body.ts';
import type { PreparedProgram } from './prepare.ts';

const R0 = 1;
const ARGUMENTS = 0b111110;

/** Registers that an instruction reads and overwrites, as bit masks; a call overwrites r0 to r5. */
export interface RegisterUse {
  readonly reads: number;
  readonly writes: number;
}

export function registerUse(form: InstructionForm, { dst, src, imm }: Instruction): RegisterUse {
  const d = 1 << dst;
  const s = 1 << src;
  switch (form.kind) {
    case 'alu': {
      const right = form.source === 'reg' ? s : 0;
      return { reads: form.op === 'mov' ? right : right | d, writes: d };
    }
    case 'neg':
    case 'endian':
      return { reads: d, writes: d };
    case 'movsx':
    case 'load':
      return { reads: s, writes: d };
    case 'store':
      return { reads: d | (form.source === 'reg' ? s : 0), writes: 0 };
    case 'atomic':
      if (form.op === 'cmpxchg') return { reads: d | s | R0, writes: R0 };
      return { reads: d | s, writes: form.fetch ? s : 0 };
    case 'jump':
      return { reads: d | (form.source === 'reg' ? s : 0), writes: 0 };
    case 'goto':
      return { reads: 0, writes: 0 };
    case 'call':
      return { reads: form.target === 'helper' ? helperArguments(imm) : ARGUMENTS, writes: R0 | ARGUMENTS };
    case 'exit':
      return { reads: R0, writes: 0 };
    case 'packet':
      return { reads: form.indirect ? s : 0, writes: R0 };
    case 'lddw':
      return { reads: 0, writes: d };
  }
}

function helperArguments(id: number): number {
  const helper = helperById(id);
  if (helper === undefined) throw new BpfError('BPF_UNSUPPORTED', `there is no helper ${id}`);
  return ((1 << helper.args.length) - 1) << 1;
}

/**
 * Solves a backward data flow problem over sets kept as bit masks, merged by union.
 *
 * @param transfer the set before a block, given the one behind it
 * @returns the sets behind the blocks
 */
export function solveBackward(
  body: FunctionBody,
  order: readonly number[],
  transfer: (block: number, after: number) => number,
): Int32Array {
  const before = new Int32Array(body.blocks.length);
  const after = new Int32Array(body.blocks.length);
  const dirty = new Uint8Array(body.blocks.length).fill(1);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const block = order[i];
      if (dirty[block] === 0) continue;
      dirty[block] = 0;
      let set = 0;
      for (const successor of body.graph[block]) set |= before[successor];
      after[block] = set;
      const result = transfer(block, set);
      if (result === before[block]) continue;
      before[block] = result;
      changed = true;
      for (const predecessor of body.predecessors[block]) dirty[predecessor] = 1;
    }
  }
  return after;
}

/** Registers live at the start of each block, as bit masks. */
export function liveAtStart(
  body: FunctionBody,
  order: readonly number[],
  { program, forms, conditionalMoves }: PreparedProgram,
): Int32Array {
  const start = new Int32Array(body.blocks.length);
  solveBackward(body, order, (block, after) => {
    let live = after;
    const { start: first, end } = body.blocks[block] as { start: number; end: number };
    for (let pc = end - 1; pc >= first; pc--) {
      const form = forms[pc];
      if (form === undefined) continue;
      const { reads, writes } = registerUse(form, program.instructions[pc]);
      live = (conditionalMoves.has(pc) ? live : live & ~writes) | reads;
    }
    start[block] = live;
    return live;
  });
  return start;
}
