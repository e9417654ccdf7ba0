import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlowGraph, type Label, ModuleBuilder, Op, reversePostorder, structurize, ValueType } from './index.ts';

const { i32 } = ValueType;
const MAX_STEPS = 60;

class StepsSpent extends Error {}

/** Compiles a graph whose nodes ask `visit(node)` which successor to take; every third of two successors branches by itself. */
function compile(graph: FlowGraph): (visit: (node: number) => number) => void {
  const branchesByItself = (node: number): boolean => node % 3 === 0 && graph[node]?.length === 2;
  const module = new ModuleBuilder();
  const visit = module.importFunction('env', 'visit', module.functionType([i32], [i32]));
  const code = module.defineFunction(module.functionType([], []));
  const emit = (node: number, negated: boolean, otherwise?: Label): void => {
    code.i32Const(node);
    code.call(visit);
    const successors = graph[node]?.length ?? 0;
    if (successors === 0) {
      code.op(Op.drop);
      code.op(Op.return);
    } else if (successors === 1) {
      code.op(Op.drop);
    } else if (otherwise !== undefined) {
      code.brIf(otherwise);
    } else if (successors === 2) {
      // Successor 0 is the one for a non-zero condition.
      if (!negated) code.op(Op.i32Eqz);
    }
  };
  structurize(graph, code, emit, branchesByItself);
  code.op(Op.unreachable);
  module.exportFunction('run', code.index);
  const compiled = new WebAssembly.Module(module.encode());
  return (choose) => {
    const instance = new WebAssembly.Instance(compiled, { env: { visit: choose } });
    (instance.exports.run as () => void)();
  };
}

/** A generator of choices that depends on the path so far. */
function chooser(graph: FlowGraph, seed: number, trace: number[]): (node: number) => number {
  let state = seed | 1;
  return (node) => {
    trace.push(node);
    if (trace.length >= MAX_STEPS) throw new StepsSpent();
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % Math.max(1, graph[node]?.length ?? 1);
  };
}

function walk(graph: FlowGraph, visit: (node: number) => number): void {
  let node: number | undefined = 0;
  while (node !== undefined) {
    const choice: number = visit(node);
    node = graph[node]?.[choice];
  }
}

function traceOf(run: (visit: (node: number) => number) => void, graph: FlowGraph, seed: number): number[] {
  const trace: number[] = [];
  try {
    run(chooser(graph, seed, trace));
  } catch (error) {
    if (!(error instanceof StepsSpent)) throw error;
  }
  return trace;
}

function expectSameTraces(graph: FlowGraph, seeds: readonly number[]): void {
  const run = compile(graph);
  for (const seed of seeds)
    expect(traceOf(run, graph, seed)).toEqual(traceOf((visit) => walk(graph, visit), graph, seed));
}

const anyGraph = fc
  .integer({ min: 1, max: 14 })
  .chain((count) =>
    fc.array(
      fc.oneof(
        { weight: 1, arbitrary: fc.array(fc.nat(count - 1), { maxLength: 5 }) },
        { weight: 4, arbitrary: fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 2 }) },
      ),
      { minLength: count, maxLength: count },
    ),
  );

/** Forward edges anywhere, backward edges only to a node on the dominator chain of a straight spine: mostly reducible. */
const spineGraph = fc.integer({ min: 2, max: 20 }).chain((count) =>
  fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(9)), { minLength: count, maxLength: count }).map((choices) =>
    choices.map(([a, b, kind], node): number[] => {
      if (node === count - 1) return [];
      const forward = node + 1 + (a % (count - 1 - node));
      if (kind < 4) return [forward];
      if (kind < 8) return [forward, node + 1];
      return [node - (b % (node + 1)), node + 1];
    }),
  ),
);

const seeds = fc.array(fc.integer(), { minLength: 4, maxLength: 4 });

describe('structurize', () => {
  it.each<[string, FlowGraph]>([
    ['one node', [[]]],
    ['a straight line', [[1], [2], []]],
    ['a diamond', [[1, 2], [3], [3], []]],
    ['a condition with equal arms', [[1, 1], []]],
    ['a loop to itself', [[0]]],
    ['a loop to itself with a way out', [[0, 1], []]],
    ['nested loops', [[1], [2, 5], [3], [2, 4], [1, 5], []]],
    ['a common exit', [[1, 5], [2, 5], [3, 5], [4, 5], [], []]],
    ['a switch', [[1, 2, 3, 1, 4], [4], [4, 0], [], []]],
    ['a switch inside of a loop', [[1], [1, 2, 3, 0], [1], []]],
    ['the smallest irreducible graph', [[1, 2], [2], [1, 3], []]],
    ['an irreducible loop of three entries', [[1, 2, 3], [2], [3], [1, 4], []]],
    ['irreducible inside of irreducible', [[1, 2], [3, 4], [1, 5], [4], [3, 2], [1, 6], []]],
    ['an unreachable node', [[2], [2], []]],
    ['an unreachable way into a loop', [[2, 3], [3], [3], [2, 4], [0, 5], []]],
  ])('runs %s as the graph says', (_, graph) => {
    expectSameTraces(graph, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  const scale = process.env.OKO_LONG === '1' ? 20 : 1;

  it('runs any graph as the graph says', () => {
    fc.assert(
      fc.property(anyGraph, seeds, (graph, choices) => expectSameTraces(graph, choices)),
      { numRuns: 1000 * scale },
    );
  });

  it('runs graphs shaped like programs as the graph says', () => {
    fc.assert(
      fc.property(spineGraph, seeds, (graph, choices) => expectSameTraces(graph, choices)),
      { numRuns: 1000 * scale },
    );
  });

  it.each<[string, (node: number, count: number) => number[]]>([
    ['branches to one exit', (node, count) => [count - 1, node + 1]],
    ['diamonds in a row', (node) => (node % 3 === 0 ? [node + 1, node + 2] : node % 3 === 1 ? [node + 2] : [node + 1])],
    ['loops in a row', (node) => [node, node + 1]],
    ['loops in loops', (node, count) => (node < count / 2 ? [node + 1] : [count - 1 - node, node + 1])],
  ])('compiles 30,000 nodes of %s without recursion', (_, successors) => {
    const count = 30_000;
    const graph = Array.from({ length: count }, (_, node) =>
      node < count - 2 ? successors(node, count) : node === count - 2 ? [count - 1] : [],
    );
    const module = new ModuleBuilder();
    const code = module.defineFunction(module.functionType([], []));
    let emitted = 0;
    structurize(graph, code, (node) => {
      emitted++;
      if (graph[node]?.length === 0) code.op(Op.return);
      else if (graph[node]?.length === 2) code.i32Const(0);
    });
    code.op(Op.unreachable);
    expect(emitted).toBe(reversePostorder(graph).length);
    expect(code.length).toBeLessThan(20 * count);
    expect(module.encode().length).toBeGreaterThan(code.length);
  });
});
