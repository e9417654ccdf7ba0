import type { PortSpec } from './ports/port-spec.ts';

/** Where a datapath sends packets. Receiving is the owner's business: it calls `Datapath.receive`. */
export interface Port {
  readonly name: string;
  /** Packets sent by this port are only counted; `send` need not be called. */
  readonly isSink?: boolean;
  /** What a packet thread opens in place of this object, which then is never asked to send. */
  readonly spec?: PortSpec;
  /**
   * Takes the packet, or returns false when it has no room; the datapath counts that as a drop. The bytes may be reused
   * afterwards. A port without queues pays no heed to `queue`.
   */
  send(packet: Uint8Array, timeNs: bigint, queue?: number): boolean;
}

/** Counters of one port since it was added. */
export interface PortCounters {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  txDropped: number;
}
