import type { FlowStats } from '../openflow/index.ts';
import type { Rule } from './rule.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** What a statistics reply tells of a rule whose counters are up to date. */
export function flowStats(rule: Rule, nowNs: bigint): FlowStats {
  const ageNs = nowNs - rule.createdNs;
  return {
    table: rule.table,
    priority: rule.priority,
    match: rule.match,
    cookie: rule.cookie,
    durationSec: Number(ageNs / NS_PER_SECOND),
    durationNsec: Number(ageNs % NS_PER_SECOND),
    idleTimeout: rule.idleTimeoutSec,
    hardTimeout: rule.hardTimeoutSec,
    idleAge: Number((nowNs - rule.usedNs) / NS_PER_SECOND),
    hardAge: Number((nowNs - rule.modifiedNs) / NS_PER_SECOND),
    packetCount: BigInt(rule.packets),
    byteCount: BigInt(rule.bytes),
    flags: rule.flags,
    importance: rule.importance,
    actions: rule.actions,
  };
}

export interface AggregateStats {
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}

export interface TableStats {
  readonly table: number;
  readonly name: string;
  readonly maxEntries: number;
  readonly activeCount: number;
  readonly lookupCount: bigint;
  readonly matchedCount: bigint;
}
