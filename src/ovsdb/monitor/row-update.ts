import { difference, equalData } from '../data/datum.ts';
import { printDatum } from '../data/datum-json.ts';
import { datumOf, type Row } from '../data/row.ts';
import type { RowChange } from '../data/table.ts';
import type { Json, JsonObject } from '../json/value.ts';
import { type Clause, holds } from '../transaction/condition.ts';
import { SELECT, type TableMonitor } from './request.ts';

type Describe = (monitor: TableMonitor, change: RowChange, isInitial: boolean) => Json | undefined;

/** `<row-update>` of RFC 7047 section 4.1.6; undefined when the monitor need not hear of the change. */
export const describeRowUpdate: Describe = (monitor, change, isInitial) => {
  const bit = selectBit(monitor, change, isInitial);
  if (!(monitor.select & bit)) return undefined;
  const before: JsonObject = {};
  const after: JsonObject = {};
  for (const [column, select] of monitor.columns) {
    if (!(select & bit)) continue;
    const old = change.before && datumOf(change.before, column);
    const now = change.after && datumOf(change.after, column);
    if (now) after[column.name] = printDatum(now, column.type);
    if (old && !(now && equalData(old, now))) before[column.name] = printDatum(old, column.type);
  }
  return { ...(change.before && { old: before }), ...(change.after && { new: after }) };
};

/** `<row-update2>` of ovsdb-server(7) section 4.1.14; undefined when the monitor need not hear of the change. */
export const describeRowUpdate2: Describe = (monitor, change, isInitial) => {
  const seen = {
    before: change.before && isWatched(monitor.clauses, change.before) ? change.before : undefined,
    after: change.after && isWatched(monitor.clauses, change.after) ? change.after : undefined,
  };
  const bit = selectBit(monitor, seen, isInitial);
  if (!(monitor.select & bit)) return undefined;
  if (bit === SELECT.delete) return { delete: null };
  const row: JsonObject = {};
  for (const [column, select] of monitor.columns) {
    if (!(select & bit) || !seen.after) continue;
    const now = datumOf(seen.after, column);
    // Without an earlier value the reader assumes the default, and is told what differs.
    if (equalData(seen.before ? datumOf(seen.before, column) : defaultOf(monitor, column.index), now)) continue;
    row[column.name] = printDatum(
      seen.before ? difference(datumOf(seen.before, column), now, column.type) : now,
      column.type,
    );
  }
  // A column may be watched without being shown when it is modified.
  if (bit === SELECT.modify && Object.keys(row).length === 0) return undefined;
  return { [bit === SELECT.initial ? 'initial' : bit === SELECT.insert ? 'insert' : 'modify']: row };
};

const NO_DEFAULT = { keys: [''], values: [] };

function defaultOf({ table }: TableMonitor, columnIndex: number): Row['data'][number] {
  return columnIndex >= 0 ? table.defaults[columnIndex] : NO_DEFAULT;
}

/** The kind of the change as one SELECT bit; 0 when nothing that the monitor shows has changed. */
function selectBit(monitor: TableMonitor, { before, after }: RowChange, isInitial: boolean): number {
  if (!before) return !after ? 0 : isInitial ? SELECT.initial : SELECT.insert;
  if (!after) return SELECT.delete;
  for (const column of monitor.columns.keys())
    if (!equalData(datumOf(before, column), datumOf(after, column))) return SELECT.modify;
  return 0;
}

export function isWatched(clauses: readonly Clause[] | undefined, row: Row): boolean {
  return clauses === undefined || clauses.length === 0 || clauses.some((clause) => holds(clause, row));
}
