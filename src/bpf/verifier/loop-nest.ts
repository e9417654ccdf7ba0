import { type ControlFlow, successorsOf } from './control-flow.ts';
import { Refusal } from './refusal.ts';

/** A loop, or a part of the code that is one as soon as its head is not counted: a component of a weak topological order. */
export interface Loop {
  /** Every way round leads through it. */
  readonly head: number;
  readonly parent: Loop | undefined;
  /** 0 for an outermost one. */
  readonly depth: number;
}

/** Loops within loops that are followed. */
const MOST_NESTED = 32;

/**
 * An order of the instructions of every function (Bourdoncle, "Efficient chaotic iteration strategies with widenings",
 * 1993): a jump leads to a later instruction, or to the head of a loop that it is in; and the instructions of a loop
 * follow one another. So with the rounds of each loop counted, control only ever moves forward.
 */
export class LoopNest {
  readonly position: Int32Array;
  readonly #loopOf: (Loop | undefined)[];
  #next = 0;

  constructor(flow: ControlFlow) {
    const size = flow.decoded.length;
    this.position = new Int32Array(size);
    this.#loopOf = new Array(size).fill(undefined);
    const all = [...flow.decoded.keys()].filter((pc) => flow.decoded[pc] !== undefined);
    this.#order(flow, all, undefined);
  }

  /** The innermost loop that the instruction is in; its head is in it too. */
  loopOf(pc: number): Loop | undefined {
    return this.#loopOf[pc];
  }

  #order(flow: ControlFlow, members: readonly number[], loop: Loop | undefined): void {
    for (const component of components(flow, members, loop?.head)) {
      const head = component[0];
      if (component.length === 1 && !successorsOf(flow, head).includes(head)) {
        this.position[head] = this.#next++;
        continue;
      }
      const inner: Loop = { head, parent: loop, depth: loop === undefined ? 0 : loop.depth + 1 };
      if (inner.depth >= MOST_NESTED) {
        throw new Refusal(
          'BPF_VERIFIER_TOO_COMPLEX',
          `loops are nested more than ${MOST_NESTED} deep`,
          'flatten the loops',
          {
            pc: head,
          },
        );
      }
      this.position[head] = this.#next++;
      for (const pc of component) this.#loopOf[pc] = inner;
      this.#order(flow, component.slice(1), inner);
    }
  }
}

/**
 * The strongly connected components among `members`, in topological order (Tarjan), jumps to `without` not counted. The
 * first member of each is where control can first get in.
 */
function components(flow: ControlFlow, members: readonly number[], without: number | undefined): number[][] {
  const inside = new Set(members);
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const onStack = new Set<number>();
  const stack: number[] = [];
  const found: number[][] = [];
  const edges = (pc: number): number[] => successorsOf(flow, pc).filter((to) => to !== without && inside.has(to));
  for (const root of members) {
    if (index.has(root)) continue;
    const work: { pc: number; edges: number[]; at: number }[] = [];
    const open = (pc: number): void => {
      index.set(pc, index.size);
      low.set(pc, index.size - 1);
      stack.push(pc);
      onStack.add(pc);
      work.push({ pc, edges: edges(pc), at: 0 });
    };
    const lower = (pc: number, to: number): void => {
      low.set(pc, Math.min(low.get(pc) ?? 0, to));
    };
    open(root);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      if (top.at < top.edges.length) {
        const to = top.edges[top.at++];
        if (!index.has(to)) open(to);
        else if (onStack.has(to)) lower(top.pc, index.get(to) ?? 0);
        continue;
      }
      work.pop();
      const own = low.get(top.pc) ?? 0;
      const above = work.at(-1);
      if (above !== undefined) lower(above.pc, own);
      if (own !== index.get(top.pc)) continue;
      const component = stack.splice(stack.lastIndexOf(top.pc));
      for (const pc of component) onStack.delete(pc);
      found.push(component);
    }
  }
  return found.reverse();
}
