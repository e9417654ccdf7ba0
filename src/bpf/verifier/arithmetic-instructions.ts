import type { AluOperation, InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { describeValue } from './describe.ts';
import { add, divide, divideSigned, modulo, moduloSigned, multiply, negate, subtract } from './domain/arithmetic.ts';
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
} from './domain/bitwise.ts';
import { constant, type Scalar, zeroExtend32 } from './domain/scalar.ts';
import { Refusal } from './refusal.ts';
import { moveRegister, readRegister, writeRegister } from './registers.ts';
import type { State } from './state.ts';
import {
  isLinked,
  isPointer,
  type Linked,
  MAX_OFFSET,
  moved,
  type Pointer,
  relinked,
  type ScalarValue,
  scalar,
  type Value,
  ZERO_SCALAR,
} from './value.ts';

type Form<K extends InstructionForm['kind']> = Extract<InstructionForm, { kind: K }>;

/** Arithmetic on two numbers as 64-bit words; the 32-bit forms narrow their operands first. */
const WORD: Record<Exclude<AluOperation, 'mov'>, (a: Scalar, b: Scalar) => Scalar> = {
  add,
  sub: subtract,
  mul: multiply,
  div: divide,
  sdiv: divideSigned,
  mod: modulo,
  smod: moduloSigned,
  or,
  and,
  xor,
  lsh: shiftLeft,
  rsh: shiftRight,
  arsh: shiftRightSigned,
};

/** Gives unused link numbers. */
export type FreshId = () => number;

/** dst = dst op (imm or src), or a move. */
export function executeAlu(state: State, form: Form<'alu'>, instruction: Instruction, freshId: FreshId): void {
  const { dst, src } = instruction;
  if (form.op === 'mov') {
    writeRegister(
      state,
      dst,
      form.source === 'imm' ? immediate(instruction, form.width) : move(state, src, form.width, freshId),
    );
    return;
  }
  const right = form.source === 'imm' ? immediate(instruction, 64) : readRegister(state, src);
  const left = readRegister(state, dst);
  if (form.source === 'reg' && dst === src && left.kind === 'scalar' && (form.op === 'xor' || form.op === 'sub')) {
    writeRegister(state, dst, ZERO_SCALAR);
    return;
  }
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    writeRegister(state, dst, form.width === 64 ? word(form.op, left, right) : half(form.op, left, right));
    return;
  }
  writeRegister(state, dst, pointerArithmetic(state, form, instruction, left, right, freshId));
}

export function executeNeg(state: State, form: Form<'neg'>, { dst }: Instruction): void {
  const value = numberIn(state, dst, 'negation');
  const range = negate(value.range);
  writeRegister(state, dst, scalar(form.width === 32 ? zeroExtend32(range) : range));
}

export function executeMovsx(state: State, form: Form<'movsx'>, { dst, src }: Instruction, freshId: FreshId): void {
  const value = numberIn(state, src, 'sign extension');
  const range = signExtend(value.range, form.bits);
  if (range === value.range && form.width === 64) {
    writeRegister(state, dst, move(state, src, 64, freshId));
    return;
  }
  writeRegister(state, dst, scalar(form.width === 32 ? zeroExtend32(range) : range));
}

/** The machine is little-endian: `le` only cuts off what lies above. */
export function executeEndian(state: State, form: Form<'endian'>, { dst }: Instruction): void {
  const value = numberIn(state, dst, 'byte swap');
  if (form.op === 'le') {
    const range = zeroExtend(value.range, form.bits);
    writeRegister(state, dst, range === value.range ? value : scalar(range));
    return;
  }
  writeRegister(state, dst, scalar(byteSwap(value.range, form.bits / 8)));
}

function immediate({ imm }: Instruction, width: 32 | 64): ScalarValue {
  return scalar(constant(BigInt(width === 32 ? imm >>> 0 : imm)));
}

/** A copy shares what is learnt later, so the original gets a link if it has none. */
function move(state: State, src: number, width: 32 | 64, freshId: FreshId): Value {
  const value = moveRegister(state, src);
  if (width === 32 && value.kind !== 'uninitialised') {
    if (value.kind !== 'scalar') throw partOfPointer(value, src, 'a 32-bit move keeps only half of it');
    if (!value.range.fits32) return scalar(zeroExtend32(value.range));
  }
  return linked(state, src, value, freshId);
}

/** The value of a register, with a link when its number is not known exactly. */
export function linked<V extends Value>(state: State, register: number, value: V, freshId: FreshId): V {
  if (!isLinked(value) || value.id !== 0 || value.range.isConstant) return value;
  const withId = { ...value, id: freshId(), delta: 0 };
  state.registers[register] = withId;
  return withId;
}

