import { AtomicOp, type FunctionCode, Op, ValueType } from '../../wasm/index.ts';
import type { AtomicOperation, InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { FRAME_BYTES } from '../thread.ts';
import { type AbstractValue, maxOf } from './abstract-value.ts';
import type { InstructionFacts } from './facts.ts';
import { type Frame, pushFrame } from './frame.ts';
import type { RegisterLocals } from './register-locals.ts';
import type { StackLocals } from './stack-locals.ts';
import type { Window } from './window.ts';

type Form<Kind extends InstructionForm['kind']> = Extract<InstructionForm, { kind: Kind }>;

/** Loads into an i32; of 8 bytes there is only the one into an i64. */
const NARROW_LOADS = {
  1: [Op.i32Load8U, Op.i32Load8S],
  2: [Op.i32Load16U, Op.i32Load16S],
  4: [Op.i32Load, Op.i32Load],
} as const;
const SIGNED_LOADS = { 1: Op.i64Load8S, 2: Op.i64Load16S, 4: Op.i64Load32S } as const;
const STORES = { 1: Op.i32Store8, 2: Op.i32Store16, 4: Op.i32Store, 8: Op.i64Store } as const;
const ATOMICS: Record<Exclude<AtomicOperation, 'cmpxchg' | 'xchg'>, readonly [AtomicOp, AtomicOp, Op, Op]> = {
  add: [AtomicOp.i32Add, AtomicOp.i64Add, Op.i32Add, Op.i64Add],
  or: [AtomicOp.i32Or, AtomicOp.i64Or, Op.i32Or, Op.i64Or],
  and: [AtomicOp.i32And, AtomicOp.i64And, Op.i32And, Op.i64And],
  xor: [AtomicOp.i32Xor, AtomicOp.i64Xor, Op.i32Xor, Op.i64Xor],
};

/** Writes loads, stores and atomic operations. */
export class MemoryAccessEmitter {
  readonly #code: FunctionCode;
  readonly #registers: RegisterLocals;
  readonly #stack: StackLocals;
  readonly #window: Window;
  readonly frame: Frame;

  constructor(code: FunctionCode, registers: RegisterLocals, stack: StackLocals, window: Window, frame: Frame) {
    this.#code = code;
    this.#registers = registers;
    this.#stack = stack;
    this.#window = window;
    this.frame = frame;
  }

  /**
   * Pushes the address of an access and returns the offset to give the instruction. The access stays within window and
   * guard whatever the registers hold.
   */
  pushAddress(register: number, base: AbstractValue, offset: number, bytes: number): number {
    const code = this.#code;
    if (base.kind === 'frame') {
      const at = base.offset + offset;
      if (at >= -FRAME_BYTES && at + bytes <= 0) return pushFrame(code, this.frame, at);
    }
    if (base.kind === 'constant') {
      const address = Number(BigInt.asUintN(32, base.value + BigInt(offset)));
      code.i32Const(this.#window.holds(address, bytes) ? address : address & this.#window.mask);
      return 0;
    }
    this.#registers.push(register, base, 32);
    if (offset < 0) {
      code.i32Const(offset);
      code.op(Op.i32Add);
      this.#window.force(code);
      return 0;
    }
    if (!this.#window.holds(maxOf(base) + offset, bytes)) this.#window.force(code);
    return offset;
  }

  load(pc: number, form: Form<'load'>, { dst, src, offset }: Instruction, facts: InstructionFacts): void {
    const { bytes, signed } = form;
    const registers = this.#registers;
    if (!registers.isNeeded(pc, dst)) return;
    if (facts.pieces !== undefined) {
      const width = this.#stack.push(facts.pieces, bytes);
      if (signed) this.#extend(bytes, width);
      registers.define(pc, dst, signed ? 64 : width);
      return;
    }
    const at = this.pushAddress(src, facts.src, offset, bytes);
    if (bytes === 8) this.#code.memory(Op.i64Load, at);
    else if (signed && registers.isWholeNeeded(pc, dst)) this.#code.memory(SIGNED_LOADS[bytes], at);
    else this.#code.memory(NARROW_LOADS[bytes][signed ? 1 : 0], at);
    registers.define(pc, dst, bytes === 8 || (signed && registers.isWholeNeeded(pc, dst)) ? 64 : 32);
  }

  /** Sign-extends the low `bytes` of what is on the stack to an i64. */
  #extend(bytes: 1 | 2 | 4 | 8, width: 32 | 64): void {
    const code = this.#code;
    if (width === 32) code.op(Op.i64ExtendI32U);
    if (bytes === 1) code.op(Op.i64Extend8S);
    if (bytes === 2) code.op(Op.i64Extend16S);
    if (bytes === 4) code.op(Op.i64Extend32S);
  }

  /** Writes a store; one that is not `inMemory` only sets the local that keeps a copy of the stack slot. */
  store(form: Form<'store'>, { dst, src, offset }: Instruction, facts: InstructionFacts, inMemory: boolean): void {
    const { bytes } = form;
    const width = bytes === 8 ? 64 : 32;
    if (facts.slot !== undefined) {
      this.#registers.push(src, facts.src, width);
      this.#stack.set(facts.slot, bytes, facts.src);
    }
    if (!inMemory) return;
    const at = this.pushAddress(dst, facts.dst, offset, bytes);
    this.#registers.push(src, facts.src, width);
    this.#code.memory(STORES[bytes], at);
  }

  /**
   * Pushes an address that is a multiple of `bytes`: an atomic access traps at any other, so its low bits are cleared. (The
   * verifier demands that they are.)
   */
  #pushAlignedAddress(register: number, base: AbstractValue, offset: number, bytes: number): number {
    const code = this.#code;
    if (base.kind === 'frame') {
      const at = base.offset + offset;
      if (at >= -FRAME_BYTES && at + bytes <= 0 && at % bytes === 0) return pushFrame(code, this.frame, at);
    }
    this.#registers.push(register, base, 32);
    if (offset !== 0) {
      code.i32Const(offset);
      code.op(Op.i32Add);
    }
    this.#window.force(code, bytes);
    return 0;
  }

  atomic(pc: number, form: Form<'atomic'>, instruction: Instruction, facts: InstructionFacts): void {
    const { dst, src, offset } = instruction;
    const { bytes, op } = form;
    const code = this.#code;
    const registers = this.#registers;
    const width = bytes === 8 ? 64 : 32;
    const target = op === 'cmpxchg' ? 0 : src;
    const pushOperand = (): void => registers.push(src, facts.src, width);
    const pushExpected = (): void => {
      const expected = facts.registers?.[0];
      if (expected !== undefined) registers.push(0, expected, width);
    };
    const at = this.#pushAlignedAddress(dst, facts.dst, offset, bytes);
    if (this.#window.shared) {
      if (op === 'cmpxchg') pushExpected();
      pushOperand();
      code.atomic(atomicOp(op, width), bytes === 8 ? 3 : 2, at);
      if (form.fetch) registers.define(pc, target, width);
      else code.op(Op.drop);
      return;
    }
    const address = code.local(ValueType.i32);
    const old = code.local(width === 64 ? ValueType.i64 : ValueType.i32);
    const wide = width === 64 ? 1 : 0;
    code.localTee(address);
    code.memory(wide ? Op.i64Load : Op.i32Load, at);
    code.localSet(old);
    if (op === 'cmpxchg') {
      code.localGet(old);
      pushExpected();
      code.op(wide ? Op.i64Eq : Op.i32Eq);
      code.if();
    }
    code.localGet(address);
    if (op !== 'xchg' && op !== 'cmpxchg') code.localGet(old);
    pushOperand();
    if (op !== 'xchg' && op !== 'cmpxchg') code.op(ATOMICS[op][2 + wide] as Op);
    code.memory(wide ? Op.i64Store : Op.i32Store, at);
    if (op === 'cmpxchg') code.end();
    if (!form.fetch) return;
    code.localGet(old);
    registers.define(pc, target, width);
  }
}

function atomicOp(op: AtomicOperation, width: 32 | 64): AtomicOp {
  if (op === 'cmpxchg') return width === 64 ? AtomicOp.i64CompareExchange : AtomicOp.i32CompareExchange;
  if (op === 'xchg') return width === 64 ? AtomicOp.i64Exchange : AtomicOp.i32Exchange;
  return ATOMICS[op][width === 64 ? 1 : 0];
}
