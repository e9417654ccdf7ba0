import { type Bounds, intersect, S32_MAX, S32_MIN, type Scalar, settle, U32_MAX } from './scalar.ts';
import { tnumIntersect } from './tnum.ts';

/** The conditions of the jump instructions (RFC 9669 section 4.3). */
export type Condition = 'eq' | 'ne' | 'set' | 'gt' | 'ge' | 'lt' | 'le' | 'sgt' | 'sge' | 'slt' | 'sle';

/** `not-set` is what holds when `set` does not: no common bit. */
export type Relation = Condition | 'not-set';

const NEGATION: Record<Relation, Relation> = {
  eq: 'ne',
  ne: 'eq',
  set: 'not-set',
  'not-set': 'set',
  gt: 'le',
  ge: 'lt',
  lt: 'ge',
  le: 'gt',
  sgt: 'sle',
  sge: 'slt',
  slt: 'sge',
  sle: 'sgt',
};

export const negation = (relation: Relation): Relation => NEGATION[relation];

/** `a R b` as `b R' a`, so that only lt and le (and their signed forms) need rules. */
const TURNED: Partial<Record<Relation, Relation>> = { gt: 'lt', ge: 'le', sgt: 'slt', sge: 'sle' };

/** Both sides, narrowed by what the relation says of them. */
export interface Refined {
  readonly a: Scalar;
  readonly b: Scalar;
}

/**
 * What is left of a and b when `a relation b` holds; undefined when it cannot hold.
 * With `narrow`, only the low 32 bits are compared.
 */
export function refine(relation: Relation, a: Scalar, b: Scalar, narrow: boolean): Refined | undefined {
  const turned = TURNED[relation];
  if (turned !== undefined) {
    const r = refine(turned, b, a, narrow);
    return r && { a: r.b, b: r.a };
  }
  if (narrow && !sameAsWhole(relation, a, b)) return refine32(relation, a, b);
  switch (relation) {
    case 'eq': {
      const both = intersect(a, b);
      return both && { a: both, b: both };
    }
    case 'ne':
      return pair(without(a, b), without(b, a));
    case 'set':
      return pair(withCommonBit(a, b), withCommonBit(b, a));
    case 'not-set':
      return pair(withoutBits(a, b), withoutBits(b, a));
    case 'lt':
    case 'le': {
      const strict = relation === 'lt' ? 1n : 0n;
      return pair(
        a.umax > b.umax - strict ? narrowed(a, (r) => (r.umax = b.umax - strict)) : a,
        b.umin < a.umin + strict ? narrowed(b, (r) => (r.umin = a.umin + strict)) : b,
      );
    }
    default: {
      const strict = relation === 'slt' ? 1n : 0n;
      return pair(
        a.smax > b.smax - strict ? narrowed(a, (r) => (r.smax = b.smax - strict)) : a,
        b.smin < a.smin + strict ? narrowed(b, (r) => (r.smin = a.smin + strict)) : b,
      );
    }
  }
}

/** Whether comparing the low halves is comparing the wholes. */
function sameAsWhole(relation: Relation, a: Scalar, b: Scalar): boolean {
  if (relation === 'slt' || relation === 'sle') {
    const half = BigInt(S32_MAX);
    const least = BigInt(S32_MIN);
    return a.smin >= least && a.smax <= half && b.smin >= least && b.smax <= half;
  }
  return a.fits32 && b.fits32;
}

function refine32(relation: Relation, a: Scalar, b: Scalar): Refined | undefined {
  switch (relation) {
    case 'eq':
      return pair(withLowOf(a, b), withLowOf(b, a));
    case 'ne':
      return pair(withoutLow(a, b), withoutLow(b, a));
    case 'set':
      return low(a).mask === 0n && low(b).mask === 0n && (low(a).value & low(b).value) === 0n ? undefined : { a, b };
    case 'not-set':
      return (low(a).value & low(b).value) !== 0n ? undefined : { a, b };
    case 'lt':
    case 'le': {
      const strict = relation === 'lt' ? 1 : 0;
      return pair(
        narrowed(a, (r) => (r.u32max = Math.min(r.u32max, b.u32max - strict))),
        narrowed(b, (r) => (r.u32min = Math.max(r.u32min, a.u32min + strict))),
      );
    }
    default: {
      const strict = relation === 'slt' ? 1 : 0;
      return pair(
        narrowed(a, (r) => (r.s32max = Math.min(r.s32max, b.s32max - strict))),
        narrowed(b, (r) => (r.s32min = Math.max(r.s32min, a.s32min + strict))),
      );
    }
  }
}

