import type { AluOperation, AtomicOperation, JumpCondition } from './isa.ts';

/** The arithmetic of RFC 9669 section 4 on unsigned 64-bit numbers in BigInt. */

const U32 = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;

/** A 32- or 64-bit operation; a 32-bit one takes the low halves and clears the upper half of the result. */
export function alu(op: AluOperation, width: 32 | 64, dst: bigint, src: bigint): bigint {
  const mask = width === 64 ? U64 : U32;
  const a = dst & mask;
  const b = src & mask;
  const shift = b & BigInt(width - 1);
  switch (op) {
    case 'add':
      return (a + b) & mask;
    case 'sub':
      return (a - b) & mask;
    case 'mul':
      return (a * b) & mask;
    // Division by zero gives 0, modulo by zero leaves the destination (section 4.1).
    case 'div':
      return b === 0n ? 0n : a / b;
    case 'mod':
      return b === 0n ? a : a % b;
    // BigInt truncates towards zero, as the RFC asks; MIN / −1 wraps to MIN, its remainder is 0.
    case 'sdiv':
      return b === 0n ? 0n : (BigInt.asIntN(width, a) / BigInt.asIntN(width, b)) & mask;
    case 'smod':
      return b === 0n ? a : (BigInt.asIntN(width, a) % BigInt.asIntN(width, b)) & mask;
    case 'or':
      return a | b;
    case 'and':
      return a & b;
    case 'xor':
      return a ^ b;
    case 'lsh':
      return (a << shift) & mask;
    case 'rsh':
      return a >> shift;
    case 'arsh':
      return (BigInt.asIntN(width, a) >> shift) & mask;
    case 'mov':
      return b;
  }
}

export function negate(width: 32 | 64, value: bigint): bigint {
  return BigInt.asUintN(width, -value);
}

/** The low `bits` bits sign-extended to `width`, zero above. */
export function signExtend(bits: 8 | 16 | 32, width: 32 | 64, value: bigint): bigint {
  return BigInt.asUintN(width, BigInt.asIntN(bits, value));
}

/** Section 4.2, on a little-endian machine: `le` only cuts to `bits`, `be` and `bswap` turn the bytes around too. */
export function swapBytes(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, value: bigint): bigint {
  const low = BigInt.asUintN(bits, value);
  if (op === 'le') return low;
  let turned = 0n;
  for (let i = 0n; i < bits; i += 8n) turned = (turned << 8n) | ((low >> i) & 0xffn);
  return turned;
}

export function compare(condition: JumpCondition, width: 32 | 64, dst: bigint, src: bigint): boolean {
  const a = BigInt.asUintN(width, dst);
  const b = BigInt.asUintN(width, src);
  const signedA = BigInt.asIntN(width, a);
  const signedB = BigInt.asIntN(width, b);
  switch (condition) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'sgt':
      return signedA > signedB;
    case 'sge':
      return signedA >= signedB;
    case 'slt':
      return signedA < signedB;
    case 'sle':
      return signedA <= signedB;
    case 'set':
      return (a & b) !== 0n;
  }
}

/** What an atomic operation (section 5.3) does to a 32- or 64-bit element, through Atomics: other threads may use it too. */
export function atomic(
  elements: Int32Array | BigInt64Array,
  index: number,
  op: AtomicOperation,
  operand: bigint,
  expected: bigint,
): bigint {
  if (elements instanceof BigInt64Array)
    return BigInt.asUintN(64, exchange64(elements, index, op, BigInt.asIntN(64, operand), BigInt.asIntN(64, expected)));
  const old = exchange32(elements, index, op, Number(BigInt.asIntN(32, operand)), Number(BigInt.asIntN(32, expected)));
  return BigInt(old >>> 0);
}

function exchange32(
  elements: Int32Array,
  index: number,
  op: AtomicOperation,
  operand: number,
  expected: number,
): number {
  switch (op) {
    case 'add':
      return Atomics.add(elements, index, operand);
    case 'or':
      return Atomics.or(elements, index, operand);
    case 'and':
      return Atomics.and(elements, index, operand);
    case 'xor':
      return Atomics.xor(elements, index, operand);
    case 'xchg':
      return Atomics.exchange(elements, index, operand);
    case 'cmpxchg':
      return Atomics.compareExchange(elements, index, expected, operand);
  }
}

function exchange64(
  elements: BigInt64Array,
  index: number,
  op: AtomicOperation,
  operand: bigint,
  expected: bigint,
): bigint {
  switch (op) {
    case 'add':
      return Atomics.add(elements, index, operand);
    case 'or':
      return Atomics.or(elements, index, operand);
    case 'and':
      return Atomics.and(elements, index, operand);
    case 'xor':
      return Atomics.xor(elements, index, operand);
    case 'xchg':
      return Atomics.exchange(elements, index, operand);
    case 'cmpxchg':
      return Atomics.compareExchange(elements, index, expected, operand);
  }
}
