import { type Action, ALL_TABLES, FLOW_FLAGS, type FlowMod } from '../openflow/index.ts';
import { field, KEY, type Match } from '../packet/index.ts';

const NS_PER_SECOND = 1_000_000_000n;
const FILTER_PROG = field('filter_prog');
/** As a version: not yet. */
export const NEVER = Number.POSITIVE_INFINITY;
/** Priorities above this cannot be given by controllers: the switch's own flows have them, and nobody sees those. */
const MAX_PRIORITY = 0xffff;
export const HIDDEN_PRIORITY = MAX_PRIORITY + 1;

/** What cached flows are credited to; a flow that is modified hands it on. */
export interface RuleCounters {
  packets: number;
  bytes: number;
  usedNs: bigint;
}

/** Why a flow went: numbers of ofp_flow_removed_reason (OpenFlow 1.5.1 section 7.4.2). */
export const REMOVED_REASON = { idleTimeout: 0, hardTimeout: 1, delete: 2 } as const;
export type RemovedReason = (typeof REMOVED_REASON)[keyof typeof REMOVED_REASON];

/** A flow in a table, with its counters. What it does never changes: a modification puts another rule in its place. */
export class Rule {
  readonly table: number;
  readonly priority: number;
  /** Everything the flow matches, its filter program included: what makes it this flow and no other. */
  readonly match: Match;
  /** What it matches of the packet's key alone. */
  readonly packetMatch: Match;
  /** The filter program that has to match as well. */
  readonly program: number | undefined;
  /** Place in the order of additions; see `precedes`. */
  readonly sequence: number;
  readonly createdNs: bigint;
  /** When it was added or last modified: what the hard timeout counts from. */
  readonly modifiedNs: bigint;
  /** Seconds without a packet after which the flow goes; 0: never. */
  readonly idleTimeoutSec: number;
  /** Seconds after which the flow goes; 0: never. */
  readonly hardTimeoutSec: number;
  readonly cookie: bigint;
  /** Bits of `FLOW_FLAGS`. */
  readonly flags: number;
  readonly importance: number;
  readonly actions: readonly Action[];
  /** Credited so far; cached flows may hold more, which the bridge's queries credit first. */
  readonly counters: RuleCounters;
  /** The versions of the tables in which packets meet the rule: from the first one on, until before the other. */
  addedIn = 0;
  removedIn = NEVER;

  constructor(table: number, flow: FlowMod, sequence: number, nowNs: bigint, replaced?: Rule) {
    this.table = table;
    this.priority = flow.priority;
    this.match = flow.match;
    this.program = flow.match.mask.at(KEY.filterProg) === 0 ? undefined : flow.match.number(FILTER_PROG);
    this.packetMatch = this.program === undefined ? flow.match : flow.match.toBuilder().clear(FILTER_PROG).build();
    this.cookie = flow.cookie;
    this.actions = flow.actions;
    this.modifiedNs = nowNs;
    const isReset = (flow.flags & FLOW_FLAGS.resetCounts) !== 0;
    if (flow.command === 'add' || replaced === undefined) {
      this.sequence = sequence;
      this.createdNs = nowNs;
      this.idleTimeoutSec = flow.idleTimeout;
      this.hardTimeoutSec = flow.hardTimeout;
      this.flags = flow.flags;
      this.importance = flow.importance;
    } else {
      this.sequence = replaced.sequence;
      this.createdNs = replaced.createdNs;
      this.idleTimeoutSec = replaced.idleTimeoutSec;
      this.hardTimeoutSec = replaced.hardTimeoutSec;
      this.flags = replaced.flags;
      this.importance = replaced.importance;
      if (!flow.modifyCookie || flow.cookie === NO_COOKIE) this.cookie = replaced.cookie;
    }
    this.counters = replaced !== undefined && !isReset ? replaced.counters : { packets: 0, bytes: 0, usedNs: nowNs };
  }

  get packets(): number {
    return this.counters.packets;
  }

  get bytes(): number {
    return this.counters.bytes;
  }

  get usedNs(): bigint {
    return this.counters.usedNs;
  }

  /** Is it one of the switch's own flows, which controllers neither see nor change? */
  get isHidden(): boolean {
    return this.priority > MAX_PRIORITY;
  }

  /** Does it match every packet, at the lowest priority (OpenFlow 1.3.5 section 5.4)? */
  get isTableMiss(): boolean {
    return this.priority === 0 && this.match.mask.length === 0;
  }

  /** Do packets meet it in that version of the tables? */
  isVisible(version: number): boolean {
    return this.addedIn <= version && version < this.removedIn;
  }

  /** When a timeout will have run out if no packet comes; undefined when there is none. */
  get deadlineNs(): bigint | undefined {
    const idle = this.idleTimeoutSec > 0 ? this.usedNs + BigInt(this.idleTimeoutSec) * NS_PER_SECOND : undefined;
    const hard = this.hardTimeoutSec > 0 ? this.modifiedNs + BigInt(this.hardTimeoutSec) * NS_PER_SECOND : undefined;
    if (idle === undefined || hard === undefined) return idle ?? hard;
    return idle < hard ? idle : hard;
  }

  /** The timeout that has run out, if any: the hard one where both have. */
  expiry(nowNs: bigint): RemovedReason | undefined {
    const hasRunOut = (sinceNs: bigint, seconds: number): boolean =>
      seconds > 0 && nowNs - sinceNs >= BigInt(seconds) * NS_PER_SECOND;
    if (hasRunOut(this.modifiedNs, this.hardTimeoutSec)) return REMOVED_REASON.hardTimeout;
    return hasRunOut(this.usedNs, this.idleTimeoutSec) ? REMOVED_REASON.idleTimeout : undefined;
  }

  /** Is this rule asked before the other where both match? See docs/decisions/0005-equal-priority.md. */
  precedes(other: Rule): boolean {
    if (this.priority !== other.priority) return this.priority > other.priority;
    if ((this.program === undefined) !== (other.program === undefined)) return this.program !== undefined;
    return this.sequence < other.sequence;
  }
}

/** As a cookie in a modification: leave the flow's own. */
export const NO_COOKIE = 0xffff_ffff_ffff_ffffn;

/** The table that a flow_mod adds to. */
export function tableToAdd(mod: FlowMod): number {
  return mod.table === ALL_TABLES ? 0 : mod.table;
}
