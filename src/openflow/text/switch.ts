import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { DescriptionStats, FeaturesReply, SwitchConfig } from '../message.ts';
import { formatPortDescription } from './ports.ts';
import { formatBits, messageTitle } from './reply.ts';

/** Bits of ofp_capabilities (OpenFlow 1.3.5 section 7.3.1); OpenFlow 1.0 gives two of them another meaning. */
const CAPABILITIES: readonly (readonly [string, number])[] = [
  ['FLOW_STATS', 1 << 0],
  ['TABLE_STATS', 1 << 1],
  ['PORT_STATS', 1 << 2],
  ['GROUP_STATS', 1 << 3],
  ['IP_REASM', 1 << 5],
  ['QUEUE_STATS', 1 << 6],
  ['PORT_BLOCKED', 1 << 8],
  ['BUNDLES', 1 << 9],
  ['FLOW_MONITORING', 1 << 10],
];
const CAPABILITIES_10: readonly (readonly [string, number])[] = [
  ...CAPABILITIES.filter(([, bit]) => bit < 1 << 3),
  ['STP', 1 << 3],
  ['IP_REASM', 1 << 5],
  ['QUEUE_STATS', 1 << 6],
  ['ARP_MATCH_IP', 1 << 7],
];

/** ofp_action_type of OpenFlow 1.0 (section 5.2.4), in the order of Open vSwitch's text. */
const ACTIONS_10: readonly (readonly [string, number])[] = [
  ['output', 0],
  ['enqueue', 11],
  ['set_vlan_vid', 1],
  ['set_vlan_pcp', 2],
  ['strip_vlan', 3],
  ['mod_dl_src', 4],
  ['mod_dl_dst', 5],
  ['mod_nw_src', 6],
  ['mod_nw_dst', 7],
  ['mod_nw_tos', 8],
  ['mod_tp_src', 9],
  ['mod_tp_dst', 10],
];

/** A features reply, as the first part of `ovs-ofctl show`. */
export function formatFeatures(features: FeaturesReply, version: OpenflowVersion, xid: number): string[] {
  const is10 = version === OPENFLOW_VERSIONS.of10;
  const dpid = features.datapathId.toString(16).padStart(16, '0');
  const lines = [
    `${messageTitle('OFPT_FEATURES_REPLY', version, xid)} dpid:${dpid}`,
    `n_tables:${features.tables}, n_buffers:${features.buffers}`,
    `capabilities: ${formatBits(features.capabilities, is10 ? CAPABILITIES_10 : CAPABILITIES)}`,
  ];
  if (is10) {
    lines.push(
      `actions: ${formatBits(
        features.actions,
        ACTIONS_10.map(([name, bit]) => [name, 1 << bit]),
      )}`,
    );
    for (const port of sortedByNumber(features.ports)) lines.push(...formatPortDescription(port));
  }
  return lines;
}

/** In the order of their numbers, LOCAL last. */
export function sortedByNumber<T extends { readonly number: number }>(ports: readonly T[]): T[] {
  return [...ports].sort((a, b) => a.number - b.number);
}

/** Fragment handling by ofp_config_flags. */
export const FRAGMENT_MODES = ['normal', 'drop', 'reassemble', 'nx-match'] as const;

export function formatConfig(config: SwitchConfig, version: OpenflowVersion, xid: number): string {
  const fragments = FRAGMENT_MODES[config.flags & 3];
  return `${messageTitle('OFPT_GET_CONFIG_REPLY', version, xid)} frags=${fragments} miss_send_len=${config.missSendLen}`;
}

export function formatDescription(stats: DescriptionStats, version: OpenflowVersion, xid: number): string[] {
  return [
    messageTitle('OFPST_DESC reply', version, xid),
    `Manufacturer: ${stats.manufacturer}`,
    `Hardware: ${stats.hardware}`,
    `Software: ${stats.software}`,
    `Serial Num: ${stats.serial}`,
    `DP Description: ${stats.datapath}`,
  ];
}
