import type { Row } from '../config/index.ts';

/** Key under which the status columns name what the database asks for and this switch does not do. */
export const UNSUPPORTED = 'unsupported';

export function unsupportedInBridge(row: Row<'Bridge'>): readonly string[] {
  return [
    ...(row.stp_enable ? ['stp_enable'] : []),
    ...(row.rstp_enable ? ['rstp_enable'] : []),
    ...(row.mcast_snooping_enable ? ['mcast_snooping_enable'] : []),
    ...(row.netflow === null ? [] : ['netflow']),
    ...(row.sflow === null ? [] : ['sflow']),
    ...(row.ipfix === null ? [] : ['ipfix']),
    ...(row.auto_attach === null ? [] : ['auto_attach']),
    ...(row.flood_vlans.length === 0 ? [] : ['flood_vlans']),
  ];
}

export function unsupportedInPort(row: Row<'Port'>): readonly string[] {
  return [
    ...(row.qos === null ? [] : ['qos']),
    ...(row.interfaces.length > 1 ? ['bond'] : []),
    ...(row.lacp === null || row.lacp === 'off' ? [] : ['lacp']),
    ...(row.vlan_mode === 'dot1q-tunnel' ? ['vlan_mode=dot1q-tunnel'] : []),
  ];
}

export function unsupportedInInterface(row: Row<'Interface'>): readonly string[] {
  return [
    ...(row.ingress_policing_rate > 0 || row.ingress_policing_kpkts_rate > 0 ? ['ingress_policing'] : []),
    ...(row.bfd.get('enable') === 'true' ? ['bfd'] : []),
    ...(row.cfm_mpid === null ? [] : ['cfm_mpid']),
    ...(row.lldp.get('enable') === 'true' ? ['lldp'] : []),
  ];
}

/** A status column: empty where everything is done that is asked for. */
export function statusOf(unsupported: readonly string[]): ReadonlyMap<string, string> {
  return new Map(unsupported.length === 0 ? [] : [[UNSUPPORTED, unsupported.join(', ')]]);
}
