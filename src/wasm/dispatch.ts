import type { FlowGraph } from './flow-graph.ts';

/** A node that `addDispatchers` put in: it either remembers where to go, or goes there. */
export type DispatchNode =
  | { readonly kind: 'select'; readonly dispatcher: number; readonly value: number }
  | { readonly kind: 'dispatch'; readonly dispatcher: number };

export interface DispatchedGraph {
  /** The given nodes with their numbers kept, then the added ones. */
  readonly graph: FlowGraph;
  /** What the added nodes do; the first is node `graph.length - added.length`. */
  readonly added: readonly DispatchNode[];
  readonly dispatcherCount: number;
}

/** The value that makes a dispatch node with `count` successors take the one at `index`. */
const selector = (index: number, count: number): number => (count === 2 ? 1 - index : index);

/**
 * Makes a graph reducible. A loop with several entries gets a dispatch node in front: every edge to one of the entries
 * first selects it, then goes to the dispatch node, which thereby is the loop's only entry. Then the same inside of the
 * loop, whose edges to the header do not count there. `reachable` lists the nodes that the entry reaches: edges from
 * others enter nothing.
 */
export function addDispatchers(original: FlowGraph, reachable: readonly number[]): DispatchedGraph {
  const graph = original.map((successors) => [...successors]);
  const added: DispatchNode[] = [];
  let dispatcherCount = 0;
  const predecessors: number[][] = graph.map(() => []);
  for (const node of reachable) {
    for (const successor of graph[node]) predecessors[successor]?.push(node);
  }
  const addNode = (node: DispatchNode, successors: number[]): number => {
    added.push(node);
    predecessors.push([]);
    return graph.push(successors) - 1;
  };

  const regions: number[][] = [[...reachable]];
  for (let region = regions.pop(); region !== undefined; region = regions.pop()) {
    for (const loop of stronglyConnected(graph, region)) {
      if (loop.length < 2) continue;
      const inside = new Set(loop);
      const entries = loop.filter((node) => node === 0 || predecessors[node].some((source) => !inside.has(source)));
      if (entries.length < 2) {
        regions.push(loop.filter((node) => node !== entries[0]));
        continue;
      }
      const dispatcher = dispatcherCount++;
      const header = addNode({ kind: 'dispatch', dispatcher }, entries);
      entries.forEach((entry, index) => {
        const value = selector(index, entries.length);
        const sources = [...new Set(predecessors[entry])];
        predecessors[entry] = [header];
        // One selecting node for the edges from outside and one for those from inside, which belong to the loop.
        for (const side of [true, false]) {
          const from = sources.filter((source) => inside.has(source) === side);
          if (from.length === 0) continue;
          const select = addNode({ kind: 'select', dispatcher, value }, [header]);
          predecessors[header]?.push(select);
          predecessors[select] = from;
          for (const source of from) {
            const successors = graph[source];
            successors.forEach((successor, at) => {
              if (successor === entry) successors[at] = select;
            });
          }
        }
      });
      regions.push(loop);
    }
  }
  return { graph, added, dispatcherCount };
}

/** The strongly connected components of the part of a graph that `region` lists (Tarjan, without recursion). */
function stronglyConnected(graph: FlowGraph, region: readonly number[]): number[][] {
  const UNSEEN = -1;
  const number = new Map<number, number>(region.map((node) => [node, UNSEEN]));
  const lowest = new Map<number, number>();
  const pending = new Set<number>();
  const path: { node: number; next: number }[] = [];
  const open: number[] = [];
  const components: number[][] = [];
  let counter = 0;
  const enter = (node: number): void => {
    number.set(node, counter);
    lowest.set(node, counter);
    counter++;
    open.push(node);
    pending.add(node);
    path.push({ node, next: 0 });
  };
  for (const root of region) {
    if (number.get(root) !== UNSEEN) continue;
    enter(root);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const { node } = frame;
      const successor = graph[node]?.[frame.next++];
      if (successor !== undefined) {
        const seen = number.get(successor);
        if (seen === UNSEEN) enter(successor);
        else if (seen !== undefined && pending.has(successor)) {
          lowest.set(node, Math.min(lowest.get(node) as number, seen));
        }
        continue;
      }
      path.pop();
      const low = lowest.get(node) as number;
      const caller = path.at(-1)?.node;
      if (caller !== undefined) lowest.set(caller, Math.min(lowest.get(caller) as number, low));
      if (low !== number.get(node)) continue;
      const component: number[] = [];
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        component.push(member);
        pending.delete(member);
        if (member === node) break;
      }
      components.push(component);
    }
  }
  return components;
}
