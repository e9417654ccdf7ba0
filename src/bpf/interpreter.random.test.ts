import { expect, test } from 'vitest';
import { runs } from '../../test/support/property-runs.ts';
import { Random } from '../../test/support/random.ts';
import { RANDOM_MAPS, randomProgram } from '../../test/support/random-program.ts';
import { Interpreter } from './interpreter.ts';
import { EbpfMemory } from './memory.ts';
import { PacketRunner } from './packet-runner.ts';
import { createWorld } from './world.ts';

const world = createWorld({ maps: RANDOM_MAPS }, { memory: EbpfMemory.standalone({ windowBits: 20 }) });
const runner = new PacketRunner(world, 256);
const interpreter = new Interpreter();

test('sane random programs run to their end without a violation', () => {
  const results = new Set<bigint>();
  let longest = 0;
  for (let seed = 0; seed < runs(2000); seed++) {
    const random = new Random(seed);
    const program = interpreter.load(randomProgram({ seed }), world, { fuel: 20_000 });
    const packet = Uint8Array.from({ length: random.below(100) }, () => random.u32());
    try {
      results.add(runner.run(program, packet));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    longest = Math.max(longest, program.executed);
  }
  expect(results.size).toBeGreaterThan(runs(2000) / 2);
  expect(longest).toBeGreaterThan(300);
});
