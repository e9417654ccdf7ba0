import {
  smear32,
  TNUM_UNKNOWN,
  type Tnum,
  tnumConstant,
  tnumContains,
  tnumIncludes,
  tnumIntersect,
  tnumRange,
  tnumUnion,
  tnumZeroExtend,
  U64_MAX,
} from './tnum.ts';

export const S64_MIN = -0x8000_0000_0000_0000n;
export const S64_MAX = 0x7fff_ffff_ffff_ffffn;
export const U32_MAX = 0xffff_ffff;
export const S32_MIN = -0x8000_0000;
export const S32_MAX = 0x7fff_ffff;
const SIGN = 0x8000_0000_0000_0000n;
const LOW = 0xffff_ffffn;
const SMALL = 0x7fff_ffffn;
const HIGH = 0xffff_ffff_0000_0000n;

/** What is known of a 64-bit number, each part on its own; `settle` brings the parts in step. */
export interface Bounds {
  bits: Tnum;
  /** As unsigned 64-bit. */
  umin: bigint;
  umax: bigint;
  /** As signed 64-bit. */
  smin: bigint;
  smax: bigint;
  /** The low 32 bits as unsigned. */
  u32min: number;
  u32max: number;
  /** The low 32 bits as signed. */
  s32min: number;
  s32max: number;
}

/** Nothing known: a fresh, mutable set of bounds to narrow and hand to `settle`. */
export function unbounded(): Bounds {
  return {
    bits: TNUM_UNKNOWN,
    umin: 0n,
    umax: U64_MAX,
    smin: S64_MIN,
    smax: S64_MAX,
    u32min: 0,
    u32max: U32_MAX,
    s32min: S32_MIN,
    s32max: S32_MAX,
  };
}

// Math.min and Math.max take no BigInt.
export const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const signed = (x: bigint): bigint => BigInt.asIntN(64, x);
const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);

/**
 * A set of 64-bit numbers: known bits, and unsigned and signed ranges of the whole and of the low half, each as tight as
 * the others make it. Immutable, so states share them and `===` means equal.
 */
export class Scalar implements Bounds {
  readonly bits: Tnum;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly u32min: number;
  readonly u32max: number;
  readonly s32min: number;
  readonly s32max: number;
  /** Whether every number is from 0 to 2^31 - 1: then u32min and u32max say it all, as plain numbers. */
  readonly isSmall: boolean;
  /** The low half of `bits.mask`. */
  readonly unknownLow: number;

  /** For `settle` only: the bounds must be in step already. */
  constructor(b: Bounds) {
    this.isSmall = b.umax <= SMALL;
    this.unknownLow = Number(b.bits.mask & LOW);
    this.bits = b.bits;
    this.umin = b.umin;
    this.umax = b.umax;
    this.smin = b.smin;
    this.smax = b.smax;
    this.u32min = b.u32min;
    this.u32max = b.u32max;
    this.s32min = b.s32min;
    this.s32max = b.s32max;
  }

  get isConstant(): boolean {
    return this.umin === this.umax;
  }

  /** Whether the whole number is its low half, zero-extended. */
  get fits32(): boolean {
    return this.umax <= LOW;
  }

  contains(x: bigint): boolean {
    const u = unsigned(x);
    const s = signed(x);
    const u32 = Number(u & LOW);
    const s32 = u32 | 0;
    return (
      tnumContains(this.bits, u) &&
      u >= this.umin &&
      u <= this.umax &&
      s >= this.smin &&
      s <= this.smax &&
      u32 >= this.u32min &&
      u32 <= this.u32max &&
      s32 >= this.s32min &&
      s32 <= this.s32max
    );
  }

  /** Whether every number of `inner` is here too. */
  includes(inner: Scalar): boolean {
    if (this === inner) return true;
    if (this.isSmall && inner.isSmall) {
      if (this.u32min > inner.u32min || this.u32max < inner.u32max) return false;
      return (inner.unknownLow & ~this.unknownLow) === 0 && tnumIncludes(this.bits, inner.bits);
    }
    return (
      this.u32min <= inner.u32min &&
      this.u32max >= inner.u32max &&
      this.s32min <= inner.s32min &&
      this.s32max >= inner.s32max &&
      this.umin <= inner.umin &&
      this.umax >= inner.umax &&
      this.smin <= inner.smin &&
      this.smax >= inner.smax &&
      tnumIncludes(this.bits, inner.bits)
    );
  }

