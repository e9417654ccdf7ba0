import { KEY_BYTES, Mask, type Match } from '../packet/index.ts';
import type { Rule } from './rule.ts';

const NONE: readonly Rule[] = [];

/** Indexes by fewer bits, for overlaps with rules that look at other bits, that a subtable keeps at a time. */
const MAX_INDEXES = 4;

/** The rules of a table that look at the same bits of a packet's key, found by those bits. */
export class Subtable {
  readonly mask: Mask;
  /** Rules by their packed bits, each list in the order of `Rule.precedes`. */
  readonly #rules = new Map<string, Rule[]>();
  /** How many rules have each priority. */
  readonly #priorities = new Map<number, number>();
  #highestPriority = -1;
  /** By some of the bits: rules by what they have there, and by priority. Made when asked for, the latest last. */
  readonly #indexes = new Map<Mask, Map<string, Set<Rule>>>();

  constructor(mask: Mask) {
    this.mask = mask;
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  /** The highest priority of any rule; -1 when it has to be found out again. */
  get highestPriority(): number {
    if (this.#highestPriority < 0)
      for (const priority of this.#priorities.keys())
        if (priority > this.#highestPriority) this.#highestPriority = priority;
    return this.#highestPriority;
  }

  hasPriority(priority: number): boolean {
    return this.#priorities.has(priority);
  }

  /** True when the highest priority has changed. */
  add(rule: Rule): boolean {
    for (const [bits, index] of this.#indexes) putInto(index, bits, rule);
    const value = rule.packetMatch.value;
    const list = this.#rules.get(value);
    if (list === undefined) this.#rules.set(value, [rule]);
    else list.splice(placeIn(list, rule), 0, rule);
    this.#priorities.set(rule.priority, (this.#priorities.get(rule.priority) ?? 0) + 1);
    if (rule.priority <= this.highestPriority) return false;
    this.#highestPriority = rule.priority;
    return true;
  }

  /** True when the highest priority may have changed. */
  remove(rule: Rule): boolean {
    const value = rule.packetMatch.value;
    const list = this.#rules.get(value);
    const at = list?.indexOf(rule) ?? -1;
    if (list === undefined || at < 0) return false;
    for (const [bits, index] of this.#indexes) {
      const id = placeInIndex(bits, rule.packetMatch, rule.priority);
      const rules = index.get(id);
      if (rules?.delete(rule) && rules.size === 0) index.delete(id);
    }
    if (list.length === 1) this.#rules.delete(value);
    else list.splice(at, 1);
    const left = (this.#priorities.get(rule.priority) ?? 1) - 1;
    if (left > 0) {
      this.#priorities.set(rule.priority, left);
      return false;
    }
    this.#priorities.delete(rule.priority);
    if (rule.priority !== this.#highestPriority) return false;
    this.#highestPriority = -1;
    return true;
  }

  matching(key: Uint8Array): readonly Rule[] {
    return this.#rules.get(this.mask.pack(key)) ?? NONE;
  }

  /** Rules of a priority that agree with a match in the bits that they and it look at. */
  agreeing(match: Match, priority: number): Iterable<Rule> {
    const bits = commonBits(this.mask, match.mask);
    let index = this.#indexes.get(bits);
    if (index === undefined) {
      index = new Map();
      for (const rule of this.rules()) putInto(index, bits, rule);
      for (const oldest of [...this.#indexes.keys()].slice(0, Math.max(0, this.#indexes.size + 1 - MAX_INDEXES)))
        this.#indexes.delete(oldest);
      this.#indexes.set(bits, index);
    }
    return index.get(placeInIndex(bits, match, priority)) ?? NONE;
  }

  *rules(): Iterable<Rule> {
    for (const list of this.#rules.values()) yield* list;
  }
}

/** Before which rule of an ordered list a new one belongs; after those that it neither precedes nor follows. */
function placeIn(list: readonly Rule[], rule: Rule): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rule.precedes(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

function putInto(index: Map<string, Set<Rule>>, bits: Mask, rule: Rule): void {
  const id = placeInIndex(bits, rule.packetMatch, rule.priority);
  const rules = index.get(id);
  if (rules === undefined) index.set(id, new Set([rule]));
  else rules.add(rule);
}

function placeInIndex(bits: Mask, match: Match, priority: number): string {
  return `${priority}|${bits.pack(match.toKey())}`;
}

function commonBits(some: Mask, others: Mask): Mask {
  const [dense, also] = [new Uint8Array(KEY_BYTES), new Uint8Array(KEY_BYTES)];
  some.addTo(dense);
  others.addTo(also);
  return Mask.ofDense(dense.map((byte, i) => byte & also[i]));
}
