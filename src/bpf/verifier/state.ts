import { intersect, type Scalar, unsignedRange, ZERO } from './domain/scalar.ts';
import type { Loop } from './loop-nest.ts';
import { Stack } from './stack.ts';
import {
  isLinked,
  LENGTH_ID,
  type Linked,
  type LinkedValue,
  PACKET_LENGTH,
  PACKET_START,
  rangeThroughLink,
  UNINITIALISED,
  type Value,
  withRange,
} from './value.ts';

/** A caller that waits for a local call to return. */
export interface Caller {
  /** First slot of its function. */
  readonly functionPc: number;
  readonly returnPc: number;
  /** r6 to r9. */
  readonly saved: readonly Value[];
  readonly rounds: readonly Round[];
  /** Where the call stands in the order of everything that can be run (`orderKey`). */
  readonly key: readonly number[];
}

/** A loop that control is in. */
export interface Round {
  readonly loop: Loop;
  /** How often control came round. */
  readonly count: number;
  /** The state at the head some rounds ago: when it comes again, the loop never ends. */
  readonly seen: State | undefined;
}

/** The way that led to a state: its conditional jumps and calls, the latest first. */
export interface Step {
  readonly pc: number;
  readonly to: number;
  readonly before: Step | undefined;
}

/** The length is at most itself. */
const LENGTH_ONLY: ReadonlyMap<number, number> = new Map([[LENGTH_ID, 0]]);

/** Frame pointers, by depth. */
const FRAME_POINTERS: readonly LinkedValue[] = Array.from({ length: 8 }, (_, frame) => ({
  kind: 'stack',
  frame,
  range: ZERO,
  id: 0,
  delta: 0,
}));

const EMPTY_STACK = new Stack();

/** uint64_t entry(void *pkt, uint64_t pkt_len) */
const AT_START: readonly Value[] = Array.from({ length: 11 }, (_, r) =>
  r === 1 ? PACKET_START : r === 2 ? PACKET_LENGTH : r === 10 ? FRAME_POINTERS[0] : UNINITIALISED,
);

/** Most frames, the entry function's included. */
export const MAX_FRAMES = FRAME_POINTERS.length;

/** What is known before an instruction. The only mutable part of the verifier's data; values and stacks are shared. */
export class State {
  pc: number;
  /** First slot of the running function. */
  functionPc: number;
  registers: Value[];
  /** By frame, the running one last. */
  stacks: Stack[];
  callers: readonly Caller[];
  /** Of the packet, in bytes. */
  length: Scalar;
  /** Where the least length was learnt, for messages. */
  lengthLearntAt: number | undefined;
  /**
   * Numbers known to be at most the packet's length: for an id, the greatest that its number less the length can be.
   * So a value with this id and `delta` is at most length + slack + delta, if it is not negative as a signed number.
   */
  slacks: ReadonlyMap<number, number>;
  path: Step | undefined;
  /** The loops that control is in, the outermost first. */
  rounds: readonly Round[];
  /** Instructions from the start of the program: the most, where ways have met. */
  steps: number;
  /** Whether it covers more than what ways through the program lead to. */
  isJoined: boolean;

  /** A copy of another one, or the start of the program. */
  constructor(from?: State) {
    this.pc = from === undefined ? 0 : from.pc;
    this.functionPc = from === undefined ? 0 : from.functionPc;
    this.registers = from === undefined ? [...AT_START] : from.registers.slice();
    this.stacks = from === undefined ? [EMPTY_STACK] : from.stacks.slice();
    this.callers = from === undefined ? [] : from.callers;
    this.length = from === undefined ? PACKET_LENGTH.range : from.length;
    this.lengthLearntAt = from?.lengthLearntAt;
    this.slacks = from === undefined ? LENGTH_ONLY : from.slacks;
    this.path = from?.path;
    this.rounds = from === undefined ? [] : from.rounds;
    this.steps = from === undefined ? 0 : from.steps;
    this.isJoined = from?.isJoined ?? false;
  }

  clone(): State {
    return new State(this);
  }

  get frame(): number {
    return this.stacks.length - 1;
  }