  equals(other: Scalar): boolean {
    if (this === other) return true;
    return (
      this.umin === other.umin &&
      this.umax === other.umax &&
      this.smin === other.smin &&
      this.smax === other.smax &&
      this.u32min === other.u32min &&
      this.u32max === other.u32max &&
      this.s32min === other.s32min &&
      this.s32max === other.s32max &&
      this.bits.value === other.bits.value &&
      this.bits.mask === other.bits.mask
    );
  }
}

/** Brings the parts in step; undefined when they contradict one another, so that no number is left. */
export function settle(b: Bounds): Scalar | undefined {
  if (b.umax <= SMALL || b.bits.value + b.bits.mask <= SMALL) return settleSmall(b);
  // The second round carries what the first learnt last to the parts it visited first.
  for (let round = 0; round < 2; round++) {
    narrowFromBits(b);
    narrowAcrossSign(b);
    narrowLowFromWhole(b);
    narrowAcrossSign32(b);
    narrowWholeFromLow(b);
    narrowAcrossSign(b);
    if (b.umin > b.umax || b.smin > b.smax || b.u32min > b.u32max || b.s32min > b.s32max) return undefined;
    const inRange = tnumIntersect(b.bits, tnumRange(b.umin, b.umax));
    if (inRange === undefined) return undefined;
    const low = tnumRange(BigInt(b.u32min), BigInt(b.u32max));
    const inLow = tnumIntersect(inRange, { value: low.value, mask: low.mask | HIGH });
    if (inLow === undefined) return undefined;
    const settled = inLow.mask === b.bits.mask && inLow.value === b.bits.value;
    b.bits = inLow;
    if (b.umin === b.umax) return settleConstant(b);
    if (settled && round === 0 && b.bits.mask === U64_MAX) break;
  }
  narrowFromBits(b);
  if (b.umin > b.umax || b.smin > b.smax || b.u32min > b.u32max || b.s32min > b.s32max) return undefined;
  return new Scalar(b);
}

/** The common case, in plain numbers: nothing above 2^31 - 1. */
function settleSmall(b: Bounds): Scalar | undefined {
  const { bits } = b;
  if (bits.value > SMALL || b.smax < 0n || b.umin > SMALL || b.smin > SMALL) return undefined;
  let min = Math.max(Number(b.umin), b.smin > 0n ? Number(b.smin) : 0, b.u32min, b.s32min);
  let max = Math.min(
    b.umax <= SMALL ? Number(b.umax) : S32_MAX,
    b.smax <= SMALL ? Number(b.smax) : S32_MAX,
    b.u32max,
    b.s32max,
  );
  let value = Number(bits.value);
  let mask = Number(bits.mask & SMALL);
  for (let round = 0; round < 2; round++) {
    min = Math.max(min, value);
    max = Math.min(max, value | mask);
    if (min > max) return undefined;
    // Bits above the highest one in which the ends differ are those of both ends.
    const open = smear32(min ^ max);
    if (((value ^ min) & ~mask & ~open) !== 0) return undefined;
    value |= min & ~open;
    mask &= open;
  }
  if (min === max) return constant(BigInt(min));
  const umin = BigInt(min);
  const umax = BigInt(max);
  return new Scalar({
    bits: { value: BigInt(value), mask: BigInt(mask) },
    umin,
    umax,
    smin: umin,
    smax: umax,
    u32min: min,
    u32max: max,
    s32min: min,
    s32max: max,
  });
}

function settleConstant(b: Bounds): Scalar | undefined {
  const c = constant(b.umin);
  const contradicted =
    !tnumContains(b.bits, c.umin) ||
    c.smin < b.smin ||
    c.smin > b.smax ||
    c.u32min < b.u32min ||
    c.u32min > b.u32max ||
    c.s32min < b.s32min ||
    c.s32min > b.s32max;
  return contradicted ? undefined : c;
}

