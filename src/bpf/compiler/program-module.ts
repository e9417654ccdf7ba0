import { type FunctionCode, ModuleBuilder, Op, ValueType } from '../../wasm/index.ts';
import type { World } from '../engine.ts';
import type { InstructionForm } from '../isa.ts';
import type { Program } from '../program.ts';
import { checkRunnable } from '../runnable.ts';
import { FRAME_BYTES, THREAD_BLOCK } from '../thread.ts';
import { U32_MAX } from './abstract-value.ts';
import { reachedFunctions } from './call-graph.ts';
import { assign, type Expression, i32, i64, let32, parameter, store } from './expression.ts';
import type { FunctionBody } from './function-body.ts';
import { FunctionEmitter, LOCAL_FUNCTION_PARAMETERS } from './function-emitter.ts';
import { ModuleFunctions } from './module-functions.ts';
import { type PreparedProgram, prepare } from './prepare.ts';
import type { ProgramContext } from './program-context.ts';
import { type Fuel, SharedWords } from './shared-words.ts';
import { Window } from './window.ts';

/** One packet of a batch, and its result: an array of these is what the module's `runBatch` takes. */
export const DESCRIPTOR = {
  /** u32: address of the packet, in the window */
  address: 0,
  /** u32: its bytes */
  length: 4,
  /** u64: r0 of the run */
  result: 8,
  bytes: 16,
} as const;

export const EXPORT = { run: 'run', runBatch: 'runBatch', fuel: 'fuel' } as const;
export const IMPORT = { module: 'oko', memory: 'memory', thread: 'thread' } as const;

export interface CompileOptions {
  /** The module has an exported i64 `fuel`, which loops and calls use up; at the end of it, it traps. */
  readonly fuel?: boolean;
  /** Every store to the stack reaches memory, for who wants to look at it afterwards. */
  readonly keepStack?: boolean;
  /** The module will run on a processor that keeps loads and stores in their order, as x86-64 does. */
  readonly ordered?: boolean;
}

/**
 * Compiles a program to a WebAssembly module for the world's memory and maps, whose addresses and sizes are constants of
 * the code; it can be instantiated for any thread that sees them.
 *
 *     import oko.memory   the memory that the eBPF window lies in
 *     import oko.thread   i32: the address of the running thread's block
 *     export run(address: i32, length: i32) -> i64                r0
 *     export runBatch(descriptors: i32, count: i32)               one DESCRIPTOR a packet
 *
 * No run traps (unless it is given fuel): addresses are forced into the window, divisors are looked at, atomic addresses
 * are aligned, and frames are counted here. What this leaves to the verifier is that the program ends.
 */
export function compileProgram(program: Program, world: World, options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  checkRunnable(program, world.maps);
  const prepared = prepare(program);
  const entry = program.functions[0]?.pc ?? 0;
  const bodies = reachedFunctions(prepared, entry);
  return new ProgramModule(prepared, bodies, entry, world, options).encode();
}

class ProgramModule {
  readonly #module = new ModuleBuilder();
  readonly #bodies: ReadonlyMap<number, FunctionBody>;
  readonly #entry: number;
  readonly #context: ProgramContext;
  readonly #thread: Expression;
  readonly #window: Window;
  readonly #localFunctions = new Map<number, FunctionCode>();
  /** Globals with the packet's address and length, when a local function asks for them. */
  readonly #packet: readonly [number, number] | undefined;

