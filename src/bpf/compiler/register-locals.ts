import { type FunctionCode, Op, ValueType } from '../../wasm/index.ts';
import { type AbstractValue, fitsU32 } from './abstract-value.ts';
import type { RegisterDemand } from './demand.ts';
import type { Expression } from './expression.ts';
import { type Frame, pushFrame } from './frame.ts';

/**
 * The registers of one function as WebAssembly locals: for each one of 64 bits and one with the low 32, of which an
 * instruction sets those that `RegisterDemand` says are read.
 */
export class RegisterLocals {
  readonly #code: FunctionCode;
  readonly #demand: RegisterDemand;
  readonly #mapAddresses: readonly number[];
  readonly #frame: Frame;
  readonly #low = new Int32Array(11).fill(-1);
  readonly #whole = new Int32Array(11).fill(-1);

  constructor(code: FunctionCode, demand: RegisterDemand, mapAddresses: readonly number[], frame: Frame) {
    this.#code = code;
    this.#demand = demand;
    this.#mapAddresses = mapAddresses;
    this.#frame = frame;
  }

  /** The i32 local of a register's low half. */
  low(register: number): number {
    if (this.#low[register] < 0) this.#low[register] = this.#code.local(ValueType.i32);
    return this.#low[register];
  }

  /** The i64 local of a register. */
  whole(register: number): number {
    if (this.#whole[register] < 0) this.#whole[register] = this.#code.local(ValueType.i64);
    return this.#whole[register];
  }

  /** Pushes a register's value: its low half as i32, or all of it as i64. */
  push(register: number, value: AbstractValue, width: 32 | 64): void {
    const code = this.#code;
    if (value.kind === 'constant') {
      if (width === 32) code.i32Const(Number(BigInt.asIntN(32, value.value)));
      else code.i64Const(value.value);
      return;
    }
    if (width === 64 && !fitsU32(value)) {
      code.localGet(this.whole(register));
      return;
    }
    if (value.kind === 'frame') {
      code.i32Const(pushFrame(code, this.#frame, value.offset));
      code.op(Op.i32Add);
    } else if (value.kind === 'map') code.i32Const(this.#mapAddresses[value.index]);
    else code.localGet(this.low(register));
    if (width === 64) code.op(Op.i64ExtendI32U);
  }

  /** Whether anything reads what the instruction at `pc` leaves in a register. */
  isNeeded(pc: number, register: number): boolean {
    return this.#demand.low(pc, register) || this.#demand.whole(pc, register);
  }

  /** Whether more than the low half is read. */
  isWholeNeeded(pc: number, register: number): boolean {
    return this.#demand.whole(pc, register);
  }

  isLowNeeded(pc: number, register: number): boolean {
    return this.#demand.low(pc, register);
  }

  /** Gives a register a value at the function's start, where it is read; an i32 has its upper half zero. */
  begin(register: number, width: 32 | 64, push: () => void): void {
    const code = this.#code;
    if (this.#demand.lowAtEntry(register)) {
      push();
      if (width === 64) code.op(Op.i32WrapI64);
      code.localSet(this.low(register));
    }
    if (this.#demand.wholeAtEntry(register)) {
      push();
      if (width === 32) code.op(Op.i64ExtendI32U);
      code.localSet(this.whole(register));
    }
  }

  /** After a call r1 to r5 hold nothing, which reads as 0. */
  clearArguments(pc: number): void {
    for (let register = 1; register <= 5; register++) {
      if (!this.isNeeded(pc, register)) continue;
      this.#code.i32Const(0);
      this.define(pc, register, 32);
    }
  }

  /** Sets the halves of a register that are read to its value, if `keeps`, or else to what `pushOther` pushes. */
  choose(
    pc: number,
    register: number,
    keeps: Expression,
    value: AbstractValue,
    pushOther: (width: 32 | 64) => void,
  ): void {
    const code = this.#code;
    const write = (width: 32 | 64, target: number): void => {
      this.push(register, value, width);
      pushOther(width);
      keeps(code);
      code.op(Op.select);
      code.localSet(target);
    };
    if (this.#demand.low(pc, register)) write(32, this.low(register));
    if (this.#demand.whole(pc, register)) write(64, this.whole(register));
  }

  /** Takes the result of the instruction at `pc` from the stack: an i32 stands for a number with its upper half zero. */
  define(pc: number, register: number, width: 32 | 64): void {
    const code = this.#code;
    const low = this.#demand.low(pc, register);
    const whole = this.#demand.whole(pc, register);
    if (!low && !whole) code.op(Op.drop);
    else if (width === 32) {
      if (low && whole) code.localTee(this.low(register));
      if (whole) code.op(Op.i64ExtendI32U);
      code.localSet(whole ? this.whole(register) : this.low(register));
    } else {
      if (low && whole) code.localTee(this.whole(register));
      if (low) code.op(Op.i32WrapI64);
      code.localSet(low ? this.low(register) : this.whole(register));
    }
  }
}
