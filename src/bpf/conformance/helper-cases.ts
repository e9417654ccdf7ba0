import type { MapDefinition, MapKind } from '../maps/definition.ts';
import type { ConformanceCase } from './case.ts';

const notInLinux = 'has helpers and maps of its own';
const errno = (number: number): bigint => BigInt.asUintN(64, BigInt(number));

function map(kind: MapKind, shape: Partial<MapDefinition> = {}): MapDefinition {
  return { name: 'm', kind, keySize: 4, valueSize: 8, maxEntries: 2, hashCount: 0, ...shape };
}

/** Call of a map helper with the key at r10 − 8 and the value at r10 − 16. */
function call(helper: 1 | 2 | 3 | 4): string {
  return `r1 = map 0 ll
    r2 = r10
    r2 += -8
    r3 = r10
    r3 += -16
    call ${helper}`;
}

const key = (n: number): string => `*(u32 *)(r10 - 8) = ${n}\n*(u32 *)(r10 - 4) = 0`;
const value = (n: number): string => `*(u64 *)(r10 - 16) = ${n}`;
/** r0 = the value that r0 points to, or −1. */
const dereference = 'if r0 == 0 goto absent\nr0 = *(u64 *)(r0 + 0)\nexit\nabsent: r0 = -1\nexit';

const sketch = map('count-min', { maxEntries: 16, hashCount: 3 });
const bloom = map('bloom', { valueSize: 0, maxEntries: 64, hashCount: 2 });
const prefixes = map('lpm-trie', { keySize: 8, maxEntries: 4 });

const KEYED: readonly MapDefinition[] = [map('hash'), map('lru-hash'), map('per-thread-hash'), prefixes];
const INDEXED: readonly MapDefinition[] = [map('array'), map('per-thread-array'), map('array', { keySize: 8 })];

