import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Row } from '../data/row.ts';
import type { Table } from '../data/table.ts';
import { printJson } from '../json/text.ts';
import { recordOfNewRow } from '../transaction/record.ts';

/** How long the snapshot may hold the thread at a stretch. */
const SLICE_MS = 4;

/**
 * One record with every row of a database, as it is at the moment of the call; made in slices, while commits go on (rows
 * are never changed in place).
 */
export async function snapshotRecord(tables: Iterable<Table>, dateMs: number): Promise<Buffer[]> {
  const rows = [...tables].map((table): [Table, Row[]] => [table, [...table.rows.values()]]);
  const pieces = [Buffer.from(`{"_date":${dateMs},"_comment":"compacted"`)];
  let sliceEnd = performance.now() + SLICE_MS;
  for (const [table, tableRows] of rows) {
    if (tableRows.length === 0) continue;
    let separator = `,${JSON.stringify(table.schema.name)}:{`;
    for (const row of tableRows) {
      pieces.push(Buffer.from(`${separator}"${row.uuid}":${printJson(recordOfNewRow(table, row))}`));
      separator = ',';
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
    pieces.push(Buffer.from('}'));
  }
  pieces.push(Buffer.from('}\n'));
  return pieces;
}
