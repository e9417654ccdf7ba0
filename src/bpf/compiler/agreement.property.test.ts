import { describe, expect, test } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { Random } from '../../../test/support/random.ts';
import { RANDOM_MAPS, randomProgram } from '../../../test/support/random-program.ts';
import type { Engine, World } from '../engine.ts';
import { EpochClock } from '../epoch.ts';
import { Interpreter } from '../interpreter.ts';
import { createMap } from '../maps/create.ts';
import { EbpfMemory } from '../memory.ts';
import { EbpfThread, FRAME_BYTES, MAX_FRAMES, THREAD_BLOCK } from '../thread.ts';
import { WasmCompiler } from './compiler.ts';

const WINDOW_BITS = 18;
const PACKET_BYTES = 256;

interface Stage {
  readonly world: World;
  readonly packet: number;
}

/** A world whose bytes depend on nothing but what runs in it. */
function stage(shared: boolean, thread: number): Stage {
  const memory = EbpfMemory.standalone({ windowBits: WINDOW_BITS, shared });
  const clock = EpochClock.create(memory, 2);
  const threads = [EbpfThread.create(memory, 0), EbpfThread.create(memory, 1)];
  clock.enter(thread);
  const maps = RANDOM_MAPS.map((definition, i) =>
    createMap(memory, clock, definition, BigInt(i) * 0x9e3779b97f4a7c15n),
  );
  return { world: { memory, maps, clock, thread: threads[thread] }, packet: memory.allocate(PACKET_BYTES, 'packet') };
}

function run(engine: Engine, { world, packet }: Stage, seed: number): bigint | string {
  const random = new Random(seed ^ 0x5bd1e995);
  const bytes = Uint8Array.from({ length: random.below(PACKET_BYTES) }, () => random.u32());
  world.memory.bytes.set(bytes, packet);
  world.thread.timeNs = BigInt(random.u32()) << 20n;
  try {
    return engine.load(randomProgram({ seed, items: 1 + (seed % 12) }), world).run(packet, bytes.length);
  } catch (error) {
    return String(error);
  } finally {
    world.clock.advance(world.thread.index);
    if (random.oneIn(20)) world.thread.takePrints();
  }
}

/** The window's bytes that a program can tell apart from another's run. */
function observable({ world }: Stage, withStack: boolean): Uint8Array {
  const bytes = world.memory.bytes.subarray(0, 2 ** WINDOW_BITS);
  const { address } = world.thread;
  bytes.fill(0, address + THREAD_BLOCK.singleRun, address + THREAD_BLOCK.singleRun + 16);
  const stack = address + THREAD_BLOCK.stack;
  if (!withStack) bytes.fill(0, stack, stack + MAX_FRAMES * FRAME_BYTES);
  return bytes;
}

describe.each([
  { shared: false, keepStack: true, thread: 0 },
  { shared: false, keepStack: false, thread: 1 },
  { shared: true, keepStack: true, thread: 1 },
])('interpreter and compiler, $shared $keepStack', ({ shared, keepStack, thread }) => {
  test('give the same results and the same bytes for random programs', () => {
    const reference = stage(shared, thread);
    const compiled = stage(shared, thread);
    const interpreter = new Interpreter();
    const compiler = new WasmCompiler({ keepStack });
    const count = runs(3400);
    for (let seed = 0; seed < count; seed++) {
      const expected = run(interpreter, reference, seed);
      const actual = run(compiler, compiled, seed);
      if (actual !== expected) expect({ seed, r0: actual }).toEqual({ seed, r0: expected });
      const a = observable(reference, keepStack);
      const b = observable(compiled, keepStack);
      if (Buffer.compare(a, b) !== 0)
        expect({ seed, differs: a.findIndex((byte, i) => byte !== b[i]) }).toEqual({ seed });
    }
  });
});