const pair = (a: Scalar | undefined, b: Scalar | undefined): Refined | undefined => (a && b ? { a, b } : undefined);

function narrowed(a: Scalar, change: (r: Bounds) => void): Scalar | undefined {
  const r: Bounds = { ...a };
  change(r);
  return settle(r);
}

/** a without the only number of b: it can go when it lies at an end of a range. */
function without(a: Scalar, b: Scalar): Scalar | undefined {
  if (!b.isConstant || !a.contains(b.umin)) return a;
  if (a.isConstant) return undefined;
  return narrowed(a, (r) => {
    if (r.umin === b.umin) r.umin++;
    if (r.umax === b.umax) r.umax--;
    if (r.smin === b.smin) r.smin++;
    if (r.smax === b.smax) r.smax--;
  });
}

function withoutLow(a: Scalar, b: Scalar): Scalar | undefined {
  if (b.u32min !== b.u32max) return a;
  const gone = b.u32min;
  if (a.u32min === gone && a.u32max === gone) return undefined;
  return narrowed(a, (r) => {
    if (r.u32min === gone) r.u32min++;
    if (r.u32max === gone) r.u32max--;
    if (r.s32min === (gone | 0)) r.s32min++;
    if (r.s32max === (gone | 0)) r.s32max--;
  });
}

function withLowOf(a: Scalar, b: Scalar): Scalar | undefined {
  const bits = tnumIntersect(a.bits, { value: low(b).value, mask: low(b).mask | 0xffff_ffff_0000_0000n });
  if (bits === undefined) return undefined;
  return narrowed(a, (r) => {
    r.bits = bits;
    r.u32min = Math.max(r.u32min, b.u32min);
    r.u32max = Math.min(r.u32max, b.u32max);
    r.s32min = Math.max(r.s32min, b.s32min);
    r.s32max = Math.min(r.s32max, b.s32max);
  });
}

const low = (a: Scalar): { value: bigint; mask: bigint } => ({
  value: a.bits.value & BigInt(U32_MAX),
  mask: a.bits.mask & BigInt(U32_MAX),
});

/** a, knowing a & b !== 0. */
function withCommonBit(a: Scalar, b: Scalar): Scalar | undefined {
  const maybeA = a.bits.value | a.bits.mask;
  const maybeB = b.bits.value | b.bits.mask;
  const common = maybeA & maybeB;
  if (common === 0n) return undefined;
  // A single bit that both can share must be set.
  if ((common & (common - 1n)) !== 0n) return a;
  const bits = tnumIntersect(a.bits, { value: common, mask: 0xffff_ffff_ffff_ffffn ^ common });
  return bits && narrowed(a, (r) => (r.bits = bits));
}

/** a, knowing a & b === 0: the bits known set in b are clear. */
function withoutBits(a: Scalar, b: Scalar): Scalar | undefined {
  if ((a.bits.value & b.bits.value) !== 0n) return undefined;
  if ((a.bits.mask & b.bits.value) === 0n) return a;
  return narrowed(a, (r) => (r.bits = { value: a.bits.value, mask: a.bits.mask & ~b.bits.value }));
}

/** Whether the relation always holds (true), never holds (false), or either (undefined). */
export function decide(relation: Relation, a: Scalar, b: Scalar, narrow: boolean): boolean | undefined {
  if (refine(relation, a, b, narrow) === undefined) return false;
  if (refine(negation(relation), a, b, narrow) === undefined) return true;
  return undefined;
}
