import {
  type Atom,
  type ColumnSchema,
  type ColumnType,
  compareAtoms,
  type Datum,
  type DraftRow,
  EMPTY_DATUM,
  equalData,
  findKey,
  parseAtomText,
  parseDatumText,
  type TableSchema,
  takeWord,
} from '../../ovsdb/index.ts';
import { fail, type Transaction } from './context.ts';
import { findColumn } from './record.ts';

/** The operators of conditions; the longer ones first, so that none is taken for a shorter one. */
const OPERATORS = [
  '=',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '{=}',
  '{!=}',
  '{<}',
  '{>}',
  '{<=}',
  '{>=}',
  '{in}',
  '{not-in}',
] as const;
type Operator = (typeof OPERATORS)[number];

/** An argument `COLUMN[:KEY][OPERATOR VALUE]`. */
export interface ColumnArgument {
  readonly column: ColumnSchema;
  readonly key: string | undefined;
  readonly operator: Operator;
  readonly value: string;
}

/** Throws VsctlError, OvsdbError. */
export function parseColumnKey(
  text: string,
  table: TableSchema,
): { readonly column: ColumnSchema; readonly key: string | undefined } {
  const { column, key, rest } = takeColumnKey(text, table);
  if (rest !== '') fail(`${text}: trailing garbage "${rest}" in argument`);
  return { column, key };
}

function takeColumnKey(text: string, table: TableSchema) {
  const name = takeWord(text, 0);
  if (name.word === '') fail(`${text}: missing column name`);
  const column = findColumn(table, name.word, true);
  if (text[name.end] !== ':') return { column, key: undefined, rest: text.slice(name.end) };
  const key = takeWord(text, name.end + 1);
  return { column, key: key.word, rest: text.slice(key.end) };
}

function parseColumnArgument(text: string, table: TableSchema, operators: readonly Operator[]): ColumnArgument {
  const { column, key, rest } = takeColumnKey(text, table);
  if (column.index < 0) fail(`${table.name} does not contain a column whose name matches "${column.name}"`);
  const operator = operators
    .filter((one) => rest.startsWith(one))
    .reduce<Operator | undefined>(
      (longest, one) => (longest && longest.length > one.length ? longest : one),
      undefined,
    );
  if (!operator || rest.length === operator.length)
    fail(`${text}: argument does not end in ${listed(operators)} followed by a value.`);
  return { column, key, operator, value: rest.slice(operator.length) };
}

function listed(operators: readonly Operator[]): string {
  const quoted = operators.map((operator) => `"${operator}"`);
  return quoted.length === 1 ? quoted[0] : `${quoted.slice(0, -1).join(', ')}, or ${quoted[quoted.length - 1]}`;
}

/** Fails for a column that only new rows may set. */
export function checkMutable(row: DraftRow, column: ColumnSchema): void {
  if (!column.mutable && !row.isNew) fail(`cannot modify read-only column ${column.name} in table ${row.table.name}`);
}

/** Does what `COLUMN[:KEY]=VALUE` says. Throws VsctlError, OvsdbError. */
export function setColumn(transaction: Transaction, row: DraftRow, text: string): void {
  const { column, key, value } = parseColumnArgument(text, row.table, ['=']);
  checkMutable(row, column);
  const { type } = column;
  if (key === undefined) {
    row.write(column, parseDatumText(value, type, transaction.referTo));
    return;
  }
  if (!type.value) fail(`cannot specify key to set for non-map column ${column.name}`);
  const keyAtom = parseAtomText(key, type.key, transaction.referTo);
  row.add(column, { keys: [keyAtom], values: [parseAtomText(value, type.value, transaction.referTo)] });
}

/** Whether `COLUMN[:KEY]OPERATOR VALUE` holds for a row. Throws VsctlError, OvsdbError. */
export function meetsCondition(transaction: Transaction, row: DraftRow, text: string): boolean {
  const { column, key, operator, value } = parseColumnArgument(text, row.table, OPERATORS);
  const { type } = column;
  const has = row.get(column);
  if (key === undefined) return compare(has, operator, parseDatumText(value, type, transaction.referTo));
  if (!type.value) fail(`cannot specify key to check for non-map column ${column.name}`);
  const at = findKey(has, parseAtomText(key, type.key, transaction.referTo));
  const valueType: ColumnType = { key: type.value, min: 0, max: Number.POSITIVE_INFINITY };
  const wanted = parseDatumText(value, valueType, transaction.referTo);
  if (at < 0 && !operator.startsWith('{')) return false;
  return compare(at < 0 ? EMPTY_DATUM : { keys: [has.values[at]], values: [] }, operator, wanted);
}

function compare(a: Datum, operator: Operator, b: Datum): boolean {
  switch (operator) {
    case '=':
    case '{=}':
      return equalData(a, b);
    case '!=':
    case '{!=}':
      return !equalData(a, b);
    case '<':
      return order(a, b) < 0;
    case '>':
      return order(a, b) > 0;
    case '<=':
      return order(a, b) <= 0;
    case '>=':
      return order(a, b) >= 0;
    case '{<}':
      return includes(b, a) && !equalData(a, b);
    case '{>}':
      return includes(a, b) && !equalData(a, b);
    case '{<=}':
    case '{in}':
      return includes(b, a);
    case '{>=}':
      return includes(a, b);
    case '{not-in}':
      return a.keys.every((key, i) => !holds(b, key, a.values[i]));
  }
}

/** By number of elements, then element by element. */
function order(a: Datum, b: Datum): number {
  const byCount = a.keys.length - b.keys.length;
  if (byCount !== 0) return byCount;
  for (const part of ['keys', 'values'] as const)
    for (let i = 0; i < a[part].length; i++) {
      const byAtom = compareAtoms(a[part][i], b[part][i]);
      if (byAtom !== 0) return byAtom;
    }
  return 0;
}

function includes(whole: Datum, part: Datum): boolean {
  return part.keys.every((key, i) => holds(whole, key, part.values[i]));
}

function holds(datum: Datum, key: Atom, value: Atom | undefined): boolean {
  const at = findKey(datum, key);
  return at >= 0 && (value === undefined || datum.values[at] === value);
}
