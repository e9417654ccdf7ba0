import { BulkOp, type FunctionCode, type ModuleBuilder, Op, ValueType } from '../../wasm/index.ts';
import { ERRNO, MAX_HASHED_BYTES } from '../helpers.ts';
import type { BpfMap } from '../maps/map.ts';
import { PRINT_RECORD, THREAD_BLOCK } from '../thread.ts';
import type { AbstractValue } from './abstract-value.ts';
import { assign, type Expression, i32, let32, parameter, store, when } from './expression.ts';
import { hashlittleLoop } from './lookup3-code.ts';
import { keyInMemory } from './maps/key.ts';
import { type MapCode, type MapSurroundings, mapCode } from './maps/map-code.ts';
import type { SharedWords } from './shared-words.ts';

export type MapOperation = 'lookup' | 'update' | 'delete' | 'add';

const { i32: I32, i64: I64 } = ValueType;

/** The functions of a module that helper calls go to; each is written when the first call asks for it. */
export class ModuleFunctions {
  readonly maps: readonly BpfMap[];
  /** Pushes the address of the running thread's block. */
  readonly thread: Expression;
  readonly #module: ModuleBuilder;
  readonly #surroundings: MapSurroundings;
  readonly #words: SharedWords;
  readonly #mapCodes: MapCode[] = [];
  readonly #indices = new Map<string, number>();

  constructor(module: ModuleBuilder, maps: readonly BpfMap[], surroundings: MapSurroundings) {
    this.#module = module;
    this.maps = maps;
    this.thread = surroundings.thread;
    this.#surroundings = surroundings;
    this.#words = surroundings.words;
  }

  mapCode(index: number): MapCode {
    this.#mapCodes[index] ??= mapCode(this.maps[index], this.#surroundings);
    return this.#mapCodes[index];
  }

  /** What a lookup in a map with a key of which `known` is known gives for certain. */
  lookupResult(map: AbstractValue, known: AbstractValue): AbstractValue | undefined {
    return map.kind === 'map' ? this.mapCode(map.index).lookupResult?.(known) : undefined;
  }

  #once(
    name: string,
    parameters: readonly ValueType[],
    result: readonly ValueType[],
    write: (code: FunctionCode) => void,
  ): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const code = this.#module.defineFunction(this.#module.functionType(parameters, result));
    this.#indices.set(name, code.index);
    write(code);
    return code.index;
  }

  /** (key, value only for an update) → address, or 0, or errno. */
  mapFunction(index: number, operation: MapOperation): number {
    const parameters = operation === 'update' ? [I32, I32] : [I32];
    return this.#once(`${operation} ${index}`, parameters, [I32], (code) => {
      const key = parameter(0).get;
      const map = this.mapCode(index);
      if (operation === 'lookup') map.lookup(code, keyInMemory(key));
      else if (operation === 'update') map.update(code, key, parameter(1).get);
      else map[operation](code, key);
    });
  }

  /** (map, key, value only for an update): the same of the map at that address, whichever of the program's it is. */
  dispatch(operation: MapOperation): number {
    const parameters = operation === 'update' ? [I32, I32, I32] : [I32, I32];
    return this.#once(`any ${operation}`, parameters, [I32], (code) => {
      this.maps.forEach((map, index) => {
        when(code, i32.eq(parameter(0).get, i32.const(map.address)), () => {
          for (let i = 1; i < parameters.length; i++) code.localGet(i);
          code.call(this.mapFunction(index, operation));
          code.op(Op.return);
        });
      });
      code.i32Const(operation === 'lookup' ? 0 : ERRNO.EINVAL);
    });
  }

  /** (address, bytes) → lookup3's hashlittle. */
  hash(): number {
    return this.#once('hash', [I32, I32], [I32], (code) => {
      const length = parameter(1);
      when(code, i32.gtU(length.get, i32.const(MAX_HASHED_BYTES)), () =>
        assign(code, length, i32.const(MAX_HASHED_BYTES)),
      );
      hashlittleLoop(code, parameter(0), length, i32.const(0))(code);
    });
  }

  /** (format, four arguments): a record into the thread's ring, or one more counted as lost. */
  print(): number {
    return this.#once('print', [I32, I64, I64, I64, I64], [], (code) => {
      const head = let32(code, this.#words.load(this.thread, THREAD_BLOCK.printHead));
      const tail = this.#words.load(this.thread, THREAD_BLOCK.printTail);
      when(code, i32.geS(i32.sub(head.get, tail), i32.const(THREAD_BLOCK.printRecords)), () => {
        const dropped = i32.load(this.thread, THREAD_BLOCK.printsDropped);
        store(code, Op.i32Store, this.thread, THREAD_BLOCK.printsDropped, i32.add(dropped, i32.const(1)));
        code.op(Op.return);
      });
      const number = i32.and(head.get, i32.const(THREAD_BLOCK.printRecords - 1));
      const record = let32(code, i32.add(this.thread, i32.mul(number, i32.const(THREAD_BLOCK.printRecordBytes))));
      for (let i = 0; i < PRINT_RECORD.argCount; i++)
        store(code, Op.i64Store, record.get, THREAD_BLOCK.prints + PRINT_RECORD.args + 8 * i, parameter(1 + i).get);
      i32.add(record.get, i32.const(THREAD_BLOCK.prints + PRINT_RECORD.format))(code);
      code.localGet(0);
      code.i32Const(PRINT_RECORD.formatBytes);
      code.bulk(BulkOp.memoryCopy);
      this.#words.store(code, this.thread, THREAD_BLOCK.printHead, i32.add(head.get, i32.const(1)));
    });
  }
}
