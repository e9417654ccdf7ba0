import type { TableStats } from '../message.ts';

/** Tables' counters as `ovs-ofctl dump-tables` shows them: tables that are like the one before are told of together. */
export function formatTableStats(tables: readonly TableStats[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < tables.length; ) {
    let end = i + 1;
    if (i > 0 && isAlike(tables[i], tables[i - 1])) {
      while (end < tables.length && isAlike(tables[end], tables[i])) end++;
      const last = tables[end - 1].table;
      lines.push(last === tables[i].table ? `  table ${last}: ditto` : `  tables ${tables[i].table}...${last}: ditto`);
    } else {
      lines.push(...describe(tables[i], tables[i - 1]), '');
    }
    i = end;
  }
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

function describe(stats: TableStats, before: TableStats | undefined): string[] {
  const title = stats.name === '' || stats.name === `table${stats.table}` ? '' : ` ("${stats.name}")`;
  const lines = [
    `  table ${stats.table}${title}:`,
    `    active=${stats.active}, lookup=${stats.lookups}, matched=${stats.matched}`,
  ];
  if (stats.maxEntries > 0) {
    lines.push(before?.maxEntries === stats.maxEntries ? '    (same features)' : `    max_entries=${stats.maxEntries}`);
  }
  return lines;
}

function isAlike(a: TableStats, b: TableStats): boolean {
  return a.active === b.active && a.lookups === b.lookups && a.matched === b.matched && a.maxEntries === b.maxEntries;
}
