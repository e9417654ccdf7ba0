import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, divide, divideSigned, modulo, moduloSigned, multiply, negate, subtract } from './arithmetic.ts';
import {
  and,
  byteSwap,
  mask31,
  or,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  signExtend,
  xor,
  zeroExtend,
} from './bitwise.ts';
import { decide, negation, type Relation, refine } from './comparison.ts';
import {
  constant,
  fromBits,
  greater,
  intersect,
  join,
  lesser,
  type Scalar,
  settle,
  signedRange,
  UNKNOWN,
  unbounded,
  unsignedRange,
  zeroExtend32,
} from './scalar.ts';
import { swapBytes } from './tnum.ts';

const RUNS = process.env.OKO_LONG ? 50_000 : 500;
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);
const s32 = (x: bigint): bigint => BigInt.asIntN(32, x);

/** Numbers near the edges of the widths, and plain ones. */
const word: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }).map(u64),
  fc
    .tuple(fc.constantFrom(7n, 8n, 15n, 16n, 31n, 32n, 33n, 47n, 62n, 63n), fc.bigInt({ min: -3n, max: 3n }))
    .map(([bit, off]) => u64((1n << bit) + off)),
  fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

/** A set and some of its numbers. It is made from the numbers, then narrowed by truths about all of them. */
interface Sample {
  set: Scalar;
  members: bigint[];
}

const sample: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.array(word, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('join', 'range', 'signed-range', 'bits', 'low', 'unknown', 'narrowed'),
  )
  .map(([members, how]) => {
    const least = members.reduce(lesser);
    const greatest = members.reduce(greater);
    const signedMembers = members.map(s64);
    const sleast = signedMembers.reduce(lesser);
    const sgreatest = signedMembers.reduce(greater);
    const lows = members.map((x) => Number(u32(x)));
    const joined = members.map(constant).reduce(join);
    const made: Record<string, () => Scalar> = {
      join: () => joined,
      range: () => unsignedRange(least, greatest),
      'signed-range': () => signedRange(sleast, sgreatest),
      bits: () => fromBits(joined.bits),
      low: () => settle({ ...unbounded(), u32min: Math.min(...lows), u32max: Math.max(...lows) }) ?? UNKNOWN,
      unknown: () => UNKNOWN,
      narrowed: () =>
        intersect(signedRange(sleast, sgreatest), settle({ ...unbounded(), s32max: joined.s32max }) ?? UNKNOWN) ??
        UNKNOWN,
    };
    return { set: (made[how] ?? (() => UNKNOWN))(), members };
  });

const show = (s: Scalar): string => JSON.stringify(s, (_, v) => (typeof v === 'bigint' ? v.toString(16) : v));

function inStep(s: Scalar): void {
  expect(s.umin <= s.umax && s.smin <= s.smax && s.u32min <= s.u32max && s.s32min <= s.s32max, show(s)).toBe(true);
  expect(s.bits.value & s.bits.mask).toBe(0n);
}

type Concrete = (x: bigint, y: bigint) => bigint;
const shl32: Concrete = (x, y) => u32(u32(x) << (y & 31n));

