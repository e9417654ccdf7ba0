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
    this.#order(flow, new Components(flow), all, undefined);
  }

  /** The innermost loop that the instruction is in; its head is in it too. */
  loopOf(pc: number): Loop | undefined {
    return this.#loopOf[pc];
  }

  #order(flow: ControlFlow, components: Components, members: readonly number[], loop: Loop | undefined): void {
    for (const component of components.among(members, loop?.head)) {
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
      this.#order(flow, components, component.slice(1), inner);
    }
  }
}

/**
 * The strongly connected components among some instructions, in topological order (Tarjan). The first member of each is
 * where control can first get in. Its arrays serve one question after the other.
 */
class Components {
  readonly #flow: ControlFlow;
  /** Whether the instruction is among those asked about and not yet in a component. */
  readonly #open: Uint8Array;
  /** In which turn it was found, 0: not yet. */
  readonly #index: Int32Array;
  readonly #low: Int32Array;

  constructor(flow: ControlFlow) {
    const size = flow.decoded.length;
    this.#flow = flow;
    this.#open = new Uint8Array(size);
    this.#index = new Int32Array(size);
    this.#low = new Int32Array(size);
  }

  /** Jumps to `without` do not count. */
  among(members: readonly number[], without: number | undefined): number[][] {
    for (const pc of members) {
      this.#open[pc] = 1;
      this.#index[pc] = 0;
    }
    const found: number[][] = [];
    const stack: number[] = [];
    let turn = 0;
    for (const root of members) {
      if (this.#index[root] !== 0) continue;
      const work: { readonly pc: number; readonly edges: readonly number[]; at: number }[] = [];
      const enter = (pc: number): void => {
        this.#index[pc] = this.#low[pc] = ++turn;
        stack.push(pc);
        work.push({ pc, edges: successorsOf(this.#flow, pc), at: 0 });
      };
      enter(root);
      for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
        const { pc, edges } = top;
        if (top.at < edges.length) {
          const to = edges[top.at++];
          if (to === without || this.#open[to] === 0) continue;
          if (this.#index[to] === 0) enter(to);
          else this.#low[pc] = Math.min(this.#low[pc], this.#index[to]);
          continue;
        }
        work.pop();
        const above = work.at(-1);
        if (above !== undefined) this.#low[above.pc] = Math.min(this.#low[above.pc], this.#low[pc]);
        if (this.#low[pc] !== this.#index[pc]) continue;
        const component = stack.splice(stack.lastIndexOf(pc));
        for (const member of component) this.#open[member] = 0;
        found.push(component);
      }
    }
    return found.reverse();
  }
}