function word(op: Exclude<AluOperation, 'mov'>, a: ScalarValue, b: ScalarValue): ScalarValue {
  const by = b.range;
  if (op === 'sub' && a.id !== 0 && a.id === b.id) return scalar(constant(BigInt(a.delta - b.delta)));
  if (op === 'rsh' || op === 'arsh') {
    const back = shiftedBack(op, a, by);
    if (back !== undefined) return back;
  }
  if (changesNothing(op, a.range, by)) return a;
  const range = WORD[op](a.range, by);
  const link = movedBy(op, a, b, range);
  if (link !== undefined)
    return { kind: 'scalar', range: link.range, id: link.id, delta: link.delta, shifted: undefined };
  if (op === 'lsh' && by.isConstant && by.umin >= 32n && by.umin < 64n && !a.range.isConstant) {
    return { ...scalar(range), shifted: { of: a, by: Number(by.umin) } };
  }
  return scalar(range);
}

/** Whether every result is the left operand itself, which then keeps its links. */
function changesNothing(op: AluOperation, a: Scalar, b: Scalar): boolean {
  if (op === 'and') return keepsAll(a, b);
  if (op === 'mod') return a.umax < b.umin;
  return b.umax === 0n && op !== 'mul' && op !== 'div' && op !== 'sdiv';
}

/** A sum with a constant stays linked. */
function movedBy(op: AluOperation, a: ScalarValue, b: ScalarValue, range: Scalar): Linked | undefined {
  if (op === 'add' && b.range.isConstant) return movedFar(a, range, b.range.smin);
  if (op === 'add' && a.range.isConstant) return movedFar(b, range, a.range.smin);
  if (op === 'sub' && b.range.isConstant) return movedFar(a, range, -b.range.smin);
  // Compilers write a sum that cannot carry as an or.
  if (op === 'or' && haveNoBitInCommon(a.range, b.range)) return movedBy('add', a, b, range);
  return undefined;
}

const haveNoBitInCommon = (a: Scalar, b: Scalar): boolean =>
  ((a.bits.value | a.bits.mask) & (b.bits.value | b.bits.mask)) === 0n;

const movedFar = (link: Linked, range: Scalar, by: bigint): Linked | undefined =>
  by > -0x8000_0000n && by < 0x8000_0000n ? moved(link, range, Number(by)) : undefined;

/** `<<` then `>>` by the same amount: the extension of the low bits of what was there before. */
function shiftedBack(op: 'rsh' | 'arsh', a: ScalarValue, by: Scalar): ScalarValue | undefined {
  if (a.shifted === undefined || !by.isConstant || by.umin !== BigInt(a.shifted.by)) return undefined;
  const { of } = a.shifted;
  const bits = 64 - a.shifted.by;
  const range = op === 'rsh' ? lowBits(of.range, bits) : lowBitsSigned(of.range, bits);
  return range === of.range ? of : scalar(range);
}

function lowBits(a: Scalar, bits: number): Scalar {
  if (bits === 32) return zeroExtend32(a);
  const limit = (1n << BigInt(bits)) - 1n;
  return a.umax <= limit ? a : and(a, constant(limit));
}

function lowBitsSigned(a: Scalar, bits: number): Scalar {
  const by = constant(BigInt(64 - bits));
  return bits === 8 || bits === 16 || bits === 32 ? signExtend(a, bits) : shiftRightSigned(shiftLeft(a, by), by);
}

const keepsAll = (a: Scalar, mask: Scalar): boolean =>
  mask.isConstant && ((a.bits.value | a.bits.mask) & ~mask.umin) === 0n;

function half(op: Exclude<AluOperation, 'mov'>, a: ScalarValue, b: ScalarValue): ScalarValue {
  const left = zeroExtend32(a.range);
  const right = zeroExtend32(b.range);
  if (left === a.range && changesNothing(op, left, right)) return a;
  switch (op) {
    case 'lsh':
      return scalar(zeroExtend32(shiftLeft(left, mask31(right))));
    case 'rsh':
      return scalar(shiftRight(left, mask31(right)));
    case 'arsh':
      return scalar(zeroExtend32(shiftRightSigned(signExtend(a.range, 32), mask31(right))));
    case 'sdiv':
    case 'smod':
      return scalar(zeroExtend32(WORD[op](signExtend(a.range, 32), signExtend(b.range, 32))));
    case 'add':
    case 'sub': {
      // When the sum of the wholes, with a constant as signed, fits, the low half is that sum, and the link stays.
      if (left === a.range && b.range.isConstant) {
        const whole = word(op, a, scalar(constant(BigInt(Number(right.umin) | 0))));
        if (whole.range.fits32) return whole;
      }
      return scalar(zeroExtend32(WORD[op](left, right)));
    }
    case 'or':
      return left === a.range && right === b.range ? word(op, a, b) : scalar(zeroExtend32(WORD[op](left, right)));
    default:
      return scalar(zeroExtend32(WORD[op](left, right)));
  }
}

