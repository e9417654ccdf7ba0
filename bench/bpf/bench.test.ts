import { describe, expect, test } from 'vitest';
import { BATCH, Bed } from './bed.ts';
import { expectEqualResults } from './equal-results.ts';
import { hasCompiler, nativeRunner } from './native-runner.ts';
import { interpreterRunner, wasmRunner } from './own-runners.ts';
import { scenarios } from './scenario.ts';

const PACKETS = 8 * BATCH;

describe.each(scenarios([1, 50]))('$filter with $flows flows', (scenario) => {
  const bed = new Bed(scenario);
  const wasm = wasmRunner(scenario);
  const run = (runner: typeof wasm): typeof wasm => {
    runner.run(bed.opening.address, bed.opening.count);
    runner.run(bed.measured.address, PACKETS);
    return runner;
  };

  test('compiled and interpreted give the same results and maps', () => {
    expectEqualResults(scenario, bed, run(wasm), run(interpreterRunner(scenario)));
  });

  test.skipIf(!hasCompiler())('compiled by Oko and by gcc give the same results and maps (needs gcc)', () => {
    expectEqualResults(scenario, bed, wasm, run(nativeRunner(scenario)));
  });

  test('takes the way that it is to measure: packets pass', () => {
    const results = bed.results(wasm.bytes).subarray(0, PACKETS);
    const passed = results.filter((r0) => r0 === 1n).length;
    // The fingerprints are counted, none is listed; the diagnosis sees a retransmission in every repeated packet with payload.
    if (scenario.filter === 'tcp-fingerprint') expect(passed).toBe(0);
    else expect(passed).toBeGreaterThan(PACKETS / 4);
  });
});
