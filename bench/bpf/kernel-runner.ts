import koffi from 'koffi';
import { HELPER_ID } from '../../src/bpf/helpers.ts';
import { encodeProgram, formOf, type Instruction, type MapDefinition } from '../../src/bpf/index.ts';
import { instruction } from '../../src/bpf/instruction.ts';
import { mapNamed, type Scenario } from './scenario.ts';

/** Linux's JIT by BPF_PROG_TEST_RUN (include/uapi/linux/bpf.h), for one packet at a time. */

const SYS_BPF = process.arch === 'arm64' ? 280 : 321;
const COMMAND = { mapCreate: 0, mapUpdate: 2, programLoad: 5, testRun: 10 } as const;
const MAP_TYPE: Partial<Record<MapDefinition['kind'], number>> = { hash: 1, array: 2, 'lru-hash': 9 };
const XDP = 6;
/** Of the map that takes the packet's place: room for the packet, then the time. */
const PACKET_BYTES = 4096;
const TIME_AT = 4088;
const SHORTEST_INPUT = 64;

const mapAttributes = koffi.struct({
  type: 'uint32',
  keySize: 'uint32',
  valueSize: 'uint32',
  maxEntries: 'uint32',
  flags: 'uint32',
});
const updateAttributes = koffi.struct({
  fd: 'uint32',
  padding: 'uint32',
  key: 'void *',
  value: 'void *',
  flags: 'uint64',
});
const loadAttributes = koffi.struct({
  type: 'uint32',
  count: 'uint32',
  instructions: 'void *',
  license: 'void *',
  logLevel: 'uint32',
  logSize: 'uint32',
  log: 'void *',
});
const runAttributes = koffi.struct({
  fd: 'uint32',
  result: 'uint32',
  inputBytes: 'uint32',
  outputBytes: 'uint32',
  input: 'void *',
  output: 'void *',
  repeat: 'uint32',
  durationNs: 'uint32',
});

const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : undefined;
const close = libc?.func('int close(int fd)');

/** The kernel does not take the program, or is not to be asked here. */
export class KernelRefusal extends Error {}

function bpf(command: number, type: typeof mapAttributes, attributes: Record<string, unknown>): number {
  const call = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(type)), 'uint']);
  const result = Number(call?.(SYS_BPF, command, attributes, koffi.sizeof(type)) ?? -1);
  if (result < 0) throw new KernelRefusal(`bpf command ${command}: errno ${koffi.errno()}`);
  return result;
}

/**
 * Nanoseconds of a run over the scenario's first packet, as the kernel counts them over many. The packet lies in a map's
 * value, where the kernel's verifier can follow computed offsets; the time is a word beside it, as in Oko. What the test
 * run itself costs is in it: `kernelOverheadNs`.
 *
 * @throws KernelRefusal
 */
export function kernelNs(scenario: Scenario, repeat: number): number {
  const fds: number[] = [];
  try {
    const packetMap = createMap({ kind: 'array', keySize: 4, valueSize: PACKET_BYTES, maxEntries: 1 });
    fds.push(packetMap);
    const value = Buffer.alloc(PACKET_BYTES);
    const put = (packet: Uint8Array): void => {
      value.fill(0);
      value.set(packet);
      value.writeBigUInt64LE(1_700_000_000_000_000_000n, TIME_AT);
      update(packetMap, Buffer.alloc(4), value);
    };
    const maps = scenario.program.maps.map((map) => createMap(map));
    fds.push(...maps);
    for (const [name, key, setting] of scenario.settings)
      update(maps[mapNamed(scenario.program.maps, name)], key, setting);
    const runOver = (packet: Uint8Array, times: number): number => {
      put(packet);
      const program = loadProgram(converted(scenario, maps, packetMap, packet.length));
      try {
        return timeOf(program, times);
      } finally {
        close?.(program);
      }
    };
    for (const packet of scenario.opening) runOver(packet, 1);
    runOver(scenario.packets[0], repeat);
    return runOver(scenario.packets[0], repeat);
  } finally {
    for (const fd of fds) close?.(fd);
  }
}

