import koffi from 'koffi';
import { SLOT_BYTES } from '../../src/bpf/codec.ts';
import type { Instruction } from '../../src/bpf/program.ts';

/** Linux's eBPF as an oracle: bpf(2) with BPF_PROG_LOAD and BPF_PROG_TEST_RUN (include/uapi/linux/bpf.h). */

const SYS_BPF = process.arch === 'arm64' ? 280 : 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TEST_RUN = 10;

export const PROGRAM_TYPE = { schedCls: 3, xdp: 6 } as const;

const LoadAttributes = koffi.struct({
  programType: 'uint32',
  instructionCount: 'uint32',
  instructions: 'void *',
  license: 'void *',
  logLevel: 'uint32',
  logSize: 'uint32',
  log: 'void *',
  kernelVersion: 'uint32',
  flags: 'uint32',
});

const TestRunAttributes = koffi.struct({
  programFd: 'uint32',
  result: 'uint32',
  dataInSize: 'uint32',
  dataOutSize: 'uint32',
  dataIn: 'void *',
  dataOut: 'void *',
  repeat: 'uint32',
  durationNs: 'uint32',
  contextInSize: 'uint32',
  contextOutSize: 'uint32',
  contextIn: 'void *',
  contextOut: 'void *',
});

const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : undefined;
const loadProgram = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(LoadAttributes)), 'uint']);
const testRun = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(TestRunAttributes)), 'uint']);
const closeFd = libc?.func('int close(int fd)');

/** log_level: only what the verifier says at last, not each instruction on the way. */
const LOG_CONCLUSION = 4;

/** Bytes of the verifier's log that are kept. */
const LOG_BYTES = 1 << 16;

export class KernelRefusal extends Error {
  readonly errno: number;
  readonly log: string;

  constructor(errno: number, log: string) {
    super(`the kernel refuses the program (errno ${errno}): ${log.trim().split('\n').slice(-4).join(' | ')}`);
    this.errno = errno;
    this.log = log;
  }
}

/** A program in the kernel; close it. */
export class KernelProgram {
  readonly #fd: number;

  constructor(programType: number, instructions: readonly Instruction[]) {
    if (loadProgram === undefined) throw new KernelRefusal(38, 'not Linux');
    const code = encoded(instructions);
    const log = Buffer.alloc(LOG_BYTES);
    const attributes = {
      programType,
      instructionCount: instructions.length,
      instructions: code,
      license: Buffer.from('GPL\0'),
      logLevel: 0,
      logSize: 0,
      log: null as Buffer | null,
      kernelVersion: 0,
      flags: 0,
    };
    let fd = Number(loadProgram(SYS_BPF, BPF_PROG_LOAD, attributes, koffi.sizeof(LoadAttributes)));
    if (fd < 0) {
      // Once more, for the reason.
      const errno = koffi.errno();
      Object.assign(attributes, { logLevel: 1, logSize: LOG_BYTES, log });
      fd = Number(loadProgram(SYS_BPF, BPF_PROG_LOAD, attributes, koffi.sizeof(LoadAttributes)));
      if (fd >= 0) closeFd?.(fd);
      throw new KernelRefusal(errno, log.toString('latin1', 0, Math.max(log.indexOf(0), 0)));
    }
    this.#fd = fd;
  }

  /** The low 32 bits of r0 of a run over `packet`, at least 14 bytes. */
  run(packet: Uint8Array): number {
    const attributes = {
      programFd: this.#fd,
      result: 0,
      dataInSize: packet.length,
      dataOutSize: 0,
      dataIn: Buffer.from(packet),
      dataOut: null,
      repeat: 1,
      durationNs: 0,
      contextInSize: 0,
      contextOutSize: 0,
      contextIn: null,
      contextOut: null,
    };
    const status = Number(testRun?.(SYS_BPF, BPF_PROG_TEST_RUN, attributes, koffi.sizeof(TestRunAttributes)));
    if (status < 0) throw new KernelRefusal(koffi.errno(), 'BPF_PROG_TEST_RUN');
    return attributes.result;
  }

  close(): void {
    closeFd?.(this.#fd);
  }
}

/** What the kernel's verifier says of a program: `undefined` that it may run, else why not, in one line. */
export function kernelObjection(programType: number, instructions: readonly Instruction[]): string | undefined {
  const log = Buffer.alloc(LOG_BYTES);
  const attributes = {
    programType,
    instructionCount: instructions.length,
    instructions: encoded(instructions),
    license: Buffer.from('GPL\0'),
    logLevel: LOG_CONCLUSION,
    logSize: LOG_BYTES,
    log,
    kernelVersion: 0,
    flags: 0,
  };
  const fd = Number(loadProgram?.(SYS_BPF, BPF_PROG_LOAD, attributes, koffi.sizeof(LoadAttributes)) ?? -1);
  if (fd >= 0) {
    closeFd?.(fd);
    return undefined;
  }
  const errno = koffi.errno();
  const lines = log.toString('latin1', 0, Math.max(log.indexOf(0), 0)).split('\n');
  const said = lines.filter((line) => line !== '' && !STATISTICS.test(line));
  return said.length > 0 ? said.join('; ') : `errno ${errno}`;
}

/** Lines of the log that are about the verifier's own work. */
const STATISTICS = /^(verification time|stack depth|processed|insns processed|mark_read|arg#|func#)/;

function encoded(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES * instructions.length);
  instructions.forEach(({ opcode, dst, src, offset, imm }, index) => {
    bytes[SLOT_BYTES * index] = opcode;
    bytes[SLOT_BYTES * index + 1] = dst | (src << 4);
    bytes.writeInt16LE(offset, SLOT_BYTES * index + 2);
    bytes.writeInt32LE(imm, SLOT_BYTES * index + 4);
  });
  return bytes;
}

/** Why the kernel cannot be asked here; undefined when it can. */
export function kernelUnavailable(): string | undefined {
  try {
    const program = new KernelProgram(PROGRAM_TYPE.xdp, [
      { opcode: 0xb7, dst: 0, src: 0, offset: 0, imm: 42 },
      { opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 },
    ]);
    try {
      return program.run(new Uint8Array(64)) === 42 ? undefined : 'BPF_PROG_TEST_RUN gives no result';
    } finally {
      program.close();
    }
  } catch (error) {
    if (error instanceof KernelRefusal) return error.message;
    throw error;
  }
}
