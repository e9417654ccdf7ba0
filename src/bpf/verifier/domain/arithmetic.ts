import {
  type Bounds,
  constant,
  greater,
  lesser,
  S32_MAX,
  S32_MIN,
  S64_MIN,
  type Scalar,
  settled,
  signedRange,
  U32_MAX,
  UNKNOWN,
  unbounded,
  unsignedRange,
  ZERO,
} from './scalar.ts';
import { tnumAdd, tnumMul, tnumSub, U64_MAX } from './tnum.ts';

// Each function takes sets of 64-bit numbers to a set that holds every result modulo 2^64. As the low half of a sum,
// difference or product depends on the low halves only, `zeroExtend32` of the result is the 32-bit instruction's.

export function add(a: Scalar, b: Scalar): Scalar {
  if (a.isSmall && b.isSmall && a.u32max + b.u32max <= S32_MAX) return addSmall(a, b);
  if (b.isConstant) {
    if (a.isConstant) return constant(a.umin + b.umin);
    if (b.umin === 0n) return a;
  } else if (a === ZERO) {
    return b;
  }
  const r: Bounds = unbounded();
  r.bits = tnumAdd(a.bits, b.bits);
  setUnsigned(r, a.umin + b.umin, a.umax + b.umax);
  setSigned(r, a.smin + b.smin, a.smax + b.smax);
  setUnsigned32(r, a.u32min + b.u32min, a.u32max + b.u32max);
  setSigned32(r, a.s32min + b.s32min, a.s32max + b.s32max);
  return settled(r);
}

/** Neither the sum of the bounds nor that of the bits leaves 32 bits, so plain numbers do. */
function addSmall(a: Scalar, b: Scalar): Scalar {
  if (b === ZERO) return a;
  if (a === ZERO) return b;
  const min = a.u32min + b.u32min;
  const max = a.u32max + b.u32max;
  if (min === max) return constant(BigInt(min));
  const least = Number(a.bits.value) + Number(b.bits.value);
  const greatest = least + a.unknownLow + b.unknownLow;
  const unknown = ((least ^ greatest) | a.unknownLow | b.unknownLow) >>> 0;
  return settled({
    ...unbounded(),
    bits: { value: BigInt((least & ~unknown) >>> 0), mask: BigInt(unknown) },
    umin: BigInt(min),
    umax: BigInt(max),
  });
}

export function subtract(a: Scalar, b: Scalar): Scalar {
  if (b.isConstant) {
    if (a.isConstant) return constant(a.umin - b.umin);
    if (b.umin === 0n) return a;
  }
  const r: Bounds = unbounded();
  r.bits = tnumSub(a.bits, b.bits);
  setUnsigned(r, a.umin - b.umax, a.umax - b.umin);
  setSigned(r, a.smin - b.smax, a.smax - b.smin);
  setUnsigned32(r, a.u32min - b.u32max, a.u32max - b.u32min);
  setSigned32(r, a.s32min - b.s32max, a.s32max - b.s32min);
  return settled(r);
}

export function negate(a: Scalar): Scalar {
  return subtract(ZERO, a);
}

export function multiply(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return constant(a.umin * b.umin);
  const r: Bounds = unbounded();
  // The loop runs over the bits of its first argument.
  r.bits = a.bits.mask < b.bits.mask ? tnumMul(a.bits, b.bits) : tnumMul(b.bits, a.bits);
  if (a.umax * b.umax <= U64_MAX) setUnsigned(r, a.umin * b.umin, a.umax * b.umax);
  const s = [a.smin * b.smin, a.smin * b.smax, a.smax * b.smin, a.smax * b.smax];
  setSigned(r, least(s), greatest(s));
  if (a.u32max * b.u32max <= U32_MAX) setUnsigned32(r, a.u32min * b.u32min, a.u32max * b.u32max);
  // Products beyond 2^53 are rounded, but those are far outside 32 bits and dropped.
  const s32 = [a.s32min * b.s32min, a.s32min * b.s32max, a.s32max * b.s32min, a.s32max * b.s32max];
  setSigned32(r, Math.min(...s32), Math.max(...s32));
  return settled(r);
}

