import type { ConformanceCase } from './case.ts';

const PACKET = '0182838485868788 ff7f80fe01020304 a0b0c0d0e0f00010';
const unaligned = 'refuses stack accesses that are not aligned';

/** Loads, stores and packet loads, their sizes, signs, offsets and byte order. */
export const MEMORY_CASES: readonly ConformanceCase[] = [
  { name: 'ldxb', program: 'r0 = *(u8 *)(r1 + 1)\nexit', packet: PACKET, expect: { r0: 0x82n } },
  { name: 'ldxh', program: 'r0 = *(u16 *)(r1 + 1)\nexit', packet: PACKET, expect: { r0: 0x8382n } },
  { name: 'ldxw', program: 'r0 = *(u32 *)(r1 + 1)\nexit', packet: PACKET, expect: { r0: 0x85848382n } },
  { name: 'ldxdw', program: 'r0 = *(u64 *)(r1 + 1)\nexit', packet: PACKET, expect: { r0: 0xff88878685848382n } },
  {
    name: 'ldxsb negative',
    program: 'r0 = *(s8 *)(r1 + 1)\nexit',
    packet: PACKET,
    expect: { r0: 0xffffffffffffff82n },
  },
  { name: 'ldxsb positive', program: 'r0 = *(s8 *)(r1 + 9)\nexit', packet: PACKET, expect: { r0: 0x7fn } },
  {
    name: 'ldxsh negative',
    program: 'r0 = *(s16 *)(r1 + 1)\nexit',
    packet: PACKET,
    expect: { r0: 0xffffffffffff8382n },
  },
  { name: 'ldxsh positive', program: 'r0 = *(s16 *)(r1 + 8)\nexit', packet: PACKET, expect: { r0: 0x7fffn } },
  {
    name: 'ldxsw negative',
    program: 'r0 = *(s32 *)(r1 + 1)\nexit',
    packet: PACKET,
    expect: { r0: 0xffffffff85848382n },
  },
  { name: 'ldxsw positive', program: 'r0 = *(s32 *)(r1 + 12)\nexit', packet: PACKET, expect: { r0: 0x04030201n } },
  {
    name: 'a load at a negative offset',
    program: 'r1 += 16\nr0 = *(u32 *)(r1 - 4)\nexit',
    packet: PACKET,
    expect: { r0: 0x04030201n },
  },
  {
    name: 'a load replaces all of the register it came from',
    program: 'r1 = *(u16 *)(r1 + 0)\nr0 = r1\nexit',
    packet: PACKET,
    expect: { r0: 0x8201n },
  },
  {
    name: 'the last byte of the packet',
    program: 'r0 = *(u8 *)(r1 + 23)\nexit',
    packet: PACKET,
    expect: { r0: 0x10n },
  },
  { name: 'r2 is the length of the packet', program: 'r0 = r2\nexit', packet: PACKET, expect: { r0: 24n } },
  ...(['u8', 'u16', 'u32', 'u64'] as const).flatMap((type, log): ConformanceCase[] => {
    const bits = 8n << BigInt(log);
    const kept = (0x1111111111111111n >> bits) << bits;
    const value = 0x8899aabbccddeeffn;
    return [
      {
        name: `a store of a register as ${type}`,
        program: `r3 = 0x1111111111111111 ll
          *(u64 *)(r10 - 8) = r3
          r4 = 0x8899aabbccddeeff ll
          *(${type} *)(r10 - 8) = ${type === 'u64' ? 'r4' : 'w4'}
          r0 = *(u64 *)(r10 - 8)
          exit`,
        expect: { r0: kept | BigInt.asUintN(Number(bits), value) },
      },
      {
        name: `a store of a constant as ${type}`,
        program: `r3 = 0x1111111111111111 ll
          *(u64 *)(r10 - 8) = r3
          *(${type} *)(r10 - 8) = -2
          r0 = *(u64 *)(r10 - 8)
          exit`,
        expect: { r0: kept | BigInt.asUintN(Number(bits), -2n) },
      },
    ];
  }),
  {
    name: 'narrow loads of a wide store',
    program: `r3 = 0x8877665544332211 ll
      *(u64 *)(r10 - 16) = r3
      r0 = *(u8 *)(r10 - 13)
      r1 = *(u16 *)(r10 - 12)
      r0 <<= 16
      r0 |= r1
      r1 = *(u32 *)(r10 - 12)
      r0 <<= 32
      r0 |= r1
      exit`,
    expect: { r0: 0x0044_6655_8877_6655n },
  },
  {
    name: 'a wide load of narrow stores',
    program: `*(u32 *)(r10 - 8) = 0x44332211
      *(u16 *)(r10 - 4) = 0x6655
      *(u8 *)(r10 - 2) = 0x77
      *(u8 *)(r10 - 1) = 0x88
      r0 = *(u64 *)(r10 - 8)
      exit`,
    expect: { r0: 0x8877665544332211n },
  },
  {
    name: 'a stack access that is not aligned',
    program: `*(u64 *)(r10 - 16) = 0
      *(u64 *)(r10 - 8) = 0
      r3 = 0x8877665544332211 ll
      *(u64 *)(r10 - 11) = r3
      r0 = *(u64 *)(r10 - 16)
      r1 = *(u64 *)(r10 - 8)
      r0 ^= r1
      exit`,
    expect: { r0: 0x3322110000000000n ^ 0x0000008877665544n },
    notInLinux: unaligned,
  },
  {
    name: 'the lowest stack byte',
    program: 'r0 = 0\n*(u8 *)(r10 - 512) = 7\nr0 = *(u8 *)(r10 - 512)\nexit',
    expect: { r0: 7n },
  },
  {
    name: 'the stack through a derived register',
    program: `r3 = r10
      r3 += -64
      *(u64 *)(r3 + 8) = 77
      r3 += -8
      r0 = *(u64 *)(r3 + 16)
      r1 = *(u64 *)(r10 - 56)
      r0 += r1
      exit`,
    expect: { r0: 154n },
  },
  {
    name: 'the stack at a computed offset',
    program: `*(u64 *)(r10 - 16) = 1
      *(u64 *)(r10 - 8) = 2
      r3 = *(u8 *)(r1 + 0)
      r3 &= 1
      r3 <<= 3
      r3 += r10
      *(u8 *)(r3 - 16) = 9
      r0 = *(u8 *)(r10 - 16)
      r4 = *(u8 *)(r10 - 8)
      r0 <<= 8
      r0 |= r4
      exit`,
    packet: PACKET,
    expect: { r0: 0x0109n },
  },
  {
    name: 'a pointer kept on the stack',
    program: `*(u64 *)(r10 - 8) = r1
      r1 = 0
      r3 = *(u64 *)(r10 - 8)
      r0 = *(u8 *)(r3 + 2)
      exit`,
    packet: PACKET,
    expect: { r0: 0x83n },
  },
  {
    name: 'the packet at an offset from the packet',
    program: `r3 = *(u8 *)(r1 + 0)
      r3 &= 7
      r1 += r3
      r0 = *(u16 *)(r1 + 1)
      exit`,
    packet: PACKET,
    expect: { r0: 0x8483n },
    notInLinux: 'knows the bytes of the packet by comparison with its end, not by their number',
  },
  { name: 'ldabsb', program: 'r0 = *(u8 *)skb[1]\nexit', packet: PACKET, expect: { r0: 0x82n } },
  { name: 'ldabsh is big-endian', program: 'r0 = *(u16 *)skb[1]\nexit', packet: PACKET, expect: { r0: 0x8283n } },
  { name: 'ldabsw is big-endian', program: 'r0 = *(u32 *)skb[1]\nexit', packet: PACKET, expect: { r0: 0x82838485n } },
  {
    name: 'ldindb',
    program: 'r7 = 3\nr0 = *(u8 *)skb[r7 + 1]\nexit',
    packet: PACKET,
    expect: { r0: 0x85n },
  },
  {
    name: 'ldindh adds its register and its constant, which may be negative',
    program: 'r7 = 3\nr0 = *(u16 *)skb[r7 - 2]\nexit',
    packet: PACKET,
    expect: { r0: 0x8283n },
  },
  {
    name: 'ldindw at the end of the packet',
    program: 'r7 = 20\nr0 = *(u32 *)skb[r7]\nexit',
    packet: PACKET,
    expect: { r0: 0xe0f00010n },
  },
  ...[
    'r0 = *(u32 *)skb[21]',
    'r0 = *(u8 *)skb[24]',
    'r7 = 23\nr0 = *(u16 *)skb[r7]',
    'r0 = *(u8 *)skb[0x7fffffff]',
  ].map(
    (load): ConformanceCase => ({
      name: `${load.replace('\n', '; ')} past the end returns 0`,
      program: `r0 = 5\n${load}\nr0 = 1\nexit`,
      packet: PACKET,
      expect: { r0: 0n },
    }),
  ),
  {
    name: 'a packet load past the end ends the local function only',
    program: `call part
      r0 += 5
      exit
      part: r0 = *(u8 *)skb[99]
      r0 = 100
      exit`,
    packet: PACKET,
    expect: { r0: 5n },
    notInLinux: 'wants type information for local functions with such loads',
  },
];
