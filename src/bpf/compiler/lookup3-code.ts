import { type FunctionCode, ValueType } from '../../wasm/index.ts';
import { assign, type Expression, i32, type Local, let32, local } from './expression.ts';
import { type KeySource, keyBytes } from './maps/key.ts';

const INITIAL = 0xdeadbeef | 0;

interface Mixed {
  readonly a: Local;
  readonly b: Local;
  readonly c: Local;
}

/** x = (x - y) ^ rotl(y, bits); y += z. */
function mixStep(code: FunctionCode, x: Local, y: Local, z: Local, bits: number): void {
  assign(code, x, i32.xor(i32.sub(x.get, y.get), i32.rotl(y.get, i32.const(bits))));
  assign(code, y, i32.add(y.get, z.get));
}

/** x = (x ^ y) - rotl(y, bits). */
function finalStep(code: FunctionCode, x: Local, y: Local, bits: number): void {
  assign(code, x, i32.sub(i32.xor(x.get, y.get), i32.rotl(y.get, i32.const(bits))));
}

function mix(code: FunctionCode, { a, b, c }: Mixed): void {
  mixStep(code, a, c, b, 4);
  mixStep(code, b, a, c, 6);
  mixStep(code, c, b, a, 8);
  mixStep(code, a, c, b, 16);
  mixStep(code, b, a, c, 19);
  mixStep(code, c, b, a, 4);
}

function finish(code: FunctionCode, { a, b, c }: Mixed): void {
  finalStep(code, c, b, 14);
  finalStep(code, a, c, 11);
  finalStep(code, b, a, 25);
  finalStep(code, c, b, 16);
  finalStep(code, a, c, 4);
  finalStep(code, b, a, 14);
  finalStep(code, c, b, 24);
}

function start(code: FunctionCode, length: Expression, seed: Expression): Mixed {
  const a = let32(code, i32.add(i32.add(length, i32.const(INITIAL)), seed));
  return { a, b: let32(code, a.get), c: let32(code, a.get) };
}

function absorb(code: FunctionCode, { a, b, c }: Mixed, words: readonly Expression[]): void {
  [a, b, c].forEach((variable, i) => {
    assign(code, variable, i32.add(variable.get, words[i]));
  });
}

/** Writes `hashlittle` (`lookup3.ts`) over a known number of bytes, without a loop. */
export function hashlittleOfSize(code: FunctionCode, item: KeySource, size: number, seed: Expression): Expression {
  const mixed = start(code, i32.const(size), seed);
  let at = 0;
  const words = (left: number): Expression[] => [0, 4, 8].map((word) => keyBytes(item, at + word, left - word));
  for (; size - at > 12; at += 12) {
    absorb(code, mixed, words(12));
    mix(code, mixed);
  }
  if (size > at) {
    absorb(code, mixed, words(size - at));
    finish(code, mixed);
  }
  return mixed.c.get;
}

/** Writes `hashlittle` over `length` bytes at `address`, as a loop; both variables are changed. */
export function hashlittleLoop(code: FunctionCode, address: Local, length: Local, seed: Expression): Expression {
  const mixed = start(code, length.get, seed);
  const { a, b, c } = mixed;
  const done = code.block();
  i32.eqz(length.get)(code);
  code.brIf(done);
  const tail = code.block();
  const again = code.loop();
  i32.ltU(length.get, i32.const(13))(code);
  code.brIf(tail);
  absorb(code, mixed, [i32.load(address.get), i32.load(address.get, 4), i32.load(address.get, 8)]);
  mix(code, mixed);
  assign(code, address, i32.add(address.get, i32.const(12)));
  assign(code, length, i32.sub(length.get, i32.const(12)));
  code.br(again);
  code.end();
  code.end();
  const byte = local(code, ValueType.i32);
  const position = let32(code, i32.const(0));
  const bytes = code.loop();
  assign(
    code,
    byte,
    i32.shl(i32.load8(i32.add(address.get, position.get)), i32.shl(i32.and(position.get, i32.const(3)), i32.const(3))),
  );
  const add = (variable: Local): void => assign(code, variable, i32.add(variable.get, byte.get));
  i32.ltU(position.get, i32.const(4))(code);
  code.if();
  add(a);
  code.else();
  i32.ltU(position.get, i32.const(8))(code);
  code.if();
  add(b);
  code.else();
  add(c);
  code.end();
  code.end();
  assign(code, position, i32.add(position.get, i32.const(1)));
  i32.ltU(position.get, length.get)(code);
  code.brIf(bytes);
  code.end();
  finish(code, mixed);
  code.end();
  return c.get;
}