function numberIn(state: State, register: number, what: string): ScalarValue {
  const value = readRegister(state, register);
  if (value.kind === 'scalar') return value;
  throw new Refusal(
    'BPF_VERIFIER_POINTER_ARITHMETIC',
    `${what} of r${register}, which is ${describeValue(value)}`,
    'compute with numbers; a pointer can only be moved by adding or subtracting a number',
  );
}

function partOfPointer(value: Value, register: number, why: string): Refusal {
  return new Refusal(
    'BPF_VERIFIER_POINTER_ARITHMETIC',
    `r${register} is ${describeValue(value)}, and ${why}`,
    'keep pointers in 64-bit variables of pointer type',
  );
}

function pointerArithmetic(
  state: State,
  form: Form<'alu'>,
  { dst, src }: Instruction,
  left: Value,
  right: Value,
  freshId: FreshId,
): Value {
  const pointerRegister = isPointer(left) ? dst : src;
  const value = isPointer(left) ? left : right;
  if (form.width === 32) throw partOfPointer(value, pointerRegister, '32-bit arithmetic keeps only half of it');
  for (const [v, r] of [
    [left, dst],
    [right, src],
  ] as const) {
    if (v.kind === 'map') throw notMovable(r, v, 'a map is only for helpers: call ubpf_map_lookup to reach a value');
    if (v.kind === 'map-value' && v.nullable) {
      throw new Refusal(
        'BPF_VERIFIER_NULL_VALUE',
        `arithmetic on r${r}, a map value that may be NULL`,
        'check the result of the lookup first: if (!value) return 0;',
      );
    }
  }
  if (form.op === 'add' && left.kind === 'scalar' && isMovable(right)) {
    return displaced(state, dst, right, left, false, freshId);
  }
  if (form.op === 'add' && isMovable(left) && right.kind === 'scalar') {
    return displaced(state, form.source === 'reg' ? src : undefined, left, right, false, freshId);
  }
  if (form.op === 'sub' && isMovable(left) && right.kind === 'scalar') {
    return displaced(state, undefined, left, right, true, freshId);
  }
  if (form.op === 'sub' && isMovable(left) && isMovable(right)) return distance(left, right, dst, src);
  throw notMovable(
    pointerRegister,
    value,
    'a pointer can only be moved by adding or subtracting a number, or subtracted from one into the same object',
  );
}

const isMovable = (value: Value): value is Pointer =>
  value.kind === 'packet' || value.kind === 'stack' || value.kind === 'map-value';

function notMovable(register: number, value: Value, suggestion: string): Refusal {
  return new Refusal(
    'BPF_VERIFIER_POINTER_ARITHMETIC',
    `arithmetic on r${register}, which is ${describeValue(value)}`,
    suggestion,
  );
}

/** Pointer plus (or minus) number. */
function displaced(
  state: State,
  numberRegister: number | undefined,
  pointer: Pointer,
  by: ScalarValue,
  minus: boolean,
  freshId: FreshId,
): Pointer {
  const range = minus ? subtract(pointer.range, by.range) : add(pointer.range, by.range);
  if (range.smin < -MAX_OFFSET || range.smax > MAX_OFFSET) {
    throw new Refusal(
      'BPF_VERIFIER_POINTER_RANGE',
      `the number added to ${describeValue(pointer)} has no useful bound: ${describeValue(by)}`,
      'bound the number first, with a comparison or a mask such as offset & 0xff; use unsigned types for offsets',
    );
  }
  if (by.range.isConstant) {
    return atOffset(pointer, moved(pointer, range, Number(minus ? -by.range.smin : by.range.smin)));
  }
  if (!minus && pointer.range.isConstant) {
    const number = numberRegister === undefined ? by : linked(state, numberRegister, by, freshId);
    return atOffset(pointer, moved(number, range, Number(pointer.range.smin)));
  }
  return atOffset(pointer, { range, id: 0, delta: 0 });
}

function atOffset(pointer: Pointer, { range, id, delta }: Linked): Pointer {
  const moved = relinked(pointer, range, id, delta);
  return moved.kind === 'scalar' ? pointer : moved;
}

/** Pointer minus pointer into the same object. */
function distance(left: Pointer, right: Pointer, dst: number, src: number): ScalarValue {
  const same =
    left.kind === right.kind &&
    (left.kind !== 'stack' || right.kind !== 'stack' || left.frame === right.frame) &&
    (left.kind !== 'map-value' || right.kind !== 'map-value' || left.lookup === right.lookup);
  if (!same) {
    throw new Refusal(
      'BPF_VERIFIER_POINTER_ARITHMETIC',
      `r${dst} is ${describeValue(left)} and r${src} is ${describeValue(right)}: their difference is an address`,
      'subtract only pointers into the same object',
    );
  }
  return word('sub', offsetOf(left), offsetOf(right));
}

const offsetOf = ({ range, id, delta }: Pointer): ScalarValue => ({
  kind: 'scalar',
  range,
  id,
  delta,
  shifted: undefined,
});
