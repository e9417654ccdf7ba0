import type { State } from './state.ts';
import type { LinkedValue } from './value.ts';

/** What stands in the new state for an id of the old one: a value, and the old one's delta. */
interface Counterpart {
  readonly value: LinkedValue;
  readonly oldDelta: number;
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
    this.#counterparts ??= new Map();
    const known = this.#counterparts.get(old.id);
    if (known !== undefined) return sameDistance(known, next, old.delta);
    this.#counterparts.set(old.id, { value: next, oldDelta: old.delta });
    return true;
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
    if (this.#counterparts === undefined) return true;
    for (const [id, { value, oldDelta }] of this.#counterparts) {
      const slack = this.#old.slacks.get(id);
      if (slack === undefined) continue;
      const known = value.id === 0 ? undefined : this.#next.slacks.get(value.id);
      if (known !== undefined && known + value.delta - oldDelta <= slack) continue;
      // Perhaps the number is so small that it is within any packet of the new state.
      if (value.range.umax - BigInt(oldDelta) - this.#next.length.umin > BigInt(slack)) return false;
    }
    return true;
  }

  /** Whether any value compared is linked with this id in the old state. */
  touches(id: number): boolean {
    return this.#counterparts?.has(id) ?? false;
  }
}

function sameDistance(known: Counterpart, next: LinkedValue, oldDelta: number): boolean {
  const distance = oldDelta - known.oldDelta;
  const first = known.value;
  if (first.range.isConstant && next.range.isConstant) return next.range.smin - first.range.smin === BigInt(distance);
  return first.id !== 0 && first.id === next.id && next.delta - first.delta === distance;
}
