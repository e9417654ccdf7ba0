import { Op } from '../../../wasm/index.ts';
import type { AbstractValue } from '../abstract-value.ts';
import { type Expression, i32, i64 } from '../expression.ts';

/** Reads parts of a key (or item), wherever it lies: bytes `offset` up to `offset + bytes`. */
export interface KeySource {
  /** As i32, zero-extended. */
  narrow(offset: number, bytes: 1 | 2 | 4): Expression;
  /** As i64. */
  wide(offset: number): Expression;
  /** What is known of its first 4 bytes. */
  readonly known?: AbstractValue;
}

/** A key in memory at an address that an access may use as it is. */
export function keyInMemory(address: Expression, displacement = 0): KeySource {
  const load =
    (op: Op, offset: number): Expression =>
    (code) => {
      address(code);
      code.memory(op, displacement + offset);
    };
  const narrow = { 1: Op.i32Load8U, 2: Op.i32Load16U, 4: Op.i32Load } as const;
  return {
    narrow: (offset, bytes) => load(narrow[bytes], offset),
    wide: (offset) => load(Op.i64Load, offset),
  };
}

/** Up to four bytes of a key as i32, zero-extended; 0 for none. */
export function keyBytes(key: KeySource, offset: number, bytes: number): Expression {
  if (bytes <= 0) return i32.const(0);
  if (bytes >= 4) return key.narrow(offset, 4);
  if (bytes !== 3) return key.narrow(offset, bytes === 2 ? 2 : 1);
  return i32.or(key.narrow(offset, 2), i32.shl(key.narrow(offset + 2, 1), i32.const(16)));
}

/** Word `index` of a key of `keySize` bytes, padded with zeros, as i64. */
export function keyWord(key: KeySource, keySize: number, index: number): Expression {
  const offset = 8 * index;
  const bytes = Math.min(8, keySize - offset);
  if (bytes === 8) return key.wide(offset);
  const low = i64.extendU(keyBytes(key, offset, bytes));
  if (bytes <= 4) return low;
  return i64.or(low, i64.shl(i64.extendU(keyBytes(key, offset + 4, bytes - 4)), i64.const(32n)));
}
