import type { AluOperation } from '../isa.ts';
import { type AbstractValue, bounded, constant, maxOf, U32_MAX } from './abstract-value.ts';

/** The largest number with as many bits as `max`; Infinity beyond 32 bits. */
function allOnes(max: number): number {
  return max > U32_MAX ? Number.POSITIVE_INFINITY : 2 ** (32 - Math.clz32(max)) - 1;
}

/** What 32-bit arithmetic sees of an operand. */
function lowHalf(value: AbstractValue): AbstractValue {
  if (value.kind === 'constant') return constant(BigInt.asUintN(32, value.value));
  return maxOf(value) <= U32_MAX ? value : bounded(U32_MAX);
}

/** Where a constant added to an address within the frame leads, if not far away. */
function frameOffset(op: 'add' | 'sub', left: AbstractValue, right: AbstractValue): number | undefined {
  const base = left.kind === 'frame' ? left : op === 'add' && right.kind === 'frame' ? right : undefined;
  const by = base === left ? right : left;
  if (base === undefined || by.kind !== 'constant') return undefined;
  const offset = base.offset + Number(BigInt.asIntN(64, op === 'add' ? by.value : -by.value));
  return Math.abs(offset) < 2 ** 20 ? offset : undefined;
}

/** The result of an arithmetic instruction, as far as it is known. */
export function arithmeticResult(
  op: AluOperation,
  width: 32 | 64,
  left: AbstractValue,
  right: AbstractValue,
): AbstractValue {
  if (op === 'mov') {
    if (width === 64) return right;
    if (right.kind === 'constant') return lowHalf(right);
    // The addresses of frames and maps are below 2^32, but their identity is worth less than a plain bound.
    return bounded(maxOf(lowHalf(right)));
  }
  if (width === 64 && (op === 'add' || op === 'sub')) {
    const offset = frameOffset(op, left, right);
    if (offset !== undefined) return { kind: 'frame', offset };
  }
  if (width === 64) return bounded(largestResult(op, width, left, right));
  return bounded(Math.min(largestResult(op, width, lowHalf(left), lowHalf(right)), U32_MAX));
}

function largestResult(op: AluOperation, width: 32 | 64, left: AbstractValue, right: AbstractValue): number {
  const limit = width === 32 ? U32_MAX : Number.POSITIVE_INFINITY;
  const a = maxOf(left);
  const b = maxOf(right);
  const exact = (result: number): number => (result <= limit ? result : Number.POSITIVE_INFINITY);
  const shift = right.kind === 'constant' ? Number(right.value & BigInt(width - 1)) : undefined;
  switch (op) {
    case 'add':
      return exact(a + b);
    case 'mul':
      return exact(a * b);
    case 'and':
      return Math.min(a, b);
    case 'or':
    case 'xor':
      return allOnes(Math.max(a, b));
    case 'lsh':
      return shift === undefined ? Number.POSITIVE_INFINITY : exact(a * 2 ** shift);
    case 'rsh':
      if (shift === undefined) return a;
      return a === Number.POSITIVE_INFINITY ? 2 ** (64 - shift) : Math.floor(a / 2 ** shift);
    case 'arsh':
      // A number without its sign bit shifts like an unsigned one.
      return a < 2 ** (width - 1) ? (shift === undefined ? a : Math.floor(a / 2 ** shift)) : Number.POSITIVE_INFINITY;
    case 'div':
      return a;
    case 'mod':
      return right.kind === 'constant' && right.value > 0n && b !== Number.POSITIVE_INFINITY ? Math.min(a, b - 1) : a;
    default:
      return Number.POSITIVE_INFINITY;
  }
}
