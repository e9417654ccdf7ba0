import { BpfError } from '../errors.ts';
import { MAX_FRAMES } from '../thread.ts';
import { type FunctionBody, functionBody } from './function-body.ts';
import type { PreparedProgram } from './prepare.ts';

/** The functions that an entry reaches by local calls, by their first slot; the entry comes first. */
export function reachedFunctions(program: PreparedProgram, entry: number): Map<number, FunctionBody> {
  const bodies = new Map<number, FunctionBody>();
  const pending = [entry];
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    if (bodies.has(pc)) continue;
    const body = functionBody(program, pc);
    bodies.set(pc, body);
    pending.push(...body.callees);
  }
  checkDepth(bodies, entry);
  return bodies;
}

/** Every frame has its place on the stack at compile time, so calls must not nest deeper than there are frames. */
function checkDepth(bodies: ReadonlyMap<number, FunctionBody>, entry: number): void {
  let level = new Set([entry]);
  for (let depth = 1; level.size > 0; depth++) {
    if (depth > MAX_FRAMES)
      throw new BpfError('BPF_BAD_CONTROL_FLOW', `local calls nest deeper than ${MAX_FRAMES} functions, or recur`);
    level = new Set([...level].flatMap((pc) => [...(bodies.get(pc)?.callees ?? [])]));
  }
}
