import type { Action, FlowMod } from '../openflow/index.ts';
import { field, type Match } from '../packet/index.ts';

const NS_PER_SECOND = 1_000_000_000n;
const FILTER_PROG = field('filter_prog');

/** A flow in a table, with its counters. */
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
  /** Seconds without a packet after which the flow goes; 0: never. */
  readonly idleTimeoutSec: number;
  /** Seconds after which the flow goes; 0: never. */
  readonly hardTimeoutSec: number;
  cookie: bigint;
  actions: readonly Action[];
  /** Packets and bytes credited so far; cached flows may hold more, which `Bridge.flows` credits first. */
  packets = 0;
  bytes = 0;
  usedNs: bigint;

  constructor(table: number, flow: FlowMod, sequence: number, nowNs: bigint) {
    this.table = table;
    this.priority = flow.priority;
    this.match = flow.match;
    this.program = flow.match.number(FILTER_PROG);
    this.packetMatch = this.program === undefined ? flow.match : flow.match.toBuilder().clear(FILTER_PROG).build();
    this.idleTimeoutSec = flow.idleTimeout;
    this.hardTimeoutSec = flow.hardTimeout;
    this.cookie = flow.cookie;
    this.actions = flow.actions;
    this.sequence = sequence;
    this.createdNs = nowNs;
    this.usedNs = nowNs;
  }

  /** Has one of the flow's timeouts run out? */
  isExpired(nowNs: bigint): boolean {
    const hasRunOut = (sinceNs: bigint, seconds: number): boolean =>
      seconds > 0 && nowNs - sinceNs >= BigInt(seconds) * NS_PER_SECOND;
    return hasRunOut(this.createdNs, this.hardTimeoutSec) || hasRunOut(this.usedNs, this.idleTimeoutSec);
  }

  /** Is this rule asked before the other where both match? See docs/decisions/0005-equal-priority.md. */
  precedes(other: Rule): boolean {
    if (this.priority !== other.priority) return this.priority > other.priority;
    if ((this.program === undefined) !== (other.program === undefined)) return this.program !== undefined;
    return this.sequence < other.sequence;
  }
}