/** Unsigned; a division by zero gives 0 (RFC 9669 section 4.1). */
export function divide(a: Scalar, b: Scalar): Scalar {
  if (b.umax === 0n) return ZERO;
  const divisor = b.umin === 0n ? 1n : b.umin;
  const min = b.umin === 0n ? 0n : a.umin / b.umax;
  return unsignedRange(min, a.umax / divisor);
}

/** Unsigned; modulo zero keeps the dividend. */
export function modulo(a: Scalar, b: Scalar): Scalar {
  if (b.umax === 0n) return a;
  if (b.umin !== 0n) {
    if (a.umax < b.umin) return a;
    if (a.isConstant && b.isConstant) return constant(a.umin % b.umin);
    const most = b.umax - 1n;
    return unsignedRange(0n, lesser(a.umax, most));
  }
  return unsignedRange(0n, a.umax);
}

/** Signed, towards zero; a division by zero gives 0, the least number by -1 itself. */
export function divideSigned(a: Scalar, b: Scalar): Scalar {
  if (b.isConstant) {
    const by = b.smin;
    if (by === 0n) return ZERO;
    if (by === -1n) return negate(a);
    return by > 0n ? signedRange(a.smin / by, a.smax / by) : signedRange(a.smax / by, a.smin / by);
  }
  if (a.smin === S64_MIN) return UNKNOWN;
  const most = greater(-a.smin, a.smax);
  if (a.smin >= 0n) return b.smin >= 0n ? signedRange(0n, a.smax) : signedRange(-a.smax, a.smax);
  return signedRange(-most, most);
}

/** Signed, with the sign of the dividend; modulo zero keeps the dividend, modulo -1 gives 0. */
export function moduloSigned(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return b.smin === 0n ? a : constant(a.smin % b.smin);
  const max = greater(a.smax, 0n);
  const min = lesser(a.smin, 0n);
  if (b.smin > 0n || b.smax < 0n) {
    const size = b.smin > 0n ? b.smax : -b.smin;
    const most = size - 1n;
    return signedRange(greater(min, -most), lesser(max, most));
  }
  return signedRange(min, max);
}

function setUnsigned(r: Bounds, min: bigint, max: bigint): void {
  // Both ends wrapped the same number of times, or not at all: the order is kept.
  const wraps = min >> 64n;
  if (wraps !== max >> 64n) return;
  r.umin = BigInt.asUintN(64, min);
  r.umax = BigInt.asUintN(64, max);
}

function setSigned(r: Bounds, min: bigint, max: bigint): void {
  const wraps = (min - S64_MIN) >> 64n;
  if (wraps !== (max - S64_MIN) >> 64n) return;
  r.smin = BigInt.asIntN(64, min);
  r.smax = BigInt.asIntN(64, max);
}

const TWO_32 = 0x1_0000_0000;

function setUnsigned32(r: Bounds, min: number, max: number): void {
  const wraps = Math.floor(min / TWO_32);
  if (wraps !== Math.floor(max / TWO_32)) return;
  r.u32min = min - wraps * TWO_32;
  r.u32max = max - wraps * TWO_32;
}

function setSigned32(r: Bounds, min: number, max: number): void {
  if (min < S32_MIN || max > S32_MAX) {
    const wraps = Math.floor((min - S32_MIN) / TWO_32);
    if (wraps !== Math.floor((max - S32_MIN) / TWO_32) || Math.abs(min) > TWO_32 * 2 || Math.abs(max) > TWO_32 * 2)
      return;
    r.s32min = min - wraps * TWO_32;
    r.s32max = max - wraps * TWO_32;
    return;
  }
  r.s32min = min;
  r.s32max = max;
}

const least = (xs: bigint[]): bigint => xs.reduce(lesser);
const greatest = (xs: bigint[]): bigint => xs.reduce(greater);
