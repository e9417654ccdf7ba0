import type { Loop, LoopNest } from './loop-nest.ts';
import type { Round, State } from './state.ts';

/**
 * Where a state stands in the order of everything that can be run: for each function that is active, its loops and how
 * often each came round, then the instruction. Compared number by number, a key only ever grows along a path, so that a
 * state with the least key of all is met by no other any more.
 */
export function orderKey(state: State, { position }: LoopNest): number[] {
  const key = [...(state.callers.at(-1)?.key ?? [])];
  for (const { loop, count } of state.rounds) key.push(position[loop.head], count);
  key.push(position[state.pc]);
  return key;
}

export function compareKeys(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** At the start of a function: no loop has come round yet. */
export function beginRounds(state: State, nest: LoopNest): void {
  state.rounds = outermostFirst(nest.loopOf(state.pc)).map((loop) => ({ loop, count: 0, seen: undefined }));
}

/** Counts rounds when control moves on within a function from one pc to the state's. */
export function countRounds(state: State, from: number, nest: LoopNest): void {
  const to = state.pc;
  const loop = nest.loopOf(to);
  const back = nest.position[to] <= nest.position[from];
  if (loop === nest.loopOf(from) && !back) return;
  const rounds: Round[] = [];
  for (const around of outermostFirst(loop)) {
    const known = state.rounds[around.depth];
    rounds.push(known?.loop === around ? known : { loop: around, count: 0, seen: undefined });
  }
  const last = rounds.at(-1);
  if (back && last !== undefined) rounds[rounds.length - 1] = { ...last, count: last.count + 1 };
  state.rounds = rounds;
}

function outermostFirst(loop: Loop | undefined): Loop[] {
  const loops: Loop[] = [];
  for (let at = loop; at !== undefined; at = at.parent) loops.unshift(at);
  return loops;
}
