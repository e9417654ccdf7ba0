import { Correspondence } from './correspondence.ts';
import { byteOf } from './domain/bytes.ts';
import type { Relevance } from './relevance.ts';
import { REMAINS, STACK_BYTES, type Stack } from './stack.ts';
import type { State } from './state.ts';
import { isLinked, LENGTH_ID, type Value } from './value.ts';

/** More differences than any state has: the two can be neither pruned nor joined. */
export const INCOMPARABLE = 1000;

/**
 * In how many places the new state allows something that the old one does not, of what still matters. 0: all that can
 * happen from the new state can happen from the old one, so it need not be followed. Stops counting above `limit`.
 */
export function differences(old: State, next: State, relevance: Relevance, limit = 0): number {
  if (!sameFrames(old, next)) return INCOMPARABLE;
  const comparison = new Comparison(old, next);
  const { pc } = old;
  const live = relevance.liveRegisters[pc];
  const decisive = relevance.decisiveRegisters[pc];
  for (let r = 0; r < 10; r++) {
    if ((live & (1 << r)) !== 0) comparison.values(old.registers[r], next.registers[r], (decisive & (1 << r)) !== 0);
    if (comparison.count > limit) return comparison.count;
  }
  let outerRead = relevance.readsOuterFrames(old.functionPc);
  compareStacks(comparison, old.stacks[old.frame], next.stacks[next.frame], relevance, pc, false);
  for (let i = old.callers.length - 1; i >= 0 && comparison.count <= limit; i--) {
    const caller = old.callers[i];
    const at = caller.returnPc;
    for (let s = 0; s < 4; s++) {
      const bit = 1 << (6 + s);
      if ((relevance.liveRegisters[at] & bit) === 0) continue;
      comparison.values(caller.saved[s], next.callers[i].saved[s], (relevance.decisiveRegisters[at] & bit) !== 0);
    }
    compareStacks(comparison, old.stacks[i], next.stacks[i], relevance, at, outerRead);
    outerRead ||= relevance.readsOuterFrames(caller.functionPc);
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
  readonly #links: Correspondence;

  constructor(old: State, next: State) {
    this.#old = old;
    this.#next = next;
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

  differ(places: number): void {
    this.count += places;
  }

  /** What is known of the packet's length, and of numbers compared with it. */
  lengths(): void {
    const all = this.#links.touches(LENGTH_ID);
    const old = this.#old.length;
    const next = this.#next.length;
    if (all ? !old.includes(next) : next.umin < old.umin) this.count++;
    if (!this.#links.slacks()) this.count++;
  }
}

function compareStacks(
  comparison: Comparison,
  old: Stack,
  next: Stack,
  relevance: Relevance,
  pc: number,
  everyByte: boolean,
): void {
  if (old === next && !old.hasLinks) return;
  for (let index = 0; index < old.slots.length; index++) {
    const slot = old.slots[index];
    if (slot === undefined || (slot === next.slots[index] && !old.hasLinks)) continue;
    for (let at = 0; at < 8; at++) {
      const piece = slot[at];
      const byte = index * 8 + at;
      if (piece === undefined || piece === REMAINS) continue;
      if (!everyByte && !relevance.byteIsLive(pc, byte)) continue;
      const decisive = everyByte || relevance.byteIsDecisive(pc, byte);
      const other = next.slots[index]?.[at];
      if (other !== undefined && other !== REMAINS && other.at === piece.at && other.size === piece.size) {
        comparison.values(piece.value, other.value, decisive);
        // The rest of the piece is the same pair of values; whether it decides something is asked of each byte.
        if (decisive) at = piece.at + piece.size - 1;
        continue;
      }
      if (piece.value.kind !== 'scalar') {
        comparison.differ(INCOMPARABLE);
        return;
      }
      const read = next.read(byte - STACK_BYTES, 1);
      const range =
        read.found === 'number'
          ? read.range
          : read.found === 'value' && read.value.kind === 'scalar'
            ? read.value.range
            : undefined;
      if (range === undefined) {
        comparison.differ(INCOMPARABLE);
        return;
      }
      if (decisive && !byteOf(piece.value.range, at - piece.at).includes(range)) comparison.differ(1);
    }
  }
}
