import {
  type ColumnSchema,
  type Datum,
  type Json,
  printDatum,
  printDatumBare,
  printDatumText,
  printJsonSorted,
} from '../../ovsdb/index.ts';

const TABLE_FORMATS = ['table', 'list', 'html', 'csv', 'json'] as const;
const CELL_FORMATS = ['string', 'bare', 'json'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];
export type CellFormat = (typeof CELL_FORMATS)[number];

export function isTableFormat(text: string): text is TableFormat {
  return TABLE_FORMATS.some((format) => format === text);
}

export function isCellFormat(text: string): text is CellFormat {
  return CELL_FORMATS.some((format) => format === text);
}

/** How tables are printed: ovs-vsctl(8), "Table Formatting Options". */
export interface TableStyle {
  readonly format: TableFormat;
  readonly cells: CellFormat;
  readonly hasHeadings: boolean;
  readonly isPretty: boolean;
  /** Of a column, for the format `table`; 0 for any. */
  readonly maxWidth: number;
}

/** What `list` and `find` have found. */
export interface FoundRows {
  readonly columns: readonly ColumnSchema[];
  readonly rows: readonly (readonly Datum[])[];
}

const HEADING_WIDTH = 20;

/** The text of one table, with a newline at its end unless it is empty. */
export function printTable({ columns, rows }: FoundRows, style: TableStyle): string {
  if (style.format === 'json') return `${printJsonTable({ columns, rows }, style)}\n`;
  const headings = columns.map(({ name }) => name);
  const cells = rows.map((row) => row.map((datum, i) => printCell(datum, columns[i], style.cells)));
  switch (style.format) {
    case 'table':
      return printAligned(headings, cells, style);
    case 'csv':
      return lines((style.hasHeadings ? [headings, ...cells] : cells).map((row) => row.map(csvCell).join(',')));
    case 'html':
      return printHtml(headings, cells, style);
    default:
      return printList(headings, cells, style);
  }
}

function printCell(datum: Datum, { type }: ColumnSchema, format: CellFormat): string {
  if (format === 'json') return printJsonSorted(printDatum(datum, type));
  return format === 'bare' ? printDatumBare(datum, type) : printDatumText(datum, type);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

function printList(headings: readonly string[], rows: readonly string[][], { hasHeadings }: TableStyle): string {
  return rows
    .map((row) => lines(row.map((cell, i) => (hasHeadings ? `${headings[i].padEnd(HEADING_WIDTH)}: ${cell}` : cell))))
    .join('\n');
}

function printAligned(headings: readonly string[], rows: readonly string[][], style: TableStyle): string {
  const widths = headings.map((heading, i) => {
    const widest = rows.reduce((width, row) => Math.max(width, [...row[i]].length), 0);
    const bounded = style.maxWidth > 0 ? Math.min(widest, style.maxWidth) : widest;
    return style.hasHeadings ? Math.max(bounded, heading.length) : bounded;
  });
  const print = (row: readonly string[]): string =>
    row
      .map((cell, i) => [...cell].slice(0, widths[i]).join('').padEnd(widths[i]))
      .join(' ')
      .replace(/ +$/, '');
  const rule = widths.map((width) => '-'.repeat(width));
  return lines([...(style.hasHeadings ? [print(headings), print(rule)] : []), ...rows.map(print)]);
}

/** RFC 4180 */
function csvCell(cell: string): string {
  return /[\n",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function printHtml(headings: readonly string[], rows: readonly string[][], { hasHeadings }: TableStyle): string {
  const printRow = (row: readonly string[], tag: string): string =>
    `  <tr>\n${lines(row.map((cell) => `    <${tag}>${escapeHtml(cell)}</${tag}>`))}  </tr>\n`;
  const head = hasHeadings ? printRow(headings, 'th') : '';
  return `<table border=1>\n${head}${rows.map((row) => printRow(row, 'td')).join('')}</table>\n`;
}

const HTML_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => HTML_ESCAPES[character]);
}

function printJsonTable({ columns, rows }: FoundRows, { isPretty }: TableStyle): string {
  const table: Json = {
    data: rows.map((row) => row.map((datum, i) => printDatum(datum, columns[i].type))),
    headings: columns.map(({ name }) => name),
  };
  return isPretty ? printPretty(table, 0) : printJsonSorted(table);
}

/** As Open vSwitch lays JSON out: a closing bracket stands behind the last element. */
function printPretty(json: Json, depth: number): string {
  const indent = `\n${'  '.repeat(depth + 1)}`;
  if (Array.isArray(json))
    return json.length === 0 ? '[]' : `[${json.map((element) => indent + printPretty(element, depth + 1)).join(',')}]`;
  if (typeof json !== 'object' || json === null) return printJsonSorted(json);
  const members = Object.entries(json as { readonly [member: string]: Json });
  return `{${members.map(([name, value]) => `${indent}${JSON.stringify(name)}: ${printPretty(value, depth + 1)}`).join(',')}}`;
}
