import type { InstructionForm } from '../isa.ts';
import { type AbstractValue, fitsU32, maxOf } from './abstract-value.ts';
import { arithmeticResult } from './arithmetic-bounds.ts';

type AluForm = Extract<InstructionForm, { kind: 'alu' }>;
type JumpForm = Extract<InstructionForm, { kind: 'jump' }>;

/**
 * Whether arithmetic can be done on the operands' low 32 bits. When the `whole` result is needed, its upper bits must
 * then be zero.
 */
export function isNarrow(form: AluForm, left: AbstractValue, right: AbstractValue, whole: boolean): boolean {
  if (form.width === 32) return true;
  const smallShift = right.kind === 'constant' && (right.value & 63n) < 32n;
  switch (form.op) {
    case 'add':
    case 'mul':
      return !whole || (fitsU32(left) && fitsU32(right) && fitsU32(arithmeticResult(form.op, 64, left, right)));
    case 'sub':
      return !whole;
    case 'and':
      return !whole || fitsU32(left) || fitsU32(right);
    case 'or':
    case 'xor':
      return !whole || (fitsU32(left) && fitsU32(right));
    case 'lsh':
      return smallShift && (!whole || fitsU32(arithmeticResult('lsh', 64, left, right)));
    case 'rsh':
      return smallShift && fitsU32(left);
    case 'arsh':
      return smallShift && maxOf(left) < 2 ** 31;
    case 'div':
    case 'mod':
      return fitsU32(left) && fitsU32(right);
    case 'mov':
      return !whole || fitsU32(right);
    default:
      return false;
  }
}

/** Whether a comparison can be done on the operands' low 32 bits, by an unsigned comparison when it is 64 bits wide. */
export function isNarrowJump(form: JumpForm, left: AbstractValue, right: AbstractValue): boolean {
  if (form.width === 32) return true;
  return form.condition === 'set' ? fitsU32(left) || fitsU32(right) : fitsU32(left) && fitsU32(right);
}
