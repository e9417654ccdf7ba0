import { OpenflowError } from '../errors.ts';
import { ALL_TABLES, ANY_GROUP } from '../flow.ts';
import { type FlowMonitor, type FlowUpdate, MONITOR_FLAGS } from '../flow-monitor.ts';
import { FLOW_REMOVED_REASONS } from '../message.ts';
import { OFPP } from '../port.ts';
import { formatActions } from './actions.ts';
import { formatMatch, MatchText } from './match.ts';
import { formatTable, parsePort, parseTable, type TextNames } from './names.ts';
import { parseInteger } from './number.ts';
import { keyValues } from './tokens.ts';

/**
 * A flow monitor of what follows `watch:` in `ovs-ofctl monitor`: every change, but for those that `!initial`, `!add`, `!delete`,
 * `!modify`, `!own` and `!actions` leave out, to the flows that `table`, `out_port`, `out_group` and fields select.
 *
 * @throws OpenflowError
 */
export function parseFlowMonitor(text: string, id: number, names: TextNames = {}): FlowMonitor {
  let flags = Object.values(MONITOR_FLAGS).reduce((all, bit) => all | bit, 0);
  let table = ALL_TABLES;
  let outPort: number = OFPP.none;
  let outGroup = ANY_GROUP;
  const match = new MatchText(names);
  for (const piece of keyValues(text)) {
    const { key, value } = piece;
    const flag = Object.entries(MONITOR_FLAGS).find(([name]) => key === `!${name}`);
    if (flag !== undefined) flags &= ~flag[1];
    else if (!match.take(piece)) {
      if (value === '') throw new OpenflowError('OPENFLOW_MISSING_VALUE', `watch: "${key}" has no value or is no flag`);
      if (key === 'table') table = parseTable(value, names, true);
      else if (key === 'out_port') outPort = parsePort(value, names, key);
      else if (key === 'out_group') outGroup = parseInteger(value, 32, key);
      else throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `watch: "${key}" in "${piece.text}" is no field`);
    }
  }
  return { id, command: 'add', flags, outPort, outGroup, table, match: match.build() };
}

const EVENT_NAMES: Readonly<Record<FlowUpdate['event'], string>> = {
  initial: 'INITIAL',
  added: 'ADDED',
  removed: 'DELETED',
  modified: 'MODIFIED',
  abbrev: 'ABBREV',
  paused: 'PAUSED',
  resumed: 'RESUMED',
};

/** An update as `ovs-ofctl monitor` prints it, without the leading space. */
export function formatFlowUpdate(update: FlowUpdate, names: TextNames = {}): string {
  const { event } = update;
  const head = `event=${EVENT_NAMES[event]}`;
  if (update.event === 'abbrev') return `${head} xid=0x${update.xid.toString(16)}`;
  if (update.event === 'paused' || update.event === 'resumed') return head;
  const parts = [head];
  if (event === 'removed') parts.push(`reason=${FLOW_REMOVED_REASONS[update.reason] ?? update.reason}`);
  parts.push(`table=${formatTable(update.table, names)}`);
  if (update.idleTimeout !== 0) parts.push(`idle_timeout=${update.idleTimeout}`);
  if (update.hardTimeout !== 0) parts.push(`hard_timeout=${update.hardTimeout}`);
  // Zero goes without the prefix that other cookies have.
  parts.push(`cookie=${update.cookie === 0n ? '0' : `0x${update.cookie.toString(16)}`}`);
  const match = formatMatch(update.match, names);
  const actions = update.actions.length === 0 ? '' : `actions=${formatActions(update.actions, names)}`;
  // A flow that matches everything leaves its place empty.
  return `${parts.join(' ')} ${match}${match !== '' && actions !== '' ? ' ' : ''}${actions}`;
}
