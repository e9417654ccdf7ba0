import type { Engine, LoadedProgram, LoadOptions, World } from '../engine.ts';
import { BpfError } from '../errors.ts';
import type { Program } from '../program.ts';
import type { EbpfThread } from '../thread.ts';
import { type CompileOptions, compileProgram, EXPORT, IMPORT } from './program-module.ts';

/** The product: programs as WebAssembly, at the speed of machine code. */
export class WasmCompiler implements Engine {
  readonly name = 'wasm';
  readonly #keepStack: boolean;

  constructor(options: Pick<CompileOptions, 'keepStack'> = {}) {
    this.#keepStack = options.keepStack ?? false;
  }

  load(program: Program, world: World, options: LoadOptions = {}): WasmProgram {
    const bytes = compileProgram(program, world, {
      fuel: options.fuel !== undefined,
      keepStack: this.#keepStack,
      ordered: globalThis.process?.arch === 'x64',
    });
    return new WasmProgram(new WebAssembly.Module(bytes), world.thread, options.fuel);
  }
}

/** A compiled program in one thread. */
export class WasmProgram implements LoadedProgram {
  /** Can be posted to other threads, to be instantiated there. */
  readonly module: WebAssembly.Module;
  readonly #instance: WebAssembly.Instance;
  readonly #run: (address: number, length: number) => bigint;
  readonly #runBatch: (descriptors: number, count: number) => void;
  readonly #fuel: bigint | undefined;

  constructor(module: WebAssembly.Module, thread: EbpfThread, fuel?: number) {
    this.module = module;
    this.#instance = new WebAssembly.Instance(module, {
      [IMPORT.module]: {
        [IMPORT.memory]: thread.memory.memory,
        [IMPORT.thread]: thread.address,
      },
    });
    this.#run = this.#instance.exports[EXPORT.run] as (address: number, length: number) => bigint;
    this.#runBatch = this.#instance.exports[EXPORT.runBatch] as (descriptors: number, count: number) => void;
    this.#fuel = fuel === undefined ? undefined : BigInt(Math.max(0, Math.min(fuel, Number.MAX_SAFE_INTEGER)));
  }

  run(address: number, length: number): bigint {
    if (this.#fuel === undefined) return BigInt.asUintN(64, this.#run(address, length));
    return this.#fuelled(this.#fuel, () => BigInt.asUintN(64, this.#run(address, length)));
  }

  /**
   * Runs over `count` packets: `descriptors` is the address of as many `DESCRIPTOR`s, which receive the results.
   * With fuel, it is for all of them together.
   */
  runBatch(descriptors: number, count: number): void {
    if (this.#fuel === undefined) this.#runBatch(descriptors, count);
    else this.#fuelled(this.#fuel, () => this.#runBatch(descriptors, count));
  }

  #fuelled<T>(fuel: bigint, run: () => T): T {
    const left = this.#instance.exports[EXPORT.fuel] as WebAssembly.Global;
    left.value = fuel;
    try {
      return run();
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError) || (left.value as bigint) >= 0n) throw cause;
      throw new BpfError('BPF_FUEL_EXHAUSTED', `stopped after ${fuel} rounds of loops and calls`, { cause });
    }
  }
}