/** Helpers and the maps they work on. */
export const HELPER_CASES: readonly ConformanceCase[] = [
  ...KEYED.flatMap((definition): ConformanceCase[] => [
    {
      name: `${definition.kind}: a key that is not there`,
      program: `${key(1)}\n${value(0)}\n${call(1)}\nexit`,
      maps: [definition],
      expect: { r0: 0n },
      notInLinux,
    },
    {
      name: `${definition.kind}: update, then lookup`,
      program: `${key(1)}\n${value(77)}\n${call(2)}\nif r0 != 0 goto out\n${call(1)}\n${dereference}\nout: exit`,
      maps: [definition],
      expect: { r0: 77n },
      notInLinux,
    },
    {
      name: `${definition.kind}: a second update replaces`,
      program: `${key(1)}\n${value(1)}\n${call(2)}\n${value(2)}\n${call(2)}\n${call(1)}\n${dereference}`,
      maps: [definition],
      expect: { r0: 2n },
      notInLinux,
    },
    {
      name: `${definition.kind}: delete`,
      program: `${key(1)}\n${value(1)}\n${call(2)}\n${call(3)}\nr6 = r0\n${call(1)}\nr0 |= r6\nexit`,
      maps: [definition],
      expect: { r0: 0n },
      notInLinux,
    },
    {
      name: `${definition.kind}: delete of a key that is not there`,
      program: `${key(1)}\n${value(1)}\n${call(3)}\nexit`,
      maps: [definition],
      expect: { r0: errno(-2) },
      notInLinux,
    },
    {
      name: `${definition.kind}: has no add`,
      program: `${key(1)}\n${value(1)}\n${call(4)}\nexit`,
      maps: [definition],
      expect: { r0: errno(-95) },
      notInLinux,
    },
    {
      name: `${definition.kind}: a third key in a map of two`,
      program: [1, 2, 3]
        .map((n) => `${key(n)}\n${value(n)}\n${call(2)}`)
        .join('\n')
        .concat('\nexit'),
      maps: [{ ...definition, maxEntries: 2 }],
      expect: { r0: definition.kind === 'lru-hash' ? 0n : errno(-7) },
      notInLinux,
    },
  ]),
  ...INDEXED.flatMap((definition): ConformanceCase[] => {
    const of = `${definition.kind} with keys of ${definition.keySize} bytes`;
    return [
      {
        name: `${of}: elements are there and zero`,
        program: `${key(1)}\n${value(0)}\n${call(1)}\n${dereference}`,
        maps: [definition],
        expect: { r0: 0n },
        notInLinux,
      },
      {
        name: `${of}: an index past the end`,
        program: `${key(2)}\n${value(0)}\n${call(1)}\n${dereference}`,
        maps: [definition],
        expect: { r0: errno(-1) },
        notInLinux,
      },
      {
        name: `${of}: update past the end`,
        program: `${key(2)}\n${value(0)}\n${call(2)}\nexit`,
        maps: [definition],
        expect: { r0: errno(-7) },
        notInLinux,
      },
      {
        name: `${of}: update, then lookup`,
        program: `${key(1)}\n${value(77)}\n${call(2)}\n${call(1)}\n${dereference}`,
        maps: [definition],
        expect: { r0: 77n },
        notInLinux,
      },
      {
        name: `${of}: elements cannot be deleted`,
        program: `${key(1)}\n${value(0)}\n${call(3)}\nexit`,
        maps: [definition],
        expect: { r0: errno(-22) },
        notInLinux,
      },
    ];
  }),
  {
    name: 'a hash of 13-byte keys tells keys by their last byte',
    program: `*(u64 *)(r10 - 8) = 5
      *(u64 *)(r10 - 16) = 1
      *(u64 *)(r10 - 24) = 9
      r1 = map 0 ll
      r2 = r10
      r2 += -13
      r3 = r10
      r3 += -24
      call 2
      *(u8 *)(r10 - 1) = 1
      r1 = map 0 ll
      r2 = r10
      r2 += -13
      call 1
      r6 = r0
      *(u8 *)(r10 - 1) = 0
      r1 = map 0 ll
      r2 = r10
      r2 += -13
      call 1
      if r6 != 0 goto absent
      ${dereference}`,
    maps: [map('hash', { keySize: 13 })],
    expect: { r0: 9n },
    notInLinux,
  },
  {
    name: 'a looked-up value can be written and added to',
    program: `${key(1)}\n${value(0)}\n${call(2)}\n${call(1)}
      if r0 == 0 goto absent
      *(u32 *)(r0 + 4) = 1
      r1 = 5
      lock *(u64 *)(r0 + 0) += r1
      r1 = atomic_fetch_add((u64 *)(r0 + 0), r1)
      ${call(1)}
      ${dereference}`,
    maps: [map('hash')],
    expect: { r0: 0x1_0000_000an },
    notInLinux,
  },
  {
    name: 'LPM: the longest prefix wins, and lookups cut their address',
    program: `*(u32 *)(r10 - 8) = 8
      *(u32 *)(r10 - 4) = 0x0a
      ${value(8)}
      ${call(2)}
      *(u32 *)(r10 - 8) = 24
      *(u32 *)(r10 - 4) = 0x0302010a
      ${value(24)}
      ${call(2)}
      *(u32 *)(r10 - 8) = 32
      *(u32 *)(r10 - 4) = 0xff02010a
      ${call(1)}
      if r0 == 0 goto absent
      r6 = *(u64 *)(r0 + 0)
      *(u32 *)(r10 - 4) = 0xff03010a
      ${call(1)}
      if r0 == 0 goto absent
      r0 = *(u64 *)(r0 + 0)
      r0 <<= 8
      r0 |= r6
      exit
      absent: r0 = -1
      exit`,
    maps: [prefixes],
    expect: { r0: 0x818n },
    notInLinux,
  },
  {
    name: 'LPM: a prefix longer than the key',
    program: `*(u32 *)(r10 - 8) = 33\n*(u32 *)(r10 - 4) = 0\n${value(1)}\n${call(2)}\nexit`,
    maps: [prefixes],
    expect: { r0: errno(-22) },
    notInLinux,
  },
  {
    name: 'Bloom filter: add, then lookup',
    program: `${key(1)}\n${value(0)}\n${call(4)}\nr6 = r0\n${call(1)}\nif r0 == 0 goto absent\nr0 = *(u64 *)(r0 + 0)\nr0 += r6\nexit\nabsent: r0 = -1\nexit`,
    maps: [bloom],
    expect: { r0: 1n },
    notInLinux,
  },
  {
    name: 'Bloom filter: empty',
    program: `${key(1)}\n${value(0)}\n${call(1)}\nexit`,
    maps: [bloom],
    expect: { r0: 0n },
    notInLinux,
  },
  {
    name: 'count-min: counts',
    program: `${key(1)}\n${value(0)}\n${call(4)}\n${call(4)}\n${call(4)}\n${call(1)}\n${dereference}`,
    maps: [sketch],
    expect: { r0: 3n },
    notInLinux,
  },
  ...[bloom, sketch].flatMap((definition): ConformanceCase[] =>
    ([2, 3] as const).map((helper) => ({
      name: `${definition.kind} has no helper ${helper}`,
      program: `${key(1)}\n${value(0)}\n${call(helper)}\nexit`,
      maps: [definition],
      expect: { r0: errno(-95) },
      notInLinux,
    })),
  ),
  {
    name: 'helpers do not write a read-only map',
    program: `${key(0)}\n${value(0)}\n${call(2)}\nr6 = r0\n${call(3)}\nr6 += r0\n${call(4)}\nr0 += r6\nexit`,
    maps: [map('array', { maxEntries: 1, readOnly: true })],
    expect: { r0: errno(-3) },
    notInLinux,
  },
  {
    name: 'a global variable',
    program: `r1 = map 0 value 4 ll
      r2 = *(u32 *)(r1 + 0)
      r2 += 1
      *(u32 *)(r1 + 0) = w2
      r3 = map 0 value 0 ll
      r0 = *(u64 *)(r3 + 0)
      exit`,
    maps: [map('array', { maxEntries: 1, initial: Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0) })],
    expect: { r0: 0x3_0000_0001n },
    notInLinux,
  },
  {
    name: 'ubpf_hash is lookup3',
    // "Four score and seven years ago", as in lookup3.c.
    program: 'r2 = 30\ncall 6\nexit',
    packet: '466f75722073636f726520616e6420736576656e2079656172732061676f',
    expect: { r0: 0x17770551n },
    notInLinux,
  },
  { name: 'ubpf_hash of nothing', program: 'r2 = 0\ncall 6\nexit', expect: { r0: 0xdeadbeefn }, notInLinux },
  {
    name: 'ubpf_hash of 13 bytes of stack',
    program: `*(u64 *)(r10 - 16) = 0
      *(u64 *)(r10 - 8) = 0
      r1 = r10
      r1 += -13
      r2 = 13
      call 6
      exit`,
    expect: { r0: 0x4310ac3en },
    notInLinux,
  },
  { name: 'ubpf_time_get_ns', program: 'call 5\nr6 = r0\ncall 5\nr0 -= r6\nexit', expect: { r0: 0n }, notInLinux },
  {
    name: 'ubpf_printf returns 0',
    program: `*(u64 *)(r10 - 8) = 0x6968
      r0 = 1
      r1 = r10
      r1 += -8
      r2 = 7
      r3 = 8
      r4 = 9
      r5 = 10
      call 7
      exit`,
    expect: { r0: 0n },
    notInLinux,
  },
  {
    name: 'a helper that does not exist',
    program: 'call 99\nexit',
    expect: { refused: 'BPF_UNSUPPORTED' },
    notInLinux,
  },
  {
    name: 'a map that does not exist',
    program: 'r1 = map 0 ll\nr0 = 0\nexit',
    expect: { refused: 'BPF_UNSUPPORTED' },
    notInLinux,
  },
  {
    name: 'a global in a map that is no array of one element',
    program: 'r1 = map 0 value 0 ll\nr0 = 0\nexit',
    maps: [map('hash')],
    expect: { refused: 'BPF_UNSUPPORTED' },
    notInLinux,
  },
];
