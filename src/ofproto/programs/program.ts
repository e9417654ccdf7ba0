import type { BpfMap, LoadedProgram, ProgramChoice } from '../../bpf/index.ts';
import type { VerifierFigures } from '../../openflow/index.ts';

/** Numbers that a filter program can have: the match field has 16 bits, and 0 is nobody's. */
export const MAX_PROGRAM_ID = 0xffff;
/** The largest object file that is taken. */
export const MAX_OBJECT_BYTES = 16 << 20;
/** The most maps of one program. */
export const MAX_PROGRAM_MAPS = 256;

/** A filter program that is loaded, with its maps and counters. */
export interface FilterProgram {
  readonly id: number;
  /** What people call it: as a rule the object file's name, without folder and ending. */
  readonly name: string;
  /** Section and function of the object, where they are known. */
  readonly section: string;
  readonly function: string;
  readonly maps: readonly BpfMap[];
  readonly loadedAtNs: bigint;
  /** Of the object file; 0 when there was none. */
  readonly objectBytes: number;
  readonly verifier: VerifierFigures;
  /** As this thread runs it. */
  readonly code: LoadedProgram;
  /** Packets it was asked about, and those it matched. They go on when the program is replaced. */
  runs: number;
  matches: number;
  /** Runs that the engine had to end; the packet did not match. */
  failures: number;
  /** Runs whose time was taken, and the sum of their nanoseconds. */
  sampledRuns: number;
  sampledNs: number;
}

/** What becomes of the maps of the program that is replaced: see `ProgramLoad.keepMaps`. */
export type KeptMaps = 'fitting' | 'all' | 'none';

/** An object file to be loaded. */
export interface LoadRequest {
  readonly id: number;
  readonly name: string;
  readonly object: Uint8Array;
  readonly choice?: ProgramChoice;
  /** In the place of a program that has the number. */
  readonly replace?: boolean;
  readonly keepMaps?: KeptMaps;
  readonly verifyOnly?: boolean;
}

export interface LoadResult {
  /** With counters and load time of 0 when it was only verified. */
  readonly program: Omit<FilterProgram, 'code' | 'maps'> & {
    readonly maps: readonly Pick<BpfMap, 'definition' | 'bytesUsed'>[];
  };
  readonly replaced: boolean;
  readonly keptMaps: number;
}
