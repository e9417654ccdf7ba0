import { ALL_TABLES } from '../flow.ts';
import { FLOW_REMOVED_REASONS, type FlowRemoved, type RoleStatus } from '../message.ts';
import { formatDuration, formatRuleMatch } from './flow.ts';
import { formatTable, type TextNames } from './names.ts';

/** What follows the title of a flow_removed as `ovs-ofctl monitor` prints it. */
export function formatFlowRemoved(removed: FlowRemoved, names: TextNames = {}): string {
  const { table, cookie, hardTimeout } = removed;
  const parts = [
    formatRuleMatch(removed.priority, removed.match, names),
    `reason=${FLOW_REMOVED_REASONS[removed.reason] ?? removed.reason}`,
  ];
  if (table !== ALL_TABLES) parts.push(`table_id=${formatTable(table, names)}`);
  if (cookie !== 0n) parts.push(`cookie:0x${cookie.toString(16)}`);
  parts.push(`duration${formatDuration(removed.durationSec, removed.durationNsec)}`, `idle${removed.idleTimeout}`);
  if (hardTimeout !== 0) parts.push(`hard${hardTimeout}`);
  return [...parts, `pkts${removed.packetCount}`, `bytes${removed.byteCount}`].join(' ');
}

/** What follows the title of a role_status. */
export function formatRoleStatus({ role, generationId, reason }: RoleStatus): string {
  return `role=${role} generation_id=${generationId} reason=${reason}`;
}