  constructor(
    prepared: PreparedProgram,
    bodies: ReadonlyMap<number, FunctionBody>,
    entry: number,
    world: World,
    options: CompileOptions,
  ) {
    const module = this.#module;
    const { memory, maps, clock } = world;
    this.#bodies = bodies;
    this.#entry = entry;
    this.#window = new Window(memory);
    const pages = memory.memory.buffer.byteLength / 65536;
    // A shared memory is imported under the widest limits, so that one compiled module fits memories of any maximum.
    module.importMemory(
      IMPORT.module,
      IMPORT.memory,
      this.#window.shared ? { minimum: pages, maximum: 65536, shared: true } : { minimum: pages },
    );
    const thread = module.importGlobal(IMPORT.module, IMPORT.thread, ValueType.i32);
    this.#thread = (code) => code.globalGet(thread);
    const fuel = options.fuel === true ? this.#defineFuel() : undefined;
    const packetInLocal = [...bodies.values()].some((body) => body.pc !== entry && asksForPacket(body, prepared.forms));
    this.#packet = packetInLocal
      ? [module.defineGlobal(ValueType.i32, true, 0), module.defineGlobal(ValueType.i32, true, 0)]
      : undefined;
    const sharing = !this.#window.shared ? 'alone' : options.ordered === true ? 'ordered' : 'unordered';
    const functions = new ModuleFunctions(module, maps, {
      words: new SharedWords(sharing, fuel),
      epochAddress: clock.address,
      thread: this.#thread,
    });
    this.#context = {
      ...prepared,
      maps,
      window: this.#window,
      functions,
      keepsStack: options.keepStack === true,
      fuel,
      mapValueAddress: (index, offset) => maps[index].address + maps[index].layout.data + offset,
      localFunction: (pc) => this.#localFunctions.get(pc)?.index ?? 0,
    };
  }

  #defineFuel(): Fuel {
    const fuel = this.#module.defineGlobal(ValueType.i64, true, 0n);
    this.#module.exportGlobal(EXPORT.fuel, fuel);
    return {
      burn(code) {
        code.globalGet(fuel);
        code.i64Const(1);
        code.op(Op.i64Sub);
        code.globalSet(fuel);
        code.globalGet(fuel);
        code.i64Const(0);
        code.op(Op.i64LtS);
        code.if();
        code.op(Op.unreachable);
        code.end();
      },
    };
  }

  encode(): Uint8Array<ArrayBuffer> {
    const module = this.#module;
    const { i32: I32, i64: I64 } = ValueType;
    const batch = module.defineFunction(module.functionType([I32, I32, I32], []));
    const runBatch = module.defineFunction(module.functionType([I32, I32], []));
    const run = module.defineFunction(module.functionType([I32, I32], [I64]));
    const localType = module.functionType(LOCAL_FUNCTION_PARAMETERS, [I64]);
    for (const pc of this.#bodies.keys())
      if (pc !== this.#entry || this.#isCalled(pc)) this.#localFunctions.set(pc, module.defineFunction(localType));
    this.#writeBatch(batch);
    this.#writeRunBatch(runBatch, batch.index);
    this.#writeRun(run, batch.index);
    for (const [pc, code] of this.#localFunctions) this.#writeLocal(code, pc);
    module.exportFunction(EXPORT.run, run.index);
    module.exportFunction(EXPORT.runBatch, runBatch.index);
    return module.encode();
  }

  #isCalled(pc: number): boolean {
    return [...this.#bodies.values()].some((body) => body.callees.has(pc));
  }

  #writeRunBatch(code: FunctionCode, batch: number): void {
    this.#thread(code);
    code.localGet(0);
    code.localGet(1);
    code.call(batch);
  }

  /**
   * (thread, descriptors, count): the entry function stands in the loop over the packets, so that a packet costs no call. The
   * thread's block is a parameter because V8 would read an imported global again wherever it is used.
   */
  #writeBatch(code: FunctionCode): void {
    const thread = parameter(0);
    const descriptor = parameter(1);
    const count = parameter(2);
    const done = code.block();
    i32.eqz(count.get)(code);
    code.brIf(done);
    const again = code.loop();
    const mask = this.#window.mask;
    const packet = let32(code, i32.and(i32.load(descriptor.get, DESCRIPTOR.address), i32.const(mask)));
    const length = let32(code, i32.load(descriptor.get, DESCRIPTOR.length));
    this.#packet?.forEach((global, i) => {
      (i === 0 ? packet : length).get(code);
      code.globalSet(global);
    });
    const next = code.block();
    const body = this.#bodies.get(this.#entry);
    if (body !== undefined)
      new FunctionEmitter(this.#context, code, body, {
        frame: { local: thread.index, offset: THREAD_BLOCK.stackTop - FRAME_BYTES },
        thread: thread.get,
        parameters: [
          { width: 32, push: packet.get, max: mask },
          { width: 32, push: length.get, max: U32_MAX },
        ],
        packet: packet.get,
        packetLength: length.get,
        // Every exit stores its own result: most are constants, which so need no register.
        leave: (result) => {
          store(code, Op.i64Store, descriptor.get, DESCRIPTOR.result, result);
          code.br(next);
        },
      }).emit();
    code.end();
    assign(code, descriptor, i32.add(descriptor.get, i32.const(DESCRIPTOR.bytes)));
    assign(code, count, i32.sub(count.get, i32.const(1)));
    count.get(code);
    code.brIf(again);
    code.end();
    code.end();
  }

  #writeRun(code: FunctionCode, batch: number): void {
    store(code, Op.i32Store, this.#thread, THREAD_BLOCK.singleRun + DESCRIPTOR.address, parameter(0).get);
    store(code, Op.i32Store, this.#thread, THREAD_BLOCK.singleRun + DESCRIPTOR.length, parameter(1).get);
    this.#thread(code);
    i32.add(this.#thread, i32.const(THREAD_BLOCK.singleRun))(code);
    code.i32Const(1);
    code.call(batch);
    i64.load(this.#thread, THREAD_BLOCK.singleRun + DESCRIPTOR.result)(code);
  }

  #writeLocal(code: FunctionCode, pc: number): void {
    const body = this.#bodies.get(pc);
    if (body === undefined) return;
    const [packet, length] = this.#packet ?? [0, 0];
    new FunctionEmitter(this.#context, code, body, {
      frame: { local: 5, offset: 0 },
      thread: this.#thread,
      parameters: [0, 1, 2, 3, 4].map((i) => ({
        width: 64 as const,
        push: parameter(i).get,
        max: Number.POSITIVE_INFINITY,
      })),
      packet: (target) => target.globalGet(packet),
      packetLength: (target) => target.globalGet(length),
      leave: (result) => {
        result(code);
        code.op(Op.return);
      },
    }).emit();
  }
}

function asksForPacket(body: FunctionBody, forms: readonly (InstructionForm | undefined)[]): boolean {
  return body.blocks.some(({ start, end }) => forms.slice(start, end).some((form) => form?.kind === 'packet'));
}
