import type { ConformanceCase } from './case.ts';

/** Jumps, loops, local calls, wide constants. */
export const CONTROL_CASES: readonly ConformanceCase[] = [
  { name: 'the shortest program', program: 'r0 = 0\nexit', expect: { r0: 0n } },
  { name: 'goto over code', program: 'r0 = 1\nif r2 == 99 goto +1\ngoto +1\nr0 = 2\nexit', expect: { r0: 1n } },
  { name: 'goto nowhere else', program: 'r0 = 3\ngoto +0\nexit', expect: { r0: 3n } },
  {
    name: 'gotol',
    program: 'r0 = 1\ngotol out\nback: r0 += 10\nexit\nout: r0 += 100\ngotol back',
    expect: { r0: 111n },
  },
  {
    name: 'a loop',
    program: 'r0 = 0\nr1 = 10\nagain: r0 += r1\nr1 += -1\nif r1 != 0 goto again\nexit',
    expect: { r0: 55n },
  },
  {
    name: 'a loop inside of a loop',
    program: `r0 = 0
      r6 = 4
      outer: r7 = 3
      inner: r0 += r6
      r7 -= 1
      if r7 s> 0 goto inner
      r6 -= 1
      if w6 != 0 goto outer
      exit`,
    expect: { r0: 30n },
  },
  {
    name: 'a jump into the middle of a loop',
    program: `r0 = 0
      r1 = 3
      if r2 == 0 goto middle
      top: r0 += 100
      middle: r0 += 1
      r1 -= 1
      if r1 != 0 goto top
      exit`,
    expect: { r0: 203n },
  },
  {
    name: 'two loops that share their code',
    program: `r0 = 0
      r1 = 6
      if r2 == 0 goto b
      a: r0 += 1
      r1 -= 1
      if r1 s<= 0 goto out
      b: r0 += 16
      r1 -= 1
      if r1 s> 0 goto a
      out: exit`,
    expect: { r0: 0x33n },
  },
  {
    name: 'several exits',
    program: 'r0 = 7\nif r2 > 2 goto long\nexit\nlong: r0 = 8\nif r2 > 3 goto longer\nexit\nlonger: r0 = 9\nexit',
    packet: '0000000000000000000000000000',
    expect: { r0: 9n },
  },
  { name: 'lddw', program: 'r0 = 0x8000000180000001 ll\nexit', expect: { r0: 0x8000000180000001n } },
  { name: 'a move sign-extends its constant', program: 'r0 = -2\nexit', expect: { r0: 0xfffffffffffffffen } },
  { name: 'a 32-bit move does not', program: 'w0 = -2\nexit', expect: { r0: 0xfffffffen } },
  { name: 'a 32-bit move of itself cuts', program: 'r0 = -1 ll\nw0 = w0\nexit', expect: { r0: 0xffffffffn } },
  {
    name: 'a comparison does not change its registers',
    program: 'r0 = 0x1ffffffff ll\nif w0 == -1 goto +1\nr0 = 0\nexit',
    expect: { r0: 0x1ffffffffn },
  },
  {
    name: 'a local call takes r1 to r5 and returns r0',
    program: `r1 = 1
      r2 = 2
      r3 = 4
      r4 = 8
      r5 = 16
      call sum
      exit
      sum: r0 = r1
      r0 += r2
      r0 += r3
      r0 += r4
      r0 += r5
      exit`,
    expect: { r0: 31n },
  },
  {
    name: 'a local call keeps r6 to r9 and r10',
    program: `r6 = 1
      r7 = 2
      r8 = 4
      r9 = 8
      *(u64 *)(r10 - 8) = 16
      call spoil
      r0 = r6
      r0 += r7
      r0 += r8
      r0 += r9
      r1 = *(u64 *)(r10 - 8)
      r0 += r1
      exit
      spoil: r6 = 100
      r7 = 100
      r8 = 100
      r9 = 100
      *(u64 *)(r10 - 8) = 100
      r0 = 0
      exit`,
    expect: { r0: 31n },
  },
  {
    name: 'a local function writes the stack of its caller',
    program: `*(u64 *)(r10 - 8) = 1
      r1 = r10
      r1 += -8
      call increment
      r1 = r10
      r1 += -8
      call increment
      r0 = *(u64 *)(r10 - 8)
      exit
      increment: r2 = *(u64 *)(r1 + 0)
      r2 += 10
      *(u64 *)(r1 + 0) = r2
      r0 = 0
      exit`,
    expect: { r0: 21n },
  },
  {
    name: 'functions call functions, eight deep',
    program: `call f1
      exit
      f1: call f2
      r0 += 1
      exit
      f2: call f3
      r0 += 1
      exit
      f3: call f4
      r0 += 1
      exit
      f4: call f5
      r0 += 1
      exit
      f5: call f6
      r0 += 1
      exit
      f6: call f7
      r0 += 1
      exit
      f7: r0 = 100
      exit`,
    expect: { r0: 106n },
  },
  {
    name: 'a function that is called from two places, in a loop',
    program: `r6 = 3
      r7 = 0
      again: r1 = r6
      call double
      r7 += r0
      r1 = r7
      call double
      r7 = r0
      r6 -= 1
      if r6 != 0 goto again
      r0 = r7
      exit
      double: r0 = r1
      r0 <<= 1
      exit`,
    // ((3·2)·2 + 2·2)·2 + 1·2)·2 step by step: 12, 32, 68.
    expect: { r0: 68n },
  },
  {
    name: 'a packet pointer given to a local function',
    program: `call first
      exit
      first: r0 = *(u8 *)(r1 + 3)
      exit`,
    packet: '000102030405060708090a0b0c0d',
    expect: { r0: 3n },
  },
  {
    name: 'callx',
    program: 'r3 = 0\ncallx r3\nexit',
    expect: { refused: 'BPF_UNSUPPORTED' },
    notInLinux: 'refuses it too',
  },
  {
    name: 'a call by BTF id',
    program: 'call btf 1\nexit',
    expect: { refused: 'BPF_UNSUPPORTED' },
    notInLinux: 'has other functions there',
  },
  ...['r10 = 0', 'r10 += 8', 'r10 = 1 ll', 'r10 = *(u64 *)(r1 + 0)', 'r10 = xchg_64(r10 - 8, r10)'].map(
    (write): ConformanceCase => ({
      name: `${write}, which writes the frame pointer`,
      program: `*(u64 *)(r10 - 8) = 0\n${write}\nr0 = 0\nexit`,
      packet: '0000000000000000',
      expect: { refused: 'BPF_BAD_REGISTER' },
      notInLinux: 'refuses it too',
    }),
  ),
  ...(['variable 0', 'code +0', 'map_index 0', 'map_index 0 value 0'] as const).map(
    (what): ConformanceCase => ({
      name: `lddw of ${what}`,
      program: `r0 = ${what} ll\nexit`,
      expect: { refused: 'BPF_UNSUPPORTED' },
      notInLinux: 'has other values there',
    }),
  ),
];
