/**
 * A control flow graph: the successors of each node, node 0 being the entry. Two successors are a condition (taken,
 * then not taken), more are a switch; a node may name the same successor twice.
 */
export type FlowGraph = readonly (readonly number[])[];

/** The nodes that the entry reaches, each before its successors except along retreating edges. */
export function reversePostorder(graph: FlowGraph): number[] {
  const visited = new Uint8Array(graph.length);
  const order: number[] = [];
  const stack: number[] = [0];
  const nextSuccessor = new Int32Array(graph.length);
  visited[0] = 1;
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    const successors = graph[node];
    const at = nextSuccessor[node];
    if (at === successors.length) {
      order.push(node);
      stack.pop();
      continue;
    }
    nextSuccessor[node] = at + 1;
    const successor = successors[at];
    if (visited[successor] === 0) {
      visited[successor] = 1;
      stack.push(successor);
    }
  }
  return order.reverse();
}

/** Each node's place in an order; -1 for a node that is not in it. */
export function positions(order: readonly number[], nodeCount: number): Int32Array {
  const position = new Int32Array(nodeCount).fill(-1);
  for (let i = 0; i < order.length; i++) position[order[i]] = i;
  return position;
}
