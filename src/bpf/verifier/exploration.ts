import type { Program } from '../program.ts';
import type { ControlFlow } from './control-flow.ts';
import { joinStates } from './join.ts';
import { Machine } from './machine.ts';
import { Refusal } from './refusal.ts';
import { Relevance } from './relevance.ts';
import { State } from './state.ts';
import { differences } from './subsumption.ts';
import { isLinked, type Value } from './value.ts';

/** A state at a pc where paths meet, and how far what follows from it has been verified. */
interface Checkpoint {
  readonly state: State;
  readonly parent: Checkpoint | undefined;
  /** Instructions from the parent to here. */
  readonly distance: number;
  readonly signature: number;
  /** Paths from here that have not ended yet. */
  open: number;
  /** Most instructions from here to the end of the program. */
  longest: number;
  /** When `state` joins several: the one that really arrived, and the paths that waited then. */
  readonly joined: { readonly arrived: State; readonly waiting: number } | undefined;
}

/** What is known of one pc where paths meet. */
interface Meeting {
  /** Verified to the end, the most useful last. */
  readonly verified: Checkpoint[];
  /** On the way that is being followed. */
  readonly active: Checkpoint[];
  joins: number;
  failedJoins: number;
}

interface Path {
  readonly state: State;
  readonly from: Checkpoint;
  /** Instructions since `from`. */
  readonly steps: number;
  /** Whether `from` is the checkpoint of this very state. */
  readonly atCheckpoint: boolean;
}

export interface ExplorationOptions {
  /** Most instructions to follow, over all paths. */
  readonly limit: number;
  readonly trace?: (state: State, how: 'step' | 'branch' | 'known') => void;
}

/** Verified states kept for one pc, and of these how many may be taken for a pile before states are joined. */
const MOST_KEPT = 96;
const MOST_COMPARED = 8;

/**
 * Follows the program's paths, depth first. A state that a verified one covers is not followed again. While that is cheap,
 * states are kept exact; where many that differ little pile up at one pc, they are joined into one, and only if the joined
 * one is refused is the exact one followed after all. Every loop is followed round by round, so a program that is accepted
 * ends: a state that comes round unchanged is refused.
 */
export class Exploration {
  readonly machine: Machine;
  visited = 0;
  states = 0;
  readonly #flow: ControlFlow;
  readonly #relevance: Relevance;
  readonly #options: ExplorationOptions;
  readonly #waiting: Path[] = [];
  readonly #meetings = new Map<number, Meeting>();
  readonly #visits: Uint32Array;
  /** The way that is being followed, from the root. */
  readonly #chain: Checkpoint[] = [];
  /** The state at hand when a refusal is thrown. */
  #current: State = new State();

  constructor(program: Program, flow: ControlFlow, options: ExplorationOptions) {
    this.machine = new Machine(program, flow);
    this.#flow = flow;
    this.#relevance = new Relevance(flow);
    this.#options = options;
    this.#visits = new Uint32Array(flow.decoded.length);
  }

  /** The state in which the program was refused; after `run` threw. */
  get refusedAt(): State {
    return this.#current;
  }