/** The same of a program that does nothing. */
export function kernelOverheadNs(repeat: number): number {
  const program = loadProgram([instruction('mov64_imm', { dst: 0, imm: 1 }), instruction('exit')]);
  try {
    return timeOf(program, repeat);
  } finally {
    close?.(program);
  }
}

function createMap({ kind, keySize, valueSize, maxEntries }: Omit<MapDefinition, 'name' | 'hashCount'>): number {
  const type = MAP_TYPE[kind];
  if (type === undefined) throw new KernelRefusal(`no ${kind} map in the kernel`);
  return bpf(COMMAND.mapCreate, mapAttributes, { type, keySize, valueSize, maxEntries, flags: 0 });
}

function update(fd: number, key: Uint8Array, value: Uint8Array): void {
  const attributes = { fd, padding: 0, key: Buffer.from(key), value: Buffer.from(value), flags: 0n };
  bpf(COMMAND.mapUpdate, updateAttributes, attributes);
}

function loadProgram(instructions: readonly Instruction[]): number {
  return bpf(COMMAND.programLoad, loadAttributes, {
    type: XDP,
    count: instructions.length,
    instructions: Buffer.from(encodeProgram(instructions)),
    license: Buffer.from('GPL\0'),
    logLevel: 0,
    logSize: 0,
    log: null,
  });
}

function timeOf(fd: number, repeat: number): number {
  const attributes = {
    fd,
    result: 0,
    inputBytes: SHORTEST_INPUT,
    outputBytes: 0,
    input: Buffer.alloc(SHORTEST_INPUT),
    output: null,
    repeat,
    durationNs: 0,
  };
  bpf(COMMAND.testRun, runAttributes, attributes);
  return attributes.durationNs;
}

const mapValue = (dst: number, fd: number, offset: number): Instruction[] => [
  { opcode: 0x18, dst, src: 2, offset: 0, imm: fd },
  { opcode: 0, dst: 0, src: 0, offset: 0, imm: offset },
];

/** The program for the kernel: maps by file descriptor, an update's flags, the time from memory, r1 and r2 as Oko gives them. */
function converted({ program }: Scenario, maps: readonly number[], packetMap: number, length: number): Instruction[] {
  const replacements = program.instructions.map((each, pc): Instruction[] => {
    const form = formOf(each);
    if (form?.kind === 'lddw' && form.value === 'map') return [{ ...each, imm: maps[each.imm] }];
    if (form?.kind === 'lddw' && form.value === 'map-value') throw new KernelRefusal('global variables');
    if (form?.kind !== 'call') return [each];
    if (form.target !== 'helper') throw new KernelRefusal(`pc ${pc}: ${form.name}`);
    if (each.imm === HELPER_ID.mapUpdate) return [instruction('mov64_imm', { dst: 4, imm: 0 }), each];
    if (each.imm === HELPER_ID.timeGetNs)
      return [...mapValue(0, packetMap, TIME_AT), instruction('ldxdw', { dst: 0, src: 0 })];
    if (each.imm !== HELPER_ID.mapLookup && each.imm !== HELPER_ID.mapDelete)
      throw new KernelRefusal(`helper ${each.imm} is not the kernel's`);
    return [each];
  });
  const starts: number[] = [];
  let size = 0;
  for (const replacement of replacements) {
    starts.push(size);
    size += replacement.length;
  }
  const moved = replacements.flatMap((replacement, pc) => {
    const form = formOf(program.instructions[pc]);
    if (form?.kind !== 'jump' && form?.kind !== 'goto') return replacement;
    const [each] = replacement;
    const distance = starts[pc + 1 + (form.kind === 'goto' && form.wide ? each.imm : each.offset)] - starts[pc] - 1;
    return [form.kind === 'goto' && form.wide ? { ...each, imm: distance } : { ...each, offset: distance }];
  });
  return [...mapValue(1, packetMap, 0), instruction('mov64_imm', { dst: 2, imm: length }), ...moved];
}
