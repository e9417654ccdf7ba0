import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createWorld, EbpfMemory, type Instruction, type Program, WasmCompiler } from '../../src/bpf/index.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { cpuNsOf, median } from '../stopwatch.ts';
import { scenarios } from './scenario.ts';

const WARM_UP = 1000;
const ROUNDS = 200;
const LOADED = 300;
const LONG = 4096;

/** Of the process, garbage collected. */
const residentBytes = (() => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return (): number => {
    for (let i = 0; i < 3; i++) collect();
    return process.memoryUsage().rss;
  };
})();

/** Packets of this length and beyond, which there are not, have a result of their own in each variant of a program. */
const NO_LENGTH = 1 << 24;

/** The same program with bytes of its own, which V8 has not compiled and kept. */
function variant(program: Program, number: number): Program {
  const first = [
    instruction('mov64_imm', { dst: 0, imm: number }),
    instruction('jne_imm', { dst: 2, imm: NO_LENGTH + number, offset: 1 }),
    instruction('exit'),
  ];
  return {
    ...program,
    instructions: [...first, ...program.instructions],
    functions: program.functions.map((func, i) => (i === 0 ? func : { ...func, pc: func.pc + first.length })),
  };
}

/** Arithmetic, packet loads and branches, each to somewhere near ahead. */
function longProgram(length: number): Program {
  const instructions: Instruction[] = [instruction('mov64_imm', { dst: 0, imm: 1 })];
  while (instructions.length < length - 6) {
    const n = instructions.length;
    instructions.push(
      instruction('ldxb', { dst: 3 + (n % 5), src: 1, offset: n % 64 }),
      instruction('add64_reg', { dst: 0, src: 3 + (n % 5) }),
      instruction('jgt_imm', { dst: 3 + (n % 5), imm: n % 256, offset: 1 + (n % 3) }),
      instruction('xor64_imm', { dst: 0, imm: n }),
      instruction('mul64_imm', { dst: 0, imm: 3 }),
    );
  }
  while (instructions.length < length - 1) instructions.push(instruction('add64_imm', { dst: 0, imm: 1 }));
  return {
    name: 'long',
    instructions: [...instructions, instruction('exit')],
    maps: [],
    functions: [{ pc: 0, name: 'entry' }],
    lines: [],
  };
}

/** From a program to an instance that can run, and what it holds of memory beside its maps. */
export function benchCompile(names: readonly string[] | undefined): void {
  console.log('\nprocessor time from program to instance (warm, median), and memory that a loaded program takes\n');
  const programs = [
    ...scenarios([1], names).map(({ filter, program }) => ({ name: filter, program })),
    { name: `${LONG} instructions`, program: longProgram(LONG) },
  ];
  for (const { name, program } of programs) {
    const world = createWorld(program, { memory: EbpfMemory.standalone({ windowBits: 25, shared: true }) });
    const compiler = new WasmCompiler();
    const packet = world.memory.allocate(2048, 'packet');
    const load = (number: number) => compiler.load(variant(program, number), world);
    const isLong = program.instructions.length > 1000;
    const rounds = isLong ? ROUNDS / 8 : ROUNDS;
    for (let i = 0; i < (isLong ? WARM_UP / 20 : WARM_UP); i++) load(i);
    const times = Array.from({ length: rounds }, (_, i) => cpuNsOf(() => load(1000 + i)) / 1e6);
    const count = isLong ? LOADED / 10 : LOADED;
    const before = residentBytes();
    const kept = Array.from({ length: count }, (_, i) => load(10_000 + i));
    for (const each of kept) each.run(packet, 64);
    const kib = (residentBytes() - before) / 1024 / kept.length;
    console.log(
      `${name.padEnd(20)}${String(program.instructions.length).padStart(6)} instructions${median(times).toFixed(2).padStart(8)} ms` +
        `${kib.toFixed(0).padStart(6)} KiB`,
    );
  }
}
