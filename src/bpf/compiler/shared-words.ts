import { AtomicOp, type FunctionCode, Op, ValueType } from '../../wasm/index.ts';
import { assign, type Expression, i32, i64, type Local, let32, local, store } from './expression.ts';

/** Counts what could go on for ever: rounds of loops, calls, and waiting. */
export interface Fuel {
  /** Takes one unit; traps when there is none. */
  burn(code: FunctionCode): void;
}

/**
 * Who else sees the memory: nobody; other threads, on a processor that keeps loads and stores in their order (x86-64);
 * other threads, on any processor.
 */
export type Sharing = 'alone' | 'ordered' | 'unordered';

/**
 * Words that other threads write too. Plain accesses do where the memory is not shared. Where the processor keeps the order
 * by itself, so do plain loads: an aligned word is never torn, V8 keeps the order too, and it makes of an atomic load three
 * more instructions and a branch, to look at the alignment.
 */
export class SharedWords {
  readonly #shared: boolean;
  readonly #plainLoads: boolean;

  readonly #fuel: Fuel | undefined;

  /** @param fuel what waiting for a lock costs, if anything */
  constructor(sharing: Sharing, fuel?: Fuel) {
    this.#fuel = fuel;
    this.#shared = sharing !== 'alone';
    this.#plainLoads = sharing !== 'unordered';
  }

  load(address: Expression, offset: number): Expression {
    return (code) => {
      address(code);
      if (this.#plainLoads) code.memory(Op.i32Load, offset, 2);
      else code.atomic(AtomicOp.i32Load, 2, offset);
    };
  }

  store(code: FunctionCode, address: Expression, offset: number, value: Expression): void {
    address(code);
    value(code);
    if (this.#shared) code.atomic(AtomicOp.i32Store, 2, offset);
    else code.memory(Op.i32Store, offset, 2);
  }

  /** A store that no other access has to wait for. */
  storeRelaxed(code: FunctionCode, address: Expression, offset: number, value: Expression): void {
    if (this.#plainLoads) store(code, Op.i32Store, address, offset, value);
    else this.store(code, address, offset, value);
  }

  /** Adds and leaves what the word held before. */
  fetchAdd(code: FunctionCode, address: Expression, offset: number, amount: Expression): Expression {
    const old = this.#exchange(code, AtomicOp.i32Add, i32.add, address, offset, amount);
    return old.get;
  }

  or(code: FunctionCode, address: Expression, offset: number, bits: Expression): void {
    this.#exchange(code, AtomicOp.i32Or, i32.or, address, offset, bits);
  }

  and(code: FunctionCode, address: Expression, offset: number, bits: Expression): void {
    this.#exchange(code, AtomicOp.i32And, i32.and, address, offset, bits);
  }

  add64(code: FunctionCode, address: Expression, offset: number, amount: Expression): void {
    address(code);
    if (this.#shared) {
      amount(code);
      code.atomic(AtomicOp.i64Add, 3, offset);
      code.op(Op.drop);
      return;
    }
    i64.add(i64.load(address, offset), amount)(code);
    code.memory(Op.i64Store, offset, 3);
  }

  #exchange(
    code: FunctionCode,
    atomic: AtomicOp,
    plain: (left: Expression, right: Expression) => Expression,
    address: Expression,
    offset: number,
    operand: Expression,
  ): Local {
    const old = local(code, ValueType.i32);
    if (this.#shared) {
      address(code);
      operand(code);
      code.atomic(atomic, 2, offset);
      code.localSet(old.index);
      return old;
    }
    assign(code, old, i32.load(address, offset));
    store(code, Op.i32Store, address, offset, plain(old.get, operand));
    return old;
  }

  /** Takes the lock word at `address + offset` (0 is free): spins, and now and then gives its processor up. */
  acquire(code: FunctionCode, address: Expression, offset: number): void {
    // Alone in its memory, a program never meets a lock that somebody holds.
    if (!this.#shared) return;
    const spins = let32(code, i32.const(0));
    const taken = code.block();
    const again = code.loop();
    address(code);
    code.i32Const(0);
    code.i32Const(1);
    code.atomic(AtomicOp.i32CompareExchange, 2, offset);
    code.op(Op.i32Eqz);
    code.brIf(taken);
    assign(code, spins, i32.add(spins.get, i32.const(1)));
    i32.ltU(spins.get, i32.const(SPINS_BEFORE_WAIT))(code);
    code.brIf(again);
    this.#fuel?.burn(code);
    address(code);
    code.i32Const(1);
    code.i64Const(WAIT_NS);
    code.atomic(AtomicOp.wait32, 2, offset);
    code.op(Op.drop);
    code.br(again);
    code.end();
    code.end();
  }

  release(code: FunctionCode, address: Expression, offset: number): void {
    if (this.#shared) this.store(code, address, offset, i32.const(0));
  }
}

/** As in the maps' own locking (`maps/region-lock.ts`). */
const SPINS_BEFORE_WAIT = 1000;
const WAIT_NS = 1_000_000;
