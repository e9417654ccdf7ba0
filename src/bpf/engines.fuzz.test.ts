import { expect, test } from 'vitest';
import { runs } from '../../test/support/property-runs.ts';
import { Random } from '../../test/support/random.ts';
import { RANDOM_MAPS } from '../../test/support/random-program.ts';
import { bytecodeProgram } from './bytecode-program.ts';
import { decodeProgram, encodeProgram } from './codec.ts';
import { WasmCompiler } from './compiler/index.ts';
import type { Engine, World } from './engine.ts';
import { EpochClock } from './epoch.ts';
import { BpfError } from './errors.ts';
import { instruction, wideConstant } from './instruction.ts';
import { Interpreter } from './interpreter.ts';
import { INSTRUCTION_FORMS } from './isa.ts';
import { createMap } from './maps/create.ts';
import { EbpfMemory, WASM_PAGE, WINDOW_GUARD } from './memory.ts';
import { PacketRunner } from './packet-runner.ts';
import type { Instruction } from './program.ts';
import { EbpfThread } from './thread.ts';

const WINDOW_BITS = 18;
const FUEL = 500;
/** What the window's owner keeps above window and guard. */
const PRECIOUS = 2 ** WINDOW_BITS + WINDOW_GUARD;
const PRECIOUS_BYTES = 65_536;

/** An engine in a world that is as new before every program, and the same for every engine. */
class Stage {
  readonly #engine: Engine;
  readonly #world: World;
  readonly #runner: PacketRunner;
  readonly #untouched: Uint8Array;

  constructor(engine: Engine) {
    const wasmMemory = new WebAssembly.Memory({ initial: (PRECIOUS + PRECIOUS_BYTES) / WASM_PAGE });
    const memory = new EbpfMemory({ memory: wasmMemory, windowBits: WINDOW_BITS });
    const clock = EpochClock.create(memory, 1);
    const maps = RANDOM_MAPS.map((definition, i) => createMap(memory, clock, definition, BigInt(i)));
    this.#engine = engine;
    this.#world = { memory, clock, maps, thread: EbpfThread.create(memory, 0) };
    this.#runner = new PacketRunner(this.#world, 64);
    memory.bytes.fill(0xa5, PRECIOUS);
    this.#untouched = memory.bytes.slice();
  }

  /** How a program from bytes ends: its result, or the code of the error. Anything but a BpfError escapes. */
  outcome(bytes: Uint8Array): string {
    const { memory } = this.#world;
    memory.bytes.set(this.#untouched);
    try {
      const program = bytecodeProgram(decodeProgram(bytes), { maps: RANDOM_MAPS });
      const loaded = this.#engine.load(program, this.#world, { fuel: FUEL });
      const r0 = this.#runner.run(loaded, bytes.subarray(0, 64));
      return `r0 = ${r0}`;
    } catch (error) {
      if (error instanceof BpfError) return error.code;
      throw error;
    } finally {
      expect(Buffer.compare(memory.bytes.subarray(PRECIOUS), this.#untouched.subarray(PRECIOUS))).toBe(0);
    }
  }
}

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

test('programs of any instructions are refused by name or run within their fuel; what runs cleanly gives the same compiled', () => {
  const interpreter = new Stage(new Interpreter());
  const compiler = new Stage(new WasmCompiler());
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < runs(10_000); seed++) {
    const random = new Random(seed);
    const bytes = encodeProgram(wildInstructions(random));
    if (random.oneIn(4)) bytes[random.below(bytes.length)] = random.u32();
    const expected = interpreter.outcome(bytes);
    const actual = compiler.outcome(bytes);
    const refused = actual.startsWith('BPF_') && actual !== 'BPF_FUEL_EXHAUSTED';
    // The compiler looks at all of a program, the interpreter at where it comes; and they count fuel in other units.
    if (expected.startsWith('r0') && !refused) expect({ seed, outcome: actual }).toEqual({ seed, outcome: expected });
    const kind = expected.replace(/ = .*/, '');
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
  // Each of the ways to end was taken.
  for (const kind of ['r0', 'BPF_VIOLATION', 'BPF_FUEL_EXHAUSTED', 'BPF_UNSUPPORTED', 'BPF_UNKNOWN_OPCODE'])
    expect(outcomes.get(kind), kind).toBeGreaterThan(0);
});

test('programs of any bytes', () => {
  const stages = [new Stage(new Interpreter()), new Stage(new WasmCompiler())];
  for (let seed = 0; seed < runs(10_000); seed++) {
    const random = new Random(seed);
    const bytes = Uint8Array.from({ length: random.below(100) }, () => random.u32());
    for (const stage of stages) stage.outcome(bytes);
  }
});
