import {
  BpfError,
  type BpfMap,
  destroyMap,
  EbpfMemory,
  EbpfThread,
  type Engine,
  EpochClock,
  formatRejection,
  type PrintRecord,
  type Program,
  verify,
  WasmCompiler,
  WasmProgram,
} from '../bpf/index.ts';
import { OkoError } from '../bytes/index.ts';
import type { Clock, CompiledPrograms, CompiledProgramsUser, ProgramRunner } from '../datapath/index.ts';
import { ExtensionError } from '../openflow/index.ts';
import { DirectCompiler, mapAt, type ProgramCompiler, type Surroundings } from './programs/compiler.ts';
import { planMaps, release } from './programs/map-plan.ts';
import {
  type FilterProgram,
  type LoadRequest,
  type LoadResult,
  MAX_OBJECT_BYTES,
  MAX_PROGRAM_ID,
  MAX_PROGRAM_MAPS,
} from './programs/program.ts';
import type { ProgramStore } from './programs/program-store.ts';

/** r0 of a program that lets the flow match. */
const MATCH = 1n;
/** Room for one packet of any length that a port can bring. */
const PACKET_BYTES = 65_536 + 64;
const ONLY_THREAD = 0;
const DEFAULT_MAX_PROGRAMS = 1024;
/** What was unlinked so many epochs ago is out of every program's sight. */
const QUARANTINE_EPOCHS = 3;
/** The time of one run in so many is taken. */
const SAMPLE_RUNS = 64;
/** Not the first, in which the engine still compiles. */
const WARM_RUN = 1;

export interface FilterProgramsOptions {
  readonly engine?: Engine;
  /** The memory that packet threads share, with room for maps; left out: one of its own. */
  readonly surroundings?: Surroundings;
  /** log2 of the bytes for packets, stacks and maps. */
  readonly windowBits?: number;
  /** Where objects are verified and compiled, which its owner closes; left out: here, while everything waits. */
  readonly compiler?: ProgramCompiler;
  /** Keeps programs over a restart. */
  readonly store?: ProgramStore;
  /** The most programs at once. */
  readonly maxPrograms?: number;
  /** The most bytes of all maps together; left out: what the window holds. */
  readonly maxMapBytes?: number;
}

/** The filter programs of a bridge, and the memory that they and their maps live in. */
export class FilterPrograms implements ProgramRunner {
  readonly maxPrograms: number;
  readonly #maxMapBytes: number;
  readonly #engine: Engine;
  readonly #compiler: ProgramCompiler;
  readonly #around: Surroundings;
  readonly #store: ProgramStore | undefined;
  readonly #packetAddress: number;
  readonly #isAlone: boolean;
  /** What packet threads have run of each program, as far as it is counted. */
  readonly #counted = new Map<number, { readonly runs: number; readonly matches: number }>();
  #user: CompiledProgramsUser | undefined;
  readonly compiled: CompiledPrograms = {
    modules: () => this.#modules(),
    use: (user) => {
      this.#user = user;
    },
  };
  readonly #programs = new Map<number, FilterProgram>();
  readonly #maps = new Set<BpfMap>();
  /** Loads wait for each other. */
  #loading: Promise<unknown> = Promise.resolve();

