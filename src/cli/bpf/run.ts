import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import {
  BpfError,
  bytecodeProgram,
  createWorld,
  decodeProgram,
  MAX_INSTRUCTIONS,
  PacketRunner,
  type Program,
  type ProgramChoice,
  SLOT_BYTES,
} from '../../bpf/index.ts';
import { parseHex } from '../../bytes/index.ts';
import { readCaptureFile } from '../../packet/capture-file.ts';
import { CliError } from '../errors.ts';
import { engineNamed } from '../replay/engine.ts';
import { readProgramFile } from './program-file.ts';

interface RunOptions extends ProgramChoice {
  readonly program?: string;
  readonly packet?: string;
  readonly engine: string;
  readonly fuel: string;
}

/** Bytes of the longest packet. */
const LONGEST_PACKET = 262_144;

/**
 * The interface of a bpf_conformance plugin: the program as hex on standard input, memory as hex in the first argument, r0 as hex on
 * standard output, and nothing else there.
 */
export function runCommand(): Command {
  return new Command('run')
    .description('Run a program on some memory, or on each packet of a capture; prints r0 in hex.')
    .argument('[memory]', 'bytes as hex: r1 points to them, r2 is their number; the program may write them')
    .option(
      '--program <hex|file>',
      'bytecode as hex, or a file: a compiled object or bare bytecode (default: hex on standard input)',
    )
    .option('--section <name>', 'the program in this section of the object')
    .option('--function <name>', 'the program that starts with this function')
    .option('--packet <capture>', 'run on each packet of a pcap or pcapng file instead; one line of output each')
    .option('--engine <name>', 'interpreter, which names violations, or wasm', 'wasm')
    .option('--fuel <instructions>', 'stop a run after about so many', '100000000')
    .action((memory: string | undefined, options: RunOptions) => {
      const inputs = options.packet === undefined ? [memoryInput(memory)] : capturedPackets(options.packet, memory);
      const program = programArgument(options);
      for (const r0 of results(program, inputs, options)) process.stdout.write(`${r0.toString(16)}\n`);
    });
}

/** What a run reads: its bytes, and the time that it sees. */
interface Input {
  readonly bytes: Uint8Array;
  readonly timestampNs: bigint;
}

function* results(program: Program, inputs: Iterable<Input>, options: RunOptions): Generator<bigint> {
  const engine = engineNamed(options.engine, { writablePacket: options.packet === undefined });
  const world = createWorld(program);
  const loaded = engine.load(program, world, { fuel: fuelArgument(options.fuel) });
  const runner = new PacketRunner(world, LONGEST_PACKET);
  for (const { bytes, timestampNs } of inputs) {
    world.thread.timeNs = timestampNs;
    yield runner.run(loaded, bytes);
  }
}

function memoryInput(text = ''): Input {
  const bytes = parseHex(text);
  if (bytes === undefined)
    throw new CliError('CLI_BAD_ARGUMENT', `memory ${shortened(text)}: expected whole bytes of hex`);
  return { bytes, timestampNs: BigInt(Date.now()) * 1_000_000n };
}

function capturedPackets(path: string, memory: string | undefined): Iterable<Input> {
  if (memory !== undefined) throw new CliError('CLI_BAD_ARGUMENT', 'give either memory or --packet');
  return readCaptureFile(path);
}

function fuelArgument(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new CliError('CLI_BAD_ARGUMENT', `--fuel ${text}: expected a number of instructions`);
  return Number(text);
}

/** Hex, if it can be read as that; else the name of a file (a file of such a name is meant by `./name`). */
function programArgument(options: RunOptions): Program {
  const { program: given } = options;
  const text = given ?? standardInput();
  const bytes = parseHex(text);
  if (bytes !== undefined && bytes.length > 0) return bytecodeProgram(decodeProgram(bytes), { name: 'entry' });
  if (given !== undefined && given !== '') return readProgramFile(given, options);
  throw new CliError('CLI_BAD_ARGUMENT', `program ${shortened(text)}: expected bytecode as hex`);
}

function standardInput(): string {
  if (process.stdin.isTTY)
    throw new CliError('CLI_BAD_ARGUMENT', 'no program: give its hex on standard input, or --program');
  const text = readFileSync(0, 'latin1');
  if (text.length > 4 * MAX_INSTRUCTIONS * SLOT_BYTES)
    throw new BpfError(
      'BPF_BAD_BYTECODE_LENGTH',
      `standard input has ${text.length} characters, more than any program`,
    );
  return text;
}

/** For a message of one line. */
function shortened(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > 40 ? `${line.slice(0, 40)}…` : line === '' ? '(empty)' : line;
}
