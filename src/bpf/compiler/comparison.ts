import { type FunctionCode, Op } from '../../wasm/index.ts';
import type { InstructionForm, JumpCondition } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { InstructionFacts } from './facts.ts';
import type { RegisterLocals } from './register-locals.ts';
import { isNarrowJump } from './width.ts';

type Comparison = Exclude<JumpCondition, 'set'>;

const INVERSE: Record<Comparison, Comparison> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  ge: 'lt',
  lt: 'ge',
  le: 'gt',
  sgt: 'sle',
  sge: 'slt',
  slt: 'sge',
  sle: 'sgt',
};

/** Numbers whose upper halves are zero compare alike with and without sign. */
const UNSIGNED: Record<Comparison, Comparison> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'gt',
  ge: 'ge',
  lt: 'lt',
  le: 'le',
  sgt: 'gt',
  sge: 'ge',
  slt: 'lt',
  sle: 'le',
};

const OPS: Record<Comparison, readonly [Op, Op]> = {
  eq: [Op.i32Eq, Op.i64Eq],
  ne: [Op.i32Ne, Op.i64Ne],
  gt: [Op.i32GtU, Op.i64GtU],
  ge: [Op.i32GeU, Op.i64GeU],
  lt: [Op.i32LtU, Op.i64LtU],
  le: [Op.i32LeU, Op.i64LeU],
  sgt: [Op.i32GtS, Op.i64GtS],
  sge: [Op.i32GeS, Op.i64GeS],
  slt: [Op.i32LtS, Op.i64LtS],
  sle: [Op.i32LeS, Op.i64LeS],
};

/** Pushes an i32, not zero when the jump is taken; the other way round when `negated`. */
export function emitCondition(
  code: FunctionCode,
  registers: RegisterLocals,
  form: Extract<InstructionForm, { kind: 'jump' }>,
  { dst, src }: Instruction,
  facts: InstructionFacts,
  negated: boolean,
): void {
  const narrow = isNarrowJump(form, facts.dst, facts.src);
  const width = narrow ? 32 : 64;
  registers.push(dst, facts.dst, width);
  if (form.condition === 'set') {
    registers.push(src, facts.src, width);
    code.op(narrow ? Op.i32And : Op.i64And);
    if (negated) code.op(narrow ? Op.i32Eqz : Op.i64Eqz);
    else if (!narrow) {
      code.i64Const(0);
      code.op(Op.i64Ne);
    }
    return;
  }
  const asked = negated ? INVERSE[form.condition] : form.condition;
  const comparison = narrow && form.width === 64 ? UNSIGNED[asked] : asked;
  if (comparison === 'eq' && facts.src.kind === 'constant' && facts.src.value === 0n) {
    code.op(narrow ? Op.i32Eqz : Op.i64Eqz);
    return;
  }
  registers.push(src, facts.src, width);
  code.op(OPS[comparison][narrow ? 0 : 1]);
}
