import type { Program } from '../program.ts';
import type { ControlFlow } from './control-flow.ts';
import { Interests } from './interest.ts';
import { LoopNest } from './loop-nest.ts';
import { Machine } from './machine.ts';
import { type Effort, Meeting } from './meeting.ts';
import { beginRounds, compareKeys, countRounds, orderKey } from './order.ts';
import { PriorityQueue } from './priority-queue.ts';
import { Refusal } from './refusal.ts';
import { Relevance } from './relevance.ts';
import { plain, State } from './state.ts';
import { differences } from './subsumption.ts';
import { isLinked, LENGTH_ID, type Value } from './value.ts';

export interface ExplorationOptions {
  /** Most instructions to follow, over all paths; comparing states counts too. */
  readonly limit: number;
  /** Whether states may be joined where many meet; a number: as soon as so many do. */
  readonly joins: boolean | number;
  /** Whether states are compared in full, also in what can no longer decide anything. */
  readonly everything?: boolean;
  readonly trace?: (state: State, how: 'step' | 'meeting' | 'covered') => void;
}

/** States that may wait at one place while on the whole few do. */
const MANY = 16;
/** States that may wait at one place when many do at most. */
const FEW = 3;
/** More states than this at a place, on average, is many. */
const MANY_ON_AVERAGE = 1.5;
/** States before the average says anything. */
const FREE_STATES = 300;

/**
 * Follows the program's paths in the order of `orderKey`, the rounds of loops counted. Where paths meet, states wait until
 * no other can arrive; of these only those are followed that no other one covers, and where too many are left, the nearest
 * are joined. As a key only grows along a path, no state is taken for safe because of what follows from itself: when no
 * state is left, every run of the program has been covered and ends.
 */
export class Exploration {
  readonly machine: Machine;
  visited = 0;
  states = 0;
  /** Instructions of the longest path that ended. */
  longestPath = 0;
  readonly #flow: ControlFlow;
  readonly #nest: LoopNest;
  readonly #relevance: Relevance;
  readonly #interests: Interests;
  readonly #options: ExplorationOptions;
  readonly #waiting = new PriorityQueue<Meeting>((a, b) => compareKeys(a.key, b.key));
  readonly #meetings = new Map<string, Meeting>();
  readonly #visits: Uint32Array;
  readonly #effort: Effort = { spent: 0 };
  #places = 0;
  /** The state at hand when a refusal is thrown. */
  #current: State = new State();

