import { type ErrorTable, OkoError } from '../bytes/index.ts';
import { VERIFIER_ERRORS } from './verifier/errors.ts';

/** Every refusal of the eBPF room. Codes are stable; docs/errors.md is made from this table. */
export const BPF_ERRORS = {
  BPF_BAD_BYTECODE_LENGTH: {
    meaning: 'The program is not a whole number of 8-byte instructions, is empty, or is longer than allowed.',
    remedy: 'Give the bytecode of a whole program; split a program that is too long.',
  },
  BPF_UNKNOWN_OPCODE: {
    meaning: 'An instruction has an opcode that RFC 9669 does not define.',
    remedy: 'Compile for the generic BPF target; check that the bytes are eBPF and little-endian.',
  },
  BPF_RESERVED_FIELD: {
    meaning: 'A field that the instruction does not use is not zero.',
    remedy: 'Clear the field; a compiler that sets it means an instruction that is not known here.',
  },
  BPF_BAD_REGISTER: {
    meaning: 'An instruction names a register above r10.',
    remedy: 'Use r0 to r10.',
  },
  BPF_CUT_LDDW: {
    meaning: 'The second half of a 64-bit constant load is missing or is not one.',
    remedy: 'Keep the two slots of lddw together.',
  },
  BPF_BAD_OPERAND: {
    meaning: 'An operand does not fit its field.',
    remedy: 'Keep offsets within 16 bits and immediates within 32.',
  },
  BPF_BAD_WINDOW: {
    meaning: 'The eBPF window does not fit its memory, or its bounds make no sense.',
    remedy: 'Choose a window of 16 to 31 bits, within the memory, with the guard behind it.',
  },
  BPF_MEMORY_LIMIT: {
    meaning: 'The eBPF window has no room for a map, a thread or a packet buffer.',
    remedy: 'Make the maps smaller, unload programs, or configure a larger window.',
  },
  BPF_BAD_MAP: {
    meaning: 'A map definition has sizes that its kind does not allow.',
    remedy: 'Correct the definition in the program: the message says which size and what is allowed.',
  },
  BPF_MAP_ARGUMENT: {
    meaning: 'A key, value or item given to a map has the wrong length.',
    remedy: 'Give exactly the bytes that the map declares.',
  },
  BPF_UNSUPPORTED: {
    meaning: 'A program uses an instruction or helper that the engine does not implement.',
    remedy: 'Compile without it; the message names the instruction.',
  },
  BPF_VIOLATION: {
    meaning: 'The interpreter saw a program do what no program may: a bad access, an uninitialised read, a wrong call.',
    remedy: 'Correct the program at the instruction that the message names.',
  },
  BPF_FUEL_EXHAUSTED: {
    meaning: 'A run executed more instructions than it was given.',
    remedy: 'Bound the loops of the program, or run it with more fuel.',
  },
  ...VERIFIER_ERRORS,
} as const satisfies ErrorTable;

export type BpfErrorCode = keyof typeof BPF_ERRORS;

/** Raised by everything in `src/bpf/` on input that it refuses. */
export class BpfError extends OkoError<BpfErrorCode> {}
