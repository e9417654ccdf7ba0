import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadObject } from '../../src/bpf/index.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { Interpreter } from '../../src/bpf/interpreter.ts';
import { PacketRunner } from '../../src/bpf/packet-runner.ts';
import type { Program } from '../../src/bpf/program.ts';
import { type VerifierResult, verify } from '../../src/bpf/verifier/index.ts';
import { readSuite } from '../../src/bpf/verifier/suite/case.ts';
import { createWorld } from '../../src/bpf/world.ts';
import { kernelUnavailable } from '../support/kernel-bpf.ts';
import { NotConvertible } from '../support/kernel-form.ts';
import { KernelMaps } from '../support/kernel-map.ts';
import { Random } from '../support/random.ts';
import { randomFilter } from '../support/random-filter.ts';
import { exampleNames, examplesFolder } from './compilers.ts';
import { differencesTable, KERNEL_DIFFERENCES, NOT_ABOUT_MEMORY } from './kernel-differences.ts';
import { kernelOpinion, kernelOpinionOnEnd } from './kernel-opinion.ts';

const RANDOM_WITH_END = 1000;
const RANDOM_WITH_LENGTH = 500;
/** Instructions followed of a random filter: some loops end only after very many. */
const LIMIT = 100_000;

const suiteFolder = fileURLToPath(new URL('../../src/bpf/verifier/suite/', import.meta.url));
/** Older verifiers know less, and say it in other words than the list quotes. */
const OLDEST_LINUX = 6.18;

function unavailable(): string | undefined {
  const [major, minor] = release().split('.').map(Number);
  return 100 * major + minor < Math.round(100 * OLDEST_LINUX) ? `this is Linux ${release()}` : kernelUnavailable();
}

const reason = unavailable();
const skipped = reason === undefined ? '' : ` (needs Linux ${OLDEST_LINUX}, bpf(2) and its capabilities: ${reason})`;
const used = new Set<string>();

/** What is wrong with the two verdicts; undefined when they agree, or the list says why they do not. */
function unexplained(name: string, program: Program, result: VerifierResult, objection: string | undefined): string[] {
  if (result.accepted === (objection === undefined)) return [];
  const ours = result.accepted ? 'accepts' : result.rejection.code.replace('BPF_VERIFIER_', '');
  const theirs = objection ?? 'accepts';
  const told = `${name}: Oko ${ours}, Linux ${theirs}`;
  const entry = KERNEL_DIFFERENCES.find(
    (each) =>
      each.ours === ours &&
      theirs.includes(each.theirs) &&
      (each.programs === undefined || each.programs.includes(name)),
  );
  if (entry === undefined) return [told];
  for (const program of entry.programs ?? ['any'])
    if (program === name || program === 'any') used.add(place(entry, program));
  if (!result.accepted) return [];
  if (entry.programs === undefined && !NOT_ABOUT_MEMORY.test(theirs))
    return [`${told}; of memory, explained for any program`];
  return [...violations(told, program, result.summary.longestPath)];
}

const place = (entry: (typeof KERNEL_DIFFERENCES)[number], program: string): string =>
  `${entry.ours} / ${entry.theirs} / ${program}`;

/** A third opinion where Linux refuses: the checking interpreter, on packets of every short length. */
function violations(told: string, program: Program, fuel: number): string[] {
  const world = createWorld(program);
  const runner = new PacketRunner(world, 256);
  const loaded = new Interpreter().load(program, world, { fuel });
  const random = new Random(1);
  for (let length = 0; length < 256; length++) {
    const packet = Uint8Array.from({ length }, () => (length % 2 === 0 ? random.u32() : random.below(8)));
    try {
      runner.run(loaded, packet);
    } catch (error) {
      return [`${told}; and ${String(error)}`];
    }
  }
  return [];
}

function converted<T>(work: () => T): T | 'not convertible' {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotConvertible) return 'not convertible';
    throw error;
  }
}

/** For a program that takes the packet's end in r2: Oko gives it the length. */
function withEnd(program: Program): Program {
  return {
    ...program,
    instructions: [instruction('add64_reg', { dst: 2, src: 1 }), ...program.instructions],
    functions: program.functions.map(({ pc, name }) => ({ pc: pc === 0 ? 0 : pc + 1, name })),
  };
}

interface Asked {
  readonly name: string;
  readonly program: Program;
  readonly limit?: number | undefined;
}

describe.skipIf(reason !== undefined)(
  `Linux's verifier is of the same opinion, or the list says why not${skipped}`,
  () => {
    const maps = new KernelMaps();
    afterAll(() => maps.close());

    /** How many were asked about, after all were found to be explained. */
    function compare(programs: Iterable<Asked>): { asked: number; accepted: number } {
      const wrong: string[] = [];
      let asked = 0;
      let accepted = 0;
      for (const { name, program, limit } of programs) {
        const result = verify(program, limit === undefined ? {} : { limit });
        const objection = converted(() => kernelOpinion(program, result, maps));
        if (objection === 'not convertible') continue;
        asked++;
        if (result.accepted) accepted++;
        wrong.push(...unexplained(name, program, result, objection));
      }
      expect(wrong).toEqual([]);
      return { asked, accepted };
    }

    it('on the cases of the suite', () => {
      const files = readdirSync(suiteFolder).filter((file) => file.endsWith('.suite'));
      const { asked } = compare(files.flatMap((file) => readSuite(`${suiteFolder}${file}`)));
      expect(asked).toBeGreaterThan(400);
    });

    it('on the examples', () => {
      const examples = exampleNames.map((name) => {
        const object = new Uint8Array(readFileSync(`${examplesFolder}${name}.o`));
        return { name, program: loadObject(object).select() };
      });
      // Two use a Bloom filter and a sketch, which Linux has not, or not so.
      expect(compare(examples)).toEqual({ asked: exampleNames.length - 2, accepted: exampleNames.length - 2 });
    });

    it(`on ${RANDOM_WITH_LENGTH} random filters that compare with the length`, () => {
      const filters = Array.from({ length: RANDOM_WITH_LENGTH }, (_, seed) => ({
        name: `length ${seed}`,
        program: randomFilter({ seed, linux: 'length' }),
        limit: LIMIT,
      }));
      const { asked, accepted } = compare(filters);
      expect(asked).toBeGreaterThan(0.95 * RANDOM_WITH_LENGTH);
      expect(accepted / asked).toBeGreaterThan(0.5);
      expect(accepted / asked).toBeLessThan(0.9);
    });

    it(`on ${RANDOM_WITH_END} random filters that compare with the end of the packet, as Linux's programs do`, () => {
      const wrong: string[] = [];
      let accepted = 0;
      for (let seed = 0; seed < RANDOM_WITH_END; seed++) {
        const program = randomFilter({ seed, linux: 'end' });
        const own = withEnd(program);
        const result = verify(own, { limit: LIMIT });
        if (result.accepted) accepted++;
        wrong.push(...unexplained(`end ${seed}`, own, result, kernelOpinionOnEnd(program, result)));
      }
      expect(wrong).toEqual([]);
      expect(accepted / RANDOM_WITH_END).toBeGreaterThan(0.5);
    });

    it('and the list has nothing that no program needs', () => {
      const listed = KERNEL_DIFFERENCES.flatMap((entry) =>
        (entry.programs ?? ['any']).map((program) => place(entry, program)),
      );
      expect(listed.filter((each) => !used.has(each))).toEqual([]);
    });
  },
);

it('docs/verifier.md shows the list of differences as it is', () => {
  expect(readFileSync(new URL('../../docs/verifier.md', import.meta.url), 'utf8')).toContain(differencesTable());
});