  constructor(program: Program, flow: ControlFlow, options: ExplorationOptions) {
    this.#nest = new LoopNest(flow);
    this.machine = new Machine(program, flow, this.#nest);
    this.#flow = flow;
    this.#relevance = new Relevance(flow, options.everything);
    this.#interests = new Interests(this.#relevance);
    this.#options = options;
    this.#visits = new Uint32Array(flow.decoded.length);
  }

  /** The state in which the program was refused; after `run` threw. */
  get refusedAt(): State {
    return this.#current;
  }

  /** Throws Refusal. */
  run(): void {
    const start = new State();
    beginRounds(start, this.#nest);
    this.#meet(start);
    for (let meeting = this.#waiting.pop(); meeting !== undefined; meeting = this.#waiting.pop()) {
      this.#meetings.delete(meeting.key.join());
      if (this.#options.joins !== false) meeting.reduce(this.#most, this.machine.freshId);
      this.#places++;
      this.states += meeting.size;
      for (const state of meeting.states) {
        this.#current = state;
        this.#comeRound(state);
        this.#follow(state);
      }
    }
  }

  /** How many states may go on from one place. */
  get #most(): number {
    if (typeof this.#options.joins === 'number') return this.#options.joins;
    return this.states > FREE_STATES && this.states > MANY_ON_AVERAGE * this.#places ? FEW : MANY;
  }

  /** Follows every path from the state up to where it meets others or ends. */
  #follow(begin: State): void {
    const branches: State[] = [begin];
    for (let state = branches.pop(); state !== undefined; state = branches.pop()) {
      let at: State | undefined = state;
      let begins = state === begin;
      while (at !== undefined && (begins || !this.#flow.meets[at.pc])) {
        this.#current = at;
        this.#options.trace?.(at, begins ? 'meeting' : 'step');
        begins = false;
        const { next, other } = this.#step(at);
        if (other !== undefined) branches.push(other);
        at = next;
      }
      if (at !== undefined) this.#meet(at);
    }
  }

  #step(state: State): { next: State | undefined; other: State | undefined } {
    if (this.visited + this.#effort.spent >= this.#options.limit) throw this.#tooComplex();
    const { pc } = state;
    const frames = state.callers.length;
    this.visited++;
    this.#visits[pc]++;
    state.steps++;
    const successors = this.machine.step(state);
    const { next, other } = successors;
    if (other !== undefined) {
      other.steps = state.steps;
      countRounds(other, pc, this.#nest);
    }
    if (next === undefined) {
      this.longestPath = Math.max(this.longestPath, state.steps);
    } else {
      next.steps = state.steps;
      if (next.callers.length === frames) countRounds(next, pc, this.#nest);
      else if (next.callers.length < frames) countRounds(next, next.pc - 1, this.#nest);
      else beginRounds(next, this.#nest);
    }
    return successors;
  }

  /** Lets the state wait for others that get to the same place. */
  #meet(state: State): void {
    this.#tidy(state);
    const key = orderKey(state, this.#nest);
    const name = key.join();
    let meeting = this.#meetings.get(name);
    if (meeting === undefined) {
      meeting = new Meeting(key, state.pc, this.#interests, this.#effort);
      this.#meetings.set(name, meeting);
      this.#waiting.push(meeting);
    }
    if (!meeting.add(state)) this.#options.trace?.(state, 'covered');
    if (this.#options.joins !== false && meeting.size > 4 * MANY) meeting.reduce(this.#most, this.machine.freshId);
  }

  /** At the head of a loop: refuses a state that was here before, on its own way. */
  #comeRound(state: State): void {
    const round = state.rounds.at(-1);
    if (round === undefined || round.loop.head !== state.pc) return;
    const { seen, count } = round;
    if (seen !== undefined && this.#equal(seen, state)) {
      throw new Refusal(
        'BPF_VERIFIER_INFINITE_LOOP',
        'the loop comes round to the same state: nothing here makes it end',
        'count the rounds: for (int i = 0; i < 16; i++) { if (done) break; … }, with a constant bound',
      );
    }
    // Remembering the state in rounds 0, 1, 2, 4, 8, … finds every cycle (Brent).
    if ((count & (count - 1)) !== 0) return;
    const remembered = state.clone();
    remembered.rounds = [];
    state.rounds = [...state.rounds.slice(0, -1), { ...round, seen: remembered }];
  }

  #equal(a: State, b: State): boolean {
    return differences(a, b, this.#interests) === 0 && differences(b, a, this.#interests) === 0;
  }

  /** Forgets what only this path knows and nothing can ask for, so that states compare equal that are. */
  #tidy(state: State): void {
    const live = this.#relevance.liveRegisters[state.pc];
    for (let r = 0; r < 10; r++) {
      const value = state.registers[r];
      if ((live & (1 << r)) !== 0) state.registers[r] = plain(value);
      else if (value.kind !== 'uninitialised') state.registers[r] = FORGOTTEN;
    }
    if (state.slacks.size > MANY_SLACKS) forgetSlacks(state);
  }

  #tooComplex(): Refusal {
    let busiest = 0;
    for (let pc = 0; pc < this.#visits.length; pc++) {
      if (this.#visits[pc] > this.#visits[busiest]) busiest = pc;
    }
    return new Refusal(
      'BPF_VERIFIER_TOO_COMPLEX',
      `the program is too complex: ${this.visited} instructions were followed and paths remain; most often this one, ${this.#visits[busiest]} times`,
      'lower the bound of the loop, mask numbers before they are used, or split the program in two',
      { pc: busiest },
    );
  }
}

/** Bounds by the packet's length that are kept without asking whose they are. */
const MANY_SLACKS = 12;

const FORGOTTEN: Value = { kind: 'uninitialised' };

/** Drops what is known of numbers that no value has any more. */
function forgetSlacks(state: State): void {
  const ids = new Set<number>([LENGTH_ID]);
  state.mapValues((value) => {
    if (isLinked(value)) ids.add(value.id);
    return value;
  }, true);
  for (const id of state.slacks.keys()) {
    if (ids.has(id)) continue;
    state.slacks = new Map([...state.slacks].filter(([known]) => ids.has(known)));
    return;
  }
}
