import type { FlowGraph } from './flow-graph.ts';

/**
 * The dominator tree of a reducible graph, in time O(edges × log nodes).
 *
 * Retreating edges are left out: in a reducible graph they add no dominators, and without them the immediate dominator
 * of a node is the lowest common ancestor of its predecessors, all of which come earlier in the order. Ancestors are
 * found over jump pointers (Myers, "An applicative random-access stack", 1983): each node keeps its parent and one
 * farther ancestor, so that a walk takes logarithmic steps.
 */
export class DominatorTree {
  /** Immediate dominator by node; the entry is its own; -1 where unreachable. */
  readonly parent: Int32Array;
  readonly #jump: Int32Array;
  readonly #depth: Int32Array;
  /** Whether every retreating edge leads to a node that dominates its source; only then is the tree meaningful. */
  readonly reducible: boolean;

  constructor(graph: FlowGraph, order: readonly number[], position: Int32Array) {
    const count = graph.length;
    this.parent = new Int32Array(count).fill(-1);
    this.#jump = new Int32Array(count);
    this.#depth = new Int32Array(count);
    this.parent[0] = 0;
    for (const node of order) {
      // All forward predecessors were met, so `parent` holds their common ancestor: fix the node's place in the tree.
      if (node !== 0) this.#hang(node, this.parent[node]);
      for (const successor of graph[node]) {
        if (position[successor] <= position[node]) continue;
        const known = this.parent[successor];
        this.parent[successor] = known < 0 ? node : this.#commonAncestor(known, node);
      }
    }
    this.reducible = order.every((node) =>
      graph[node].every(
        (successor) => position[successor] > position[node] || this.#commonAncestor(successor, node) === successor,
      ),
    );
  }

  #hang(node: number, parent: number): void {
    const depth = this.#depth;
    const jump = this.#jump;
    depth[node] = depth[parent] + 1;
    const far = jump[parent];
    const equalStrides = depth[parent] - depth[far] === depth[far] - depth[jump[far]];
    jump[node] = equalStrides ? jump[far] : parent;
  }

  #commonAncestor(one: number, other: number): number {
    const depth = this.#depth;
    const jump = this.#jump;
    let a = one;
    let b = other;
    if (depth[a] < depth[b]) [a, b] = [b, a];
    const level = depth[b];
    while (depth[a] > level) {
      const far = jump[a];
      a = depth[far] >= level ? far : this.parent[a];
    }
    // Nodes of equal depth have jumps of equal length, so both sides move in step.
    while (a !== b) {
      const farA = jump[a];
      const farB = jump[b];
      if (farA !== farB) {
        a = farA;
        b = farB;
      } else {
        a = this.parent[a];
        b = this.parent[b];
      }
    }
    return a;
  }
}
