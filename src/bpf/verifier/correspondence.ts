import type { State } from './state.ts';
import type { LinkedValue } from './value.ts';

/** What stands in the new state for an id of the old one. */
interface Counterpart {
  /** 0: the new values are constants, or not linked; then `base` tells constants apart. */
  readonly id: number;
  /** New delta less old delta; for constants, the number less the old delta. */
  readonly shift: bigint | undefined;
  /** The greatest that the old id's number can be in the new state. */
  readonly most: bigint;
}

/**
 * Matches the links of an old state with those of a new one, value by value. What the old state knew to move together must
 * do so in the new one, by the same differences.
 */
export class Correspondence {
  /** Most comparisons end before the first link. */
  #counterparts: Map<number, Counterpart> | undefined;
  #lookups: Map<number, number> | undefined;
  readonly #old: State;
  readonly #next: State;

  constructor(old: State, next: State) {
    this.#old = old;
    this.#next = next;
  }

  /** Whether the new value is linked as the old one is. */
  links(old: LinkedValue, next: LinkedValue): boolean {
    if (old.id === 0) return true;
    const counterpart = this.#counterpartOf(old, next);
    this.#counterparts ??= new Map();
    const known = this.#counterparts.get(old.id);
    if (known === undefined) {
      this.#counterparts.set(old.id, counterpart);
      return true;
    }
    return counterpart.shift !== undefined && known.id === counterpart.id && known.shift === counterpart.shift;
  }

  #counterpartOf(old: LinkedValue, next: LinkedValue): Counterpart {
    const most = next.range.umax - BigInt(old.delta);
    if (next.range.isConstant) return { id: 0, shift: next.range.smin - BigInt(old.delta), most };
    if (next.id === 0) return { id: 0, shift: undefined, most };
    return { id: next.id, shift: BigInt(next.delta - old.delta), most };
  }

  /** Whether pointers of one lookup in the old state are of one lookup in the new one. */
  lookups(old: number, next: number): boolean {
    this.#lookups ??= new Map();
    const known = this.#lookups.get(old);
    if (known === undefined) {
      this.#lookups.set(old, next);
      return true;
    }
    return known === next;
  }

  /** Whether the new state bounds every number by the packet's length that the old one did: after all `links`. */
  slacks(): boolean {
    for (const [id, slack] of this.#old.slacks) {
      const counterpart = this.#counterparts?.get(id);
      if (counterpart === undefined) continue;
      if (counterpart.most - this.#next.length.umin <= BigInt(slack)) continue;
      const known = counterpart.id === 0 ? undefined : this.#next.slacks.get(counterpart.id);
      if (known === undefined || counterpart.shift === undefined) return false;
      if (BigInt(known) + counterpart.shift > BigInt(slack)) return false;
    }
    return true;
  }

  /** Whether any value compared was the packet's length, or linked with it. */
  touches(id: number): boolean {
    return this.#counterparts?.has(id) ?? false;
  }
}
