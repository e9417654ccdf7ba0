/**
 * Known bits of a 64-bit word ("tristate number"): a bit set in `mask` is unknown, any other is the bit of `value`.
 * Always value & mask === 0, both unsigned 64-bit. Immutable.
 *
 * Every operation over-approximates: for x in a and y in b, x op y (modulo 2^64) is in op(a, b).
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
const U32_MAX = 0xffff_ffffn;

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);

export const tnumConstant = (value: bigint): Tnum => ({ value: u64(value), mask: 0n });

export const TNUM_UNKNOWN: Tnum = { value: 0n, mask: U64_MAX };

/** All ones up to the highest set bit of x. */
export function smear(x: bigint): bigint {
  if (x === 0n) return 0n;
  if (x <= U32_MAX) return BigInt(smear32(Number(x)));
  return (BigInt(smear32(Number(x >> 32n))) << 32n) | U32_MAX;
}

export function smear32(x: number): number {
  const leading = Math.clz32(x);
  return leading === 32 ? 0 : 0xffff_ffff >>> leading;
}

/** The smallest tnum that holds every number of min..max (unsigned). */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const unknown = smear(min ^ max);
  return { value: min & ~unknown & U64_MAX, mask: unknown };
}

export function tnumContains(a: Tnum, x: bigint): boolean {
  return (u64(x) & ~a.mask & U64_MAX) === a.value;
}

/** Whether every number of `inner` is in `outer`. */
export function tnumIncludes(outer: Tnum, inner: Tnum): boolean {
  return (inner.mask & ~outer.mask) === 0n && (inner.value & ~outer.mask) === outer.value;
}

/** The numbers in both, or undefined when a known bit differs. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum | undefined {
  if (((a.value ^ b.value) & ~a.mask & ~b.mask) !== 0n) return undefined;
  const mask = a.mask & b.mask;
  return { value: (a.value | b.value) & ~mask, mask };
}

export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask | (a.value ^ b.value);
  return { value: a.value & ~mask, mask };
}

/** Carries are unknown where the least and the greatest sum disagree. */
export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const least = u64(a.value + b.value);
  const greatest = u64(a.value + a.mask + b.value + b.mask);
  const mask = (least ^ greatest) | a.mask | b.mask;
  return { value: least & ~mask, mask };
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const difference = u64(a.value - b.value);
  const greatest = u64(difference + a.mask);
  const least = u64(difference - b.mask);
  const mask = (greatest ^ least) | a.mask | b.mask;
  return { value: difference & ~mask, mask };
}

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  const maybe = (a.value | a.mask) & (b.value | b.mask);
  return { value, mask: maybe & ~value };
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return { value, mask: (a.mask | b.mask) & ~value };
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return { value: (a.value ^ b.value) & ~mask, mask };
}

export function tnumShiftLeft(a: Tnum, by: bigint): Tnum {
  return { value: u64(a.value << by), mask: u64(a.mask << by) };
}

export function tnumShiftRight(a: Tnum, by: bigint): Tnum {
  return { value: a.value >> by, mask: a.mask >> by };
}

export function tnumShiftRightSigned(a: Tnum, by: bigint): Tnum {
  return { value: u64(BigInt.asIntN(64, a.value) >> by), mask: u64(BigInt.asIntN(64, a.mask) >> by) };
}

/**
 * Schoolbook multiplication: the known parts multiply exactly; each bit of `a` that may be set adds the unknown part of
 * what it would add of `b`.
 */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  let unknown: Tnum = { value: 0n, mask: 0n };
  let value = a.value;
  let mask = a.mask;
  let bValue = b.value;
  let bMask = b.mask;
  while (value !== 0n || mask !== 0n) {
    if ((value & 1n) !== 0n) {
      if (bMask !== 0n) unknown = tnumAdd(unknown, { value: 0n, mask: bMask });
    } else if ((mask & 1n) !== 0n) {
      unknown = tnumAdd(unknown, { value: 0n, mask: bValue | bMask });
    }
    value >>= 1n;
    mask >>= 1n;
    bValue = u64(bValue << 1n);
    bMask = u64(bMask << 1n);
  }
  return tnumAdd(tnumConstant(a.value * b.value), unknown);
}

/** The low `bits` bits, zero-extended. */
export function tnumZeroExtend(a: Tnum, bits: number): Tnum {
  return { value: BigInt.asUintN(bits, a.value), mask: BigInt.asUintN(bits, a.mask) };
}

/** The low `bits` bits, sign-extended: an unknown sign makes every bit above unknown. */
export function tnumSignExtend(a: Tnum, bits: number): Tnum {
  const mask = u64(BigInt.asIntN(bits, a.mask));
  return { value: u64(BigInt.asIntN(bits, a.value)) & ~mask, mask };
}

/** Bytes 0..count-1 in the reverse order, the rest zero. */
export function tnumSwapBytes(a: Tnum, count: number): Tnum {
  return { value: swapBytes(a.value, count), mask: swapBytes(a.mask, count) };
}

export function swapBytes(x: bigint, count: number): bigint {
  let from = BigInt.asUintN(count * 8, x);
  let swapped = 0n;
  for (let i = 0; i < count; i++) {
    swapped = (swapped << 8n) | (from & 0xffn);
    from >>= 8n;
  }
  return swapped;
}
