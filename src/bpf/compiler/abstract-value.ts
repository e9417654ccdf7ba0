/**
 * What the compiler knows of a register. It only guides the choice of instructions; a program that the verifier has not
 * seen stays within the window all the same.
 */
export type AbstractValue =
  | { readonly kind: 'unknown' }
  /** An unsigned number of at most `max`, which is below 2^53. */
  | { readonly kind: 'bounded'; readonly max: number }
  /** As unsigned 64-bit number. */
  | { readonly kind: 'constant'; readonly value: bigint }
  /** The function's frame pointer (r10) plus `offset`. */
  | { readonly kind: 'frame'; readonly offset: number }
  /** The program's map of that index. */
  | { readonly kind: 'map'; readonly index: number };

export const UNKNOWN: AbstractValue = { kind: 'unknown' };
export const U32_MAX = 0xffffffff;

export function bounded(max: number): AbstractValue {
  return max <= Number.MAX_SAFE_INTEGER ? { kind: 'bounded', max } : UNKNOWN;
}

export function constant(value: bigint): AbstractValue {
  return { kind: 'constant', value: BigInt.asUintN(64, value) };
}

/** The largest unsigned number that a value can be; Infinity when it may pass 2^53. Addresses lie below 2^31. */
export function maxOf(value: AbstractValue): number {
  switch (value.kind) {
    case 'bounded':
      return value.max;
    case 'constant':
      return value.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value.value) : Number.POSITIVE_INFINITY;
    case 'unknown':
      return Number.POSITIVE_INFINITY;
    default:
      return 2 ** 31 - 1;
  }
}

/** Whether the value's upper 32 bits are zero. */
export function fitsU32(value: AbstractValue): boolean {
  return maxOf(value) <= U32_MAX;
}

export function sameValue(a: AbstractValue, b: AbstractValue): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'unknown':
      return b.kind === 'unknown';
    case 'bounded':
      return b.kind === 'bounded' && a.max === b.max;
    case 'constant':
      return b.kind === 'constant' && a.value === b.value;
    case 'frame':
      return b.kind === 'frame' && a.offset === b.offset;
    case 'map':
      return b.kind === 'map' && a.index === b.index;
  }
}

/** What holds of a value that is one or the other. */
export function joinValues(a: AbstractValue, b: AbstractValue): AbstractValue {
  return sameValue(a, b) ? a : bounded(Math.max(maxOf(a), maxOf(b)));
}

/** The low bytes of a value. */
export function truncated(value: AbstractValue, bytes: number): AbstractValue {
  if (bytes === 8) return value;
  if (value.kind === 'constant') return constant(BigInt.asUintN(8 * bytes, value.value));
  return bounded(Math.min(maxOf(value), 2 ** (8 * bytes) - 1));
}
