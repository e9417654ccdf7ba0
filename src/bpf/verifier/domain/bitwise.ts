import {
  type Bounds,
  constant,
  fromBits,
  greater,
  lesser,
  S64_MIN,
  type Scalar,
  settled,
  signedRange,
  UNKNOWN,
  unbounded,
  ZERO,
  zeroExtend32,
} from './scalar.ts';
import {
  swapBytes,
  tnumAnd,
  tnumOr,
  tnumShiftLeft,
  tnumShiftRight,
  tnumShiftRightSigned,
  tnumSignExtend,
  tnumSwapBytes,
  tnumXor,
  U64_MAX,
} from './tnum.ts';

export function and(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return constant(a.umin & b.umin);
  const r: Bounds = { ...unbounded(), bits: tnumAnd(a.bits, b.bits) };
  // Clearing bits never makes a number greater.
  r.umax = lesser(a.umax, b.umax);
  r.u32max = Math.min(a.u32max, b.u32max);
  return settled(r);
}

export function or(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return constant(a.umin | b.umin);
  const r: Bounds = { ...unbounded(), bits: tnumOr(a.bits, b.bits) };
  r.umin = greater(a.umin, b.umin);
  r.u32min = Math.max(a.u32min, b.u32min);
  return settled(r);
}

export function xor(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return constant(a.umin ^ b.umin);
  return fromBits(tnumXor(a.bits, b.bits));
}

/** Shift amounts are masked to 0..63 (RFC 9669 section 4.1). */
export function shiftLeft(a: Scalar, by: Scalar): Scalar {
  const amount = shiftAmount(by, 63);
  if (amount === undefined) return a === ZERO ? ZERO : UNKNOWN;
  if (amount === 0n) return a;
  const r: Bounds = { ...unbounded(), bits: tnumShiftLeft(a.bits, amount) };
  if (a.umax << amount <= U64_MAX) {
    r.umin = a.umin << amount;
    r.umax = a.umax << amount;
  }
  if (a.smin << amount >= S64_MIN && a.smax << amount <= -S64_MIN - 1n) {
    r.smin = a.smin << amount;
    r.smax = a.smax << amount;
  }
  return settled(r);
}

export function shiftRight(a: Scalar, by: Scalar): Scalar {
  const amount = shiftAmount(by, 63);
  const r: Bounds = unbounded();
  if (amount === undefined) {
    const [least, greatest] = shiftRange(by, 63);
    r.umin = a.umin >> greatest;
    r.umax = a.umax >> least;
    return settled(r);
  }
  if (amount === 0n) return a;
  r.bits = tnumShiftRight(a.bits, amount);
  r.umin = a.umin >> amount;
  r.umax = a.umax >> amount;
  return settled(r);
}

export function shiftRightSigned(a: Scalar, by: Scalar): Scalar {
  const amount = shiftAmount(by, 63);
  if (amount === undefined) {
    const [least, greatest] = shiftRange(by, 63);
    return signedRange(a.smin >> (a.smin < 0n ? least : greatest), a.smax >> (a.smax < 0n ? greatest : least));
  }
  if (amount === 0n) return a;
  const r: Bounds = { ...unbounded(), bits: tnumShiftRightSigned(a.bits, amount) };
  r.smin = a.smin >> amount;
  r.smax = a.smax >> amount;
  return settled(r);
}

/** The 32-bit shifts mask their amount to 0..31; the amount is handed on masked. */
export function mask31(by: Scalar): Scalar {
  return and(by, constant(31n));
}

/** movsx, sign-extending loads: the low `bits` bits (8, 16 or 32) as a signed number. */
export function signExtend(a: Scalar, bits: number): Scalar {
  const limit = 1n << BigInt(bits - 1);
  if (a.smin >= -limit && a.smax < limit) return a;
  const r: Bounds = { ...unbounded(), bits: tnumSignExtend(a.bits, bits), smin: -limit, smax: limit - 1n };
  if (bits === 32) {
    r.smin = BigInt(a.s32min);
    r.smax = BigInt(a.s32max);
  }
  return settled(r);
}

/** The low `bits` bits (8, 16 or 32), zero-extended: what a store of that width keeps. */
export function zeroExtend(a: Scalar, bits: number): Scalar {
  if (bits >= 64) return a;
  if (bits === 32) return zeroExtend32(a);
  const limit = (1n << BigInt(bits)) - 1n;
  return a.umax <= limit ? a : and(a, constant(limit));
}

/** Byte order: bytes 0..count-1 reversed, the rest cleared. Ranges do not survive, known bits do. */
export function byteSwap(a: Scalar, count: number): Scalar {
  if (a.isConstant) return constant(swapBytes(a.umin, count));
  return fromBits(tnumSwapBytes(a.bits, count));
}

function shiftAmount(by: Scalar, mask: number): bigint | undefined {
  return by.isConstant ? by.umin & BigInt(mask) : undefined;
}

function shiftRange(by: Scalar, mask: number): [bigint, bigint] {
  return by.umax <= BigInt(mask) ? [by.umin, by.umax] : [0n, BigInt(mask)];
}
