import { add } from './domain/arithmetic.ts';
import { constant, type Scalar, UNKNOWN, unsignedRange, ZERO } from './domain/scalar.ts';

/**
 * A number as the program holds it. Values with the same `id` (0: none) move together: each is the number that the id
 * stands for, plus `delta`, modulo 2^64. So what a comparison tells of one is known of all.
 */
export interface Linked {
  readonly range: Scalar;
  readonly id: number;
  readonly delta: number;
}

export interface Uninitialised {
  readonly kind: 'uninitialised';
  /** The call that took the register's content away. */
  readonly lostAt?: number;
  /** The load that took it from stack bytes that nothing was written to: it may be copied, but not used. */
  readonly loadedAt?: number;
  /** The move that took it from a register that nothing was written to: so too. */
  readonly copied?: { readonly register: number; readonly at: number };
}

export interface ScalarValue extends Linked {
  readonly kind: 'scalar';
  /** The number is `of`, shifted left by `by`: a shift back is then exact, as old compilers extend 32-bit numbers. */
  readonly shifted: { readonly of: ScalarValue; readonly by: number } | undefined;
}

/** The range of a pointer is its offset from the first byte of its object, which for a stack is the frame pointer. */
export interface PacketPointer extends Linked {
  readonly kind: 'packet';
}

export interface StackPointer extends Linked {
  readonly kind: 'stack';
  /** 0 is the entry function's. */
  readonly frame: number;
}

export interface MapValuePointer extends Linked {
  readonly kind: 'map-value';
  /** Index in the program's maps. */
  readonly map: number;
  /** Whether it may be NULL still. */
  readonly nullable: boolean;
  /** The lookup that gave it: pointers of one lookup are NULL together, and point into one value. */
  readonly lookup: number;
}

/** The map itself, as helpers take it. */
export interface MapReference {
  readonly kind: 'map';
  readonly map: number;
}

export type Pointer = PacketPointer | StackPointer | MapValuePointer;
export type LinkedValue = ScalarValue | Pointer;
export type Value = Uninitialised | LinkedValue | MapReference;

/** The id of the packet's length, in every state. */
export const LENGTH_ID = 1;

/** Most bytes of a packet, with room above a 64 KiB segmentation-offload frame. */
export const MAX_PACKET_BYTES = 0x1ffff;

/** Offsets of pointers stay within this, either way, so that no address wraps. */
export const MAX_OFFSET = 1n << 29n;

/** Beyond this, two numbers are no longer called linked. */
const MAX_DELTA = 2 ** 31;

export const UNINITIALISED: Uninitialised = { kind: 'uninitialised' };

export const scalar = (range: Scalar): ScalarValue => ({ kind: 'scalar', range, id: 0, delta: 0, shifted: undefined });
export const UNKNOWN_SCALAR: ScalarValue = scalar(UNKNOWN);
export const ZERO_SCALAR: ScalarValue = scalar(ZERO);

export const PACKET_START: PacketPointer = { kind: 'packet', range: ZERO, id: 0, delta: 0 };
export const PACKET_LENGTH: ScalarValue = {
  kind: 'scalar',
  range: unsignedRange(0n, BigInt(MAX_PACKET_BYTES)),
  id: LENGTH_ID,
  delta: 0,
  shifted: undefined,
};

export const isLinked = (value: Value): value is LinkedValue => value.kind !== 'uninitialised' && value.kind !== 'map';
export const isPointer = (value: Value): value is Pointer | MapReference =>
  value.kind !== 'uninitialised' && value.kind !== 'scalar';

/** The link of a number that is `by` more; none for a constant, which needs none, or when it leads too far. */
export function moved(link: Linked, range: Scalar, by: number): Linked {
  const delta = link.delta + by;
  if (link.id === 0 || range.isConstant || Math.abs(delta) > MAX_DELTA) return { range, id: 0, delta: 0 };
  return { range, id: link.id, delta };
}

/** What `other` is, knowing the range of `link` and that both have the same id. */
export function rangeThroughLink(range: Scalar, link: Linked, other: Linked): Scalar {
  return other.delta === link.delta ? range : add(range, constant(BigInt(other.delta - link.delta)));
}

export function withRange(value: LinkedValue, range: Scalar): LinkedValue {
  if (range === value.range) return value;
  const id = range.isConstant ? 0 : value.id;
  const delta = id === 0 ? 0 : value.delta;
  return relinked(value, range, id, delta);
}

/** The same kind of value with another number. Each kind always has its fields in the same order. */
export function relinked(value: LinkedValue, range: Scalar, id: number, delta: number): LinkedValue {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'scalar', range, id, delta, shifted: undefined };
    case 'packet':
      return { kind: 'packet', range, id, delta };
    case 'stack':
      return { kind: 'stack', frame: value.frame, range, id, delta };
    case 'map-value': {
      const { map, nullable, lookup } = value;
      return { kind: 'map-value', map, nullable, lookup, range, id, delta };
    }
  }
}
