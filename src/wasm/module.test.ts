import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { AtomicOp, BulkOp, ModuleBuilder, Op, ValueType } from './index.ts';

const { i32, i64 } = ValueType;

async function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}): Promise<WebAssembly.Exports> {
  const bytes = module.encode();
  expect(WebAssembly.validate(bytes)).toBe(true);
  return (await WebAssembly.instantiate(bytes, imports)).instance.exports;
}

type Numeric = (...values: (number | bigint)[]) => number | bigint;

describe('ModuleBuilder', () => {
  it('writes the bytes that the specification prescribes for a small module', () => {
    const module = new ModuleBuilder();
    const code = module.defineFunction(module.functionType([i32, i32], [i32]));
    code.localGet(0);
    code.localGet(1);
    code.op(Op.i32Add);
    module.exportFunction('add', code.index);
    // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    expect(toHex(module.encode())).toBe(
      [
        '0061736d01000000', // magic, version 1
        '01070160027f7f017f', // types: (i32, i32) -> i32
        '03020100', // functions: one of type 0
        '070701036164640000', // exports: "add" is function 0
        '0a09010700200020016a0b', // code
      ].join(''),
    );
  });

  it('writes an empty module', () => {
    expect(toHex(new ModuleBuilder().encode())).toBe('0061736d01000000');
  });

  it('stores equal function types once', () => {
    const module = new ModuleBuilder();
    expect(module.functionType([i32], [i64])).toBe(0);
    expect(module.functionType([i64], [i32])).toBe(1);
    expect(module.functionType([i32], [i64])).toBe(0);
  });

  it('writes integers of every length so that they come back', async () => {
    const narrow = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1, -(2 ** 31)];
    const wide = [...narrow.map(BigInt), 2n ** 62n, -(2n ** 62n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n];
    const module = new ModuleBuilder();
    narrow.forEach((value, i) => {
      const code = module.defineFunction(module.functionType([], [i32]));
      code.i32Const(value);
      module.exportFunction(`narrow${i}`, code.index);
    });
    wide.forEach((value, i) => {
      const code = module.defineFunction(module.functionType([], [i64]));
      code.i64Const(value);
      module.exportFunction(`wide${i}`, code.index);
    });
    const exports = await instantiate(module);
    narrow.forEach((value, i) => {
      expect((exports[`narrow${i}`] as Numeric)()).toBe(value);
    });
    wide.forEach((value, i) => {
      expect((exports[`wide${i}`] as Numeric)()).toBe(value);
    });
  });

  it('imports functions, globals and a shared memory, and counts indices after them', async () => {
    const module = new ModuleBuilder();
    const square = module.importFunction('env', 'square', module.functionType([i32], [i32]));
    module.importMemory('env', 'memory', { minimum: 1, maximum: 2, shared: true });
    const base = module.importGlobal('env', 'base', i32);
    const counter = module.defineGlobal(i64, true, -5n);
    const code = module.defineFunction(module.functionType([i32], [i64]));
    expect(code.index).toBe(1);
    code.globalGet(base);
    code.localGet(0);
    code.call(square);
    code.op(Op.i64ExtendI32S);
    code.atomic(AtomicOp.i64Add, 3, 8);
    code.op(Op.drop);
    code.globalGet(base);
    code.memory(Op.i64Load, 8, 3);
    code.globalGet(counter);
    code.op(Op.i64Add);
    code.globalSet(counter);
    code.globalGet(counter);
    module.exportFunction('run', code.index);
    module.exportGlobal('counter', counter);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    const exports = await instantiate(module, {
      env: { square: (x: number) => x * x, memory, base: new WebAssembly.Global({ value: 'i32' }, 16) },
    });
    expect((exports.run as Numeric)(7)).toBe(44n);
    expect(new DataView(memory.buffer).getBigUint64(24, true)).toBe(49n);
    expect((exports.counter as WebAssembly.Global).value).toBe(44n);
  });

  it('calls through a table, copies and fills memory', async () => {
    const module = new ModuleBuilder();
    const type = module.functionType([], [i32]);
    module.exportMemory('memory', module.defineMemory({ minimum: 1 }));
    const table = module.defineTable({ minimum: 4 });
    module.exportTable('table', table);
    const answers = [17, 23].map((answer) => {
      const code = module.defineFunction(type);
      code.i32Const(answer);
      return code.index;
    });
    module.defineElements(table, 2, answers);
    const call = module.defineFunction(module.functionType([i32], [i32]));
    call.localGet(0);
    call.callIndirect(type, table);
    module.exportFunction('call', call.index);
    const copy = module.defineFunction(module.functionType([], []));
    for (const value of [0, 0xab, 8]) copy.i32Const(value);
    copy.bulk(BulkOp.memoryFill);
    for (const value of [100, 4, 8]) copy.i32Const(value);
    copy.bulk(BulkOp.memoryCopy);
    module.exportFunction('copy', copy.index);
    const exports = await instantiate(module);
    expect((exports.call as Numeric)(3)).toBe(23);
    expect((exports.table as WebAssembly.Table).length).toBe(4);
    (exports.copy as Numeric)();
    const bytes = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
    expect(toHex(bytes.slice(98, 110))).toBe('0000abababab000000000000');
  });

  it('imports a table', async () => {
    const module = new ModuleBuilder();
    const type = module.functionType([], [i32]);
    module.importTable('env', 'table', { minimum: 1 });
    const code = module.defineFunction(type);
    code.i32Const(5);
    module.defineElements(0, 0, [code.index]);
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
    await instantiate(module, { env: { table } });
    expect((table.get(0) as Numeric)()).toBe(5);
  });

  it('resolves labels through nested blocks, loops and switches', async () => {
    const module = new ModuleBuilder();
    const code = module.defineFunction(module.functionType([i32], [i32]));
    const sum = code.local(i32);
    const done = code.block();
    const again = code.loop();
    const [two, one, zero] = [code.block(), code.block(), code.block()];
    code.localGet(0);
    code.brTable([zero, one], two);
    code.end();
    code.br(done);
    code.end();
    code.i32Const(100);
    code.localGet(sum);
    code.op(Op.i32Add);
    code.localSet(sum);
    code.end();
    code.localGet(sum);
    code.localGet(0);
    code.op(Op.i32Add);
    code.localSet(sum);
    code.localGet(0);
    code.i32Const(1);
    code.op(Op.i32Sub);
    code.localTee(0);
    code.op(Op.drop);
    code.br(again);
    code.end();
    code.end();
    code.localGet(sum);
    module.exportFunction('sum', code.index);
    const exports = await instantiate(module);
    expect((exports.sum as Numeric)(4)).toBe(4 + 3 + 2 + 1 + 100);
  });

  it('refuses what cannot be encoded', () => {
    const module = new ModuleBuilder();
    const code = module.defineFunction(module.functionType([], []));
    expect(() => module.importFunction('a', 'b', 0)).toThrow('after a definition');
    expect(() => module.defineFunction(9)).toThrow('no function type');
    expect(() => code.br(0)).toThrow('not open');
    expect(() => code.end()).toThrow('without an open block');
    code.block();
    expect(() => module.encode()).toThrow('still open');
    code.end();
    module.importMemory('a', 'm', { minimum: 1, shared: true });
    expect(() => module.encode()).toThrow('needs a maximum');
  });

  it('groups locals of one type and writes modules beyond 64 KiB', async () => {
    const module = new ModuleBuilder();
    const code = module.defineFunction(module.functionType([], [i64]));
    for (let i = 0; i < 300; i++) code.local(i % 3 === 0 ? i64 : i32);
    const last = code.local(i64);
    for (let i = 1; i <= 10_000; i++) {
      code.localGet(last);
      code.i64Const(i);
      code.op(Op.i64Add);
      code.localSet(last);
    }
    code.localGet(last);
    module.exportFunction('run', code.index);
    expect(module.encode().length).toBeGreaterThan(65_536);
    const exports = await instantiate(module);
    expect((exports.run as Numeric)()).toBe(50_005_000n);
  });
});