  enter(functionPc: number, returnPc: number, key: readonly number[]): void {
    const saved = this.registers.slice(6, 10).map(plain);
    this.callers = [...this.callers, { functionPc: this.functionPc, returnPc, saved, rounds: this.rounds, key }];
    this.rounds = [];
    this.stacks.push(EMPTY_STACK);
    for (const r of [0, 6, 7, 8, 9]) this.registers[r] = UNINITIALISED;
    this.registers[10] = FRAME_POINTERS[this.frame];
    this.functionPc = functionPc;
    this.pc = functionPc;
  }

  /** Back to the caller, r0 as it is; false when this is the entry function. */
  leave(): boolean {
    const caller = this.callers.at(-1);
    if (caller === undefined) return false;
    this.forgetArguments(caller.returnPc - 1);
    caller.saved.forEach((value, i) => {
      this.registers[6 + i] = value;
    });
    this.stacks.pop();
    this.callers = this.callers.slice(0, -1);
    this.registers[10] = FRAME_POINTERS[this.frame];
    this.functionPc = caller.functionPc;
    this.rounds = caller.rounds;
    this.pc = caller.returnPc;
    return true;
  }

  /** A call leaves nothing in r1 to r5. */
  forgetArguments(callPc: number): void {
    for (let r = 1; r <= 5; r++) this.registers[r] = { kind: 'uninitialised', lostAt: callPc };
  }

  /** Replaces every value, wherever it is kept. */
  mapValues(change: (value: Value) => Value, linksOnly: boolean): void {
    const { registers, stacks } = this;
    for (let r = 0; r < 10; r++) registers[r] = change(registers[r]);
    for (let i = 0; i < stacks.length; i++) {
      if (!linksOnly || stacks[i].hasLinks) stacks[i] = stacks[i].map(change);
    }
    if (this.callers.length > 0) {
      this.callers = this.callers.map((caller) => ({ ...caller, saved: caller.saved.map(change) }));
    }
  }

  /**
   * Narrows the number of `link` to `range`, and with it all that is linked. False when that leaves no number for one of
   * them: then no run gets here.
   */
  narrow(link: Linked, range: Scalar): boolean {
    if (link.id === 0) return true;
    let possible = true;
    const tell = (value: Value): Value => {
      if (!isLinked(value) || value.id !== link.id) return value;
      const narrowed = intersect(value.range, rangeThroughLink(range, link, value));
      if (narrowed === undefined) {
        possible = false;
        return value;
      }
      return withRange(value, narrowed);
    };
    this.mapValues(tell, true);
    if (link.id === LENGTH_ID) return this.#narrowLength(rangeThroughLink(range, link, PACKET_LENGTH)) && possible;
    const slack = this.slacks.get(link.id);
    if (slack !== undefined && range.smin >= 0n) {
      const least = range.umin - BigInt(link.delta + slack);
      if (least > this.length.umin) possible = this.lengthIsAtLeast(least) && possible;
    }
    return possible;
  }

  /** The packet has at least this many bytes: told to all that is linked with its length. */
  lengthIsAtLeast(bytes: bigint): boolean {
    if (bytes > this.length.umax) return false;
    const range = intersect(this.length, unsignedRange(bytes, this.length.umax));
    return range !== undefined && this.narrow(PACKET_LENGTH, range);
  }

  #narrowLength(range: Scalar): boolean {
    const narrowed = intersect(this.length, range);
    if (narrowed === undefined) return false;
    if (narrowed.umin > this.length.umin) this.lengthLearntAt = this.pc;
    this.length = narrowed;
    return true;
  }

  /** Learns that the number of `link` is at most the packet's length + `slack`. */
  learnSlack(link: Linked, slack: number): boolean {
    if (link.id === LENGTH_ID) return true;
    const own = slack - link.delta;
    const known = this.slacks.get(link.id);
    if (known === undefined || own < known) this.slacks = new Map(this.slacks).set(link.id, own);
    const least = link.range.umin - BigInt(slack);
    return least <= this.length.umin || this.lengthIsAtLeast(least);
  }
}

/** Without what only the next instructions could use. */
export function plain(value: Value): Value {
  return value.kind === 'scalar' && value.shifted !== undefined ? { ...value, shifted: undefined } : value;
}
