import { expect, test } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { Random } from '../../../test/support/random.ts';
import { RANDOM_MAPS } from '../../../test/support/random-program.ts';
import type { World } from '../engine.ts';
import { EpochClock } from '../epoch.ts';
import { BpfError } from '../errors.ts';
import { instruction } from '../instruction.ts';
import { INSTRUCTION_FORMS, type InstructionForm } from '../isa.ts';
import { createMap } from '../maps/create.ts';
import { EbpfMemory, WASM_PAGE, WINDOW_GUARD } from '../memory.ts';
import type { Instruction, Program } from '../program.ts';
import { EbpfThread } from '../thread.ts';
import { WasmCompiler } from './compiler.ts';

const WINDOW_BITS = 18;
const OUTSIDE = 2 ** WINDOW_BITS + WINDOW_GUARD;
const OUTSIDE_BYTES = 4 * WASM_PAGE;
const PATTERN = 0xa5;

const forms = INSTRUCTION_FORMS.filter((form) => {
  if (form.kind === 'lddw') return form.value === 'imm' || form.value === 'map';
  return form.kind !== 'call' || form.target === 'helper' || form.target === 'local';
});
const accesses: readonly InstructionForm[] = forms.filter((form) => ['load', 'store', 'atomic'].includes(form.kind));

/** Addresses that lead out of a window, if anything does. */
const WILD = [
  0n,
  -1n,
  -8n,
  2n ** BigInt(WINDOW_BITS) - 1n,
  2n ** BigInt(WINDOW_BITS),
  BigInt(OUTSIDE),
  BigInt(OUTSIDE) + 4096n,
  BigInt(OUTSIDE + OUTSIDE_BYTES) - 1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 4n,
  2n ** 32n + BigInt(OUTSIDE),
  2n ** 63n,
];

/** Anything that a decoder lets pass, with jumps that stay inside: what an attacker could load if the verifier had a hole. */
function hostileProgram(seed: number): Program {
  const random = new Random(seed);
  const length = 8 + random.below(60);
  const instructions: Instruction[] = [];
  while (instructions.length < length) {
    const register = (): number => random.below(11);
    // A program that writes r10 is refused before it starts.
    const writable = (): number => random.below(10);
    if (random.oneIn(5)) {
      const address = BigInt.asUintN(64, random.pick(WILD) + BigInt(random.below(64) - 32));
      instructions.push(
        { opcode: 0x18, dst: writable(), src: 0, offset: 0, imm: Number(BigInt.asIntN(32, address)) },
        { opcode: 0, dst: 0, src: 0, offset: 0, imm: Number(BigInt.asIntN(32, address >> 32n)) },
      );
      continue;
    }
    const form = random.oneIn(3) ? random.pick(accesses) : random.pick(forms);
    const offset =
      form.kind === 'jump' || form.kind === 'goto'
        ? random.below(length + 1) - instructions.length - 1
        : random.pick([0, 0, 1, 8, -8, -512, -520, 508, 511, 32767, -32768, random.below(65536) - 32768]);
    let imm = random.oneIn(2) ? random.u32() | 0 : random.below(128);
    if (form.kind === 'call')
      imm = form.target === 'helper' ? 1 + random.below(7) : random.below(length) - instructions.length;
    if (form.kind === 'goto') imm = offset;
    if (form.kind === 'lddw') imm = random.below(RANDOM_MAPS.length);
    const dst = ['store', 'jump', 'atomic'].includes(form.kind) ? register() : writable();
    const src = form.kind === 'atomic' ? writable() : register();
    instructions.push(instruction(form, { dst, src, offset, imm }));
    if (form.kind === 'lddw') instructions.push({ opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 });
  }
  instructions.push(instruction('exit'));
  return { name: `hostile-${seed}`, instructions, maps: RANDOM_MAPS, functions: [{ pc: 0, name: 'entry' }], lines: [] };
}

/** A window at the start of a memory that goes on behind it. */
function worldWithin(shared: boolean): World {
  const pages = (OUTSIDE + OUTSIDE_BYTES) / WASM_PAGE;
  const memory = new EbpfMemory({
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared }),
    windowBits: WINDOW_BITS,
  });
  memory.bytes.fill(PATTERN, OUTSIDE);
  const clock = EpochClock.create(memory, 1);
  const thread = EbpfThread.create(memory, 0);
  const maps = RANDOM_MAPS.map((definition) => createMap(memory, clock, definition, 1n));
  return { memory, clock, thread, maps };
}

test.each([
  { memory: 'memory of one thread', shared: false },
  { memory: 'shared memory', shared: true },
])('no program reaches beyond the window, and none traps: $memory', ({ shared }) => {
  let world = worldWithin(shared);
  const compiler = new WasmCompiler();
  const untouched = new Uint8Array(OUTSIDE_BYTES).fill(PATTERN);
  const outcomes = { refused: 0, ended: 0, outOfFuel: 0 };
  for (let seed = 0; seed < runs(2000); seed++) {
    // A program may well have spoilt its maps and their locks; the next one starts afresh now and then.
    if (seed % 25 === 0) world = worldWithin(shared);
    for (const map of world.maps) clearLocks(world, map.address, map.layout.data);
    const program = hostileProgram(seed);
    try {
      const loaded = compiler.load(program, world, { fuel: 200 });
      loaded.run(world.maps[1].address, 64);
      outcomes.ended++;
    } catch (error) {
      if (!(error instanceof BpfError)) throw new Error(`seed ${seed}`, { cause: error });
      if (error.code === 'BPF_FUEL_EXHAUSTED') outcomes.outOfFuel++;
      else outcomes.refused++;
    }
    expect({ seed, untouched: Buffer.compare(world.memory.bytes.subarray(OUTSIDE), untouched) === 0 }).toEqual({
      seed,
      untouched: true,
    });
  }
  // The test must not pass because nothing ran.
  expect(outcomes.ended).toBeGreaterThan(runs(2000) / 4);
  expect(outcomes.outOfFuel).toBeGreaterThan(0);
});

/** A lock that a wild store has taken would be waited for for ever. */
function clearLocks(world: World, address: number, data: number): void {
  world.memory.bytes.fill(0, address + 128, address + data);
}
