import type { PortSpec } from '../ports/port-spec.ts';

/** What main posts to the JavaScript of a packet thread; read between two batches. */
export type Letter =
  | { readonly kind: 'open'; readonly slot: number; readonly name: string; readonly spec: PortSpec }
  | { readonly kind: 'play'; readonly slot: number }
  | { readonly kind: 'close'; readonly slot: number }
  /** Without a module the program is gone. */
  | { readonly kind: 'program'; readonly id: number; readonly module: WebAssembly.Module | undefined }
  | { readonly kind: 'stop' };

/** What comes back: something lies in the ring, or a letter was answered. */
export type Answer = 'ring' | { readonly slot: number; readonly code: string; readonly error: string };

/** What a packet thread is started with. */
export interface ThreadData {
  readonly core: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly windowBits: number;
  readonly config: number;
  readonly index: number;
  readonly threads: number;
  readonly smallBuffers: number;
  readonly ownWords: number;
  readonly batch: number;
  readonly txLists: number;
  readonly upRing: number;
  readonly downRing: number;
  readonly buffers: number;
  readonly ports: number;
  readonly programs: number;
  readonly epoch: number;
  readonly ebpfThread: number;
  /** Written to wake the thread while it waits for devices; -1 where there are none. */
  readonly wakeFd: number;
}
