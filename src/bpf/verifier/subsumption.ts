import { Correspondence } from './correspondence.ts';
import { byteOf } from './domain/bytes.ts';
import type { Interest, Interests } from './interest.ts';
import { REMAINS, type Stack } from './stack.ts';
import type { State } from './state.ts';
import { isLinked, LENGTH_ID, type Value } from './value.ts';

/** More differences than any state has: the two can be neither pruned nor joined. */
export const INCOMPARABLE = 1000;

/**
 * In how many places the new state allows something that the old one does not, of what still matters. 0: all that can
 * happen from the new state can happen from the old one, so it need not be followed. Stops counting above `limit`.
 */
export function differences(old: State, next: State, interests: Interests, limit = 0): number {
  if (!sameFrames(old, next)) return INCOMPARABLE;
  const comparison = new Comparison(old, next, limit);
  const own = interests.at(old.pc, false);
  for (const { register, decisive } of own.registers) {
    comparison.values(old.registers[register], next.registers[register], decisive);
    if (comparison.count > limit) return comparison.count;
  }
  comparison.stacks(old.stacks[old.frame], next.stacks[next.frame], own);
  let outerRead = interests.relevance.readsOuterFrames(old.functionPc);
  for (let i = old.callers.length - 1; i >= 0 && comparison.count <= limit; i--) {
    const caller = old.callers[i];
    const interest = interests.at(caller.returnPc, outerRead);
    for (const { register, decisive } of interest.registers) {
      if (register >= 6) comparison.values(caller.saved[register - 6], next.callers[i].saved[register - 6], decisive);
    }
    comparison.stacks(old.stacks[i], next.stacks[i], interest);
    outerRead ||= interests.relevance.readsOuterFrames(caller.functionPc);
  }
  if (comparison.count <= limit) comparison.lengths();
  return comparison.count;
}

function sameFrames(a: State, b: State): boolean {
  return (
    a.pc === b.pc &&
    a.callers.length === b.callers.length &&
    a.callers.every((caller, i) => caller.returnPc === b.callers[i].returnPc)
  );
}

class Comparison {
  count = 0;
  readonly #old: State;
  readonly #next: State;
  readonly #limit: number;
  readonly #links: Correspondence;

  constructor(old: State, next: State, limit: number) {
    this.#old = old;
    this.#next = next;
    this.#limit = limit;
    this.#links = new Correspondence(old, next);
  }

  values(old: Value, next: Value, decisive: boolean): void {
    if (old.kind === 'uninitialised') return;
    if (old.kind !== next.kind) {
      this.count += INCOMPARABLE;
      return;
    }
    switch (old.kind) {
      case 'scalar': {
        if (next.kind !== 'scalar' || !decisive) return;
        if (!old.range.includes(next.range) || !this.#links.links(old, next)) this.count++;
        return;
      }
      case 'map':
        if (next.kind !== 'map' || next.map !== old.map) this.count += INCOMPARABLE;
        return;
      case 'map-value': {
        if (next.kind !== 'map-value' || next.map !== old.map) {
          this.count += INCOMPARABLE;
          return;
        }
        if (next.nullable && !old.nullable) this.count += INCOMPARABLE;
        else if (!this.#links.lookups(old.lookup, next.lookup)) this.count += INCOMPARABLE;
        break;
      }
      case 'stack':
        if (next.kind !== 'stack' || next.frame !== old.frame) {
          this.count += INCOMPARABLE;
          return;
        }
    }
    if (isLinked(next) && !(old.range.includes(next.range) && this.#links.links(old, next))) this.count++;
  }

  /** What is known of the packet's length, and of numbers compared with it. */
  lengths(): void {
    const all = this.#links.touches(LENGTH_ID);
    const old = this.#old.length;
    const next = this.#next.length;
    if (all ? !old.includes(next) : next.umin < old.umin) this.count++;
    if (!this.#links.slacks()) this.count++;
  }

  stacks(old: Stack, next: Stack, { slots }: Interest): void {
    if (old === next && !old.hasLinks) return;
    for (const { index, live, decisive } of slots) {
      const slot = old.slots[index];
      const other = next.slots[index];
      if (slot === undefined || (slot === other && !old.hasLinks)) continue;
      for (let at = 0; at < 8 && this.count <= this.#limit; at++) {
        const piece = slot[at];
        if (piece === undefined || piece === REMAINS || (live & (1 << at)) === 0) continue;
        const counterpart = other?.[at];
        if (counterpart === undefined || counterpart === REMAINS) {
          this.count += INCOMPARABLE;
          return;
        }
        if (counterpart.at === piece.at && counterpart.size === piece.size) {
          const all = ((1 << piece.size) - 1) << piece.at;
          this.values(piece.value, counterpart.value, (decisive & all) !== 0);
          at = piece.at + piece.size - 1;
        } else if (piece.value.kind !== 'scalar' || counterpart.value.kind !== 'scalar') {
          this.count += INCOMPARABLE;
          return;
        } else if (decisive & (1 << at)) {
          const range = byteOf(counterpart.value.range, at - counterpart.at);
          if (!byteOf(piece.value.range, at - piece.at).includes(range)) this.count++;
        }
      }
    }
  }
}
