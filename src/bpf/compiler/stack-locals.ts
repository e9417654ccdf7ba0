import { type FunctionCode, Op, ValueType } from '../../wasm/index.ts';
import { type AbstractValue, maxOf } from './abstract-value.ts';
import { type Frame, pushFrame } from './frame.ts';
import type { SlotPiece, StackSlots } from './stack-slot.ts';

/** Copies, in locals, of what a function stored on its stack: an i64 for a slot of 8 bytes, else an i32. */
export class StackLocals {
  readonly #code: FunctionCode;
  readonly #slots: StackSlots;
  readonly #locals: number[] = [];

  constructor(code: FunctionCode, slots: StackSlots) {
    this.#code = code;
    this.#slots = slots;
  }

  #local(slot: number): number {
    this.#locals[slot] ??= this.#code.local(this.#slots.slots[slot].bytes === 8 ? ValueType.i64 : ValueType.i32);
    return this.#locals[slot];
  }

  /** Takes from the stack what is stored in a slot; upper bits that the store cuts off are cleared. */
  set(slot: number, bytes: number, value: AbstractValue): void {
    if (bytes < 4 && maxOf(value) >= 2 ** (8 * bytes)) {
      this.#code.i32Const(2 ** (8 * bytes) - 1);
      this.#code.op(Op.i32And);
    }
    this.#code.localSet(this.#local(slot));
  }

  /** Brings slots to memory, for someone who reads them there. */
  spill(slots: ReadonlySet<number>, frame: Frame): void {
    for (const slot of slots) {
      const { offset, bytes } = this.#slots.slots[slot];
      const at = pushFrame(this.#code, frame, offset);
      this.#code.localGet(this.#local(slot));
      const op = bytes === 8 ? Op.i64Store : bytes === 4 ? Op.i32Store : bytes === 2 ? Op.i32Store16 : Op.i32Store8;
      this.#code.memory(op, at);
    }
  }

  /** Pushes `bytes` bytes put together from slots: an i64 if there are 8 of them, else an i32. Returns its width. */
  push(pieces: readonly SlotPiece[], bytes: number): 32 | 64 {
    const width = bytes === 8 ? 64 : 32;
    pieces.forEach((piece, i) => {
      this.#pushPiece(piece, width);
      if (i > 0) this.#code.op(width === 64 ? Op.i64Or : Op.i32Or);
    });
    return width;
  }

  #pushPiece({ slot, from, to, bytes }: SlotPiece, width: 32 | 64): void {
    const code = this.#code;
    const slotBytes = this.#slots.slots[slot].bytes;
    code.localGet(this.#local(slot));
    if (slotBytes === 8) {
      if (from > 0) {
        code.i64Const(8 * from);
        code.op(Op.i64ShrU);
      }
      if (width === 32) code.op(Op.i32WrapI64);
      if (from + bytes < 8 && bytes < width / 8) this.#cut(bytes, width);
    } else {
      if (from > 0) {
        code.i32Const(8 * from);
        code.op(Op.i32ShrU);
      }
      if (from + bytes < slotBytes) this.#cut(bytes, 32);
      if (width === 64) code.op(Op.i64ExtendI32U);
    }
    if (to === 0) return;
    if (width === 64) code.i64Const(8 * to);
    else code.i32Const(8 * to);
    code.op(width === 64 ? Op.i64Shl : Op.i32Shl);
  }

  #cut(bytes: number, width: 32 | 64): void {
    const mask = (1n << BigInt(8 * bytes)) - 1n;
    if (width === 64) this.#code.i64Const(mask);
    else this.#code.i32Const(Number(BigInt.asIntN(32, mask)));
    this.#code.op(width === 64 ? Op.i64And : Op.i32And);
  }
}
