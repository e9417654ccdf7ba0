import type { MapDefinition } from '../maps/definition.ts';
import type { ViolationKind } from '../violation.ts';
import type { ConformanceCase } from './case.ts';

const hash: MapDefinition = { name: 'm', kind: 'hash', keySize: 4, valueSize: 8, maxEntries: 2, hashCount: 0 };
const array: MapDefinition = { ...hash, kind: 'array' };
const readOnly: MapDefinition = { ...array, maxEntries: 1, readOnly: true };

const rows: readonly [kind: ViolationKind, name: string, program: string, maps?: readonly MapDefinition[]][] = [
  ['uninitialised-register', 'r0 at the end', 'exit'],
  ['uninitialised-register', 'r3 at the start', 'r0 = r3\nexit'],
  ['uninitialised-register', 'the destination of an addition', 'r0 += 1\nexit'],
  ['uninitialised-register', 'r1 after a helper', 'call 5\nr0 = r1\nexit'],
  ['uninitialised-register', 'r5 after a local call', 'r5 = 1\ncall f\nr0 = r5\nexit\nf: r0 = 0\nexit'],
  ['uninitialised-register', 'r6 of the caller in a function', 'r6 = 1\ncall f\nexit\nf: r0 = r6\nexit'],
  [
    'uninitialised-register',
    'r0 for a compare-and-exchange',
    '*(u64 *)(r10 - 8) = 0\nr1 = 0\nr0 = cmpxchg_64(r10 - 8, r0, r1)\nexit',
  ],
  ['uninitialised-stack', 'a byte never written', 'r0 = *(u8 *)(r10 - 1)\nexit'],
  ['uninitialised-stack', 'a copy of a byte never written', 'r1 = *(u8 *)(r10 - 1)\nw2 = w1\nr0 = r2\nexit'],
  [
    'uninitialised-stack',
    'a byte never written that went over the stack',
    'r1 = *(u8 *)(r10 - 1)\n*(u64 *)(r10 - 16) = r1\nr0 = *(u32 *)(r10 - 16)\nexit',
  ],
  [
    'uninitialised-stack',
    'a byte never written into a map value',
    'r6 = map 0 value 0 ll\nr1 = *(u8 *)(r10 - 1)\n*(u8 *)(r6 + 0) = r1\nr0 = 0\nexit',
    [{ ...array, maxEntries: 1 }],
  ],
  [
    'uninitialised-stack',
    'a byte never written, over a call in r6',
    'r6 = *(u8 *)(r10 - 1)\ncall f\nr0 = r6\nexit\nf: r6 = 1\nr0 = 0\nexit',
  ],
  [
    'uninitialised-stack',
    'seven bytes written, eight read',
    '*(u32 *)(r10 - 8) = 0\n*(u16 *)(r10 - 4) = 0\n*(u8 *)(r10 - 2) = 0\nr0 = *(u64 *)(r10 - 8)\nexit',
  ],
  [
    'uninitialised-stack',
    'what another function left in the frame',
    'call f\ncall g\nexit\nf: *(u64 *)(r10 - 8) = 1\nr0 = 0\nexit\ng: r0 = *(u64 *)(r10 - 8)\nexit',
  ],
  ['uninitialised-stack', 'a key for a helper', 'r1 = map 0 ll\nr2 = r10\nr2 += -4\ncall 1\nr0 = 0\nexit', [hash]],
  ['read-out-of-bounds', 'one byte past the packet', 'r0 = *(u8 *)(r1 + 4)\nexit'],
  ['read-out-of-bounds', 'a word that reaches over the end', 'r0 = *(u32 *)(r1 + 1)\nexit'],
  ['read-out-of-bounds', 'before the packet', 'r0 = *(u8 *)(r1 - 1)\nexit'],
  ['read-out-of-bounds', 'NULL', 'r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit'],
  [
    'read-out-of-bounds',
    'an address of 64 bits whose low half is right',
    'r3 = 0x100000000 ll\nr1 += r3\nr0 = *(u8 *)(r1 + 0)\nexit',
  ],
  ['read-out-of-bounds', 'a map', 'r1 = map 0 ll\nr0 = *(u64 *)(r1 + 0)\nexit', [hash]],
  [
    'read-out-of-bounds',
    'past a map value',
    '*(u32 *)(r10 - 4) = 0\nr1 = map 0 ll\nr2 = r10\nr2 += -4\ncall 1\nr0 = *(u8 *)(r0 + 8)\nexit',
    [array],
  ],
  [
    'read-out-of-bounds',
    'a result that is NULL',
    '*(u32 *)(r10 - 4) = 9\nr1 = map 0 ll\nr2 = r10\nr2 += -4\ncall 1\nr0 = *(u8 *)(r0 + 0)\nexit',
    [array],
  ],
  ['read-out-of-bounds', 'a value that was not looked up', 'r1 = map 0 ll\nr0 = *(u64 *)(r1 + 128)\nexit', [array]],
  ['read-out-of-bounds', 'what is hashed', 'r2 = 5\ncall 6\nexit'],
  ['write-out-of-bounds', 'above the stack', '*(u8 *)(r10 + 0) = 1\nr0 = 0\nexit'],
  ['write-out-of-bounds', 'below the stack', '*(u8 *)(r10 - 513) = 1\nr0 = 0\nexit'],
  ['write-out-of-bounds', 'over the edge of the stack', '*(u64 *)(r10 - 4) = 1\nr0 = 0\nexit'],
  [
    'write-out-of-bounds',
    'the frame of a function that has ended',
    'call f\nr1 = r10\nr1 += -520\n*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit\nf: *(u8 *)(r10 - 8) = 1\nr0 = 0\nexit',
  ],
  ['write-out-of-bounds', 'over the edge of two frames', 'call f\nexit\nf: *(u64 *)(r10 - 4) = 1\nr0 = 0\nexit'],
  ['write-read-only', 'the packet', '*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit'],
  ['write-read-only', 'a read-only value', 'r1 = map 0 value 0 ll\n*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit', [readOnly]],
  [
    'misaligned-atomic',
    'at 4 of 8',
    '*(u64 *)(r10 - 16) = 0\n*(u64 *)(r10 - 8) = 0\nr1 = 1\nlock *(u64 *)(r10 - 12) += r1\nr0 = 0\nexit',
  ],
  ['jump-out-of-program', 'past the end', 'r0 = 0\ngoto +1\nexit'],
  ['jump-out-of-program', 'no exit', 'r0 = 0'],
  ['jump-out-of-program', 'before the start', 'r0 = 0\ngoto -3\nexit'],
  ['jump-out-of-program', 'into lddw', 'r0 = 0\ngoto +1\nr0 = 1 ll\nexit'],
  ['call-depth', 'recursion', 'f: call f\nexit'],
  [
    'helper-argument',
    'a number in place of a map',
    '*(u32 *)(r10 - 4) = 0\nr1 = 5\nr2 = r10\nr2 += -4\ncall 1\nr0 = 0\nexit',
  ],
  ['helper-argument', 'too much to hash', 'r2 = 513\ncall 6\nexit'],
];

/** What the interpreter names and a verifier refuses. (Compiled code stays within its window; what it makes of these is open.) */
export const VIOLATION_CASES: readonly ConformanceCase[] = rows.map(([violation, name, program, maps]) => ({
  name: `${violation}: ${name}`,
  program,
  packet: '00010203',
  expect: { violation },
  notInLinux: 'refuses it',
  ...(maps === undefined ? {} : { maps }),
}));
