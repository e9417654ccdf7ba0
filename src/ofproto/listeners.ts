import type { Match } from '../packet/index.ts';
import type { FlowChange } from './flow-changes.ts';
import type { BridgePort } from './port-table.ts';
import type { RemovedReason, Rule } from './rule.ts';
import type { MapsNote } from './translate/controller.ts';

/** A packet on its way to controllers. */
export interface PacketIn {
  /** Index in `PACKET_IN_REASONS`. */
  readonly reason: number;
  /** Which kind of table miss it is, if any: OpenFlow 1.3 and later call the action of a table-miss flow "no match". */
  readonly miss: 'none' | 'flow' | 'implicit';
  readonly table: number;
  /** Of the flow; all ones when no flow matched. */
  readonly cookie: bigint;
  /** All of the packet, as the actions before have made it; the receiver may keep it. */
  readonly packet: Uint8Array;
  /** How much of it was asked for; 65535: all. */
  readonly maxLen: number;
  readonly controllerId: number;
  readonly userdata?: Uint8Array;
  /** What the pipeline knows beside the packet: in_port, metadata, registers. */
  readonly metadata: Match;
}

/** A flow that is no more. Its counters are final. */
export interface FlowRemoved {
  readonly rule: Rule;
  readonly reason: RemovedReason;
  readonly timeNs: bigint;
}

/** What happened to a port: numbers of ofp_port_reason. */
export const PORT_REASON = { add: 0, delete: 1, modify: 2 } as const;

export interface PortStatus {
  readonly reason: (typeof PORT_REASON)[keyof typeof PORT_REASON];
  readonly port: BridgePort;
}

/** Who wants to hear what happens in a bridge; each is called as soon as it has happened. */
export interface BridgeListener {
  packetIn?(packetIn: PacketIn): void;
  /** Every flow that went, whether or not it has the flag send_flow_rem. */
  flowRemoved?(removed: FlowRemoved): void;
  /** Flows added, modified and removed, in order; what happened at once may come in several parts. `reason` says why one was removed. */
  flowsChanged?(changes: readonly FlowChange[], reason: (rule: Rule) => RemovedReason): void;
  portStatus?(status: PortStatus): void;
  /** Maps of a filter program that an action sends to controllers. */
  mapsSent?(maps: MapsNote): void;
}
