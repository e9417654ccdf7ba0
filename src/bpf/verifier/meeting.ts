import type { Interests } from './interest.ts';
import { joinStates } from './join.ts';
import { Outline } from './outline.ts';
import type { State } from './state.ts';
import { differences, INCOMPARABLE } from './subsumption.ts';

/** States that cannot be joined without loss of what they hold are kept apart up to this many times as many. */
const FORCED = 8;

interface Member {
  state: State;
  outline: Outline;
}

/** The states that arrived at one place of the order: none covers another. */
export class Meeting {
  readonly key: readonly number[];
  readonly pc: number;
  readonly #interests: Interests;
  #members: Member[] = [];

  constructor(key: readonly number[], pc: number, interests: Interests) {
    this.key = key;
    this.pc = pc;
    this.#interests = interests;
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
    for (const member of this.#members) {
      if (!member.outline.mayCover(outline) || differences(member.state, state, this.#interests) !== 0) continue;
      member.state.steps = Math.max(member.state.steps, state.steps);
      return false;
    }
    this.#members = this.#members.filter((member) => {
      if (!outline.mayCover(member.outline) || differences(state, member.state, this.#interests) !== 0) return true;
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
    const there = differences(a, b, this.#interests, limit);
    return there >= limit ? there : Math.max(there, differences(b, a, this.#interests, limit));
  }
}
