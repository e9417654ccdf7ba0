import type { ErrorTable } from '../../bytes/index.ts';

/** Why the verifier rejects programs. Part of BPF_ERRORS. */
export const VERIFIER_ERRORS = {
  BPF_VERIFIER_UNSUPPORTED: {
    meaning:
      'The program has an instruction that no filter may use: an unknown opcode, an indirect or BTF call, a variable of the platform.',
    remedy: 'Compile with clang --target=bpf and -mcpu=v1 to v4; call functions by name, not through pointers.',
  },
  BPF_VERIFIER_BAD_JUMP: {
    meaning: 'A jump or call leads outside the program, into another function or into the middle of an instruction.',
    remedy: 'Load the program as its compiler wrote it.',
  },
  BPF_VERIFIER_FALLS_OFF: {
    meaning: 'Control can run past the end of a function.',
    remedy: 'End every path with a return.',
  },
  BPF_VERIFIER_UNREACHABLE: {
    meaning: 'No path leads to an instruction.',
    remedy: 'Remove the code that cannot run.',
  },
  BPF_VERIFIER_NO_EXIT: {
    meaning: 'No path leads to the end of the program.',
    remedy: 'Return a value on some path.',
  },
  BPF_VERIFIER_INFINITE_LOOP: {
    meaning: 'A loop comes round to the same state: it may never end.',
    remedy: 'Bound the loop by a counter that grows towards a constant.',
  },
  BPF_VERIFIER_TOO_COMPLEX: {
    meaning: 'Following all paths takes more steps than the verifier may take.',
    remedy: 'Lower loop bounds, mask numbers before they are used, or split the program.',
  },
  BPF_VERIFIER_CALL_DEPTH: {
    meaning: 'Local calls are nested too deep, or recursive.',
    remedy: 'Use no recursion; at most eight functions may be active at once.',
  },
  BPF_VERIFIER_UNINITIALISED_REGISTER: {
    meaning: 'A register is read that holds nothing, or whose content a call took away.',
    remedy: 'Initialise the variable on every path; return a value from every function that should.',
  },
  BPF_VERIFIER_UNINITIALISED_STACK: {
    meaning: 'A local variable is read of which some byte was never written.',
    remedy: 'Initialise the whole variable, padding included: struct key k = {};',
  },
  BPF_VERIFIER_BROKEN_POINTER: {
    meaning: 'A pointer kept on the stack was partly overwritten and is read.',
    remedy: 'Write variables that hold pointers as a whole.',
  },
  BPF_VERIFIER_FRAME_POINTER: {
    meaning: 'The frame pointer is written.',
    remedy: 'Copy r10 to another register first.',
  },
  BPF_VERIFIER_POINTER_ARITHMETIC: {
    meaning: 'Arithmetic on a pointer that does not move it by a number.',
    remedy: 'Only add numbers to pointers, subtract numbers, or subtract pointers into the same object.',
  },
  BPF_VERIFIER_POINTER_RANGE: {
    meaning: 'A number without a useful bound is added to a pointer.',
    remedy: 'Bound the number first, with a comparison or a mask.',
  },
  BPF_VERIFIER_POINTER_COMPARISON: {
    meaning: 'A pointer is compared with a number or with a pointer into another object.',
    remedy: 'Compare pointers with NULL or with pointers into the same object.',
  },
  BPF_VERIFIER_POINTER_LEAK: {
    meaning: 'An address would become visible outside the program: in a map, in the result, in the log.',
    remedy: 'Use what the pointer points to.',
  },
  BPF_VERIFIER_DANGLING_POINTER: {
    meaning: 'A pointer to a local variable would outlive its function.',
    remedy: 'Let the caller hand in a pointer to where the result goes.',
  },
  BPF_VERIFIER_PACKET_BOUNDS: {
    meaning: 'A packet read may lie outside the packet.',
    remedy: 'Return early unless pkt_len reaches the end of the read.',
  },
  BPF_VERIFIER_PACKET_WRITE: {
    meaning: 'The program writes into the packet.',
    remedy: 'Filters may only read the packet: change a copy.',
  },
  BPF_VERIFIER_STACK_BOUNDS: {
    meaning: 'A stack access may lie outside the 512 bytes of the frame.',
    remedy: 'Bound the index; keep large data in a map.',
  },
  BPF_VERIFIER_STACK_ALIGNMENT: {
    meaning: 'A stack access is not aligned to its size.',
    remedy: 'Keep local variables at their natural alignment.',
  },
  BPF_VERIFIER_MAP_VALUE_BOUNDS: {
    meaning: 'An access may lie outside the value of a map.',
    remedy: 'Use the type that the map declares; bound the index.',
  },
  BPF_VERIFIER_NULL_VALUE: {
    meaning: 'The result of a lookup is used before it is known not to be NULL.',
    remedy: 'Check it first: if (!value) return 0;',
  },
  BPF_VERIFIER_READ_ONLY: {
    meaning: 'The program writes what it may only read.',
    remedy: 'Keep what changes in a variable or map of its own.',
  },
  BPF_VERIFIER_NOT_MEMORY: {
    meaning: 'A number, or a map itself, is used as an address.',
    remedy: 'Follow only pointers made from pkt, from local and global variables, and from lookups.',
  },
  BPF_VERIFIER_ATOMIC_ALIGNMENT: {
    meaning: 'An atomic operation is not aligned to its size.',
    remedy: 'Align the field: no packed struct around it.',
  },
  BPF_VERIFIER_UNKNOWN_HELPER: {
    meaning: 'The program calls a helper that does not exist.',
    remedy: 'Call only the functions of the header.',
  },
  BPF_VERIFIER_UNKNOWN_MAP: {
    meaning: 'The program refers to a map that it does not declare, or beyond the bytes of a global variable.',
    remedy: 'Load the object with its maps.',
  },
  BPF_VERIFIER_ARGUMENT: {
    meaning: 'A helper is called with an argument of the wrong kind.',
    remedy: 'Pass what the prototype in the header says.',
  },
  BPF_VERIFIER_MAP_KIND: {
    meaning: 'A helper is called on a kind of map that cannot do it.',
    remedy: 'Use the helper that belongs to the kind of map.',
  },
  BPF_VERIFIER_SIZE: {
    meaning: 'A size given to a helper is not a constant within its limits.',
    remedy: 'Pass sizeof of the variable.',
  },
  BPF_VERIFIER_FORMAT: {
    meaning: 'The format of ubpf_printf is not a constant text.',
    remedy: 'Pass a string literal.',
  },
} as const satisfies ErrorTable;
