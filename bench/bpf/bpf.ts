import { cpuNsOf, geometricMean, median } from '../stopwatch.ts';
import { Bed } from './bed.ts';
import { benchCompile } from './compile.ts';
import { expectEqualResults } from './equal-results.ts';
import { KernelRefusal, kernelNs, kernelOverheadNs } from './kernel-runner.ts';
import { COMPILER, hasCompiler, nativeRunner } from './native-runner.ts';
import { interpreterRunner, wasmRunner } from './own-runners.ts';
import type { Runner } from './runner.ts';
import { type Scenario, scenarios } from './scenario.ts';

const FLOW_COUNTS = [1, 10_000];
const ROUNDS = 21;
/** A round runs the row of packets so often that it takes about this long. */
const ROUND_NS = 15e6;
const KERNEL_REPEATS = 200_000;
/** The interpreter is so slow that the first packets must do. */
const INTERPRETED_PACKETS = 2048;

interface Outcome {
  readonly scenario: Scenario;
  readonly wasmNs: number;
  readonly nativeNs: number | undefined;
  readonly interpreterNs: number;
  /** Of the kernel's JIT, with one flow, without what a test run costs; or why not. */
  readonly kernel: number | string | undefined;
  /** Median of the rounds' own quotients: what disturbs one of a pair mostly disturbs the other. */
  readonly ratio: number | undefined;
}

/** `npm run bench -- bpf [filter …]`: the filters of examples/, against gcc, the interpreter and Linux. */
export function benchBpf(names: readonly string[]): void {
  const outcomes: Outcome[] = [];
  if (!hasCompiler()) console.log(`(no ${COMPILER} here: only the own engines)`);
  console.log('ns of processor time a packet, medians; batches of 32\n');
  console.log(row(['filter', 'flows', 'wasm', COMPILER, 'ratio', 'interpreter', 'kernel']));
  for (const scenario of scenarios(FLOW_COUNTS, names.length > 0 ? names : undefined)) {
    const outcome = measure(scenario);
    outcomes.push(outcome);
    console.log(
      row([
        scenario.filter,
        String(scenario.flows),
        outcome.wasmNs.toFixed(2),
        outcome.nativeNs?.toFixed(2) ?? '-',
        outcome.ratio?.toFixed(3) ?? '-',
        outcome.interpreterNs.toFixed(0),
        typeof outcome.kernel === 'number' ? outcome.kernel.toFixed(0) : (outcome.kernel ?? ''),
      ]),
    );
  }
  const ratios = outcomes.flatMap(({ ratio }) => ratio ?? []);
  if (ratios.length > 0) console.log(`\ngeometric mean of wasm / ${COMPILER}: ${geometricMean(ratios).toFixed(3)}`);
  const faster = geometricMean(outcomes.map(({ wasmNs, interpreterNs }) => interpreterNs / wasmNs));
  console.log(`geometric mean of interpreter / wasm: ${faster.toFixed(0)}`);
  benchCompile(names.length > 0 ? names : undefined);
}

function kernelOutcome(scenario: Scenario): Outcome['kernel'] {
  if (scenario.flows !== 1) return undefined;
  try {
    return Math.max(0, kernelNs(scenario, KERNEL_REPEATS) - kernelOverheadNs(KERNEL_REPEATS));
  } catch (error) {
    if (error instanceof KernelRefusal) return `- (${error.message})`;
    throw error;
  }
}

const WIDTHS = [20, 7, 8, 8, 7, 12, 8];
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[i]) : cell.padStart(WIDTHS[i]))).join('');

function measure(scenario: Scenario): Outcome {
  const bed = new Bed(scenario);
  const { opening, measured } = bed;
  const wasm = wasmRunner(scenario);
  const native = hasCompiler() ? nativeRunner(scenario) : undefined;
  const interpreter = interpreterRunner(scenario);
  const compared = native === undefined ? [wasm] : [wasm, native];
  for (const runner of [...compared, interpreter]) runner.run(opening.address, opening.count);
  // Equal results first: of everyone over the first packets, then of the fast ones over all.
  for (const runner of [...compared, interpreter]) runner.run(measured.address, INTERPRETED_PACKETS);
  expectEqualResults(scenario, bed, wasm, interpreter);
  const interpreterNs = cpuNsOf(() => interpreter.run(measured.address, INTERPRETED_PACKETS)) / INTERPRETED_PACKETS;

  for (const runner of compared) runner.run(measured.address, measured.count);
  if (native !== undefined) expectEqualResults(scenario, bed, wasm, native);
  // Long enough for the optimising compiler to have finished.
  for (let i = 0; i < 30; i++) wasm.run(measured.address, measured.count);
  const once = cpuNsOf(() => wasm.run(measured.address, measured.count));
  const repeats = Math.max(1, Math.round(ROUND_NS / once));
  const nsOf = (runner: Runner): number =>
    cpuNsOf(() => {
      for (let i = 0; i < repeats; i++) runner.run(measured.address, measured.count);
    }) /
    (repeats * measured.count);
  for (const runner of compared) nsOf(runner);
  const rounds = Array.from({ length: ROUNDS }, (_, i) => {
    // Each goes first as often as the other.
    const order = i % 2 === 0 ? compared : [...compared].reverse();
    const times = new Map(order.map((runner) => [runner.name, nsOf(runner)]));
    return { wasm: times.get(wasm.name) ?? 0, native: times.get(native?.name ?? '') };
  });
  return {
    scenario,
    wasmNs: median(rounds.map((round) => round.wasm)),
    nativeNs: native === undefined ? undefined : median(rounds.map((round) => round.native ?? 0)),
    interpreterNs,
    kernel: kernelOutcome(scenario),
    ratio: native === undefined ? undefined : median(rounds.map((round) => round.wasm / (round.native ?? 1))),
  };
}
