import type { InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { type FreshId, linked } from './arithmetic-instructions.ts';
import { describeValue } from './describe.ts';
import { negation, type Refined, type Relation, refine } from './domain/comparison.ts';
import { constant, type Scalar, UNKNOWN } from './domain/scalar.ts';
import { Refusal } from './refusal.ts';
import { readRegister } from './registers.ts';
import { STACK_BYTES } from './stack.ts';
import type { State } from './state.ts';
import {
  isLinked,
  type Linked,
  type LinkedValue,
  type MapValuePointer,
  type Value,
  withRange,
  ZERO_SCALAR,
} from './value.ts';

type JumpForm = Extract<InstructionForm, { kind: 'jump' }>;

export interface Branches {
  /** The state when the condition holds; undefined when it cannot. */
  readonly taken: State | undefined;
  /** The state when it does not. */
  readonly passed: State | undefined;
}

/** The two ways on from a conditional jump, each with what the condition tells. Uses `state` for one of them. */
export function executeJump(state: State, form: JumpForm, instruction: Instruction, freshId: FreshId): Branches {
  const { dst, src } = instruction;
  const left = readRegister(state, dst);
  const right =
    form.source === 'imm' ? { ...ZERO_SCALAR, range: constant(BigInt(instruction.imm)) } : readRegister(state, src);
  const comparison = comparisonOf(form, left, right, dst, src);
  if (comparison === 'null-check') return nullCheck(state, form, left.kind === 'scalar' ? right : left);
  if (comparison === 'opaque') return { taken: state.clone(), passed: state };
  const narrow = form.width === 32;
  const sides: Sides = { dst, src: form.source === 'reg' ? src : undefined, narrow, freshId };
  const holds = comparison === 'offsets' ? orderOfOffsets(form.condition) : form.condition;
  const taken = refine(holds, rangeOf(left), rangeOf(right), narrow);
  const passed = refine(negation(holds), rangeOf(left), rangeOf(right), narrow);
  const other = taken && passed ? state.clone() : state;
  return {
    taken: taken && learn(other, holds, taken, sides),
    passed: passed && learn(state, negation(holds), passed, sides),
  };
}

const rangeOf = (value: Value): Scalar => (isLinked(value) ? value.range : UNKNOWN);

/** No address of an object wraps, so addresses, read as signed or not, are in the order of their offsets as signed. */
function orderOfOffsets(condition: JumpForm['condition']): Relation {
  const signed: Partial<Record<Relation, Relation>> = { lt: 'slt', le: 'sle', gt: 'sgt', ge: 'sge' };
  return signed[condition] ?? condition;
}

/** Not before its object, where an address could wrap. */
const isOrdered = (value: Value): boolean =>
  rangeOf(value).smin >= (value.kind === 'stack' ? -BigInt(STACK_BYTES) : 0n);

/**
 * `offsets`: pointers into one object, which compare as their offsets do. `opaque`: allowed, but tells nothing.
 * Throws for comparisons that would make an address known.
 */
function comparisonOf(
  form: JumpForm,
  left: Value,
  right: Value,
  dst: number,
  src: number,
): 'numbers' | 'offsets' | 'null-check' | 'opaque' {
  if (left.kind === 'scalar' && right.kind === 'scalar') return 'numbers';
  const equality = form.condition === 'eq' || form.condition === 'ne';
  if (form.width === 64 && (left.kind === 'scalar' || right.kind === 'scalar')) {
    const [pointer, number] = left.kind === 'scalar' ? [right, left] : [left, right];
    const zero = number.kind === 'scalar' && number.range.umax === 0n;
    if (equality && zero && pointer.kind === 'map-value' && pointer.range.smin >= 0n) return 'null-check';
    if (equality && zero) return 'opaque';
  } else if (form.width === 64 && form.condition !== 'set' && isSameObject(left, right)) {
    return equality || (isOrdered(left) && isOrdered(right)) ? 'offsets' : 'opaque';
  }
  const what = (value: Value, register: number): string => `r${register}, ${describeValue(value)}`;
  throw new Refusal(
    'BPF_VERIFIER_POINTER_COMPARISON',
    form.source === 'imm'
      ? `${what(left, dst)}, is compared with the number ${rangeOf(right).smin}`
      : `${what(left, dst)}, is compared with ${what(right, src)}`,
    'compare pointers only with NULL or with pointers into the same object',
  );
}

function isSameObject(left: Value, right: Value): boolean {
  if (left.kind === 'packet') return right.kind === 'packet';
  if (left.kind === 'stack') return right.kind === 'stack' && left.frame === right.frame;
  return (
    left.kind === 'map-value' &&
    right.kind === 'map-value' &&
    !left.nullable &&
    !right.nullable &&
    left.lookup === right.lookup
  );
}

function nullCheck(state: State, form: JumpForm, value: Value): Branches {
  const pointer = value as MapValuePointer;
  if (!pointer.nullable) {
    return form.condition === 'eq' ? { taken: undefined, passed: state } : { taken: state, passed: undefined };
  }
  const found = state.clone();
  found.mapValues((v) => (isOf(v, pointer) ? { ...v, nullable: false } : v), false);
  state.mapValues((v) => (isOf(v, pointer) ? ZERO_SCALAR : v), false);
  return form.condition === 'eq' ? { taken: state, passed: found } : { taken: found, passed: state };
}

const isOf = (value: Value, pointer: MapValuePointer): value is MapValuePointer =>
  value.kind === 'map-value' && value.lookup === pointer.lookup;

interface Sides {
  readonly dst: number;
  /** Absent for an immediate. */
  readonly src: number | undefined;
  readonly narrow: boolean;
  readonly freshId: FreshId;
}

/** Writes down what the relation told; undefined when it contradicts what was known. */
function learn(state: State, relation: Relation, refined: Refined, sides: Sides): State | undefined {
  if (!narrowRegister(state, sides.dst, refined.a)) return undefined;
  if (sides.src !== undefined && !narrowRegister(state, sides.src, refined.b)) return undefined;
  if (sides.src === undefined) return state;
  return learnOrder(state, relation, sides.dst, sides.src, sides) ? state : undefined;
}

function narrowRegister(state: State, register: number, range: Scalar): boolean {
  const value = state.registers[register];
  if (!isLinked(value) || range === value.range) return true;
  if (!state.narrow(value, range)) return false;
  // Through its links it may have become narrower still.
  const now = state.registers[register];
  if (isLinked(now) && (value.id === 0 || now === value)) state.registers[register] = withRange(now, range);
  return true;
}

/** Of two numbers in order, the lesser takes over the bound by the packet's length that the greater has. */
function learnOrder(state: State, relation: Relation, dst: number, src: number, sides: Sides): boolean {
  const signed = relation.startsWith('s') && relation !== 'set';
  const plain = signed ? relation.slice(1) : relation;
  switch (plain) {
    case 'lt':
    case 'le':
      return learnBelow(state, dst, src, plain === 'lt', signed, sides);
    case 'gt':
    case 'ge':
      return learnBelow(state, src, dst, plain === 'gt', signed, sides);
    case 'eq':
      return learnBelow(state, dst, src, false, false, sides) && learnBelow(state, src, dst, false, false, sides);
    default:
      return true;
  }
}

function learnBelow(
  state: State,
  lesserRegister: number,
  greaterRegister: number,
  strict: boolean,
  signed: boolean,
  { narrow, freshId }: Sides,
): boolean {
  const lesser = state.registers[lesserRegister];
  const greater = state.registers[greaterRegister];
  if (!isLinked(lesser) || !isLinked(greater)) return true;
  if (narrow && !(isWhole(lesser, signed) && isWhole(greater, signed))) return true;
  // The bound of the greater is one of integers only while it has not wrapped round below zero.
  if (greater.range.smin < 0n || (signed && lesser.range.smin < 0n)) return true;
  const slack = state.slacks.get(greater.id);
  if (slack === undefined) return true;
  const bound = slack + greater.delta - (strict ? 1 : 0);
  if (lesser.range.isConstant) {
    const least = lesser.range.umin - BigInt(bound);
    return least <= state.length.umin || state.lengthIsAtLeast(least);
  }
  const known: Linked = linked(state, lesserRegister, lesser as LinkedValue, freshId);
  return state.learnSlack(known, bound);
}

const isWhole = (value: Linked, signed: boolean): boolean =>
  signed ? value.range.smin >= -0x8000_0000n && value.range.smax <= 0x7fff_ffffn : value.range.fits32;
