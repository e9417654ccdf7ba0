import { byteOf } from './domain/bytes.ts';
import { join as joinRanges } from './domain/scalar.ts';
import { REMAINS, type Slot, Stack, slotHasLinks } from './stack.ts';
import type { State } from './state.ts';
import { isLinked, LENGTH_ID, type LinkedValue, MAX_OFFSET, scalar, UNINITIALISED, type Value } from './value.ts';

/**
 * One state that allows all that either allows, for a pc where so many states arrive that following each is too dear.
 * What fits into no common form becomes uninitialised, so that a program that needs it apart is refused, not misjudged.
 * Both must have the same frames.
 */
export function joinStates(old: State, next: State, freshId: () => number): State {
  return new Joiner(old, next, freshId).join();
}

class Joiner {
  readonly #old: State;
  readonly #next: State;
  readonly #freshId: () => number;
  /** Joint id and its bound by the packet's length, by old id, new id and their distance. */
  readonly #ids = new Map<string, { readonly id: number; readonly slack: number | undefined }>();
  readonly #lookups = new Map<string, number>();

  constructor(old: State, next: State, freshId: () => number) {
    this.#old = old;
    this.#next = next;
    this.#freshId = freshId;
  }

  join(): State {
    const old = this.#old;
    const next = this.#next;
    const joined = next.clone();
    for (let r = 0; r < 10; r++) joined.registers[r] = this.#value(old.registers[r], next.registers[r]);
    joined.callers = next.callers.map((caller, i) => ({
      ...caller,
      saved: caller.saved.map((value, s) => this.#value(old.callers[i].saved[s], value)),
    }));
    joined.stacks = next.stacks.map((stack, i) => this.#stack(old.stacks[i], stack));
    joined.length = joinRanges(old.length, next.length);
    const slacks = new Map([[LENGTH_ID, 0]]);
    for (const { id, slack } of this.#ids.values()) if (id !== LENGTH_ID && slack !== undefined) slacks.set(id, slack);
    joined.slacks = slacks;
    joined.steps = Math.max(old.steps, next.steps);
    joined.isJoined = true;
    return joined;
  }

  #value(old: Value, next: Value): Value {
    if (old === next && (!isLinked(old) || old.id === 0) && old.kind !== 'map-value') return old;
    if (isLinked(old) && isLinked(next)) {
      const range = joinRanges(old.range, next.range);
      const link = range.isConstant ? NO_LINK : this.#link(old, next);
      if (old.kind === 'scalar' && next.kind === 'scalar')
        return { kind: 'scalar', range, id: link.id, delta: link.delta, shifted: undefined };
      if (old.kind === 'packet' && next.kind === 'packet')
        return { kind: 'packet', range, id: link.id, delta: link.delta };
      if (old.kind === 'stack' && next.kind === 'stack' && old.frame === next.frame) {
        return { kind: 'stack', frame: old.frame, range, ...link };
      }
      if (old.kind === 'map-value' && next.kind === 'map-value' && old.map === next.map) {
        const nullable = old.nullable || next.nullable;
        // A pointer that may be NULL has not been moved.
        if (nullable && !range.isConstant) return UNINITIALISED;
        return {
          kind: 'map-value',
          map: old.map,
          nullable,
          lookup: this.#lookup(old.lookup, next.lookup),
          range,
          ...link,
        };
      }
    }
    if (old.kind === 'map' && next.kind === 'map' && old.map === next.map) return old;
    return UNINITIALISED;
  }

  #link(old: LinkedValue, next: LinkedValue): { id: number; delta: number } {
    const exact = overLength(this.#old, old);
    if (exact !== undefined && exact === overLength(this.#next, next)) return { id: LENGTH_ID, delta: exact };
    const a = baseOf(this.#old, old);
    const b = baseOf(this.#next, next);
    if (a === undefined || b === undefined || (a.id === 0 && b.id === 0)) return NO_LINK;
    // A constant has nothing in common with another number but a bound.
    if ((a.id === 0 || b.id === 0) && (a.slack === undefined || b.slack === undefined)) return NO_LINK;
    const shift = b.delta - a.delta;
    const key = `${a.id} ${b.id} ${shift}`;
    let known = this.#ids.get(key);
    if (known === undefined) {
      const same = a.id === b.id && shift === 0;
      const slack = a.slack === undefined || b.slack === undefined ? undefined : Math.max(a.slack, b.slack + shift);
      known = { id: same ? a.id : this.#freshId(), slack };
      this.#ids.set(key, known);
    }
    return { id: known.id, delta: a.delta };
  }

  #lookup(old: number, next: number): number {
    if (old === next && old < 0) return old;
    const key = `${old} ${next}`;
    const known = this.#lookups.get(key) ?? this.#freshId();
    this.#lookups.set(key, known);
    return known;
  }

  #stack(old: Stack, next: Stack): Stack {
    if (old === next && !old.hasLinks) return old;
    const slots = next.slots.map((slot, i) => this.#slot(old.slots[i], slot));
    return new Stack(slots, slots.some(slotHasLinks));
  }

  #slot(old: Slot | undefined, next: Slot | undefined): Slot | undefined {
    if (old === undefined || next === undefined) return undefined;
    const joined: (Slot[number] | undefined)[] = new Array(next.length).fill(undefined);
    for (let at = 0; at < next.length; at++) {
      const a = old[at];
      const b = next[at];
      if (a === undefined || b === undefined || a === REMAINS || b === REMAINS) continue;
      if (a.at === b.at && a.size === b.size) {
        const value = this.#value(a.value, b.value);
        if (value.kind !== 'uninitialised') joined.fill({ ...b, value }, at, b.at + b.size);
        at = b.at + b.size - 1;
      } else if (a.value.kind === 'scalar' && b.value.kind === 'scalar') {
        const range = joinRanges(byteOf(a.value.range, at - a.at), byteOf(b.value.range, at - b.at));
        joined[at] = { value: scalar(range), at, size: 1 };
      }
    }
    return joined;
  }
}

/** A number as one with an id, plus delta; and the bound of that by the packet's length. */
interface Base {
  readonly id: number;
  readonly delta: number;
  readonly slack: number | undefined;
}

/** A constant is 0 plus itself, and 0 is below the least length; `undefined` for a number of which nothing is known. */
function baseOf({ length, slacks }: State, { id, delta, range }: LinkedValue): Base | undefined {
  if (id !== 0) return { id, delta, slack: slacks.get(id) };
  if (!range.isConstant || range.smin < 0n || range.smin > MAX_OFFSET) return undefined;
  return { id: 0, delta: Number(range.smin), slack: -Number(length.umin) };
}

/**
 * By how much the number is certainly more than the packet's length; `undefined` when that is not known. Where a length is
 * known exactly, a number made from it is a constant; joined with others it is that many more again.
 */
function overLength({ length }: State, value: LinkedValue): number | undefined {
  if (value.kind !== 'scalar' && value.kind !== 'packet') return undefined;
  if (value.id === LENGTH_ID) return value.delta;
  if (!value.range.isConstant || !length.isConstant) return undefined;
  const difference = value.range.smin - length.smin;
  return difference > -MAX_OFFSET && difference < MAX_OFFSET ? Number(difference) : undefined;
}

const NO_LINK = { id: 0, delta: 0 } as const;
