import { addDispatchers, type DispatchNode } from './dispatch.ts';
import { DominatorTree } from './dominator-tree.ts';
import { type FlowGraph, positions, reversePostorder } from './flow-graph.ts';
import type { FunctionCode, Label } from './function-code.ts';
import { Op, ValueType } from './opcode.ts';

/**
 * Writes the code of one node. Without successors it must end by leaving the function or the construct around it; with
 * one it just ends; with two it leaves an i32 on the stack, non-zero for the first successor (zero when `negated`);
 * with more, the index of the successor. A node that branches by itself runs on to its first successor, and goes to its
 * second by branches to `otherwise`.
 */
export type NodeEmitter = (node: number, negated: boolean, otherwise?: Label) => void;

const Task = { tree: 0, body: 1, endBlock: 2, endOther: 3 } as const;

/**
 * Writes a control flow graph as structured code: the dominator tree gives the nesting (Ramsey, "Beyond Relooper",
 * ICFP 2022). A node that several edges reach follows the `end` of a block, and they branch to it; a loop's header
 * opens a `loop`; any other node is written where its only edge comes from. An irreducible graph first gets dispatch
 * nodes. Neither recursive nor more than a logarithm away from linear in the size of a reducible graph.
 *
 * Control never reaches the code behind the last instruction written here, but a validator cannot see that: close a
 * function that has a result with `unreachable`.
 */
export function structurize(
  original: FlowGraph,
  code: FunctionCode,
  emitNode: NodeEmitter,
  branchesByItself: (node: number) => boolean = () => false,
): void {
  let graph = original;
  let order = reversePostorder(graph);
  let position = positions(order, graph.length);
  let dominators = new DominatorTree(graph, order, position);
  let emit = emitNode;
  if (!dominators.reducible) {
    const dispatched = addDispatchers(original, order);
    graph = dispatched.graph;
    order = reversePostorder(graph);
    position = positions(order, graph.length);
    dominators = new DominatorTree(graph, order, position);
    emit = dispatchEmitter(dispatched.added, dispatched.dispatcherCount, original.length, code, emitNode);
  }
  new StructuredWriter(graph, order, position, dominators, code, emit, branchesByItself).write();
}

function dispatchEmitter(
  added: readonly DispatchNode[],
  dispatcherCount: number,
  originalCount: number,
  code: FunctionCode,
  emitNode: NodeEmitter,
): NodeEmitter {
  const selected = Array.from({ length: dispatcherCount }, () => code.local(ValueType.i32));
  return (node, negated, otherwise) => {
    const dispatch = added[node - originalCount];
    if (dispatch === undefined) {
      emitNode(node, negated, otherwise);
      return;
    }
    const local = selected[dispatch.dispatcher];
    if (dispatch.kind === 'select') {
      code.i32Const(dispatch.value);
      code.localSet(local);
    } else {
      code.localGet(local);
      if (negated) code.op(Op.i32Eqz);
    }
  };
}

class StructuredWriter {
  readonly #graph: FlowGraph;
  readonly #position: Int32Array;
  readonly #code: FunctionCode;
  readonly #emitNode: NodeEmitter;
  readonly #branchesByItself: (node: number) => boolean;
  readonly #isLoopHeader: Uint8Array;
  /** Nodes that follow the end of a block, by the node that dominates them, latest in the order first. */
  readonly #following: number[][];
  readonly #isFollowing: Uint8Array;
  /** Where a branch to a node goes: the loop it heads, or the block it follows. */
  readonly #loopLabel: Int32Array;
  readonly #blockLabel: Int32Array;
  readonly #tasks: { kind: number; node: number }[] = [];

