import { formatMac } from '../../bytes/index.ts';
import type { PortCounters } from '../../datapath/index.ts';
import { OFPP } from '../../openflow/index.ts';
import type { BridgeInterface } from '../bridge/bridge-interface.ts';
import type { Columns } from './row-writer.ts';

/** The number of the bridge's own port as the database has it: that of OpenFlow 1.0. */
const LOCAL_OFPORT = 65534;

/** What Interface's columns say of a device that is not there. */
const NOTHING: Columns = {
  status: new Map(),
  admin_state: null,
  duplex: null,
  link_speed: null,
  link_state: null,
  link_resets: null,
  mac_in_use: null,
  mtu: null,
  ifindex: null,
  statistics: new Map(),
};

/** Columns of Interface but the statistics. */
export function stateColumns({ number, device, error }: BridgeInterface & { readonly number?: number }): Columns {
  if (device === undefined) return { ofport: -1, error, ...NOTHING };
  const state = device.state();
  return {
    ofport: number === OFPP.local ? LOCAL_OFPORT : number,
    error: null,
    mac_in_use: state.mac === undefined ? null : formatMac(state.mac),
    ifindex: state.ifindex ?? null,
    mtu: state.mtu ?? null,
    admin_state: state.isUp ? 'up' : 'down',
    link_state: state.hasLink ? 'up' : 'down',
    link_speed: state.speed ?? null,
    duplex: state.duplex ?? null,
    link_resets: state.linkResets,
    status: new Map(Object.entries(device.status)),
  };
}

/** Column Interface.statistics: what the kernel counted, or else the datapath. */
export function statisticsColumn(
  device: BridgeInterface['device'],
  counters: Readonly<PortCounters> | undefined,
): Columns {
  const statistics = device?.statistics() ?? {
    rx_bytes: counters?.rxBytes ?? 0,
    rx_packets: counters?.rxPackets ?? 0,
    tx_bytes: counters?.txBytes ?? 0,
    tx_dropped: counters?.txDropped ?? 0,
    tx_packets: counters?.txPackets ?? 0,
  };
  return { statistics: new Map(Object.entries(statistics)) };
}
