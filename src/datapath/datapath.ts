import type { DatapathAction } from './action.ts';
import type { FlowNode, Outcome, ProgramResult } from './outcome.ts';
import type { Port, PortCounters } from './port.ts';

/** A packet that the cache could not place, on its way to translation. */
export interface Upcall {
  readonly packet: Uint8Array;
  /** The packet's flow key (`src/packet/key.ts`), in_port and recirculation number filled in. Only lent. */
  readonly key: Uint8Array;
  readonly inPort: number;
  /** 0 for a packet from a port; else the number that a `recirculate` action gave it. */
  readonly recircId: number;
  readonly timeNs: bigint;
  /** Results of the programs that have run for this packet, in the order they were asked. */
  readonly results: readonly ProgramResult[];
}

/** What translation answers: where such packets go. */
export interface Verdict {
  /** Every program that was asked on the way, the upcall's own first. */
  readonly results: readonly ProgramResult[];
  readonly outcome: Outcome;
}

/** Translates packets that miss the cache. */
export type UpcallHandler = (upcall: Upcall) => Verdict;

/** Takes packets that an action `toMain` gives away. The bytes are only lent. */
export type ToMainHandler = (note: number, packet: Uint8Array, timeNs: bigint) => void;

/** Filter programs as modules with an export `run(address: i32, length: i32) -> i64`. */
export interface CompiledPrograms {
  modules(): Iterable<readonly [number, WebAssembly.Module]>;
  use(user: CompiledProgramsUser): void;
}

export interface CompiledProgramsUser {
  /** A program has come, or has gone and is out of use when this returns. */
  changed(id: number, module: WebAssembly.Module | undefined): void;
  /** What the user has run itself. */
  counters(id: number): { readonly runs: number; readonly matches: number };
}

/** Runs a filter program on a packet; a program that is not there never matches. */
export interface ProgramRunner {
  matches(program: number, packet: Uint8Array, timeNs: bigint): boolean;
  /** The programs as WebAssembly, for threads that run them themselves; absent where they are interpreted. */
  readonly compiled?: CompiledPrograms;
}

/** What every datapath needs to be made. */
export interface DatapathOptions {
  /** Who answers misses. */
  readonly upcall: UpcallHandler;
  readonly programs: ProgramRunner;
  /** Who gets the packets of `toMain` actions; without one they go nowhere. */
  readonly toMain?: ToMainHandler;
  /** Bytes of a flow key. */
  readonly keyBytes: number;
}

/** A cached flow as listings show it. */
export interface CachedFlow {
  /** The flow key under the union mask. */
  readonly key: Uint8Array;
  readonly node: FlowNode;
}

/** Why packets were dropped, by name; each counts from the start. */
export interface DatapathCounters {
  /** Packets that matched a cached flow. */
  hits: number;
  /** Packets that had to be translated. */
  misses: number;
  /** Cached flows given up because the cache was full. */
  cacheEvictions: number;
  /** Outputs to a port that is not there. */
  dropNoPort: number;
  /** Outputs that the port had no room for. */
  dropPortFull: number;
  /** Passes and ports in a row beyond what a packet may take. */
  dropTooDeep: number;
  /** Packets for which no buffer was free. */
  dropNoBuffer: number;
  /** Packets without a verdict that nobody had room to give one. */
  dropUpcallFull: number;
  /** Verdicts that were given without being cached: for want of room, or for too many questions. */
  uncached: number;
}

/**
 * Forwards packets by cached flows and asks for a verdict when it has none. Knows nothing of OpenFlow: a flow here is a
 * key under one mask, the *union* of all bits that any rule matches or any action reads, so that one probe decides.
 */
export interface Datapath {
  readonly counters: Readonly<DatapathCounters>;
  /** Packets are handled by other threads, at any time. */
  readonly isConcurrent?: boolean;

  /** Adds a port under a number of its own. */
  addPort(number: number, port: Port): void;
  removePort(number: number): void;
  ports(): Iterable<readonly [number, Port]>;
  portCounters(number: number): Readonly<PortCounters> | undefined;

  /** Sets the bits of the flow key that decide, as long as the key; forgets every cached flow. */
  setUnion(mask: Uint8Array): void;

  /** From now on no packet is handled by a verdict given before. */
  invalidate(): void;

  /** Brings the counters of all outcomes that the handler of upcalls has given up to date. */
  readCounters(): void;

  /** A packet comes in by a port. */
  receive(inPort: number, packet: Uint8Array, timeNs: bigint): void;

  /** Runs actions on a packet that did not come in by a port, or again; `inPort` is what a further pass will see. */
  execute(actions: readonly DatapathAction[], packet: Uint8Array, timeNs: bigint, inPort?: number): void;

  /** The flows that are cached and valid now. */
  flows(): Iterable<CachedFlow>;
}
