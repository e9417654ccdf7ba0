import { AtomicOp, type FunctionCode, Op, ValueType } from '../../wasm/index.ts';

/** Code that pushes one number. */
export type Expression = (code: FunctionCode) => void;

const binary =
  (op: Op) =>
  (left: Expression, right: Expression): Expression =>
  (code) => {
    left(code);
    right(code);
    code.op(op);
  };

const unary =
  (op: Op) =>
  (operand: Expression): Expression =>
  (code) => {
    operand(code);
    code.op(op);
  };

const memory =
  (op: Op) =>
  (address: Expression, offset = 0): Expression =>
  (code) => {
    address(code);
    code.memory(op, offset);
  };

/** A variable of the generated code. */
export interface Local {
  readonly get: Expression;
  readonly index: number;
}

export const i32 = {
  const:
    (value: number): Expression =>
    (code) =>
      code.i32Const(value),
  add: binary(Op.i32Add),
  sub: binary(Op.i32Sub),
  mul: binary(Op.i32Mul),
  and: binary(Op.i32And),
  or: binary(Op.i32Or),
  xor: binary(Op.i32Xor),
  shl: binary(Op.i32Shl),
  shrU: binary(Op.i32ShrU),
  rotl: binary(Op.i32Rotl),
  remU: binary(Op.i32RemU),
  eq: binary(Op.i32Eq),
  ne: binary(Op.i32Ne),
  ltU: binary(Op.i32LtU),
  gtS: binary(Op.i32GtS),
  gtU: binary(Op.i32GtU),
  geS: binary(Op.i32GeS),
  geU: binary(Op.i32GeU),
  eqz: unary(Op.i32Eqz),
  clz: unary(Op.i32Clz),
  wrap: unary(Op.i32WrapI64),
  load: memory(Op.i32Load),
  load8: memory(Op.i32Load8U),
  load16: memory(Op.i32Load16U),
} as const;

export const i64 = {
  const:
    (value: bigint): Expression =>
    (code) =>
      code.i64Const(value),
  add: binary(Op.i64Add),
  mul: binary(Op.i64Mul),
  and: binary(Op.i64And),
  or: binary(Op.i64Or),
  xor: binary(Op.i64Xor),
  shl: binary(Op.i64Shl),
  shrU: binary(Op.i64ShrU),
  ne: binary(Op.i64Ne),
  ltU: binary(Op.i64LtU),
  extendU: unary(Op.i64ExtendI32U),
  extendS: unary(Op.i64ExtendI32S),
  load: memory(Op.i64Load),
  load32: memory(Op.i64Load32U),
} as const;

/** A new variable. */
export function local(code: FunctionCode, type: ValueType): Local {
  const index = code.local(type);
  return { index, get: (target) => target.localGet(index) };
}

export function parameter(index: number): Local {
  return { index, get: (target) => target.localGet(index) };
}

export function assign(code: FunctionCode, variable: Local, value: Expression): void {
  value(code);
  code.localSet(variable.index);
}

/** A new variable with a value. */
export function let32(code: FunctionCode, value: Expression): Local {
  const variable = local(code, ValueType.i32);
  assign(code, variable, value);
  return variable;
}

export function let64(code: FunctionCode, value: Expression): Local {
  const variable = local(code, ValueType.i64);
  assign(code, variable, value);
  return variable;
}

export function store(code: FunctionCode, op: Op, address: Expression, offset: number, value: Expression): void {
  address(code);
  value(code);
  code.memory(op, offset);
}

/** `if (condition) { then() }`. */
export function when(code: FunctionCode, condition: Expression, then: () => void): void {
  condition(code);
  code.if();
  then();
  code.end();
}

/** Words that other threads write too: atomic where the memory is shared, plain where it is not. */
export class SharedWords {
  readonly #shared: boolean;

  constructor(shared: boolean) {
    this.#shared = shared;
  }

  load(address: Expression, offset: number): Expression {
    return (code) => {
      address(code);
      if (this.#shared) code.atomic(AtomicOp.i32Load, 2, offset);
      else code.memory(Op.i32Load, offset, 2);
    };
  }

  store(code: FunctionCode, address: Expression, offset: number, value: Expression): void {
    address(code);
    value(code);
    if (this.#shared) code.atomic(AtomicOp.i32Store, 2, offset);
    else code.memory(Op.i32Store, offset, 2);
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