function narrowFromBits(b: Bounds): void {
  const { value, mask } = b.bits;
  if (mask === U64_MAX) return;
  const greatest = value | mask;
  b.umin = greater(b.umin, value);
  b.umax = lesser(b.umax, greatest);
  const sleast = signed(value | (mask & SIGN));
  const sgreatest = signed(value | (mask & ~SIGN));
  b.smin = greater(b.smin, sleast);
  b.smax = lesser(b.smax, sgreatest);
  const low = Number(value & LOW);
  const lowMask = Number(mask & LOW);
  if (lowMask === U32_MAX) return;
  b.u32min = Math.max(b.u32min, low);
  b.u32max = Math.min(b.u32max, low + lowMask);
  b.s32min = Math.max(b.s32min, low | (lowMask & S32_MIN));
  b.s32max = Math.min(b.s32max, low | (lowMask & S32_MAX));
}

/** Unsigned and signed range of the whole from one another. */
function narrowAcrossSign(b: Bounds): void {
  const sAtMin = signed(b.umin);
  const sAtMax = signed(b.umax);
  if (sAtMin <= sAtMax) {
    b.smin = greater(b.smin, sAtMin);
    b.smax = lesser(b.smax, sAtMax);
  } else if (b.smin > sAtMax) {
    // The unsigned range has a part below the sign bit and one above it; the signed range rules the upper one out.
    b.smin = greater(b.smin, sAtMin);
  } else if (b.smax < sAtMin) {
    b.smax = lesser(b.smax, sAtMax);
  }
  if (b.smin >= 0n || b.smax < 0n) {
    const least = unsigned(b.smin);
    const greatest = unsigned(b.smax);
    b.umin = greater(b.umin, least);
    b.umax = lesser(b.umax, greatest);
  }
}

function narrowAcrossSign32(b: Bounds): void {
  const sAtMin = b.u32min | 0;
  const sAtMax = b.u32max | 0;
  if (sAtMin <= sAtMax) {
    b.s32min = Math.max(b.s32min, sAtMin);
    b.s32max = Math.min(b.s32max, sAtMax);
  } else if (b.s32min > sAtMax) {
    b.s32min = Math.max(b.s32min, sAtMin);
  } else if (b.s32max < sAtMin) {
    b.s32max = Math.min(b.s32max, sAtMax);
  }
  if (b.s32min >= 0 || b.s32max < 0) {
    b.u32min = Math.max(b.u32min, b.s32min >>> 0);
    b.u32max = Math.min(b.u32max, b.s32max >>> 0);
  }
}

function narrowLowFromWhole(b: Bounds): void {
  const highMin = b.umin >> 32n;
  const highMax = b.umax >> 32n;
  if (highMin === highMax) {
    b.u32min = Math.max(b.u32min, Number(b.umin & LOW));
    b.u32max = Math.min(b.u32max, Number(b.umax & LOW));
  } else if (highMax - highMin === 1n) {
    // Two neighbouring halves: the low words run through 0xffffffff to 0, which as signed numbers is -1 to 0.
    const from = Number(b.umin & LOW) | 0;
    const to = Number(b.umax & LOW) | 0;
    if (from < 0 && to >= 0) {
      b.s32min = Math.max(b.s32min, from);
      b.s32max = Math.min(b.s32max, to);
    }
  }
  if (b.smin >> 32n === b.smax >> 32n) {
    b.u32min = Math.max(b.u32min, Number(b.smin & LOW));
    b.u32max = Math.min(b.u32max, Number(b.smax & LOW));
  } else if (b.smin >= BigInt(S32_MIN) && b.smax <= BigInt(S32_MAX)) {
    b.s32min = Math.max(b.s32min, Number(b.smin));
    b.s32max = Math.min(b.s32max, Number(b.smax));
  }
}

function narrowWholeFromLow(b: Bounds): void {
  if (b.u32min !== 0) {
    const least = (b.umin & HIGH) | BigInt(b.u32min);
    b.umin = greater(b.umin, least);
    const sleast = signed((unsigned(b.smin) & HIGH) | BigInt(b.u32min));
    b.smin = greater(b.smin, sleast);
  }
  if (b.u32max !== U32_MAX) {
    const greatest = (b.umax & HIGH) | BigInt(b.u32max);
    b.umax = lesser(b.umax, greatest);
    const sgreatest = signed((unsigned(b.smax) & HIGH) | BigInt(b.u32max));
    b.smax = lesser(b.smax, sgreatest);
  }
  if (b.smin >= BigInt(S32_MIN) && b.smax <= BigInt(S32_MAX)) {
    // The whole is its low half, sign-extended.
    b.smin = greater(b.smin, BigInt(b.s32min));
    b.smax = lesser(b.smax, BigInt(b.s32max));
  }
}

