import type { Mask } from '../packet/index.ts';
import type { Rule } from './rule.ts';

const NONE: readonly Rule[] = [];

/** The rules of a table that look at the same bits of a packet's key, found by those bits. */
export class Subtable {
  readonly mask: Mask;
  /** Rules by their packed bits, each list in the order of `Rule.precedes`. */
  readonly #rules = new Map<string, Rule[]>();
  /** How many rules have each priority. */
  readonly #priorities = new Map<number, number>();
  #highestPriority = -1;

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