const BINARY: [string, (a: Scalar, b: Scalar) => Scalar, Concrete][] = [
  ['add', add, (x, y) => x + y],
  ['subtract', subtract, (x, y) => x - y],
  ['multiply', multiply, (x, y) => x * y],
  ['divide', divide, (x, y) => (y === 0n ? 0n : x / y)],
  ['modulo', modulo, (x, y) => (y === 0n ? x : x % y)],
  ['divideSigned', divideSigned, (x, y) => (y === 0n ? 0n : s64(x) / s64(y))],
  ['moduloSigned', moduloSigned, (x, y) => (y === 0n ? x : s64(x) % s64(y))],
  ['and', and, (x, y) => x & y],
  ['or', or, (x, y) => x | y],
  ['xor', xor, (x, y) => x ^ y],
  ['shiftLeft', shiftLeft, (x, y) => x << (y & 63n)],
  ['shiftRight', shiftRight, (x, y) => x >> (y & 63n)],
  ['shiftRightSigned', shiftRightSigned, (x, y) => s64(x) >> (y & 63n)],
  ['add, low half', (a, b) => zeroExtend32(add(a, b)), (x, y) => u32(u32(x) + u32(y))],
  ['subtract, low half', (a, b) => zeroExtend32(subtract(a, b)), (x, y) => u32(u32(x) - u32(y))],
  ['multiply, low half', (a, b) => zeroExtend32(multiply(a, b)), (x, y) => u32(u32(x) * u32(y))],
  ['xor, low half', (a, b) => zeroExtend32(xor(a, b)), (x, y) => u32(x ^ y)],
  ['shiftLeft, low half', (a, b) => zeroExtend32(shiftLeft(zeroExtend32(a), mask31(b))), shl32],
  [
    'shiftRightSigned, low half',
    (a, b) => zeroExtend32(shiftRightSigned(signExtend(a, 32), mask31(b))),
    (x, y) => u32(s32(x) >> (y & 31n)),
  ],
  [
    'divideSigned, low half',
    (a, b) => zeroExtend32(divideSigned(signExtend(a, 32), signExtend(b, 32))),
    (x, y) => (s32(y) === 0n ? 0n : u32(s32(x) / s32(y))),
  ],
  ['join', join, (x) => x],
  ['join, other side', join, (_, y) => y],
];

const UNARY: [string, (a: Scalar) => Scalar, (x: bigint) => bigint][] = [
  ['negate', negate, (x) => -x],
  ['zeroExtend32', zeroExtend32, u32],
  ...[8, 16, 32].map((n): [string, (a: Scalar) => Scalar, (x: bigint) => bigint] => [
    `zeroExtend ${n}`,
    (a) => zeroExtend(a, n),
    (x) => BigInt.asUintN(n, x),
  ]),
  ...[8, 16, 32].map((n): [string, (a: Scalar) => Scalar, (x: bigint) => bigint] => [
    `signExtend ${n}`,
    (a) => signExtend(a, n),
    (x) => BigInt.asIntN(n, x),
  ]),
  ...[2, 4, 8].map((n): [string, (a: Scalar) => Scalar, (x: bigint) => bigint] => [
    `byteSwap ${n}`,
    (a) => byteSwap(a, n),
    (x) => swapBytes(x, n),
  ]),
];

const RELATIONS: [Relation, (x: bigint, y: bigint, sx: bigint, sy: bigint) => boolean][] = [
  ['eq', (x, y) => x === y],
  ['ne', (x, y) => x !== y],
  ['set', (x, y) => (x & y) !== 0n],
  ['not-set', (x, y) => (x & y) === 0n],
  ['gt', (x, y) => x > y],
  ['ge', (x, y) => x >= y],
  ['lt', (x, y) => x < y],
  ['le', (x, y) => x <= y],
  ['sgt', (_x, _y, x, y) => x > y],
  ['sge', (_x, _y, x, y) => x >= y],
  ['slt', (_x, _y, x, y) => x < y],
  ['sle', (_x, _y, x, y) => x <= y],
];

