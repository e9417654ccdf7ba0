import type { Match } from '../packet/index.ts';
import type { Action } from './action.ts';

/*
 * Flow monitors: a peer asks to be told of changes to the flows that a match selects. OpenFlow 1.4 has them (section
 * 7.3.5.17); 1.3 has them as an extension of the ONF, 1.0 as one of Nicira's.
 */

/** What a monitor tells of, with Nicira's bits; `own`: of the peer's own changes too in full, not abbreviated. */
export const MONITOR_FLAGS = {
  initial: 1 << 0,
  add: 1 << 1,
  delete: 1 << 2,
  modify: 1 << 3,
  actions: 1 << 4,
  own: 1 << 5,
} as const;

/** The commands of a request, as the wire numbers them; before OpenFlow 1.4 there is `add` alone. */
export const MONITOR_COMMANDS = ['add', 'modify', 'delete'] as const;
export type MonitorCommand = (typeof MONITOR_COMMANDS)[number];

/** One monitor that is asked for. */
export interface FlowMonitor {
  /** Chosen by the peer. */
  readonly id: number;
  readonly command: MonitorCommand;
  /** Bits of `MONITOR_FLAGS`; none with `delete`. */
  readonly flags: number;
  /** Flows that send there; OFPP.none and ANY_GROUP: all. */
  readonly outPort: number;
  readonly outGroup: number;
  /** `ALL_TABLES`: any. */
  readonly table: number;
  readonly match: Match;
}

/** A flow as it is now, or was when it was removed. */
export interface FlowUpdateFull {
  /** `initial`: it was there when the monitor was made; before OpenFlow 1.4 that is `added`. */
  readonly event: 'initial' | 'added' | 'removed' | 'modified';
  /** With `removed` an index in `FLOW_REMOVED_REASONS`, otherwise 0. */
  readonly reason: number;
  readonly table: number;
  readonly priority: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly cookie: bigint;
  readonly match: Match;
  /** None where the monitor did not ask for them. */
  readonly actions: readonly Action[];
}

export type FlowUpdate =
  | FlowUpdateFull
  /** Flows that the peer itself has changed by the message of that transaction. */
  | { readonly event: 'abbrev'; readonly xid: number }
  /** OpenFlow 1.4 and later, where 1.0 and 1.3 have messages: changes are not told until the peer has caught up. */
  | { readonly event: 'paused' }
  | { readonly event: 'resumed' };

/** Ends a monitor; OpenFlow 1.4 has a command for it. */
export interface FlowMonitorCancel {
  readonly type: 'flow_monitor_cancel';
  readonly monitor: number;
}
