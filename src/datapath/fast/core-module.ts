import { existsSync, readFileSync } from 'node:fs';
import { DatapathError } from '../errors.ts';

/** The functions of the core (`src/datapath/core/main.ts`). Addresses and numbers are u32, which arrive here as i32. */
export interface CoreExports {
  start(config: number): void;
  setNow(ns: bigint): void;
  prepare(i: number, bytes: number): number;
  receive(slot: number, packets: number, startDepth: number): void;
  execute(actions: number, inPort: number, startDepth: number): void;
  extract(packet: number, length: number, key: number): void;
  adoptGeneration(): number;
  /** Does what main says; returns how many messages there were. */
  attend(): number;
  play(slot: number, batches: number): number;
  flushAll(): void;
  sent(slot: number, packets: number): void;
  countSent(slot: number, packets: bigint, bytes: bigint): void;
  countUnsent(slot: number, packets: bigint): void;
  allocate(bytes: number): number;
  release(buffer: number): void;
}

/** What the core calls (`src/datapath/core/host.ts`). */
export interface CoreHost {
  ask(program: number, packet: number, length: number): number;
  translate(set: number, packet: number, length: number, inPort: number, recircId: number, results: number): number;
  toMain(note: number, packet: number, length: number, depth: number): void;
  send(slot: number, packet: number, length: number, queue: number, depth: number): void;
  flush(slot: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** The compiled core; can be posted to other threads. @throws DatapathError DATAPATH_NO_CORE */
export function coreModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(findCore()));
  return compiled;
}

/** An instance for one thread. */
export function instantiateCore(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  table: WebAssembly.Table,
  host: CoreHost,
): CoreExports {
  const instance = new WebAssembly.Instance(module, { env: { memory, table }, host: { ...host } });
  return instance.exports as unknown as CoreExports;
}

/** Beside this file's folder when it is installed; in the repository's cache when it runs from sources. */
function findCore(): URL {
  const beside = new URL('../core.wasm', import.meta.url);
  if (existsSync(beside)) return beside;
  for (let at = new URL('.', import.meta.url); at.pathname !== '/'; at = new URL('..', at)) {
    const cached = new URL('.cache/core/core.wasm', at);
    if (existsSync(cached)) return cached;
  }
  throw new DatapathError('DATAPATH_NO_CORE', `${beside.pathname} is not there`);
}
