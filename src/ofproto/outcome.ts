import type { DatapathAction, Outcome } from '../datapath/index.ts';
import type { FlowTable } from './flow-table.ts';
import type { Mirror } from './mirror.ts';
import type { Rule } from './rule.ts';

/** An address that a packet taught; to be learnt again whenever its outcome handles packets. */
export interface Lesson {
  readonly vlan: number;
  readonly mac: string;
  readonly port: number;
}

/** A table that a packet was looked up in, and whether a flow there matched. */
export interface TableLookup {
  readonly table: FlowTable;
  readonly matched: boolean;
}

/** What translation says of a packet. */
export interface Translation {
  readonly actions: readonly DatapathAction[];
  /** The rules that the packet matched, in order. */
  readonly rules: readonly Rule[];
  readonly lookups: readonly TableLookup[];
  readonly lessons: readonly Lesson[];
  /** The mirrors that got a copy. */
  readonly mirrors: readonly Mirror[];
}

/** The outcome of a translation: knows which rules its counters belong to. */
export class BridgeOutcome implements Outcome, Translation {
  readonly actions: readonly DatapathAction[];
  readonly rules: readonly Rule[];
  readonly lookups: readonly TableLookup[];
  readonly lessons: readonly Lesson[];
  readonly mirrors: readonly Mirror[];
  packets = 0;
  bytes = 0;
  lastUsedNs = 0n;
  #creditedPackets = 0;
  #creditedBytes = 0;

  constructor(translation: Translation) {
    this.actions = translation.actions;
    this.rules = translation.rules;
    this.lookups = translation.lookups;
    this.lessons = translation.lessons;
    this.mirrors = translation.mirrors;
  }

  /** Brings rules and tables up to date; true when there was anything new. */
  credit(): boolean {
    const packets = this.packets - this.#creditedPackets;
    if (packets === 0) return false;
    for (const { counters } of this.rules) {
      counters.packets += packets;
      counters.bytes += this.bytes - this.#creditedBytes;
      if (this.lastUsedNs > counters.usedNs) counters.usedNs = this.lastUsedNs;
    }
    for (const { counters } of this.mirrors) {
      counters.packets += packets;
      counters.bytes += this.bytes - this.#creditedBytes;
    }
    for (const { table, matched } of this.lookups) {
      table.lookups += packets;
      if (matched) table.matched += packets;
    }
    this.#creditedPackets = this.packets;
    this.#creditedBytes = this.bytes;
    return true;
  }
}

/** Outcomes by what they say, so that flows that end alike share one. */
export class OutcomeTable {
  readonly #outcomes = new Map<string, BridgeOutcome>();

  intern(translation: Translation): BridgeOutcome {
    const id = identity(translation);
    let outcome = this.#outcomes.get(id);
    if (outcome === undefined) {
      outcome = new BridgeOutcome(translation);
      this.#outcomes.set(id, outcome);
    }
    return outcome;
  }

  [Symbol.iterator](): Iterator<BridgeOutcome> {
    return this.#outcomes.values();
  }

  get size(): number {
    return this.#outcomes.size;
  }

  clear(): void {
    this.#outcomes.clear();
  }
}

function identity({ actions, rules, lookups, lessons, mirrors }: Translation): string {
  const actionText = JSON.stringify(actions);
  const ruleText = rules.map((rule) => `${rule.sequence}.${rule.addedIn}`).join(',');
  const tableText = lookups.map(({ table, matched }) => `${table.number}${matched ? '+' : '-'}`).join(',');
  const lessonText = lessons.map(({ vlan, mac, port }) => `${vlan}/${mac}/${port}`).join(',');
  const mirrorText = JSON.stringify(mirrors.map(({ name }) => name));
  return `${actionText}|${ruleText}|${tableText}|${lessonText}|${mirrorText}`;
}