const smallConstants: Scalar[] = [];

export function constant(value: bigint): Scalar {
  const u = unsigned(value);
  if (u < 256n) {
    const known = smallConstants[Number(u)];
    if (known !== undefined) return known;
  }
  const s = signed(u);
  const u32 = Number(u & LOW);
  const made = new Scalar({
    bits: tnumConstant(u),
    umin: u,
    umax: u,
    smin: s,
    smax: s,
    u32min: u32,
    u32max: u32,
    s32min: u32 | 0,
    s32max: u32 | 0,
  });
  if (u < 256n) smallConstants[Number(u)] = made;
  return made;
}

export const UNKNOWN: Scalar = new Scalar(unbounded());
export const ZERO: Scalar = constant(0n);

/** For bounds that a transfer function made, which hold some number by construction. */
export function settled(b: Bounds): Scalar {
  return settle(b) ?? UNKNOWN;
}

/** The numbers of min..max (unsigned). */
export function unsignedRange(min: bigint, max: bigint): Scalar {
  return settled({ ...unbounded(), umin: min, umax: max });
}

/** The numbers of min..max (signed). */
export function signedRange(min: bigint, max: bigint): Scalar {
  return settled({ ...unbounded(), smin: min, smax: max });
}

export function fromBits(bits: Tnum): Scalar {
  if (bits.mask === 0n) return constant(bits.value);
  return settled({ ...unbounded(), bits });
}

const UNSIGNED_OF_SIZE = new Map([1, 2, 4].map((size) => [size, unsignedRange(0n, (1n << BigInt(8 * size)) - 1n)]));
const SIGNED_OF_SIZE = new Map(
  [1, 2, 4].map((size) => [size, signedRange(-(1n << BigInt(8 * size - 1)), (1n << BigInt(8 * size - 1)) - 1n)]),
);

/** What an unknown load of `size` bytes gives. */
export function unknownOfSize(size: number, signExtended = false): Scalar {
  return (signExtended ? SIGNED_OF_SIZE : UNSIGNED_OF_SIZE).get(size) ?? UNKNOWN;
}

/** The numbers in both; undefined when there is none. */
export function intersect(a: Scalar, b: Scalar): Scalar | undefined {
  if (a === b || b.includes(a)) return a;
  if (a.includes(b)) return b;
  const bits = tnumIntersect(a.bits, b.bits);
  if (bits === undefined) return undefined;
  return settle({
    bits,
    umin: greater(a.umin, b.umin),
    umax: lesser(a.umax, b.umax),
    smin: greater(a.smin, b.smin),
    smax: lesser(a.smax, b.smax),
    u32min: Math.max(a.u32min, b.u32min),
    u32max: Math.min(a.u32max, b.u32max),
    s32min: Math.max(a.s32min, b.s32min),
    s32max: Math.min(a.s32max, b.s32max),
  });
}

/** The smallest scalar that includes both. */
export function join(a: Scalar, b: Scalar): Scalar {
  if (a.includes(b)) return a;
  if (b.includes(a)) return b;
  return settled({
    bits: tnumUnion(a.bits, b.bits),
    umin: lesser(a.umin, b.umin),
    umax: greater(a.umax, b.umax),
    smin: lesser(a.smin, b.smin),
    smax: greater(a.smax, b.smax),
    u32min: Math.min(a.u32min, b.u32min),
    u32max: Math.max(a.u32max, b.u32max),
    s32min: Math.min(a.s32min, b.s32min),
    s32max: Math.max(a.s32max, b.s32max),
  });
}

/** The low half, zero-extended. */
export function zeroExtend32(a: Scalar): Scalar {
  if (a.fits32) return a;
  if (a.isConstant) return constant(a.umin & LOW);
  return settled({
    ...unbounded(),
    bits: tnumZeroExtend(a.bits, 32),
    umin: BigInt(a.u32min),
    umax: BigInt(a.u32max),
    u32min: a.u32min,
    u32max: a.u32max,
    s32min: a.s32min,
    s32max: a.s32max,
  });
}
