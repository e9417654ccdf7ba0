import { expect, test } from 'vitest';
import { assemble } from './assembler.ts';
import { bytecodeProgram } from './bytecode-program.ts';
import { Interpreter } from './interpreter.ts';
import { EbpfMemory } from './memory.ts';
import { PacketRunner } from './packet-runner.ts';
import { THREAD_BLOCK } from './thread.ts';
import { createWorld } from './world.ts';

const world = createWorld({ maps: [] }, { memory: EbpfMemory.standalone({ windowBits: 17 }) });
const runner = new PacketRunner(world, 64);

function load(text: string, fuel?: number) {
  return new Interpreter().load(bytecodeProgram(assemble(text)), world, fuel === undefined ? {} : { fuel });
}

test('a run tells its registers and the instructions it executed', () => {
  const program = load('r3 = 7\nr3 += 1\nr0 = r3\nexit');
  expect(runner.run(program, Uint8Array.of(1, 2))).toBe(8n);
  expect(program.executed).toBe(4);
  expect(program.registers.slice(2, 6)).toEqual([2n, 8n, undefined, undefined]);
  expect(program.registers[10]).toBe(BigInt(world.thread.stackTop));
});

test('a violation names its kind, its instruction and the registers before it', () => {
  const program = load('r0 = 5\nr3 = r1\nr3 += 60\nr0 = *(u32 *)(r3 + 1)\nexit');
  expect(() => runner.run(program, new Uint8Array(20))).toThrow(
    expect.objectContaining({
      code: 'BPF_VIOLATION',
      kind: 'read-out-of-bounds',
      pc: 3,
      message: 'pc 3: read-out-of-bounds: read of 4 bytes at offset 61 of a packet of 20 bytes',
      registers: expect.arrayContaining([5n, 20n]),
    }),
  );
});

test('fuel ends a loop, and one more than enough does not', () => {
  expect(() => runner.run(load('again: r0 = 1\ngoto again', 1000), new Uint8Array(0))).toThrow(
    expect.objectContaining({ code: 'BPF_FUEL_EXHAUSTED' }),
  );
  expect(runner.run(load('r0 = 1\nexit', 2), new Uint8Array(0))).toBe(1n);
});

test('a run begins with nothing of the run before', () => {
  const program = load('if r2 == 0 goto read\n*(u64 *)(r10 - 8) = 1\nr0 = 0\nexit\nread: r0 = *(u64 *)(r10 - 8)\nexit');
  expect(runner.run(program, Uint8Array.of(1))).toBe(0n);
  expect(() => runner.run(program, new Uint8Array(0))).toThrow(
    expect.objectContaining({ kind: 'uninitialised-stack' }),
  );
});

test('a variable without a value may be copied to and fro, as compilers do', () => {
  const program = load(
    'r3 = *(u64 *)(r10 - 8)\n*(u64 *)(r10 - 16) = r3\nr3 = *(u32 *)(r10 - 16)\nw4 = w3\nr3 = 1\nr0 = r3\nexit',
  );
  expect(runner.run(program, new Uint8Array(0))).toBe(1n);
  expect(program.registers.slice(3, 5)).toEqual([1n, undefined]);
});

test('memory that is no packet may be written', () => {
  const program = new Interpreter({ writablePacket: true }).load(
    bytecodeProgram(assemble('*(u16 *)(r1 + 0) = 513\nr0 = *(u8 *)(r1 + 1)\nexit')),
    world,
  );
  expect(runner.run(program, new Uint8Array(4))).toBe(2n);
});

test('time is the word of the thread', () => {
  world.thread.timeNs = 123_456_789_012_345_678n;
  expect(runner.run(load('call 5\nexit'), new Uint8Array(0))).toBe(123_456_789_012_345_678n);
});

test('prints reach the ring, in order, and a full ring drops and counts', () => {
  const program = load(`*(u64 *)(r10 - 8) = 0x6425
    r1 = r10
    r1 += -8
    r6 = r2
    r5 = 9
    r3 = 5
    call 7
    r0 = 0
    exit`);
  const { thread } = world;
  for (let length = 0; length < 3; length++) runner.run(program, new Uint8Array(length));
  const prints = thread.takePrints();
  expect(prints.map(({ args }) => args)).toEqual([0n, 1n, 2n].map((length) => [length, 5n, 0n, 9n]));
  expect(new TextDecoder().decode(prints[0].format)).toBe('%d');
  expect(thread.takePrints()).toEqual([]);
  for (let n = 0; n < THREAD_BLOCK.printRecords + 3; n++) runner.run(program, new Uint8Array(0));
  expect(thread.takePrints()).toHaveLength(THREAD_BLOCK.printRecords);
  expect(thread.printsDropped).toBe(3);
});

test('a packet longer than the buffer is refused', () => {
  expect(() => runner.run(load('r0 = 0\nexit'), new Uint8Array(65))).toThrow(
    expect.objectContaining({ code: 'BPF_MEMORY_LIMIT' }),
  );
});
