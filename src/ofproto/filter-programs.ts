import {
  BpfError,
  type BpfMap,
  createMap,
  destroyMap,
  EbpfMemory,
  EbpfThread,
  type Engine,
  EpochClock,
  formatRejection,
  type LoadedProgram,
  type PrintRecord,
  type Program,
  verify,
  WasmCompiler,
} from '../bpf/index.ts';
import { OkoError } from '../bytes/index.ts';
import type { ProgramRunner } from '../datapath/index.ts';
import { OfprotoError } from './errors.ts';

/** Numbers that a filter program can have: the match field has 16 bits, and 0 is nobody's. */
export const MAX_PROGRAM_ID = 0xffff;
/** r0 of a program that lets the flow match. */
const MATCH = 1n;
/** Room for one packet of any length that a port can bring. */
const PACKET_BYTES = 65_536 + 64;
const ONLY_THREAD = 0;

/** A filter program that is loaded, with its maps and counters. */
export interface FilterProgram {
  readonly id: number;
  /** What people call it: the object file's name, without folder and ending. */
  readonly name: string;
  readonly program: Program;
  readonly maps: readonly BpfMap[];
  readonly loadedAtNs: bigint;
  /** Packets it was asked about, and those it matched. */
  runs: number;
  matches: number;
  /** Runs that the engine had to end; the packet did not match. */
  failures: number;
}

interface Loaded extends FilterProgram {
  readonly code: LoadedProgram;
}

export interface FilterProgramsOptions {
  readonly engine?: Engine;
  /** log2 of the bytes for packets, stacks and maps. */
  readonly windowBits?: number;
}

/** The filter programs of a bridge, and the memory that they and their maps live in. */
export class FilterPrograms implements ProgramRunner {
  readonly #engine: Engine;
  readonly #memory: EbpfMemory;
  readonly #epoch: EpochClock;
  readonly #thread: EbpfThread;
  readonly #packetAddress: number;
  readonly #programs = new Map<number, Loaded>();

  constructor(options: FilterProgramsOptions = {}) {
    this.#engine = options.engine ?? new WasmCompiler();
    this.#memory = EbpfMemory.standalone({ windowBits: options.windowBits ?? 28 });
    this.#epoch = EpochClock.create(this.#memory, 1);
    this.#epoch.enter(ONLY_THREAD);
    this.#thread = EbpfThread.create(this.#memory, ONLY_THREAD);
    this.#packetAddress = this.#memory.allocate(PACKET_BYTES, 'the packet buffer');
  }

  /**
   * Verifies a program and loads it under a number, in place of the one that had it. When it is refused, nothing changes.
   *
   * @throws BpfError with the verifier's code and explanation, or for want of memory; OfprotoError OFPROTO_BAD_PROGRAM_ID
   */
  load(id: number, name: string, program: Program, nowNs: bigint): FilterProgram {
    if (!Number.isInteger(id) || id < 1 || id > MAX_PROGRAM_ID) {
      throw new OfprotoError(
        'OFPROTO_BAD_PROGRAM_ID',
        `filter program ${id}: the number must be 1 to ${MAX_PROGRAM_ID}`,
      );
    }
    const verdict = verify(program);
    if (!verdict.accepted) throw new BpfError(verdict.rejection.code, formatRejection(verdict.rejection));
    const maps: BpfMap[] = [];
    try {
      for (const definition of program.maps) maps.push(createMap(this.#memory, this.#epoch, definition));
      const world = { memory: this.#memory, maps, clock: this.#epoch, thread: this.#thread };
      const code = this.#engine.load(program, world);
      const loaded: Loaded = { id, name, program, maps, code, loadedAtNs: nowNs, runs: 0, matches: 0, failures: 0 };
      this.#programs.get(id)?.maps.forEach(destroyMap);
      this.#programs.set(id, loaded);
      return loaded;
    } catch (error) {
      maps.forEach(destroyMap);
      throw error;
    }
  }

  matches(id: number, packet: Uint8Array, timeNs: bigint): boolean {
    const program = this.#programs.get(id);
    if (program === undefined) return false;
    const length = Math.min(packet.length, PACKET_BYTES);
    this.#memory.bytes.set(packet.subarray(0, length), this.#packetAddress);
    this.#thread.timeNs = timeNs;
    program.runs++;
    const matched = this.#run(program, length);
    if (matched) program.matches++;
    this.#epoch.advance(ONLY_THREAD);
    return matched;
  }

  #run(program: Loaded, length: number): boolean {
    try {
      return program.code.run(this.#packetAddress, length) === MATCH;
    } catch (error) {
      if (!(error instanceof OkoError) && !(error instanceof WebAssembly.RuntimeError)) throw error;
      program.failures++;
      return false;
    }
  }

  /** @throws OfprotoError OFPROTO_NO_SUCH_PROGRAM */
  get(id: number): FilterProgram {
    const program = this.#programs.get(id);
    if (program === undefined) {
      throw new OfprotoError('OFPROTO_NO_SUCH_PROGRAM', `no filter program ${id} is loaded`);
    }
    return program;
  }

  /** A map of a program, by its number or its name. @throws OfprotoError OFPROTO_NO_SUCH_PROGRAM, OFPROTO_NO_SUCH_MAP */
  map(id: number, map: string): BpfMap {
    const { maps, name } = this.get(id);
    const found = /^\d+$/.test(map) ? maps[Number(map)] : maps.find(({ definition }) => definition.name === map);
    if (found === undefined) {
      const names = maps.map(({ definition }, i) => `${i} (${definition.name})`).join(', ');
      throw new OfprotoError(
        'OFPROTO_NO_SUCH_MAP',
        `filter program ${id} (${name}) has no map ${map}; it has ${names || 'none'}`,
      );
    }
    return found;
  }

  /** In the order of their numbers. */
  list(): readonly FilterProgram[] {
    return [...this.#programs.values()].sort((a, b) => a.id - b.id);
  }

  /** What programs printed since the last call. */
  takePrints(): readonly PrintRecord[] {
    return this.#thread.takePrints();
  }
}
