import { Command } from 'commander';
import {
  BpfError,
  createWorld,
  DESCRIPTOR,
  EbpfMemory,
  formatRejection,
  Interpreter,
  type LoadedProgram,
  type Program,
  type ProgramChoice,
  verify,
  WasmCompiler,
  type World,
} from '../../bpf/index.ts';
import { readCaptureFile } from '../../packet/capture-file.ts';
import { CliError } from '../errors.ts';
import { readProgramFile } from './program-file.ts';

const BATCH = 32;
/** Packets of a capture that take part. */
const MOST_PACKETS = 16_384;
const BUFFER_BYTES = 2048;
const WINDOW_BITS = 28;
const ZEROS = new Uint8Array(64);

interface BenchOptions extends ProgramChoice {
  readonly packet?: string;
  readonly seconds: string;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure how long a program takes for a packet: compiled, in batches of 32, and interpreted.')
    .argument('<file>', 'a compiled object, or bare bytecode')
    .option('--section <name>', 'the program in this section of the object')
    .option('--function <name>', 'the program that starts with this function')
    .option(
      '--packet <capture>',
      `the packets, from a pcap or pcapng file (default: one of ${ZEROS.length} zero bytes)`,
    )
    .option('--seconds <number>', 'processor time to measure for, each engine', '1')
    .action((file: string, options: BenchOptions) => {
      const seconds = Number(options.seconds);
      if (!(seconds > 0 && seconds <= 3600))
        throw new CliError('CLI_BAD_ARGUMENT', `--seconds ${options.seconds}: expected a number above 0, at most 3600`);
      const program = readProgramFile(file, options);
      // Compiled code has no other bound than what the verifier has proved.
      const verdict = verify(program);
      if (!verdict.accepted) throw new BpfError(verdict.rejection.code, formatRejection(verdict.rejection));
      process.stdout.write(`${report(program, packetsOf(options.packet), seconds).join('\n')}\n`);
    });
}

function packetsOf(capture: string | undefined): Uint8Array[] {
  if (capture === undefined) return [ZEROS];
  const packets: Uint8Array[] = [];
  for (const { bytes } of readCaptureFile(capture)) {
    packets.push(bytes.subarray(0, BUFFER_BYTES));
    if (packets.length === MOST_PACKETS) break;
  }
  if (packets.length === 0) throw new CliError('CLI_BAD_ARGUMENT', `--packet ${capture}: it has no packets`);
  return packets;
}

function report(program: Program, packets: readonly Uint8Array[], seconds: number): string[] {
  // Batches are whole: the packets go round.
  const count = Math.ceil(packets.length / BATCH) * BATCH;
  const row = Array.from({ length: count }, (_, i) => packets[i % packets.length]);
  const memory = EbpfMemory.standalone({ windowBits: WINDOW_BITS });
  const world = createWorld(program, { memory });
  world.thread.timeNs = BigInt(Date.now()) * 1_000_000n;
  const descriptors = place(world, row);
  const start = cpuNs();
  const compiled = new WasmCompiler().load(program, world);
  const loadNs = cpuNs() - start;
  const wasmNs = nsPerPacket(seconds, count, () => {
    for (let i = 0; i < count; i += BATCH) {
      compiled.runBatch(descriptors + i * DESCRIPTOR.bytes, BATCH);
      world.clock.advance(world.thread.index);
    }
  });
  const matched = row.filter(
    (_, i) => memory.view.getBigUint64(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.result, true) === 1n,
  ).length;
  const interpreted = new Interpreter().load(program, world);
  const interpreterNs = nsPerPacket(seconds, count, () => runEach(interpreted, world, descriptors, count));
  return [
    `${program.name}: ${program.instructions.length} instructions, ${packets.length} packets, of which ${Math.round((100 * matched) / count)}% match`,
    `wasm         ${wasmNs.toFixed(1)} ns a packet, ${(1e3 / wasmNs).toFixed(2)} million packets a second; compiled in ${(loadNs / 1e6).toFixed(2)} ms`,
    `interpreter  ${interpreterNs.toFixed(1)} ns a packet, ${(interpreterNs / wasmNs).toFixed(0)} times as long`,
  ];
}

/** Puts packets into the window; returns the address of their descriptors. */
function place({ memory }: World, packets: readonly Uint8Array[]): number {
  const descriptors = memory.allocate(packets.length * DESCRIPTOR.bytes, 'descriptors');
  packets.forEach((packet, i) => {
    const address = memory.allocate(Math.max(packet.length, 1), 'a packet');
    memory.bytes.set(packet, address);
    memory.view.setUint32(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.address, address, true);
    memory.view.setUint32(descriptors + i * DESCRIPTOR.bytes + DESCRIPTOR.length, packet.length, true);
  });
  return descriptors;
}

function runEach(program: LoadedProgram, { memory, clock, thread }: World, descriptors: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const at = descriptors + i * DESCRIPTOR.bytes;
    program.run(
      memory.view.getUint32(at + DESCRIPTOR.address, true),
      memory.view.getUint32(at + DESCRIPTOR.length, true),
    );
    if (i % BATCH === BATCH - 1) clock.advance(thread.index);
  }
}

/** Processor time; the first tenth, in which V8 still optimises, does not count. */
function nsPerPacket(seconds: number, count: number, round: () => void): number {
  const warm = cpuNs() + 1e8 * seconds;
  do round();
  while (cpuNs() < warm);
  const start = cpuNs();
  let rounds = 0;
  do {
    round();
    rounds++;
  } while (cpuNs() - start < 1e9 * seconds);
  return (cpuNs() - start) / (rounds * count);
}

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return 1000 * (user + system);
}
