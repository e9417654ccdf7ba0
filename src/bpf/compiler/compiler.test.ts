import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../errors.ts';
import { HELPER_ID } from '../helpers.ts';
import { instruction, wideConstant } from '../instruction.ts';
import { Interpreter } from '../interpreter.ts';
import { hashlittle } from '../lookup3.ts';
import type { MapDefinition } from '../maps/definition.ts';
import { EbpfMemory } from '../memory.ts';
import type { Instruction, Program } from '../program.ts';
import { MAX_FRAMES } from '../thread.ts';
import { createWorld } from '../world.ts';
import { WasmCompiler } from './compiler.ts';
import { DESCRIPTOR } from './program-module.ts';

const HASH: MapDefinition = { name: 'hash', kind: 'hash', keySize: 8, valueSize: 8, maxEntries: 64, hashCount: 0 };
const ARRAY: MapDefinition = { name: 'array', kind: 'array', keySize: 4, valueSize: 8, maxEntries: 4, hashCount: 0 };

function programOf(
  instructions: readonly Instruction[],
  maps: readonly MapDefinition[] = [],
  functions = [0],
): Program {
  return { name: 'test', instructions, maps, functions: functions.map((pc) => ({ pc, name: `f${pc}` })), lines: [] };
}

const smallMemory = (shared = false): EbpfMemory => EbpfMemory.standalone({ windowBits: 20, shared });

function load(program: Program, shared = false) {
  const world = createWorld(program, { memory: smallMemory(shared) });
  return { world, loaded: new WasmCompiler().load(program, world) };
}

const callHelper = (id: number): Instruction => instruction('call', { imm: id });
const exit = instruction('exit');
const mov = (dst: number, imm: number): Instruction => instruction('mov64_imm', { dst, imm });
const copy = (dst: number, src: number): Instruction => instruction('mov64_reg', { dst, src });
const add = (dst: number, imm: number): Instruction => instruction('add64_imm', { dst, imm });
const mapPointer = (dst: number, map: number): Instruction[] => [
  { opcode: 0x18, dst, src: 1, offset: 0, imm: map },
  { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 },
];

/** r0 = the number in the first 8 bytes of the packet, plus 1. */
const successor = programOf([instruction('ldxdw', { dst: 0, src: 1 }), add(0, 1), exit]);