describe('a set of numbers holds every result of the operation on its numbers', () => {
  it('is made in step and holds what it was made from', () => {
    fc.assert(
      fc.property(sample, ({ set, members }) => {
        inStep(set);
        for (const x of members) expect(set.contains(x), `${x} in ${show(set)}`).toBe(true);
      }),
      { numRuns: RUNS * 4 },
    );
  });

  it.each(BINARY)('%s', (_, abstract, concrete) => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const result = abstract(a.set, b.set);
        inStep(result);
        for (const x of a.members) {
          for (const y of b.members) {
            const value = u64(concrete(x, y));
            if (!result.contains(value)) expect.fail(`${x} and ${y} give ${value}, not in ${show(result)}`);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it.each(UNARY)('%s', (_, abstract, concrete) => {
    fc.assert(
      fc.property(sample, (a) => {
        const result = abstract(a.set);
        inStep(result);
        for (const x of a.members) expect(result.contains(u64(concrete(x))), `${x} in ${show(result)}`).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(RELATIONS)('refining by %s, 64 and 32 bits, keeps every pair for which it holds', (relation, holds) => {
    fc.assert(
      fc.property(sample, sample, fc.boolean(), (a, b, narrow) => {
        const refined = refine(relation, a.set, b.set, narrow);
        const decided = decide(relation, a.set, b.set, narrow);
        if (refined) {
          inStep(refined.a);
          inStep(refined.b);
          // Refining never forgets.
          expect(a.set.includes(refined.a) && b.set.includes(refined.b)).toBe(true);
        }
        for (const x of a.members) {
          for (const y of b.members) {
            const truth = narrow ? holds(u32(x), u32(y), s32(x), s32(y)) : holds(x, y, s64(x), s64(y));
            if (decided !== undefined) expect(truth).toBe(decided);
            if (truth) {
              expect(refined?.a.contains(x) && refined.b.contains(y), `${x} ${relation} ${y} of ${show(a.set)}`).toBe(
                true,
              );
            } else {
              expect(refine(negation(relation), a.set, b.set, narrow)?.a.contains(x)).toBe(true);
            }
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('intersection keeps the common numbers and nothing outside either', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const both = intersect(a.set, b.set);
        if (both) expect(a.set.includes(both) && b.set.includes(both)).toBe(true);
        for (const x of [...a.members, ...b.members]) {
          if (a.set.contains(x) && b.set.contains(x)) expect(both?.contains(x)).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('precision that filters live on', () => {
  const range = (min: number, max: number): Scalar => unsignedRange(BigInt(min), BigInt(max));

  it.each<[string, Scalar, Scalar]>([
    ['a masked length: (u8 & 15) * 4', shiftLeft(and(range(0, 255), constant(15n)), constant(2n)), range(0, 60)],
    ['a sum in the low half that cannot wrap', zeroExtend32(add(range(1, 50), constant(-1n))), range(0, 49)],
    [
      'a shift pair that extends a 32-bit number',
      shiftRight(shiftLeft(range(3, 9), constant(32n)), constant(32n)),
      range(3, 9),
    ],
    ['a remainder', modulo(UNKNOWN, constant(10n)), range(0, 9)],
    ['a division', divide(range(0, 100), constant(7n)), range(0, 14)],
    ['the complement of a small negative', negate(signedRange(-5n, -2n)), range(2, 5)],
    ['an interval difference', subtract(range(10, 20), range(3, 5)), range(5, 17)],
  ])('%s', (_, got, bounds) => {
    expect([got.umin, got.umax, got.smin, got.smax]).toEqual([bounds.umin, bounds.umax, bounds.smin, bounds.smax]);
  });

  it('a multiple of four stays one', () => {
    expect(shiftLeft(range(0, 15), constant(2n)).bits).toEqual({ value: 0n, mask: 0x3cn });
  });

  it('forgets the range when bytes are swapped', () => {
    const swapped = byteSwap(range(0, 300), 2);
    expect([swapped.umin, swapped.umax]).toEqual([0n, 0xff01n]);
  });

  it('refines both sides of a comparison', () => {
    const refined = refine('lt', range(5, 100), range(0, 20), false);
    expect([refined?.a.umax, refined?.b.umin]).toEqual([19n, 6n]);
  });

  it('compares low halves as wholes where they are the same', () => {
    expect(refine('gt', range(0, 1000), constant(34n), true)?.a.umin).toBe(35n);
  });

  it('learns nothing unsigned from a signed comparison of a number that may be negative', () => {
    expect(refine('slt', UNKNOWN, constant(10n), false)?.a.umax).toBe((1n << 64n) - 1n);
  });
});
