import { instruction } from '../../src/bpf/instruction.ts';
import { formOf, JmpOp, OpClass, Opcode } from '../../src/bpf/isa.ts';
import type { Instruction, Program } from '../../src/bpf/program.ts';
import { KernelProgram, PROGRAM_TYPE } from './kernel-bpf.ts';

/** The shortest packet that BPF_PROG_TEST_RUN takes. */
const SHORTEST_PACKET = 14;

/**
 * Runs a program in the kernel as an XDP program (a tc classifier if it reads the packet by LD ABS or IND), converted: r1 = the
 * packet's first byte, r2 = its length, r0 whole. Programs with maps or helpers do not convert.
 *
 * @throws KernelRefusal when the kernel's verifier does not accept it
 */
export function runInKernel(program: Program, packet: Uint8Array): bigint {
  const padded = new Uint8Array(Math.max(packet.length, SHORTEST_PACKET));
  padded.set(packet);
  const classic = program.instructions.some((each) => formOf(each)?.kind === 'packet');
  const prologue = classic ? classicPrologue(packet.length) : xdpPrologue(packet.length);
  const type = classic ? PROGRAM_TYPE.schedCls : PROGRAM_TYPE.xdp;
  const half = (shift: number): bigint => {
    const kernel = new KernelProgram(type, [...prologue, ...withEpilogue(program, shift)]);
    try {
      return BigInt(kernel.run(padded) >>> 0);
    } finally {
      kernel.close();
    }
  };
  return half(0) | (half(32) << 32n);
}

/** Proves to the verifier that the packet has its bytes. struct xdp_md: u32 data, data_end at 0 and 4. */
function xdpPrologue(length: number): Instruction[] {
  return [
    instruction('ldxw', { dst: 2, src: 1, offset: 4 }),
    instruction('ldxw', { dst: 1, src: 1, offset: 0 }),
    instruction('mov64_reg', { dst: 3, src: 1 }),
    instruction('add64_imm', { dst: 3, imm: length }),
    instruction('jle_reg', { dst: 3, src: 2, offset: 2 }),
    instruction('mov64_imm', { dst: 0, imm: -1 }),
    instruction('exit'),
    instruction('mov64_imm', { dst: 2, imm: length }),
  ];
}

/** LD ABS and IND want the context in r6. */
function classicPrologue(length: number): Instruction[] {
  return [
    instruction('mov64_reg', { dst: 6, src: 1 }),
    instruction('mov64_imm', { dst: 1, imm: 0 }),
    instruction('mov64_imm', { dst: 2, imm: length }),
  ];
}

/**
 * The program with the exits of its entry function shifting r0 before: the result of a run has 32 bits only. The shift stands
 * at the end of the entry function, and calls over it grow by its length.
 */
function withEpilogue(program: Program, shift: number): Instruction[] {
  const { instructions } = program;
  const entryEnd = program.functions.find(({ pc }) => pc > 0)?.pc ?? instructions.length;
  const epilogue = [instruction('rsh64_imm', { dst: 0, imm: shift }), instruction('exit')];
  const moved = instructions.map((each, pc): Instruction => {
    if (each.opcode === Opcode.EXIT && pc < entryEnd) return instruction('ja32', { imm: entryEnd - pc - 1 });
    const isCall = each.opcode === (OpClass.JMP | JmpOp.CALL) && each.src === 1;
    if (isCall && pc < entryEnd && pc + 1 + each.imm >= entryEnd) return { ...each, imm: each.imm + epilogue.length };
    return each;
  });
  return [...moved.slice(0, entryEnd), ...epilogue, ...moved.slice(entryEnd)];
}