describe('WasmCompiler', () => {
  it('runs batches: every descriptor receives the result of its packet', () => {
    const { world, loaded } = load(successor);
    const packets = world.memory.allocate(64 * 8, 'packets');
    const descriptors = world.memory.allocate(64 * DESCRIPTOR.bytes, 'descriptors');
    const { view } = world.memory;
    for (let i = 0; i < 64; i++) {
      view.setBigUint64(packets + 8 * i, 1000n * BigInt(i) + (1n << 40n), true);
      view.setUint32(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.address, packets + 8 * i, true);
      view.setUint32(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.length, 8, true);
    }
    loaded.runBatch(descriptors, 0);
    expect(view.getBigUint64(descriptors + DESCRIPTOR.result, true)).toBe(0n);
    loaded.runBatch(descriptors, 32);
    for (let i = 0; i < 64; i++)
      expect(view.getBigUint64(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.result, true)).toBe(
        i < 32 ? 1000n * BigInt(i) + (1n << 40n) + 1n : 0n,
      );
  });

  it('gives nothing of one packet to the next: registers that nobody wrote are 0 in each run', () => {
    const { world, loaded } = load(
      programOf([
        instruction('jeq_imm', { dst: 2, imm: 4, offset: 2 }),
        instruction('mov64_imm', { dst: 7, imm: 99 }),
        instruction('mov64_imm', { dst: 8, imm: 99 }),
        copy(0, 7),
        instruction('add64_reg', { dst: 0, src: 8 }),
        exit,
      ]),
    );
    const packet = world.memory.allocate(8, 'packet');
    expect(loaded.run(packet, 5)).toBe(198n);
    expect(loaded.run(packet, 4)).toBe(0n);
  });

  it('reads the packet by ABS and IND in local functions too, where the end of the packet ends the function alone', () => {
    const program = programOf(
      [
        copy(6, 2),
        instruction('call_local', { imm: 3 }),
        instruction('mul64_imm', { dst: 0, imm: 2 }),
        instruction('or64_imm', { dst: 0, imm: 1 }),
        exit,
        mov(3, 2),
        instruction('ldindh', { src: 3, imm: 1 }),
        exit,
      ],
      [],
      [0, 5],
    );
    const { world, loaded } = load(program);
    const packet = world.memory.allocate(8, 'packet');
    world.memory.bytes.set([1, 2, 3, 0x12, 0x34], packet);
    expect(loaded.run(packet, 5)).toBe(BigInt(0x1234 * 2 + 1));
    expect(loaded.run(packet, 4)).toBe(1n);
  });

  it('calls functions as deep as there are frames, each with a stack of its own', () => {
    // Function n stores n at r10 − 8, calls n + 1 and adds its own number from its stack.
    const instructions: Instruction[] = [];
    const starts: number[] = [];
    for (let n = 0; n < MAX_FRAMES; n++) {
      starts.push(instructions.length);
      instructions.push(instruction('stdw', { dst: 10, offset: -8, imm: n }));
      if (n < MAX_FRAMES - 1) instructions.push(instruction('call_local', { imm: 3 }));
      else instructions.push(mov(0, 100));
      instructions.push(instruction('ldxdw', { dst: 1, src: 10, offset: -8 }));
      instructions.push(instruction('add64_reg', { dst: 0, src: 1 }), exit);
    }
    expect(load(programOf(instructions, [], starts)).loaded.run(4096, 0)).toBe(128n);
  });

  it.each<[string, Instruction[], string]>([
    ['recursion', [instruction('call_local', { imm: -1 }), exit], 'nest deeper'],
    ['a jump past the end', [mov(0, 0), instruction('ja', { offset: 5 })], 'where no instruction begins'],
    ['a jump in front of the start', [mov(0, 0), instruction('ja32', { imm: -9 })], 'where no instruction begins'],
    [
      'a jump into lddw',
      [...wideConstant(0, 5n), instruction('jeq_imm', { dst: 0, imm: 5, offset: -2 }), exit],
      'where no',
    ],
    ['an end without exit', [mov(0, 0)], 'where no instruction begins'],
    ['a call out of the program', [instruction('call_local', { imm: 50 }), exit], 'where no instruction begins'],
    ['an unknown helper', [callHelper(77), exit], 'helper 77'],
    ['callx', [mov(1, 0), instruction('callx', { dst: 1 }), exit], 'callx is not implemented'],
    ['lddw of a map that is not there', [...mapPointer(1, 9), exit], 'names map 9'],
    [
      'lddw of a variable',
      [{ opcode: 0x18, dst: 1, src: 3, offset: 0, imm: 0 }, { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 }, exit],
      'lddw_variable',
    ],
    [
      'a value of a map that has several',
      [{ opcode: 0x18, dst: 1, src: 2, offset: 0, imm: 0 }, { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 }, exit],
      'array of one element',
    ],
    ['an opcode that there is not', [{ opcode: 0xff, dst: 0, src: 0, offset: 0, imm: 0 }], 'opcode 0xff'],
  ])('refuses %s', (_, instructions, message) => {
    const program = programOf(instructions, [HASH]);
    expect(() => load(program)).toThrow(BpfError);
    expect(() => load(program)).toThrow(message);
  });

  it('stops a loop, and a program that calls in a loop, when the fuel is used up; and can run again', () => {
    const loop = programOf([mov(0, 0), add(0, 1), instruction('jlt_reg', { dst: 0, src: 2, offset: -2 }), exit]);
    const world = createWorld(loop, { memory: smallMemory() });
    const loaded = new WasmCompiler().load(loop, world, { fuel: 100 });
    expect(loaded.run(4096, 50)).toBe(50n);
    expect(() => loaded.run(4096, 5000)).toThrow(expect.objectContaining({ code: 'BPF_FUEL_EXHAUSTED' }));
    expect(loaded.run(4096, 60)).toBe(60n);
    const endless = programOf([mov(0, 0), instruction('ja', { offset: -1 })]);
    expect(() => new WasmCompiler().load(endless, world, { fuel: 100 }).run(4096, 0)).toThrow(
      expect.objectContaining({ code: 'BPF_FUEL_EXHAUSTED' }),
    );
  });

  it('serves a map that is only known when the program runs', () => {
    const second: MapDefinition = { ...HASH, name: 'second' };
    // The packet's length chooses the map.
    const chosen = (id: number): Instruction[] => [
      instruction('ldxdw', { dst: 3, src: 1 }),
      instruction('stxdw', { dst: 10, src: 3, offset: -8 }),
      instruction('stxdw', { dst: 10, src: 3, offset: -16 }),
      ...mapPointer(1, 0),
      instruction('jeq_imm', { dst: 2, imm: 8, offset: 2 }),
      ...mapPointer(1, 1),
      copy(2, 10),
      add(2, -8),
      copy(3, 10),
      add(3, -16),
      callHelper(id),
    ];
    const lookup = [...chosen(HELPER_ID.mapLookup), instruction('jeq_imm', { dst: 0, imm: 0, offset: 1 })];
    const found = [...lookup, instruction('ldxdw', { dst: 0, src: 0 }), exit];
    const world = createWorld({ maps: [HASH, second] }, { memory: smallMemory() });
    const packet = world.memory.allocate(16, 'packet');
    const run = (instructions: readonly Instruction[], length: number, key: bigint): bigint => {
      world.memory.view.setBigUint64(packet, key, true);
      return new WasmCompiler().load(programOf(instructions, [HASH, second]), world).run(packet, length);
    };
    expect(run([...chosen(HELPER_ID.mapUpdate), exit], 8, 5n)).toBe(0n);
    expect(run([...chosen(HELPER_ID.mapUpdate), exit], 9, 6n)).toBe(0n);
    expect([world.maps[0].count, world.maps[1].count]).toEqual([1, 1]);
    expect([run(found, 8, 5n), run(found, 9, 5n), run(found, 8, 6n), run(found, 9, 6n)]).toEqual([5n, 0n, 0n, 6n]);
    expect(BigInt.asIntN(64, run([...chosen(HELPER_ID.mapDelete), exit], 9, 5n))).toBe(-2n);
    expect(run([...chosen(HELPER_ID.mapDelete), exit], 9, 6n)).toBe(0n);
    expect(BigInt.asIntN(64, run([...chosen(HELPER_ID.mapAdd), exit], 8, 5n))).toBe(-95n);
  });

  it('hashes any number of bytes as lookup3, whether it is known before or not', () => {
    const world = createWorld({ maps: [] }, { memory: smallMemory() });
    const packet = world.memory.allocate(512, 'packet');
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => (i * 7919) >> 3);
    world.memory.bytes.set(bytes, packet);
    const atRunTime = new WasmCompiler().load(programOf([callHelper(HELPER_ID.hash), exit]), world);
    for (const size of [...Array(64).keys(), 100, 255, 256, 511, 512]) {
      const expected = BigInt(hashlittle(bytes, 0, size, 0));
      expect(atRunTime.run(packet, size)).toBe(expected);
      const known = new WasmCompiler().load(programOf([mov(2, size), callHelper(HELPER_ID.hash), exit]), world);
      expect(known.run(packet, size)).toBe(expected);
    }
  });

  it('knows the place of an array element of a constant index, and refuses one past the end', () => {
    const at = (index: number): Program =>
      programOf(
        [
          instruction('stw', { dst: 10, offset: -4, imm: index }),
          ...mapPointer(1, 0),
          copy(2, 10),
          add(2, -4),
          callHelper(HELPER_ID.mapLookup),
          instruction('jne_imm', { dst: 0, imm: 0, offset: 1 }),
          exit,
          instruction('ldxdw', { dst: 0, src: 0 }),
          exit,
        ],
        [ARRAY],
      );
    for (const [index, expected] of [
      [0, 10n],
      [3, 13n],
      [4, 0n],
      [-1, 0n],
    ] as const) {
      const { world, loaded } = load(at(index));
      for (let i = 0; i < 4; i++)
        world.maps[0].update(
          new Uint8Array(Uint32Array.of(i).buffer),
          new Uint8Array(BigUint64Array.of(10n + BigInt(i)).buffer),
        );
      expect(loaded.run(4096, 0)).toBe(expected);
      expect(new Interpreter().load(at(index), world).run(4096, 0)).toBe(expected);
    }
  });

  it('posts its module to other threads, whose counts in shared maps all arrive', async () => {
    // map[first 8 bytes of the packet] += 1, atomically; a new key goes in with 1, once.
    const program = programOf(
      [
        instruction('ldxdw', { dst: 3, src: 1 }),
        instruction('stxdw', { dst: 10, src: 3, offset: -8 }),
        instruction('stdw', { dst: 10, offset: -16, imm: 0 }),
        ...mapPointer(1, 0),
        copy(2, 10),
        add(2, -8),
        callHelper(HELPER_ID.mapLookup),
        instruction('jeq_imm', { dst: 0, imm: 0, offset: 4 }),
        mov(1, 1),
        instruction('atomic64_add', { dst: 0, src: 1 }),
        mov(0, 1),
        exit,
        ...mapPointer(1, 0),
        copy(2, 10),
        add(2, -8),
        copy(3, 10),
        add(3, -16),
        callHelper(HELPER_ID.mapUpdate),
        mov(0, 0),
        exit,
      ],
      [HASH],
    );
    const { world, loaded } = load(program, true);
    const { memory } = world;
    const keys = 40;
    const rounds = 3000;
    const packets = memory.allocate(8 * keys, 'packets');
    for (let i = 0; i < keys; i++) memory.view.setBigUint64(packets + 8 * i, BigInt(i), true);
    // Without a first lookup that misses on both threads, so that no update can overwrite a count.
    for (let i = 0; i < keys; i++) loaded.run(packets + 8 * i, 8);
    const counting = `
      let counted = 0n;
      for (let i = 0; i < rounds; i++) counted += run(packets + 8 * (i % keys), 8);
      return counted;`;
    const counted = await inThreads(loaded.module, memory, 2, counting, { packets, keys, rounds });
    expect(counted).toEqual([BigInt(rounds), BigInt(rounds)]);
    let sum = 0n;
    for (const { value } of world.maps[0].entries(0, 1000).entries)
      sum += new DataView(value.buffer).getBigUint64(0, true);
    expect(sum).toBe(BigInt(2 * rounds));
  });

  it('inserts and deletes from several threads at once, under the locks that the control plane takes too', async () => {
    // The length of the packet tells what to do with the key in its first 8 bytes.
    const on = (id: number): Instruction[] => [
      ...mapPointer(1, 0),
      copy(2, 10),
      add(2, -8),
      copy(3, 10),
      add(3, -8),
      callHelper(id),
      exit,
    ];
    const update = on(HELPER_ID.mapUpdate);
    const program = programOf(
      [
        instruction('ldxdw', { dst: 3, src: 1 }),
        instruction('stxdw', { dst: 10, src: 3, offset: -8 }),
        instruction('jeq_imm', { dst: 2, imm: 9, offset: update.length }),
        ...update,
        ...on(HELPER_ID.mapDelete),
      ],
      [HASH],
    );
    const { world, loaded } = load(program, true);
    const { memory } = world;
    const keys = 20;
    const packets = memory.allocate(8 * 3 * keys, 'packets');
    for (let i = 0; i < 3 * keys; i++) memory.view.setBigUint64(packets + 8 * i, BigInt(i), true);
    const work = `
      let failed = 0n;
      for (let round = 0; round < rounds; round++)
        for (let i = 0; i < keys; i++) {
          const packet = packets + 8 * (index * keys + i);
          if (run(packet, 8) !== 0n) failed++;
          if (round < rounds - 1 && run(packet, 9) !== 0n) failed++;
        }
      return failed;`;
    const threads = inThreads(loaded.module, memory, 2, work, { packets, keys, rounds: 200 });
    const [map] = world.maps;
    const key = (i: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(2 * keys + i)).buffer);
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < keys; i++) {
        expect(map.update(key(i), key(i))).toBe(0);
        if (round < 49) expect(map.delete(key(i))).toBe(0);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await threads).toEqual([0n, 0n]);
    expect(map.count).toBe(3 * keys);
    for (let i = 0; i < 3 * keys; i++) {
      const each = new Uint8Array(BigUint64Array.of(BigInt(i)).buffer);
      expect(map.lookup(each)).toEqual(each);
    }
  });
});

/** Runs the body of a function of `run`, `index` (of the thread) and `data` in threads, each with its own instance. */
function inThreads(
  module: WebAssembly.Module,
  memory: EbpfMemory,
  count: number,
  work: string,
  data: { readonly packets: number; readonly keys: number; readonly rounds: number },
): Promise<bigint[]> {
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { module, memory, thread, index, packets, keys, rounds } = workerData;
    const { run } = new WebAssembly.Instance(module, { oko: { memory, thread } }).exports;
    parentPort.postMessage((() => { ${work} })());
  `;
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const thread = memory.allocate(32768, 'a thread block');
      const workerData = { module, memory: memory.memory, thread, index, ...data };
      return new Promise<bigint>((resolve, reject) => {
        new Worker(source, { eval: true, workerData }).once('message', resolve).once('error', reject);
      });
    }),
  );
}
