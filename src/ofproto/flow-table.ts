import type { Mask, Match } from '../packet/index.ts';
import type { Rule } from './rule.ts';
import { Subtable } from './subtable.ts';

/** A rule whose filter program a packet was shown, and what the program said. */
export interface AskedRule {
  readonly rule: Rule;
  readonly matched: boolean;
}

/** What the filter programs say of one packet; each is asked at most once. */
export interface ProgramAnswers {
  /** Has the program been asked, and did it not match? */
  hasRefused(program: number): boolean;
  /** Runs the program unless it has run for this packet: did it match? After false, `hasRefused` is true. */
  ask(program: number): boolean;
}

/** What happens to packets that no flow of a table matches; by default the connected controllers' versions decide. */
export type TableMiss = 'default' | 'continue' | 'controller' | 'drop';

const DEFAULT_MAX_FLOWS = 1_000_000;

/**
 * One flow table: finds the best rule for a packet by tuple space search, a hash probe for each set of bits that rules look
 * at, highest priority first, so that the rules themselves are never walked.
 *
 * A rule may be here that packets do not meet yet, or meet no longer than until the change under way is complete; see
 * `Rule.isVisible`. What has been removed so is out of `find` and `rules` at once.
 */
export class FlowTable {
  readonly number: number;
  name: string | undefined;
  maxFlows: number;
  miss: TableMiss = 'default';
  readonly #byIdentity = new Map<string, Rule>();
  readonly #subtables = new Map<Mask, Subtable>();
  /** Subtables, those with the highest priority first; undefined when that has to be found out again. */
  #ordered: Subtable[] | undefined;
  /** Packets looked up and matched as far as credited, for table statistics. */
  lookups = 0;
  matched = 0;
  /** Changes whenever a set of bits comes or goes that rules look at. */
  maskChanges = 0;

  constructor(number: number, maxFlows = DEFAULT_MAX_FLOWS) {
    this.number = number;
    this.maxFlows = maxFlows;
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
    this.insert(rule);
    return replaced;
  }

  remove(rule: Rule): void {
    this.forget(rule);
    this.purge(rule);
  }

  /** Adds a rule whose match and priority no other has. */
  insert(rule: Rule): void {
    this.remember(rule);
    const { mask } = rule.packetMatch;
    let subtable = this.#subtables.get(mask);
    if (subtable === undefined) {
      subtable = new Subtable(mask);
      this.#subtables.set(mask, subtable);
      this.#ordered = undefined;
      this.maskChanges++;
    }
    if (subtable.add(rule)) this.#ordered = undefined;
  }

  /** Takes a rule out of `find` and `rules`, not out of the sight of packets. */
  forget(rule: Rule): void {
    this.#byIdentity.delete(identity(rule.match, rule.priority));
  }

  /** Undoes `forget`. */
  remember(rule: Rule): void {
    this.#byIdentity.set(identity(rule.match, rule.priority), rule);
  }

  /** Takes a forgotten rule out of the sight of packets. */
  purge(rule: Rule): void {
    const { mask } = rule.packetMatch;
    const subtable = this.#subtables.get(mask);
    if (subtable === undefined) return;
    if (subtable.remove(rule)) this.#ordered = undefined;
    if (!subtable.isEmpty) return;
    this.#subtables.delete(mask);
    this.#ordered = undefined;
    this.maskChanges++;
  }

  /**
   * The first rule in the order of `Rule.precedes` that matches the key and whose program, if it names one, matches the
   * packet. Programs are asked in that order too, and none whose turn does not come. `asked` is given the rules whose
   * programs were asked, for those who trace.
   */
  lookup(key: Uint8Array, programs: ProgramAnswers, version = 0, asked?: AskedRule[]): Rule | undefined {
    for (;;) {
      const rule = this.#best(key, programs, version);
      if (rule?.program === undefined) return rule;
      const matched = programs.ask(rule.program);
      asked?.push({ rule, matched });
      if (matched) return rule;
    }
  }

  /** The first rule that matches the key and whose program is not known to refuse the packet. */
  #best(key: Uint8Array, programs: ProgramAnswers, version: number): Rule | undefined {
    let best: Rule | undefined;
    for (const subtable of this.#inOrder()) {
      if (best !== undefined && subtable.highestPriority < best.priority) break;
      for (const rule of subtable.matching(key)) {
        if (best !== undefined && !rule.precedes(best)) break;
        if (!rule.isVisible(version)) continue;
        if (rule.program !== undefined && programs.hasRefused(rule.program)) continue;
        best = rule;
        break;
      }
    }
    return best;
  }

  /** A rule of that priority that can match the same packet; found without walking the rules. */
  overlapping(match: Match, priority: number): Rule | undefined {
    for (const subtable of this.#subtables.values()) {
      if (!subtable.hasPriority(priority)) continue;
      for (const rule of subtable.agreeing(match, priority))
        if (this.find(rule.match, priority) === rule && rule.match.overlaps(match)) return rule;
    }
    return undefined;
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
