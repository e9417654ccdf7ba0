import type { Match } from '../packet/index.ts';
import type { Action } from './action.ts';

/** Flags of a flow, as OpenFlow 1.3 numbers them (7.3.4.2); 1.0 has the first three, the third with another meaning. */
export const FLOW_FLAGS = {
  sendFlowRem: 1 << 0,
  checkOverlap: 1 << 1,
  resetCounts: 1 << 2,
  noPacketCounts: 1 << 3,
  noByteCounts: 1 << 4,
} as const;

export const FLOW_FLAG_NAMES: readonly (readonly [string, number])[] = [
  ['send_flow_rem', FLOW_FLAGS.sendFlowRem],
  ['check_overlap', FLOW_FLAGS.checkOverlap],
  ['reset_counts', FLOW_FLAGS.resetCounts],
  ['no_packet_counts', FLOW_FLAGS.noPacketCounts],
  ['no_byte_counts', FLOW_FLAGS.noByteCounts],
];

export const DEFAULT_PRIORITY = 0x8000;
/** As a table number: all tables, or the switch's choice. */
export const ALL_TABLES = 0xff;
/** As out_group: any. */
export const ANY_GROUP = 0xffffffff;

/** The commands of a flow_mod, as the wire numbers them. */
export const FLOW_COMMANDS = ['add', 'modify', 'modify_strict', 'delete', 'delete_strict'] as const;
export type FlowCommand = (typeof FLOW_COMMANDS)[number];

/** A flow_mod, independent of version. */
export interface FlowMod {
  readonly command: FlowCommand;
  /** `ALL_TABLES` where the sender left it open. */
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  /** The cookie of the flow to be added, or the new one with `modifyCookie`. */
  readonly cookie: bigint;
  readonly modifyCookie: boolean;
  /** Restricts modify and delete to flows whose cookie agrees with `matchCookie` in these bits. */
  readonly matchCookie: bigint;
  readonly cookieMask: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** 0xffffffff: no packet. */
  readonly bufferId: number;
  /** For deletions only, which they restrict; OFPP.none and ANY_GROUP: any. Controllers leave anything here otherwise. */
  readonly outPort: number;
  readonly outGroup: number;
  /** Bits of `FLOW_FLAGS`. */
  readonly flags: number;
  readonly importance: number;
  readonly actions: readonly Action[];
}

/** What a flow statistics reply tells of a flow. */
export interface FlowStats {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  readonly cookie: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** Seconds since the last packet and since the last change; absent where the format has no place for them. */
  readonly idleAge?: number;
  readonly hardAge?: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flags: number;
  readonly importance: number;
  readonly actions: readonly Action[];
}

export const NO_BUFFER = 0xffffffff;
