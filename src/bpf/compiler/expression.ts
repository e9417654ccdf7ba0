import { type FunctionCode, Op, ValueType } from '../../wasm/index.ts';

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
