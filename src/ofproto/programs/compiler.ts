import {
  attachMap,
  BpfError,
  type BpfMap,
  type EbpfMemory,
  type EbpfThread,
  type Engine,
  type EpochClock,
  formatRejection,
  type LoadedProgram,
  loadObject,
  type MapDefinition,
  mapBytes,
  type Program,
  type ProgramChoice,
  placeMap,
  verify,
} from '../../bpf/index.ts';
import { ExtensionError, type VerifierFigures } from '../../openflow/index.ts';

/** A program that was read and accepted, and waits to be compiled. */
export interface InspectedProgram {
  /** The compiler's own number for it. */
  readonly job: number;
  readonly section: string;
  readonly function: string;
  readonly maps: readonly MapDefinition[];
  readonly verifier: VerifierFigures;
}

/** Where a program's map is, or is to be made. */
export interface MapPlace {
  readonly definition: MapDefinition;
  readonly address: number;
  /** `kept`: the map is there; else it is made in a block that holds zeros (`zero`) or has to be zeroed first (`used`). */
  readonly state: 'kept' | 'zero' | 'used';
}

/** What a compiled program runs in. */
export interface Surroundings {
  readonly memory: EbpfMemory;
  readonly clock: EpochClock;
  readonly thread: EbpfThread;
}

export interface BuiltProgram {
  readonly maps: readonly BpfMap[];
  readonly code: LoadedProgram;
}

/** Reads, verifies and compiles programs, somewhere. */
export interface ProgramCompiler {
  /** Does it work on the maps from another thread? */
  readonly needsSharedMemory: boolean;
  /**
   * Every job ends with `build` or `discard`.
   *
   * @throws ExtensionError OKO_BAD_OBJECT, OKO_REJECTED with the whole explanation
   */
  inspect(object: Uint8Array, choice: ProgramChoice): Promise<InspectedProgram>;
  /** Makes the maps that are to be made, and compiles the program for them. @throws ExtensionError OKO_BAD_OBJECT */
  build(job: number, places: readonly MapPlace[], around: Surroundings): Promise<BuiltProgram>;
  discard(job: number): void;
  close(): Promise<void>;
}

/** Reads an object and verifies the program that was chosen of it. @throws ExtensionError */
export function inspectObject(
  object: Uint8Array,
  choice: ProgramChoice,
): { readonly program: Program; readonly verifier: VerifierFigures } {
  const program = readable(() => loadObject(object).select(choice));
  return { program, verifier: verified(program) };
}

/** @throws ExtensionError OKO_REJECTED */
export function verified(program: Program): VerifierFigures {
  const verdict = verify(program);
  if (!verdict.accepted) throw new ExtensionError('OKO_REJECTED', formatRejection(verdict.rejection));
  return verdict.summary;
}

/** Runs what may find a fault in the object. */
export function readable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BpfError) throw new ExtensionError('OKO_BAD_OBJECT', error.message, { cause: error });
    throw error;
  }
}

/** The map of a place, made if it has to be. */
export function mapAt(
  { memory, clock }: Pick<Surroundings, 'memory' | 'clock'>,
  { definition, address, state }: MapPlace,
): BpfMap {
  if (state === 'kept') return attachMap(memory, clock, definition, address);
  if (state === 'used') memory.bytes.fill(0, address, address + mapBytes(clock, definition));
  return placeMap(memory, clock, definition, address);
}

/** Does it all at once, on the thread that asks. */
export class DirectCompiler implements ProgramCompiler {
  readonly needsSharedMemory = false;
  readonly #engine: Engine;
  readonly #waiting = new Map<number, Program>();
  #nextJob = 1;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async inspect(object: Uint8Array, choice: ProgramChoice): Promise<InspectedProgram> {
    const { program, verifier } = inspectObject(object, choice);
    const job = this.#nextJob++;
    this.#waiting.set(job, program);
    return { job, section: program.section ?? '', function: program.name, maps: program.maps, verifier };
  }

  async build(job: number, places: readonly MapPlace[], around: Surroundings): Promise<BuiltProgram> {
    const program = this.#waiting.get(job);
    if (program === undefined) throw new RangeError(`no program waits as job ${job}`);
    this.#waiting.delete(job);
    const maps = places.map((place) => mapAt(around, place));
    return { maps, code: readable(() => this.#engine.load(program, { ...around, maps })) };
  }

  discard(job: number): void {
    this.#waiting.delete(job);
  }

  async close(): Promise<void> {}
}