  constructor(
    graph: FlowGraph,
    order: readonly number[],
    position: Int32Array,
    dominators: DominatorTree,
    code: FunctionCode,
    emitNode: NodeEmitter,
    branchesByItself: (node: number) => boolean,
  ) {
    const count = graph.length;
    this.#graph = graph;
    this.#position = position;
    this.#code = code;
    this.#emitNode = emitNode;
    this.#branchesByItself = branchesByItself;
    this.#isLoopHeader = new Uint8Array(count);
    this.#isFollowing = new Uint8Array(count);
    this.#following = Array.from({ length: count }, () => []);
    this.#loopLabel = new Int32Array(count);
    this.#blockLabel = new Int32Array(count);
    const forwardEdges = new Int32Array(count);
    for (const node of order) {
      const successors = graph[node];
      successors.forEach((successor, i) => {
        // What is only reached by branches needs a block to branch out of: the arms of a switch, for one.
        const needsBlock = successors.length > 2 || (i === 1 && branchesByItself(node));
        if (this.#retreats(node, successor)) this.#isLoopHeader[successor] = 1;
        else forwardEdges[successor] += needsBlock ? 2 : 1;
      });
    }
    for (let i = order.length - 1; i > 0; i--) {
      const node = order[i];
      if (forwardEdges[node] < 2) continue;
      this.#isFollowing[node] = 1;
      this.#following[dominators.parent[node]]?.push(node);
    }
  }

  #retreats(from: number, to: number): boolean {
    return this.#position[to] <= this.#position[from];
  }

  write(): void {
    this.#tasks.push({ kind: Task.tree, node: 0 });
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      if (task.kind === Task.tree) this.#tree(task.node);
      else if (task.kind === Task.body) this.#body(task.node);
      else this.#code.end();
    }
  }

  /** A node with all that it dominates. */
  #tree(node: number): void {
    const tasks = this.#tasks;
    if (this.#isLoopHeader[node] === 1) {
      this.#loopLabel[node] = this.#code.loop();
      tasks.push({ kind: Task.endOther, node: -1 });
    }
    for (const follower of this.#following[node]) {
      this.#blockLabel[follower] = this.#code.block();
      tasks.push({ kind: Task.tree, node: follower }, { kind: Task.endBlock, node: follower });
    }
    tasks.push({ kind: Task.body, node });
  }

  /** The construct to branch to, or undefined when the target is written in place. */
  #label(from: number, to: number): Label | undefined {
    if (this.#retreats(from, to)) return this.#loopLabel[to];
    return this.#isFollowing[to] === 1 ? this.#blockLabel[to] : undefined;
  }

  /** Whether control that just runs on comes to `node`. */
  #isNext(from: number, node: number): boolean {
    const next = this.#tasks.at(-1);
    return next?.kind === Task.endBlock && next.node === node && !this.#retreats(from, node);
  }

  #body(node: number): void {
    const successors = this.#graph[node];
    const [first, second] = successors;
    if (first === undefined) {
      this.#emitNode(node, false);
    } else if (second === undefined) {
      this.#emitNode(node, false);
      this.#go(node, first);
    } else if (this.#branchesByItself(node)) {
      this.#emitNode(node, false, this.#label(node, second));
      this.#go(node, first);
    } else if (successors.length === 2) {
      this.#condition(node, first, second);
    } else {
      this.#emitNode(node, false);
      const labels = successors.map((successor) => this.#label(node, successor) as Label);
      this.#code.brTable(labels.slice(0, -1), labels.at(-1) as Label);
    }
  }

  #go(from: number, to: number): void {
    const label = this.#label(from, to);
    if (label === undefined) this.#tasks.push({ kind: Task.tree, node: to });
    else if (!this.#isNext(from, to)) this.#code.br(label);
  }

  #condition(node: number, taken: number, otherwise: number): void {
    const code = this.#code;
    const takenLabel = this.#label(node, taken);
    const otherwiseLabel = this.#label(node, otherwise);
    if (takenLabel !== undefined && (otherwiseLabel === undefined || !this.#isNext(node, taken))) {
      this.#emitNode(node, false);
      code.brIf(takenLabel);
      this.#go(node, otherwise);
    } else if (otherwiseLabel !== undefined) {
      this.#emitNode(node, true);
      code.brIf(otherwiseLabel);
      this.#go(node, taken);
    } else {
      // Neither tree runs on past its end, so the second needs no `else`.
      this.#emitNode(node, false);
      code.if();
      this.#tasks.push(
        { kind: Task.tree, node: otherwise },
        { kind: Task.endOther, node: -1 },
        { kind: Task.tree, node: taken },
      );
    }
  }
}
