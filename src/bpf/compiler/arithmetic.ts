import { type FunctionCode, Op, ValueType } from '../../wasm/index.ts';
import type { AluOperation, InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { AbstractValue } from './abstract-value.ts';
import type { InstructionFacts } from './facts.ts';
import type { RegisterLocals } from './register-locals.ts';
import { isNarrow } from './width.ts';

type Form<Kind extends InstructionForm['kind']> = Extract<InstructionForm, { kind: Kind }>;
type Width = 32 | 64;

const OPS: Partial<Record<AluOperation, readonly [Op, Op]>> = {
  add: [Op.i32Add, Op.i64Add],
  sub: [Op.i32Sub, Op.i64Sub],
  mul: [Op.i32Mul, Op.i64Mul],
  or: [Op.i32Or, Op.i64Or],
  and: [Op.i32And, Op.i64And],
  xor: [Op.i32Xor, Op.i64Xor],
  lsh: [Op.i32Shl, Op.i64Shl],
  rsh: [Op.i32ShrU, Op.i64ShrU],
  arsh: [Op.i32ShrS, Op.i64ShrS],
};

const DIVISIONS: Partial<Record<AluOperation, readonly [Op, Op]>> = {
  div: [Op.i32DivU, Op.i64DivU],
  sdiv: [Op.i32DivS, Op.i64DivS],
  mod: [Op.i32RemU, Op.i64RemU],
  smod: [Op.i32RemS, Op.i64RemS],
};

/** Writes arithmetic instructions. */
export class ArithmeticEmitter {
  readonly #code: FunctionCode;
  readonly #registers: RegisterLocals;

  constructor(code: FunctionCode, registers: RegisterLocals) {
    this.#code = code;
    this.#registers = registers;
  }

  alu(pc: number, form: Form<'alu'>, { dst, src }: Instruction, facts: InstructionFacts): void {
    const registers = this.#registers;
    if (!registers.isNeeded(pc, dst)) return;
    if (form.op === 'mov') {
      this.#move(pc, form.width, dst, src, facts.src);
      return;
    }
    const width: Width = isNarrow(form, facts.dst, facts.src, registers.isWholeNeeded(pc, dst)) ? 32 : 64;
    const pushLeft = (): void => registers.push(dst, facts.dst, width);
    const pushRight = (): void => registers.push(src, facts.src, width);
    const op = OPS[form.op];
    if (op !== undefined) {
      pushLeft();
      pushRight();
      this.#code.op(op[width === 32 ? 0 : 1]);
    } else this.#divide(form.op, width, facts.src, pushLeft, pushRight);
    registers.define(pc, dst, width);
  }

  /** Each half that is read later is copied by itself, so that neither has to be made from the other. */
  #move(pc: number, width: Width, dst: number, src: number, value: AbstractValue): void {
    const registers = this.#registers;
    const code = this.#code;
    if (registers.isLowNeeded(pc, dst)) {
      registers.push(src, value, 32);
      code.localSet(registers.low(dst));
    }
    if (!registers.isWholeNeeded(pc, dst)) return;
    registers.push(src, value, width);
    if (width === 32) code.op(Op.i64ExtendI32U);
    code.localSet(registers.whole(dst));
  }

  #constant(value: number, width: Width): void {
    if (width === 32) this.#code.i32Const(value);
    else this.#code.i64Const(value);
  }

  /** RFC 9669 section 4.1: x / 0 = 0, x % 0 = x, and the lowest number divided by -1 is itself. */
  #divide(op: AluOperation, width: Width, divisor: AbstractValue, pushLeft: () => void, pushRight: () => void): void {
    const code = this.#code;
    const instruction = DIVISIONS[op]?.[width === 32 ? 0 : 1] ?? Op.nop;
    const type = width === 32 ? ValueType.i32 : ValueType.i64;
    const isModulo = op === 'mod' || op === 'smod';
    if (divisor.kind === 'constant') {
      const value = BigInt.asIntN(width, divisor.value);
      if (value === 0n) {
        if (isModulo) pushLeft();
        else this.#constant(0, width);
      } else if (value === -1n && op === 'sdiv') {
        this.#constant(0, width);
        pushLeft();
        code.op(width === 32 ? Op.i32Sub : Op.i64Sub);
      } else {
        pushLeft();
        pushRight();
        code.op(instruction);
      }
      return;
    }
    pushRight();
    code.op(width === 32 ? Op.i32Eqz : Op.i64Eqz);
    code.if(type);
    if (isModulo) pushLeft();
    else this.#constant(0, width);
    code.else();
    if (op === 'sdiv') {
      pushRight();
      this.#constant(-1, width);
      code.op(width === 32 ? Op.i32Eq : Op.i64Eq);
      code.if(type);
      this.#constant(0, width);
      pushLeft();
      code.op(width === 32 ? Op.i32Sub : Op.i64Sub);
      code.else();
    }
    pushLeft();
    pushRight();
    code.op(instruction);
    if (op === 'sdiv') code.end();
    code.end();
  }

  neg(pc: number, form: Form<'neg'>, { dst }: Instruction, facts: InstructionFacts): void {
    if (!this.#registers.isNeeded(pc, dst)) return;
    const width: Width = this.#registers.isWholeNeeded(pc, dst) ? form.width : 32;
    this.#constant(0, width);
    this.#registers.push(dst, facts.dst, width);
    this.#code.op(width === 32 ? Op.i32Sub : Op.i64Sub);
    this.#registers.define(pc, dst, width);
  }

  movsx(pc: number, form: Form<'movsx'>, { dst, src }: Instruction, facts: InstructionFacts): void {
    const registers = this.#registers;
    const code = this.#code;
    if (!registers.isNeeded(pc, dst)) return;
    registers.push(src, facts.src, 32);
    if (form.bits === 8) code.op(Op.i32Extend8S);
    if (form.bits === 16) code.op(Op.i32Extend16S);
    const width: Width = registers.isWholeNeeded(pc, dst) ? form.width : 32;
    if (width === 64) code.op(Op.i64ExtendI32S);
    registers.define(pc, dst, width);
  }

  endian(pc: number, form: Form<'endian'>, { dst }: Instruction, facts: InstructionFacts): void {
    const registers = this.#registers;
    if (!registers.isNeeded(pc, dst)) return;
    const width: Width = form.bits === 64 ? 64 : 32;
    registers.push(dst, facts.dst, width);
    // A little-endian machine, as WebAssembly is, swaps for big-endian only.
    if (form.op !== 'le') swapBytes(this.#code, form.bits);
    else if (form.bits === 16) {
      this.#code.i32Const(0xffff);
      this.#code.op(Op.i32And);
    }
    registers.define(pc, dst, width);
  }
}

/** Reverses the bytes of the i32 (16, 32 bits; the upper half of the 16-bit result is zero) or i64 on the stack. */
export function swapBytes(code: FunctionCode, bits: 16 | 32 | 64): void {
  if (bits === 64) {
    const value = code.local(ValueType.i64);
    code.localSet(value);
    code.localGet(value);
    code.op(Op.i32WrapI64);
    swapBytes(code, 32);
    code.op(Op.i64ExtendI32U);
    code.i64Const(32);
    code.op(Op.i64Shl);
    code.localGet(value);
    code.i64Const(32);
    code.op(Op.i64ShrU);
    code.op(Op.i32WrapI64);
    swapBytes(code, 32);
    code.op(Op.i64ExtendI32U);
    code.op(Op.i64Or);
    return;
  }
  const value = code.local(ValueType.i32);
  code.localTee(value);
  if (bits === 16) {
    code.i32Const(8);
    code.op(Op.i32Shl);
    code.i32Const(0xff00);
    code.op(Op.i32And);
    code.localGet(value);
    code.i32Const(8);
    code.op(Op.i32ShrU);
    code.i32Const(0xff);
    code.op(Op.i32And);
  } else {
    code.i32Const(8);
    code.op(Op.i32Rotl);
    code.i32Const(0x00ff00ff);
    code.op(Op.i32And);
    code.localGet(value);
    code.i32Const(8);
    code.op(Op.i32Rotr);
    code.i32Const(0xff00ff00 | 0);
    code.op(Op.i32And);
  }
  code.op(Op.i32Or);
}
