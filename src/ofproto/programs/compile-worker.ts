import { Worker } from 'node:worker_threads';
import { attachMap, type ProgramChoice, WasmProgram } from '../../bpf/index.ts';
import { ExtensionError } from '../../openflow/index.ts';
import type { CompileAnswer, CompileRequest } from './compile-messages.ts';
import type { BuiltProgram, InspectedProgram, MapPlace, ProgramCompiler, Surroundings } from './compiler.ts';

const THREAD = new URL('./compile-thread.js', import.meta.url);

interface Pending {
  resolve(answer: CompileAnswer): void;
  reject(error: Error): void;
}

/**
 * Verifies and compiles on a thread of its own, which starts with the first program; several bridges can share it. The memory of
 * maps has to be shared between threads.
 */
export class CompileWorker implements ProgramCompiler {
  readonly needsSharedMemory = true;
  readonly #thread: URL;
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  /** `thread`: the compiled form of `compile-thread.ts`, where it does not lie beside this file. */
  constructor(thread: URL = THREAD) {
    this.#thread = thread;
  }

  async inspect(object: Uint8Array, choice: ProgramChoice): Promise<InspectedProgram> {
    // What is handed over is gone here; a Buffer's slice would be a part of something else.
    const copy = new Uint8Array(object);
    const answer = await this.#ask((id) => ({ type: 'inspect', id, object: copy, choice }), [copy.buffer]);
    if (!('inspected' in answer)) throw refused(answer);
    return answer.inspected;
  }

  async build(
    job: number,
    places: readonly MapPlace[],
    { memory, clock, thread }: Surroundings,
  ): Promise<BuiltProgram> {
    const answer = await this.#ask((id) => ({
      ...{ type: 'build', id, job, places, memory: memory.memory, windowBits: memory.windowBits },
      ...{ clockAddress: clock.address, threadAddress: thread.address },
    }));
    if (!('module' in answer)) throw refused(answer);
    const maps = places.map(({ definition, address }) => attachMap(memory, clock, definition, address));
    return { maps, code: new WasmProgram(answer.module, thread) };
  }

  discard(job: number): void {
    const request: CompileRequest = { type: 'discard', job };
    this.#worker?.postMessage(request);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#fail('the switch stops');
  }

  #ask(request: (id: number) => CompileRequest, transferred: readonly ArrayBuffer[] = []): Promise<CompileAnswer> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const worker = this.#started();
      // The process waits for an answer, but not for the thread.
      worker.ref();
      worker.postMessage(request(id), transferred);
    });
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#thread);
    worker.on('message', (answer: CompileAnswer) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (this.#pending.size === 0) worker.unref();
      pending?.resolve(answer);
    });
    worker.on('error', (error) => this.#ended(worker, error.message));
    worker.on('exit', (code) => this.#ended(worker, `it ended with status ${code}`));
    this.#worker = worker;
    return worker;
  }

  /** The next program starts another thread. */
  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#fail(reason);
  }

  #fail(reason: string): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending)
      reject(new ExtensionError('OKO_NO_MEMORY', `the thread that compiles programs has failed: ${reason}`));
  }
}

function refused(answer: CompileAnswer): ExtensionError {
  if (!('refused' in answer)) throw new TypeError('the compile thread gave another answer than it was asked for');
  return new ExtensionError(answer.refused.code, answer.refused.message);
}
