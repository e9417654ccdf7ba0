/** Where Oko's verifier and Linux's differ on one program, and why both may. docs/verifier.md shows this list. */
export interface KernelDifference {
  /** `accepts`, or the code of the rejection without `BPF_VERIFIER_`. */
  readonly ours: string;
  /** `accepts`, or a part of what Linux says. */
  readonly theirs: string;
  readonly why: string;
  /**
   * The only programs that it explains: cases of the suite, `end 7` and `length 7` for random filters by seed, examples.
   * Absent: any, which is allowed where Linux does not object to an access of memory.
   */
  readonly programs?: readonly string[];
}

/** Objections of Linux that are not about what memory is accessed or what a register holds. */
export const NOT_ABOUT_MEMORY =
  /program is too large|frames is too deep|combined stack size|arithmetic on pkt_end|cannot return stack pointer/;

export const KERNEL_DIFFERENCES: readonly KernelDifference[] = [
  {
    ours: 'accepts',
    theirs: 'BPF program is too large',
    why: 'Linux follows every round of a loop apart for each sum; here a number that decides nothing keeps no states apart.',
  },
  {
    ours: 'accepts',
    theirs: 'the call stack of 8 frames is too deep',
    why: 'Linux counts the functions that a call could nest before it follows any; here recursion that provably ends after a few calls passes.',
  },
  {
    ours: 'accepts',
    theirs: 'combined stack size',
    why: 'Linux has 512 bytes of stack for all active functions together, Oko 512 for each.',
  },
  {
    ours: 'accepts',
    theirs: 'cannot return stack pointer',
    why: 'Here a function may give back a pointer into the frame of its caller, which is still active; never one into its own.',
  },
  {
    ours: 'accepts',
    theirs: 'arithmetic on pkt_end',
    why: 'For Linux the end of the packet is a value of its own; here it is a pointer like others, checked where it is followed.',
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to map value',
    why: 'Linux learns nothing from comparing two pointers into one value (the packet is one in this form); here they compare as their offsets do.',
    programs: [
      'pointers into one value compared',
      'a value indexed, and checked on the pointer',
      'the end of the packet as a pointer',
      'pointers compared the other way round',
      'pointers compared with >=: one byte more',
      'the packet and its end made by adding the pointer to the length',
      'a pointer with a variable part, checked against the end',
      'end less start is the length',
    ],
  },
  {
    ours: 'accepts',
    theirs: 'invalid read from stack',
    why: 'Linux learns nothing from comparing two pointers into the stack; here they compare as their offsets do.',
    programs: ['stack pointers compared in a loop over an array'],
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to map value',
    why: 'Linux does not tell a pointer what a comparison said of the number that was added to it before.',
    programs: ['what was learnt is told to a pointer made before'],
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to map value',
    why: 'Linux keeps a 32-bit number on the stack only in the lower half of an 8-byte slot.',
    programs: ["the packet's length kept in 32 bits"],
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to map value',
    why: 'Linux forgets what a comparison of a sum (at + 2 > pkt_len) said of the number that was added to, once it has moved on.',
    programs: ['tcp-fingerprint'],
  },
  {
    ours: 'accepts',
    theirs: 'math between map_value pointer and register with unbounded min value',
    why: 'Linux knows nothing of a remainder; here x % 256 is x for a byte.',
    programs: ['a remainder that changes nothing keeps the link'],
  },
  {
    ours: 'accepts',
    theirs: 'unbounded memory access',
    why: 'For Linux a number shifted up and down again by 32 bits, as old compilers extend it, is a new one.',
    programs: ['a shift pair keeps the correlation'],
  },
  {
    ours: 'accepts',
    theirs: 'unbounded memory access',
    why: 'Linux does not take a sign-extended byte, moved up, out of the negative numbers in a pointer sum with room before it.',
    programs: ['a small signed offset with room before it'],
  },
  {
    ours: 'accepts',
    theirs: 'unbounded memory access',
    why: 'Linux forgets a constant on the stack when one of its bytes is overwritten; here the other bytes stay known, and the jump that they decide.',
    programs: ['length 240'],
  },
  {
    ours: 'accepts',
    theirs: '32-bit pointer arithmetic prohibited',
    why: 'The instruction is never reached: a byte of a constant on the stack was overwritten, and the rest, which decides a jump, stays known here.',
    programs: ['end 476'],
  },
  {
    ours: 'accepts',
    theirs: "invalid mem access 'map_value_or_null'",
    why: 'Linux takes only a comparison with the constant 0 for a check against NULL, not one with a register that holds 0.',
    programs: ['NULL checked against a register with zero'],
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to packet',
    why: 'A pointer with a variable part has in Linux only the bytes that it was compared for itself; here the bound of the part and the bytes checked from the start count too.',
    programs: ['end 151', 'end 299', 'end 491', 'end 712'],
  },
  {
    ours: 'accepts',
    theirs: 'invalid access to packet',
    why: 'The access is never reached: a packet pointer is compared with itself plus a constant, which Linux does not decide.',
    programs: ['end 277', 'end 689', 'end 995'],
  },
  {
    ours: 'accepts',
    theirs: 'invalid size of register spill',
    why: 'The instruction is never reached: the function before it ends early only for a packet that the check after it excludes.',
    programs: ['end 864'],
  },
  {
    ours: 'accepts',
    theirs: 'misaligned value access',
    why: 'The instruction is never reached: a constant is shifted by more than 63, which RFC 9669 masks and Linux does not fold.',
    programs: ['length 225'],
  },
  {
    ours: 'accepts',
    theirs: 'arithmetic on map_value_or_null',
    why: 'The instruction is never reached: a remainder decides a jump, and Linux knows nothing of remainders.',
    programs: ['length 493'],
  },
  {
    ours: 'accepts',
    theirs: '!read_ok',
    why: 'A register without value may be copied here, as clang 14 does at -O1 on paths that never use it; any other use is refused.',
    programs: ['a copy of a register without value that is not used'],
  },
  {
    ours: 'MAP_KIND',
    theirs: 'accepts',
    why: 'A deletion from an array does nothing but fail; here that is said when the program is loaded.',
    programs: ['a deletion from an array'],
  },
  {
    ours: 'SIZE',
    theirs: 'accepts',
    why: 'ubpf_hash takes a constant of at most 512; the helper of Linux that stands for it takes any bounded size.',
    programs: ['a hash of 513 bytes of the packet', 'a hash of a size that is not known'],
  },
  {
    ours: 'UNINITIALISED_STACK',
    theirs: 'accepts',
    why: 'Linux takes all of an 8-byte slot for written when a part of it was.',
  },
  {
    ours: 'PACKET_BOUNDS',
    theirs: 'accepts',
    why: 'Linux was asked for packets of single lengths, of which it then knows half and low bits; no bound by pkt_len is kept here for them.',
    programs: ['only the low 16 bits of the length', 'half the length as an offset'],
  },
];

/** The list as a table for the docs. */
export function differencesTable(): string {
  const rows = KERNEL_DIFFERENCES.map(({ ours, theirs, why, programs }) => {
    const where = programs === undefined ? 'any' : programs.map((name) => `“${name}”`).join(', ');
    const said = theirs === 'accepts' ? theirs : `“${theirs}”`;
    return `| ${ours === 'accepts' ? ours : `\`${ours}\``} | ${said} | ${why} | ${where} |`;
  });
  return ['| Oko | Linux | why | programs |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
