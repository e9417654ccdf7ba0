import { expect, test } from 'vitest';
import { runs } from '../../test/support/property-runs.ts';
import { Random } from '../../test/support/random.ts';
import { RANDOM_MAPS } from '../../test/support/random-program.ts';
import { bytecodeProgram } from './bytecode-program.ts';
import { decodeProgram, encodeProgram } from './codec.ts';
import { BpfError } from './errors.ts';
import { instruction, wideConstant } from './instruction.ts';
import { Interpreter } from './interpreter.ts';
import { INSTRUCTION_FORMS } from './isa.ts';
import { EbpfMemory } from './memory.ts';
import { PacketRunner } from './packet-runner.ts';
import type { Instruction } from './program.ts';
import { createWorld } from './world.ts';

const world = createWorld({ maps: RANDOM_MAPS }, { memory: EbpfMemory.standalone({ windowBits: 18 }) });
const runner = new PacketRunner(world, 64);
const interpreter = new Interpreter();
const FUEL = 500;

const implemented = INSTRUCTION_FORMS.filter(
  (form) =>
    !(form.kind === 'lddw' && !['imm', 'map', 'map-value'].includes(form.value)) &&
    !(form.kind === 'call' && !['helper', 'local'].includes(form.target)),
);

/** Any instructions, with operands that often make sense. */
function wildInstructions(random: Random): Instruction[] {
  const number = () => (random.oneIn(3) ? random.u32() | 0 : random.below(64) - 32);
  const register = () => (random.oneIn(2) ? random.below(11) : random.pick([0, 1, 2, 10]));
  const code: Instruction[] = [];
  for (let left = 1 + random.below(40); left > 0; left--) {
    const form = random.pick(random.oneIn(100) ? INSTRUCTION_FORMS : implemented);
    const offset = (number() << 16) >> 16;
    const imm = form.kind === 'call' && random.oneIn(2) ? random.below(8) : number();
    const made = instruction(form, { dst: random.oneIn(50) ? 10 : register() % 10, src: register(), offset, imm });
    code.push(made);
    if (form.kind !== 'lddw') continue;
    const high = form.value === 'imm' ? random.u32() : form.value === 'map-value' ? random.below(8) : 0;
    code.push(wideConstant(0, BigInt(high) << 32n)[1]);
  }
  return code;
}

/** How a program from bytes ends: a result, or the code of the error. Anything but a BpfError escapes. */
function outcome(bytes: Uint8Array): string {
  try {
    const program = bytecodeProgram(decodeProgram(bytes), { maps: RANDOM_MAPS });
    const loaded = interpreter.load(program, world, { fuel: FUEL });
    try {
      runner.run(loaded, bytes.subarray(0, 64));
      return 'ran';
    } finally {
      expect(loaded.executed).toBeLessThanOrEqual(FUEL);
    }
  } catch (error) {
    if (error instanceof BpfError) return error.code;
    throw error;
  }
}

test('programs of any instructions are refused by name or run within their fuel', () => {
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < runs(10_000); seed++) {
    const random = new Random(seed);
    const bytes = encodeProgram(wildInstructions(random));
    if (random.oneIn(4)) bytes[random.below(bytes.length)] = random.u32();
    const which = outcome(bytes);
    outcomes.set(which, (outcomes.get(which) ?? 0) + 1);
  }
  // Each of the ways to end was taken.
  for (const which of ['ran', 'BPF_VIOLATION', 'BPF_FUEL_EXHAUSTED', 'BPF_UNSUPPORTED', 'BPF_UNKNOWN_OPCODE'])
    expect(outcomes.get(which), which).toBeGreaterThan(0);
});

test('programs of any bytes', () => {
  for (let seed = 0; seed < runs(10_000); seed++) {
    const random = new Random(seed);
    outcome(Uint8Array.from({ length: random.below(100) }, () => random.u32()));
  }
});