  constructor(options: FilterProgramsOptions = {}) {
    this.#engine = options.engine ?? new WasmCompiler();
    this.#compiler = options.compiler ?? new DirectCompiler(this.#engine);
    const shared = this.#compiler.needsSharedMemory;
    this.#around = options.surroundings ?? ownSurroundings(options.windowBits ?? 28, shared);
    this.#isAlone = options.surroundings === undefined;
    this.#packetAddress = this.#around.memory.allocate(PACKET_BYTES, 'the packet buffer');
    this.#store = options.store;
    this.maxPrograms = options.maxPrograms ?? DEFAULT_MAX_PROGRAMS;
    this.#maxMapBytes = options.maxMapBytes ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Verifies a program and loads it under a number, in place of the one that had it, with new maps. When it is refused, nothing
   * changes. Everything waits meanwhile: `loadObject` is for a switch that is running.
   *
   * @throws BpfError with the verifier's code and explanation; ExtensionError
   */
  load(id: number, name: string, program: Program, nowNs: bigint): FilterProgram {
    this.#checkRoom(id, true);
    const verdict = verify(program);
    if (!verdict.accepted) throw new BpfError(verdict.rejection.code, formatRejection(verdict.rejection));
    const { memory, clock } = this.#around;
    const { places } = planMaps(program.maps, [], 'none', memory, clock, this.#mapBytesLeft);
    try {
      const maps = places.map((place) => mapAt(this.#around, place));
      const code = this.#engine.load(program, { ...this.#around, maps });
      const origin = { section: program.section ?? '', function: program.name, objectBytes: 0 };
      return this.#put({ id, name, ...origin, maps, loadedAtNs: nowNs, verifier: verdict.summary, code, ...ZERO });
    } catch (error) {
      release(memory, places);
      throw error;
    }
  }

  /**
   * Reads an object file, verifies and compiles a program of it, and puts it in place between two packets. Flows, counters and
   * the maps that are kept go on. When it is refused, nothing changes.
   *
   * @throws ExtensionError with the whole explanation
   */
  loadObject(request: LoadRequest, clock: Clock): Promise<LoadResult> {
    const result = this.#loading.then(() => this.#loadObject(request, clock));
    this.#loading = result.catch(() => {});
    return result;
  }

  async #loadObject(request: LoadRequest, time: Clock): Promise<LoadResult> {
    const { id, name, object, choice = {}, replace = false, keepMaps = 'fitting', verifyOnly = false } = request;
    checkId(id);
    if (!verifyOnly) this.#checkRoom(id, replace);
    if (object.length > MAX_OBJECT_BYTES)
      throw new ExtensionError(
        'OKO_TOO_LARGE',
        `an object file of ${object.length} bytes; at most ${MAX_OBJECT_BYTES} are taken`,
      );
    const { job, maps: definitions, ...known } = await this.#compiler.inspect(object, choice);
    const head = { id, name: name === '' ? known.function : name, ...known, objectBytes: object.length, ...ZERO };
    if (definitions.length > MAX_PROGRAM_MAPS) {
      this.#compiler.discard(job);
      throw new ExtensionError('OKO_TOO_MANY', `${definitions.length} maps; a program can have ${MAX_PROGRAM_MAPS}`);
    }
    if (verifyOnly) {
      this.#compiler.discard(job);
      const maps = definitions.map((definition) => ({ definition, bytesUsed: 0 }));
      return { program: { ...head, maps, loadedAtNs: 0n }, replaced: false, keptMaps: 0 };
    }
    const old = this.#programs.get(id);
    const { memory, clock } = this.#around;
    const plan = this.#plan(job, () =>
      planMaps(definitions, old?.maps ?? [], keepMaps, memory, clock, this.#mapBytesLeft),
    );
    try {
      const { maps, code } = await this.#compiler.build(job, plan.places, this.#around);
      if (this.#programs.get(id) !== old)
        throw new ExtensionError(
          'OKO_NO_SUCH_PROGRAM',
          `filter program ${id} was unloaded while it was to be replaced`,
        );
      const program = this.#put({ ...head, maps, code, loadedAtNs: time.nowNs() });
      this.#store?.loaded(request);
      return { program, replaced: old !== undefined, keptMaps: plan.kept.length };
    } catch (error) {
      release(memory, plan.places);
      throw error;
    }
  }

  #plan<T>(job: number, plan: () => T): T {
    try {
      return plan();
    } catch (error) {
      this.#compiler.discard(job);
      throw error;
    }
  }

  #checkRoom(id: number, replace: boolean): void {
    checkId(id);
    const old = this.#programs.get(id);
    if (old !== undefined && !replace)
      throw new ExtensionError(
        'OKO_PROGRAM_EXISTS',
        `filter program ${id} is loaded already, it is ${old.name}; it can be replaced (--replace) or unloaded`,
      );
    if (old === undefined && this.#programs.size >= this.maxPrograms)
      throw new ExtensionError('OKO_TOO_MANY', `${this.maxPrograms} filter programs are loaded, which is the limit`);
  }

  /** For new maps; those of a program that is to be replaced are there until the new ones are made. */
  get #mapBytesLeft(): number {
    return Math.max(0, this.#maxMapBytes - this.mapBytes);
  }

  /** In place of the one that has the number: its counters go on, its maps go unless they are the new program's too. */
  #put(next: FilterProgram): FilterProgram {
    const old = this.#programs.get(next.id);
    const { runs, matches, failures } = old ?? next;
    // Whoever looks at a map that lives on goes on looking.
    const maps = next.maps.map((map) => old?.maps.find(({ address }) => address === map.address) ?? map);
    const program = { ...next, maps, runs, matches, failures };
    this.#programs.set(program.id, program);
    this.#user?.changed(program.id, moduleOf(program));
    for (const map of old?.maps ?? []) if (!maps.includes(map)) this.#drop(map);
    for (const map of maps) this.#maps.add(map);
    return program;
  }

  #drop(map: BpfMap): void {
    this.#maps.delete(map);
    destroyMap(map);
  }

  /** @throws ExtensionError OKO_NO_SUCH_PROGRAM */
  unload(id: number): void {
    const program = this.get(id);
    this.#programs.delete(id);
    this.#store?.unloaded(id);
    this.#user?.changed(id, undefined);
    this.#takeCounts(program);
    const { maps } = program;
    for (const map of maps) this.#drop(map);
  }

  matches(id: number, packet: Uint8Array, timeNs: bigint): boolean {
    const program = this.#programs.get(id);
    if (program === undefined) return false;
    const { memory, clock, thread } = this.#around;
    // A thread that runs programs now and then must not hold up those that run them all the time.
    if (!this.#isAlone) clock.enter(ONLY_THREAD);
    const length = Math.min(packet.length, PACKET_BYTES);
    memory.bytes.set(packet.subarray(0, length), this.#packetAddress);
    thread.timeNs = timeNs;
    const matched =
      program.runs++ % SAMPLE_RUNS === WARM_RUN ? this.#runTimed(program, length) : this.#run(program, length);
    if (matched) program.matches++;
    clock.advance(ONLY_THREAD);
    if (!this.#isAlone) clock.leave(ONLY_THREAD);
    return matched;
  }

  #runTimed(program: FilterProgram, length: number): boolean {
    const start = process.hrtime.bigint();
    const matched = this.#run(program, length);
    program.sampledNs += Number(process.hrtime.bigint() - start);
    program.sampledRuns++;
    return matched;
  }

  #run(program: FilterProgram, length: number): boolean {
    try {
      return program.code.run(this.#packetAddress, length) === MATCH;
    } catch (error) {
      if (!(error instanceof OkoError) && !(error instanceof WebAssembly.RuntimeError)) throw error;
      program.failures++;
      return false;
    }
  }

  *#modules(): Iterable<readonly [number, WebAssembly.Module]> {
    for (const program of this.#programs.values()) {
      const module = moduleOf(program);
      if (module !== undefined) yield [program.id, module];
    }
  }

  /** Adds what packet threads have counted since the last time. */
  #takeCounts(program: FilterProgram): void {
    const counts = this.#user?.counters(program.id);
    if (counts === undefined) return;
    const before = this.#counted.get(program.id) ?? ZERO;
    program.runs += counts.runs - before.runs;
    program.matches += counts.matches - before.matches;
    this.#counted.set(program.id, counts);
  }

  has(id: number): boolean {
    return this.#programs.has(id);
  }

  /** @throws ExtensionError OKO_NO_SUCH_PROGRAM */
  get(id: number): FilterProgram {
    const program = this.#programs.get(id);
    if (program === undefined) throw new ExtensionError('OKO_NO_SUCH_PROGRAM', `no filter program ${id} is loaded`);
    this.#takeCounts(program);
    return program;
  }

  /**
   * A map of a program, by its number, also as text, or its name.
   *
   * @throws ExtensionError OKO_NO_SUCH_PROGRAM, OKO_NO_SUCH_MAP
   */
  map(id: number, map: string | number): BpfMap {
    const { maps, name } = this.get(id);
    const isNumber = typeof map === 'number' || /^\d+$/.test(map);
    const found = isNumber ? maps[Number(map)] : maps.find(({ definition }) => definition.name === map);
    if (found === undefined) {
      const names = maps.map(({ definition }, i) => `${i} (${definition.name})`).join(', ');
      throw new ExtensionError(
        'OKO_NO_SUCH_MAP',
        `filter program ${id} (${name}) has no map ${map}; it has ${names || 'none'}`,
      );
    }
    return found;
  }

  /** Is it still a map of a program, so that its bytes are its own? */
  isLive(map: BpfMap): boolean {
    return this.#maps.has(map);
  }

  /** No program is running: slots of maps that wait for that are free again. */
  quiesce(): void {
    for (let i = 0; i < QUARANTINE_EPOCHS; i++) this.#around.clock.advance(ONLY_THREAD);
  }

  /** In the order of their numbers. */
  list(): readonly FilterProgram[] {
    for (const program of this.#programs.values()) this.#takeCounts(program);
    return [...this.#programs.values()].sort((a, b) => a.id - b.id);
  }

  /** Bytes of all maps together. */
  get mapBytes(): number {
    let bytes = 0;
    for (const { bytesUsed } of this.#maps) bytes += bytesUsed;
    return bytes;
  }

  /** The most bytes that all maps may have together. */
  get maxMapBytes(): number {
    const { bytesUsed, bytesFree } = this.#around.memory;
    return Math.min(this.#maxMapBytes, bytesUsed + bytesFree);
  }

  /** What programs printed since the last call. */
  takePrints(): readonly PrintRecord[] {
    return this.#around.thread.takePrints();
  }
}

const ZERO = { runs: 0, matches: 0, failures: 0, sampledRuns: 0, sampledNs: 0 };

/** A memory of its own, where programs run on one thread only. */
function ownSurroundings(windowBits: number, shared: boolean): Surroundings {
  const memory = EbpfMemory.standalone({ windowBits, shared });
  const clock = EpochClock.create(memory, 1);
  clock.enter(ONLY_THREAD);
  return { memory, clock, thread: EbpfThread.create(memory, ONLY_THREAD) };
}

function moduleOf({ code }: FilterProgram): WebAssembly.Module | undefined {
  return code instanceof WasmProgram ? code.module : undefined;
}

function checkId(id: number): void {
  if (!Number.isInteger(id) || id < 1 || id > MAX_PROGRAM_ID)
    throw new ExtensionError('OKO_BAD_PROGRAM_ID', `filter program ${id}: the number must be 1 to ${MAX_PROGRAM_ID}`);
}
