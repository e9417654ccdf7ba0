import type { PortCounters } from '../../datapath/index.ts';
import type { Port, PortStats } from '../../openflow/index.ts';
import type { BridgePort } from '../port-table.ts';

const NS_PER_SECOND = 1_000_000_000n;
/** What a counter says that nobody keeps. */
const UNKNOWN = 0xffff_ffff_ffff_ffffn;

/** A port as messages describe it. */
export function describePort(port: BridgePort): Port {
  const { features } = port;
  return {
    number: port.number,
    hardwareAddress: port.mac,
    name: port.name,
    config: port.config,
    state: port.state,
    current: features.current,
    advertised: features.advertised,
    supported: features.supported,
    peer: features.peer,
    currentSpeed: features.currentSpeedKbps,
    maxSpeed: features.maxSpeedKbps,
  };
}

export function portStats(port: BridgePort, counters: Readonly<PortCounters>, nowNs: bigint): PortStats {
  const ageNs = nowNs - port.addedNs;
  return {
    port: port.number,
    rxPackets: BigInt(counters.rxPackets),
    txPackets: BigInt(counters.txPackets),
    rxBytes: BigInt(counters.rxBytes),
    txBytes: BigInt(counters.txBytes),
    rxDropped: UNKNOWN,
    txDropped: BigInt(counters.txDropped),
    rxErrors: UNKNOWN,
    txErrors: UNKNOWN,
    rxFrameErrors: UNKNOWN,
    rxOverErrors: UNKNOWN,
    rxCrcErrors: UNKNOWN,
    collisions: UNKNOWN,
    durationSec: Number(ageNs / NS_PER_SECOND),
    durationNsec: Number(ageNs % NS_PER_SECOND),
  };
}
