import type { EpochClock } from './epoch.ts';
import type { BpfMap } from './maps/map.ts';
import type { EbpfMemory } from './memory.ts';
import type { Program } from './program.ts';
import type { EbpfThread } from './thread.ts';

/** All that a running program can reach, as one thread sees it. */
export interface World {
  readonly memory: EbpfMemory;
  /** The instances of `Program.maps`, by the same index. */
  readonly maps: readonly BpfMap[];
  readonly clock: EpochClock;
  readonly thread: EbpfThread;
}

export interface LoadOptions {
  /** Instructions that one run may execute, about (an engine may count by blocks); without it, a run that never ends never ends. */
  readonly fuel?: number;
}

/**
 * What runs programs. The interpreter and the compiler give the same results, the same bytes in stack and maps, for every program that the
 * verifier accepts; for others the interpreter names the violation and the compiled code stays within the window.
 */
export interface Engine {
  readonly name: 'interpreter' | 'wasm';
  /**
   * @throws BpfError for a program with an instruction the engine does not implement, by name
   */
  load(program: Program, world: World, options?: LoadOptions): LoadedProgram;
}

export interface LoadedProgram {
  /**
   * Runs over the packet (or any memory) at `address`: r1 = address, r2 = length.
   *
   * @returns r0 as an unsigned 64-bit number
   * @throws BpfError BPF_FUEL_EXHAUSTED; from the interpreter also BpfViolation
   */
  run(address: number, length: number): bigint;
}
