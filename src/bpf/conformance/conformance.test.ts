import { describe, expect, test } from 'vitest';
import { WasmCompiler } from '../compiler/index.ts';
import type { Engine } from '../engine.ts';
import { Interpreter } from '../interpreter.ts';
import { coverage, coverageTable } from './coverage.ts';
import { CONFORMANCE_CASES, conformanceProgram, runCase } from './index.ts';

const engines: readonly (readonly [string, Engine])[] = [
  ['interpreter', new Interpreter()],
  ['wasm', new WasmCompiler()],
  ['wasm that keeps the stack', new WasmCompiler({ keepStack: true })],
];

describe.each(engines)('%s', (_name, engine) => {
  const { edges, ...tables } = CONFORMANCE_CASES;

  test('edge values of every arithmetic, jump and atomic instruction', () => {
    for (const each of edges)
      expect({ name: each.name, ...runCase(engine, each) }).toEqual({ name: each.name, ...each.expect });
  });

  for (const [kind, cases] of Object.entries(tables)) {
    // What compiled code makes of a violation is open.
    const asked = cases.filter((each) => engine.name === 'interpreter' || !('violation' in each.expect));
    if (asked.length > 0)
      test.each(asked.map((each) => [each.name, each] as const))(`${kind}: %s`, (_case, each) => {
        expect(runCase(engine, each)).toEqual(each.expect);
      });
  }
});

test('the suite has every instruction of the instruction set', () => {
  const programs = Object.values(CONFORMANCE_CASES)
    .flat()
    .map((each) => conformanceProgram(each).instructions);
  const rows = coverage(programs);
  console.log(coverageTable(rows));
  expect(rows.filter((row) => row.cases === 0)).toEqual([]);
});
