import { assemble, type Program, verify } from '../../src/bpf/index.ts';
import { cpuNsOf, median } from '../stopwatch.ts';
import { SHAPES } from './shapes.ts';

/** 1365 branches are 4,096 instructions, about. */
const BRANCHES = [1365, 5000, 10_000];
const ROUNDS = 5;

/** With an access at the end that no path allows. */
function spoilt(program: Program): Program {
  return {
    ...program,
    instructions: [...program.instructions.slice(0, -1), ...assemble('r3 = *(u8 *)(r6 + 30000)\nexit')],
  };
}

const msOf = (program: Program): number => cpuNsOf(() => void verify(program)) / 1e6;

/** `npm run bench -- verifier [shape …]`: what verifying takes as programs grow, accepted and refused at the end. */
export function benchVerifier(names: readonly string[]): void {
  console.log(
    'processor time of verifying, first time, median of the next four, refused in the end, and what the process has grown by\n',
  );
  console.log(row(['program', 'branches', 'instructions', 'followed', 'states', 'first ms', 'ms', 'refused ms', 'MB']));
  for (const { name, build } of SHAPES.filter((shape) => names.length === 0 || names.includes(shape.name))) {
    for (const branches of BRANCHES) {
      const program = build(branches);
      const before = process.resourceUsage().maxRSS;
      const [first, ...others] = Array.from({ length: ROUNDS }, () => msOf(program));
      const grown = (process.resourceUsage().maxRSS - before) / 1024;
      const refused = msOf(spoilt(program));
      const result = verify(program);
      const counts = result.accepted ? [result.summary.visited, result.summary.states] : [result.rejection.code, ''];
      const times = [first, median(others), refused, grown].map((value) => value.toFixed(0));
      console.log(row([name, branches, program.instructions.length, ...counts, ...times]));
    }
  }
}

const WIDTHS = [12, 10, 14, 12, 10, 10, 8, 12, 8];
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(WIDTHS[i]) : String(cell).padStart(WIDTHS[i]))).join('');
