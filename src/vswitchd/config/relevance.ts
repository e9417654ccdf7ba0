import type { RowEvent } from '../../ovsdb/index.ts';
import type { OpenVswitch } from './rows.ts';
import { isSameValue } from './same-value.ts';

/** Columns that the daemon writes itself; a change of any other may change what there shall be. */
const WRITTEN_BACK: Readonly<Record<string, readonly string[]>> = {
  Open_vSwitch: [
    ...['cur_cfg', 'statistics', 'ovs_version', 'db_version', 'system_type', 'system_version'],
    ...['datapath_types', 'iface_types', 'dpdk_initialized', 'dpdk_version'],
  ],
  Bridge: ['datapath_version', 'datapath_id', 'status', 'rstp_status'],
  Port: ['status', 'rstp_status', 'rstp_statistics', 'statistics', 'bond_active_slave'],
  Interface: [
    ...['mac_in_use', 'ifindex', 'ofport', 'bfd_status', 'cfm_remote_mpids', 'cfm_flap_count', 'cfm_fault'],
    ...['cfm_fault_status', 'cfm_remote_opstate', 'cfm_health', 'lacp_current', 'statistics', 'status'],
    ...['admin_state', 'link_state', 'link_resets', 'link_speed', 'duplex', 'mtu', 'error'],
  ],
  Mirror: ['statistics'],
  Controller: ['is_connected', 'role', 'status'],
  Manager: ['is_connected', 'status'],
  Datapath: ['datapath_version', 'capabilities'],
};

/** Could this event change what there shall be? */
export function isConfiguration({ table, before, after }: RowEvent<OpenVswitch>): boolean {
  if (before === undefined || after === undefined) return true;
  const own = WRITTEN_BACK[table] ?? [];
  const [old, now]: readonly Readonly<Record<string, unknown>>[] = [before, after];
  return Object.keys(now).some((column) => !own.includes(column) && !isSameValue(old[column], now[column]));
}
