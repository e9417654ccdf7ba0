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
  BPF_BAD_ASSEMBLY: {
    meaning: 'A line of assembly text is not an instruction.',
    remedy: 'Write it as llvm-objdump prints instructions; oko bpf disasm shows examples.',
  },
  BPF_NOT_ELF: {
    meaning: 'The file is not an ELF object.',
    remedy: 'Give the object file that clang -target bpf -c writes.',
  },
  BPF_WRONG_MACHINE: {
    meaning: 'The object is for another machine than 64-bit little-endian eBPF.',
    remedy: 'Compile with clang -target bpf.',
  },
  BPF_OBJECT_TOO_LARGE: {
    meaning: 'The object file, or the global data it declares, is larger than allowed.',
    remedy: 'Keep the object and its global data below 16 MiB each; large tables belong into maps.',
  },
  BPF_BAD_ELF: {
    meaning: 'The object file is damaged or uses an ELF feature that eBPF objects do not have.',
    remedy: 'Compile it again; do not link or compress it.',
  },
  BPF_BAD_BTF: {
    meaning: 'The type or line information of the object is damaged.',
    remedy: 'Compile it again with -g, or without to leave this information out.',
  },
  BPF_NO_PROGRAM: {
    meaning: 'The object has no program, or none of the section or function name that was asked for.',
    remedy: 'Define a function that is not static, and ask for a name that the message lists.',
  },
  BPF_AMBIGUOUS_PROGRAM: {
    meaning: 'The object has several programs and the request fits more than one.',
    remedy: 'Choose one by section or function name, or name one of them entry.',
  },
  BPF_BAD_FUNCTION: {
    meaning: 'A function of the object is not whole instructions, or a jump in it leads out of it.',
    remedy: 'Compile it again; in assembly, keep jumps inside their function.',
  },
  BPF_BAD_CALL: {
    meaning: 'A call leads to no function of the object.',
    remedy: 'Define the function in the same object, or call a helper by its number as oko.h declares it.',
  },
  BPF_TOO_MANY_FUNCTIONS: {
    meaning: 'The program calls more local functions than allowed.',
    remedy: 'Let the compiler inline small functions (static inline).',
  },
  BPF_BAD_RELOCATION: {
    meaning: 'A relocation patches something that it cannot patch.',
    remedy: 'Compile the object with clang -target bpf; do not edit or link it.',
  },
  BPF_UNSUPPORTED_RELOCATION: {
    meaning: 'The program uses a construct that this switch does not offer, as a pointer to a function or CO-RE.',
    remedy: 'Leave out the construct that the message names.',
  },
  BPF_UNDEFINED_SYMBOL: {
    meaning: 'The program uses a function or variable that the object does not define.',
    remedy: 'Define it in the same object; helpers are declared by number in oko.h.',
  },
  BPF_TOO_MANY_MAPS: {
    meaning: 'The object declares more maps than allowed.',
    remedy: 'Use fewer maps; values may be structs.',
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
    meaning: 'A map definition has a type, a size or a number of entries that no map can have.',
    remedy: 'Correct the definition in the program: the message says which field and what is allowed.',
  },
  BPF_MAP_ARGUMENT: {
    meaning: 'A key, value or item given to a map has the wrong length.',
    remedy: 'Give exactly the bytes that the map declares.',
  },
  BPF_UNSUPPORTED: {
    meaning: 'A program uses an instruction or helper that the engine does not implement.',
    remedy: 'Compile without it; the message names the instruction.',
  },
  BPF_BAD_CONTROL_FLOW: {
    meaning:
      'A jump or call leaves the program or lands inside of an instruction, or local calls nest too deep or recur.',
    remedy: 'End every path with exit, keep targets on instructions, and nest at most 8 functions.',
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
