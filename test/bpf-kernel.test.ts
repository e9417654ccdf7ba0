import { describe, expect, test } from 'vitest';
import { CONFORMANCE_CASES, conformancePacket, conformanceProgram } from '../src/bpf/conformance/index.ts';
import { Interpreter } from '../src/bpf/interpreter.ts';
import { EbpfMemory } from '../src/bpf/memory.ts';
import { PacketRunner } from '../src/bpf/packet-runner.ts';
import { createWorld } from '../src/bpf/world.ts';
import { kernelUnavailable } from './support/kernel-bpf.ts';
import { runInKernel } from './support/kernel-engine.ts';
import { runs } from './support/property-runs.ts';
import { Random } from './support/random.ts';
import { RANDOM_PACKET_BYTES, randomProgram } from './support/random-program.ts';

const reason = kernelUnavailable();
const skipped = reason === undefined ? '' : ` (needs bpf(2): ${reason})`;

describe.skipIf(reason !== undefined)(`the kernel agrees with the interpreter${skipped}`, () => {
  const world = createWorld({ maps: [] }, { memory: EbpfMemory.standalone({ windowBits: 18 }) });
  const runner = new PacketRunner(world, 256);

  test('the conformance suite holds', () => {
    const cases = Object.values(CONFORMANCE_CASES).flat();
    let asked = 0;
    for (const each of cases) {
      if (each.notInLinux !== undefined) continue;
      asked++;
      const r0 = runInKernel(conformanceProgram(each), conformancePacket(each));
      expect({ name: each.name, r0 }).toEqual({ name: each.name, ...each.expect });
    }
    expect(asked).toBeGreaterThan(1500);
  });

  test('random programs give the same r0', () => {
    for (let seed = 0; seed < runs(1000); seed++) {
      const random = new Random(seed);
      const program = randomProgram({ seed, kernel: true });
      const packet = Uint8Array.from({ length: RANDOM_PACKET_BYTES + random.below(40) }, () => random.u32());
      const expected = runner.run(new Interpreter().load(program, world, { fuel: 100_000 }), packet);
      expect(runInKernel(program, packet), `seed ${seed}`).toBe(expected);
    }
  });
});
