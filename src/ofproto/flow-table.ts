import type { Mask, Match } from '../packet/index.ts';
import type { Rule } from './rule.ts';

/** What the filter programs say of one packet; each is asked at most once. */
export interface ProgramAnswers {
  /** Has the program been asked, and did it not match? */
  hasRefused(program: number): boolean;
  /** Runs the program unless it has run for this packet: did it match? After false, `hasRefused` is true. */
  ask(program: number): boolean;
}

/** The rules that look at the same bits of a packet's key, found by those bits. */
class Subtable {
  readonly mask: Mask;
  /** Rules by their packed bits, each list in the order of `Rule.precedes`. */
  readonly #rules = new Map<string, Rule[]>();
  /** How many rules have each priority. */
  readonly #priorities = new Map<number, number>();
  highestPriority = -1;

  constructor(mask: Mask) {
    this.mask = mask;
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  add(rule: Rule): void {
    const value = rule.packetMatch.value;
    const list = this.#rules.get(value);
    if (list === undefined) {
      this.#rules.set(value, [rule]);
    } else {
      const at = list.findIndex((other) => rule.precedes(other));
      list.splice(at < 0 ? list.length : at, 0, rule);
    }
    this.#priorities.set(rule.priority, (this.#priorities.get(rule.priority) ?? 0) + 1);
    this.highestPriority = Math.max(this.highestPriority, rule.priority);
  }

  remove(rule: Rule): void {
    const value = rule.packetMatch.value;
    const rest = this.#rules.get(value)?.filter((other) => other !== rule) ?? [];
    if (rest.length > 0) this.#rules.set(value, rest);
    else this.#rules.delete(value);
    const left = (this.#priorities.get(rule.priority) ?? 1) - 1;
    if (left > 0) {
      this.#priorities.set(rule.priority, left);
    } else {
      this.#priorities.delete(rule.priority);
      if (rule.priority === this.highestPriority) this.highestPriority = Math.max(-1, ...this.#priorities.keys());
    }
  }

  matching(key: Uint8Array): readonly Rule[] {
    return this.#rules.get(this.mask.pack(key)) ?? [];
  }
}

/**
 * One flow table: finds the best rule for a packet by tuple space search, a hash probe for each set of bits that rules look
 * at, highest priority first, so that the rules themselves are never walked.
 */
export class FlowTable {
  readonly number: number;
  readonly #byIdentity = new Map<string, Rule>();
  readonly #subtables = new Map<Mask, Subtable>();
  /** Subtables, those with the highest priority first; undefined when that has to be found out again. */
  #ordered: Subtable[] | undefined;
  /** Packets looked up and matched, for table statistics. */
  lookups = 0;
  matched = 0;

  constructor(number: number) {
    this.number = number;
  }

  get size(): number {
    return this.#byIdentity.size;
  }

  /** The rule with just this match and priority. */
  find(match: Match, priority: number): Rule | undefined {
    return this.#byIdentity.get(identity(match, priority));
  }

  /** Adds a rule, in place of the one with the same match and priority if there is one, which is returned. */
  add(rule: Rule): Rule | undefined {
    const replaced = this.find(rule.match, rule.priority);
    if (replaced !== undefined) this.remove(replaced);
    this.#byIdentity.set(identity(rule.match, rule.priority), rule);
    const { mask } = rule.packetMatch;
    let subtable = this.#subtables.get(mask);
    if (subtable === undefined) {
      subtable = new Subtable(mask);
      this.#subtables.set(mask, subtable);
    }
    subtable.add(rule);
    this.#ordered = undefined;
    return replaced;
  }

  remove(rule: Rule): void {
    this.#byIdentity.delete(identity(rule.match, rule.priority));
    const subtable = this.#subtables.get(rule.packetMatch.mask);
    subtable?.remove(rule);
    if (subtable?.isEmpty) this.#subtables.delete(rule.packetMatch.mask);
    this.#ordered = undefined;
  }

  /**
   * The first rule in the order of `Rule.precedes` that matches the key and whose program, if it names one, matches the
   * packet. Programs are asked in that order too, and none whose turn does not come.
   */
  lookup(key: Uint8Array, programs: ProgramAnswers): Rule | undefined {
    for (;;) {
      const rule = this.#best(key, programs);
      if (rule?.program === undefined || programs.ask(rule.program)) return rule;
    }
  }

  /** The first rule that matches the key and whose program is not known to refuse the packet. */
  #best(key: Uint8Array, programs: ProgramAnswers): Rule | undefined {
    let best: Rule | undefined;
    for (const subtable of this.#inOrder()) {
      if (best !== undefined && subtable.highestPriority < best.priority) break;
      for (const rule of subtable.matching(key)) {
        if (best !== undefined && !rule.precedes(best)) break;
        if (rule.program !== undefined && programs.hasRefused(rule.program)) continue;
        best = rule;
        break;
      }
    }
    return best;
  }

  rules(): Iterable<Rule> {
    return this.#byIdentity.values();
  }

  /** The sets of bits that some rule looks at. */
  masks(): Iterable<Mask> {
    return this.#subtables.keys();
  }

  #inOrder(): readonly Subtable[] {
    this.#ordered ??= [...this.#subtables.values()].sort((a, b) => b.highestPriority - a.highestPriority);
    return this.#ordered;
  }
}

function identity(match: Match, priority: number): string {
  return `${priority}|${match.identity}`;
}