  /** Instructions of the longest path. Throws Refusal. */
  run(): number {
    const start = new State();
    const root = this.#checkpoint(start, undefined, 0, undefined);
    this.#waiting.push({ state: start, from: root, steps: 0, atCheckpoint: false });
    for (let path = this.#waiting.pop(); path !== undefined; path = this.#waiting.pop()) {
      try {
        this.#follow(path);
      } catch (error) {
        if (!(error instanceof Refusal) || error.code === 'BPF_VERIFIER_TOO_COMPLEX' || !this.#fallBack()) throw error;
      }
    }
    return root.longest;
  }

  #follow(path: Path): void {
    let { state, from, steps } = path;
    let begins = true;
    for (;;) {
      this.#current = state;
      const { pc } = state;
      if (this.#flow.meets[pc] && !(begins && path.atCheckpoint)) {
        const arrival = this.#arrive(state, from, steps);
        if (typeof arrival === 'number') {
          this.#options.trace?.(state, 'known');
          this.#end(from, steps + arrival);
          return;
        }
        from = arrival;
        if (arrival.joined !== undefined) state = arrival.state.clone();
        this.#current = state;
        steps = 0;
      }
      this.#options.trace?.(state, begins ? 'branch' : 'step');
      begins = false;
      if (this.visited >= this.#options.limit) throw this.#tooComplex();
      this.visited++;
      this.#visits[pc]++;
      const { next, other } = this.machine.step(state);
      steps++;
      if (other !== undefined) {
        from.open++;
        this.#waiting.push({ state: other, from, steps, atCheckpoint: false });
      }
      if (next === undefined) {
        this.#end(from, steps);
        return;
      }
      state = next;
    }
  }

  /** Most instructions to the end when a verified state covers this one, else the checkpoint to go on from. */
  #arrive(state: State, from: Checkpoint, steps: number): Checkpoint | number {
    this.#tidy(state);
    const { pc } = state;
    const meeting = this.#meeting(pc);
    const { verified, active } = meeting;
    for (let i = verified.length - 1; i >= 0; i--) {
      const old = verified[i];
      if (differences(old.state, state, this.#relevance) !== 0) continue;
      if (i < verified.length - MOST_COMPARED) verified.push(...verified.splice(i, 1));
      return old.longest;
    }
    if (this.#flow.loops[pc]) this.#refuseComingRound(state, active);
    const joined = this.#pile(state, meeting);
    if (joined === undefined) return this.#checkpoint(state, from, steps, undefined);
    meeting.joins++;
    return this.#checkpoint(joined, from, steps, { arrived: state, waiting: this.#waiting.length });
  }

  #checkpoint(
    state: State,
    parent: Checkpoint | undefined,
    distance: number,
    joined: Checkpoint['joined'],
  ): Checkpoint {
    this.states++;
    const checkpoint: Checkpoint = {
      state: state.clone(),
      parent,
      distance,
      signature: signatureOf(state, this.#relevance),
      open: 1,
      longest: 0,
      joined,
    };
    this.#chain.push(checkpoint);
    if (parent !== undefined) this.#meeting(state.pc).active.push(checkpoint);
    return checkpoint;
  }

  #meeting(pc: number): Meeting {
    let meeting = this.#meetings.get(pc);
    if (meeting === undefined) {
      meeting = { verified: [], active: [], joins: 0, failedJoins: 0 };
      this.#meetings.set(pc, meeting);
    }
    return meeting;
  }

  /** A path from the checkpoint ended after so many instructions. */
  #end(checkpoint: Checkpoint, steps: number): void {
    let at: Checkpoint | undefined = checkpoint;
    let length = steps;
    while (at !== undefined) {
      at.longest = Math.max(at.longest, length);
      at.open--;
      if (at.open > 0) return;
      this.#chain.pop();
      length = at.distance + at.longest;
      if (at.parent !== undefined) {
        const { verified, active } = this.#meeting(at.state.pc);
        active.pop();
        verified.push(at);
        if (verified.length > MOST_KEPT) verified.splice(0, MOST_KEPT / 2);
      }
      at = at.parent;
    }
  }

  /** After a refusal: back to the last joined state on the way, to follow the exact one instead. */
  #fallBack(): boolean {
    const at = this.#chain.findLastIndex((checkpoint) => checkpoint.joined !== undefined);
    if (at < 0) return false;
    const { parent, distance, joined } = this.#chain[at];
    for (const gone of this.#chain.splice(at)) this.#meeting(gone.state.pc).active.pop();
    if (parent === undefined || joined === undefined) return false;
    this.#waiting.length = joined.waiting;
    this.#meeting(joined.arrived.pc).failedJoins++;
    const exact = this.#checkpoint(joined.arrived, parent, distance, undefined);
    this.#waiting.push({ state: joined.arrived, from: exact, steps: 0, atCheckpoint: true });
    return true;
  }

  /** States that differ little from this one have piled up here: the one that covers them all. */
  #pile(state: State, meeting: Meeting): State | undefined {
    const many = this.visited < 30_000 ? 32 : this.visited < 150_000 ? 10 : 3;
    const { verified, active } = meeting;
    if (verified.length < many || meeting.failedJoins > 2) return undefined;
    if (active.some((checkpoint) => checkpoint.joined !== undefined)) return undefined;
    let least = 9;
    let near: Checkpoint[] = [];
    for (let i = verified.length - 1; i >= 0; i--) {
      const count = differences(verified[i].state, state, this.#relevance, least);
      if (count > least || count > 8) continue;
      if (count < least) near = [];
      least = count;
      near.push(verified[i]);
    }
    if (near.length < Math.max(2, many >> 1)) return undefined;
    const wide = meeting.joins > 2;
    return near
      .slice(0, MOST_COMPARED)
      .reduce((joined, old) => joinStates(old.state, joined, wide, this.machine.freshId), state);
  }

  #refuseComingRound(state: State, active: readonly Checkpoint[]): void {
    const signature = signatureOf(state, this.#relevance);
    for (let i = active.length - 1; i >= 0; i--) {
      if (active[i].signature !== signature) continue;
      const old = active[i].state;
      if (differences(old, state, this.#relevance) !== 0 || differences(state, old, this.#relevance) !== 0) continue;
      throw new Refusal(
        'BPF_VERIFIER_INFINITE_LOOP',
        'the loop comes round to the same state: nothing here makes it end',
        'count the rounds: for (int i = 0; i < 16; i++) { if (done) break; … }, with a constant bound',
      );
    }
  }

  /** Forgets what only this path knows and nothing can ask for, so that states compare equal that are. */
  #tidy(state: State): void {
    const ids = new Set<number>();
    const note = (value: Value): Value => {
      if (!isLinked(value)) return value;
      if (value.id !== 0) ids.add(value.id);
      return value.kind === 'scalar' && value.shifted !== undefined ? { ...value, shifted: undefined } : value;
    };
    const live = this.#relevance.liveRegisters[state.pc];
    for (let r = 0; r < 10; r++) {
      if ((live & (1 << r)) === 0 && state.registers[r].kind !== 'uninitialised') {
        state.registers[r] = FORGOTTEN;
      }
    }
    state.mapValues(note, true);
    if ([...state.slacks.keys()].some((id) => id !== 1 && !ids.has(id))) {
      state.slacks = new Map([...state.slacks].filter(([id]) => id === 1 || ids.has(id)));
    }
  }

  #tooComplex(): Refusal {
    let busiest = 0;
    for (let pc = 0; pc < this.#visits.length; pc++) {
      if (this.#visits[pc] > this.#visits[busiest]) busiest = pc;
    }
    return new Refusal(
      'BPF_VERIFIER_TOO_COMPLEX',
      `the program is too complex: ${this.#options.limit} instructions were followed and paths remain; most often this one, ${this.#visits[busiest]} times`,
      'lower the bound of the loop, mask numbers before they are used, or split the program in two',
      { pc: busiest },
    );
  }
}

const FORGOTTEN: Value = { kind: 'uninitialised' };

/** A number that differs for most states that differ. */
function signatureOf(state: State, relevance: Relevance): number {
  const decisive = relevance.decisiveRegisters[state.pc] & relevance.liveRegisters[state.pc];
  let signature = state.callers.length;
  for (let r = 0; r < 10; r++) {
    const value = state.registers[r];
    if ((decisive & (1 << r)) === 0 || !isLinked(value)) continue;
    const { umin, umax } = value.range;
    signature = (Math.imul(signature, 31) + Number(BigInt.asIntN(32, umin)) * 7 + Number(BigInt.asIntN(32, umax))) | 0;
  }
  return signature;
}
