import type { Interests } from './interest.ts';
import { joinStates } from './join.ts';
import { Outline } from './outline.ts';
import type { State } from './state.ts';
import { differences, INCOMPARABLE } from './subsumption.ts';

/** States that cannot be joined without loss of what they hold are kept apart up to this many times as many. */
const FORCED = 8;

/** What comparing states has cost, in instructions followed that would have taken about as long. */
export interface Effort {
  spent: number;
}

/** Of a glance at outlines, and of a look at what two states hold. */
const GLANCE = 1 / 64;
const LOOK = 1 / 4;

interface Member {
  state: State;
  outline: Outline;
}

/** The states that arrived at one place of the order: none covers another. */
export class Meeting {
  readonly key: readonly number[];
  readonly pc: number;
  readonly #interests: Interests;
  readonly #effort: Effort;
  #members: Member[] = [];

  constructor(key: readonly number[], pc: number, interests: Interests, effort: Effort) {
    this.key = key;
    this.pc = pc;
    this.#interests = interests;
    this.#effort = effort;
  }

  get states(): readonly State[] {
    return this.#members.map((member) => member.state);
  }

  get size(): number {
    return this.#members.length;
  }

  /** Takes the state in; false when one that is here covers it. */
  add(state: State): boolean {
    const outline = new Outline(state, this.#interests.at(this.pc, false));
    this.#effort.spent += 2 * GLANCE * this.#members.length;
    for (const member of this.#members) {
      if (!member.outline.mayCover(outline) || this.#differences(member.state, state, 0) !== 0) continue;
      member.state.steps = Math.max(member.state.steps, state.steps);
      return false;
    }
    this.#members = this.#members.filter((member) => {
      if (!outline.mayCover(member.outline) || this.#differences(state, member.state, 0) !== 0) return true;
      state.steps = Math.max(state.steps, member.state.steps);
      return false;
    });
    this.#members.push({ state, outline });
    return true;
  }

  /** Joins states until at most so many are left, those first that differ least. */
  reduce(most: number, freshId: () => number): void {
    while (this.#members.length > most) {
      const pair = this.#nearestPair(this.#members.length > FORCED * most);
      if (pair === undefined) return;
      const [a, b] = pair;
      this.#members = this.#members.filter((member) => member !== a && member !== b);
      this.add(joinStates(a.state, b.state, freshId));
      // To the front, so that it is not the first to be joined again.
      this.#members.unshift(...this.#members.splice(-1));
    }
  }

  /** The last to arrive, and the one nearest to it; then the one before. */
  #nearestPair(forced: boolean): [Member, Member] | undefined {
    const members = this.#members;
    for (let i = members.length - 1; i > 0; i--) {
      let fewest = forced ? Number.POSITIVE_INFINITY : INCOMPARABLE;
      let nearest: Member | undefined;
      for (let j = i - 1; j >= 0; j--) {
        const count = this.#distance(members[i].state, members[j].state, fewest);
        if (count >= fewest) continue;
        fewest = count;
        nearest = members[j];
      }
      if (nearest !== undefined) return [nearest, members[i]];
    }
    return undefined;
  }

  #distance(a: State, b: State, limit: number): number {
    const there = this.#differences(a, b, limit);
    return there >= limit ? there : Math.max(there, this.#differences(b, a, limit));
  }

  #differences(old: State, next: State, limit: number): number {
    this.#effort.spent += LOOK;
    return differences(old, next, this.#interests, limit);
  }
}
