import {
  type ColumnSchema,
  type ColumnType,
  type DraftRow,
  EMPTY_DATUM,
  findKey,
  listedColumns,
  parseAtomText,
  parseDatumText,
  printAtomText,
  printDatumText,
  type TableSchema,
} from '../../ovsdb/index.ts';
import { checkMutable, meetsCondition, parseColumnKey, setColumn } from './column-argument.ts';
import { type CommandContext, fail, TryAgain } from './context.ts';
import { findColumn, findRecord, findTable, recordOf } from './record.ts';

export function comment({ transaction, args }: CommandContext): void {
  if (args.length > 0) transaction.comments.push(args.join(' '));
}

export function list(context: CommandContext): void {
  const [tableName, ...ids] = context.args;
  const table = findTable(context.draft, tableName);
  const columns = wantedColumns(context, table);
  const rows =
    ids.length === 0 ? [...context.draft.rows(table.name)] : ids.flatMap((id) => recordOf(context, table, id) ?? []);
  show(context, columns, rows);
}

export function find(context: CommandContext): void {
  const [tableName, ...conditions] = context.args;
  const table = findTable(context.draft, tableName);
  const columns = wantedColumns(context, table);
  const rows = [...context.draft.rows(table.name)].filter((row) =>
    conditions.every((condition) => meetsCondition(context.transaction, row, condition)),
  );
  show(context, columns, rows);
}

function show({ output }: CommandContext, columns: readonly ColumnSchema[], rows: readonly DraftRow[]): void {
  output.table = { columns, rows: rows.map((row) => columns.map((column) => row.get(column))) };
}

function wantedColumns(context: CommandContext, table: TableSchema): ColumnSchema[] {
  const given = context.option('--columns');
  if (given === undefined) return listedColumns(table);
  const names = given.split(/[, ]+/).filter((name) => name !== '');
  if (names.length === 0) fail('must specify at least one column name');
  return names.map((name) => findColumn(table, name, true));
}

export function get(context: CommandContext): void {
  const [tableName, id, ...wanted] = context.args;
  const symbolName = context.option('--id');
  const table = findTable(context.draft, tableName);
  const row = recordOf(context, table, id);
  if (!row) return;
  if (symbolName !== undefined) takeSymbol(context, symbolName, row, 'get');
  for (const text of wanted) {
    const { column, key } = parseColumnKey(text, table);
    const { type } = column;
    if (key === undefined) {
      context.print(printDatumText(row.get(column), type));
      continue;
    }
    if (!type.value) fail(`cannot specify key to get for non-map column ${column.name}`);
    const keyAtom = parseAtomText(key, type.key, context.transaction.referTo);
    const datum = row.get(column);
    const at = findKey(datum, keyAtom);
    if (at < 0 && !context.has('--if-exists'))
      fail(`no key "${key}" in ${table.name} record "${id}" column ${column.name}`);
    context.print(at < 0 ? '' : printAtomText(datum.values[at], type.value.type));
  }
}

/** Makes `@name` stand for a row. */
function takeSymbol(context: CommandContext, name: string, row: DraftRow, how: 'create' | 'get'): void {
  if (!name.startsWith('@')) fail(`row id "${name}" does not begin with "@"`);
  const symbol = context.transaction.symbol(name);
  if (symbol.isCreated) fail(`row id "${name}" may only be specified on one --id option`);
  if (how === 'get' && (symbol.isStronglyReferred || symbol.isWeaklyReferred))
    fail(`row id "${name}" specified on "get" command was used before it was defined`);
  symbol.isCreated = true;
  symbol.uuid = row.uuid;
  // A row of the database is there whether anything refers to it or not.
  if (how === 'get') symbol.isStronglyReferred = true;
}

export function set(context: CommandContext): void {
  const [tableName, id, ...settings] = context.args;
  const table = findTable(context.draft, tableName);
  // Columns are looked up first: a wrong one is told of even when there is no row.
  for (const text of settings) {
    const [name] = text.split(/[:=]/, 1);
    if (name !== '') findColumn(table, name);
  }
  const row = recordOf(context, table, id);
  if (!row) return;
  for (const text of settings) setColumn(context.transaction, row, text);
  context.transaction.forgetLayout();
}

export function add(context: CommandContext): void {
  changeElements(context, (row, column, text) => {
    const { key, value } = column.type;
    const type: ColumnType = { key, ...(value && { value }), min: 1, max: Number.POSITIVE_INFINITY };
    row.add(column, parseDatumText(text, type, context.transaction.referTo));
  });
}

export function remove(context: CommandContext): void {
  changeElements(context, (row, column, text) => {
    const { key, value } = column.type;
    const keysOnly: ColumnType = { key, min: 1, max: Number.POSITIVE_INFINITY };
    row.remove(column, parseElements(text, value ? { ...keysOnly, value } : undefined, keysOnly));
    const { min } = column.type;
    const count = row.get(column).keys.length;
    if (count < min)
      fail(
        `"remove" operation would put ${count} ${value ? 'pairs' : 'values'} in column ${column.name} of table ${row.table.name} but the minimum number is ${min}`,
      );
  });

  /** A map's pairs may be named by their keys alone. */
  function parseElements(text: string, pairs: ColumnType | undefined, keysOnly: ColumnType) {
    if (pairs) {
      try {
        return parseDatumText(text, pairs, context.transaction.referTo);
      } catch {
        // then by key
      }
    }
    return parseDatumText(text, keysOnly, context.transaction.referTo);
  }
}

function changeElements(
  context: CommandContext,
  change: (row: DraftRow, column: ColumnSchema, text: string) => void,
): void {
  const [tableName, id, columnName, ...elements] = context.args;
  const table = findTable(context.draft, tableName);
  const column = findColumn(table, columnName);
  const row = recordOf(context, table, id);
  if (!row) return;
  checkMutable(row, column);
  for (const text of elements) change(row, column, text);
  context.transaction.forgetLayout();
}

export function clear(context: CommandContext): void {
  const [tableName, id, ...names] = context.args;
  const table = findTable(context.draft, tableName);
  const row = recordOf(context, table, id);
  if (!row) return;
  for (const name of names) {
    const column = findColumn(table, name);
    checkMutable(row, column);
    if (column.type.min > 0)
      fail(
        `"clear" operation cannot be applied to column ${column.name} of table ${table.name}, which is not allowed to be empty`,
      );
    row.write(column, EMPTY_DATUM);
  }
  context.transaction.forgetLayout();
}

export function create(context: CommandContext): void {
  const [tableName, ...settings] = context.args;
  const { transaction } = context;
  const table = findTable(context.draft, tableName);
  const symbolName = context.option('--id');
  if (symbolName === undefined && !table.isRoot)
    context.warn(
      `applying "create" command to table ${table.name} without --id option will have no effect`,
      'db_ctl_base',
    );
  // Commands before this one may have referred to the row already.
  const row = context.draft.insert(table.name, context.transaction.symbols.get(symbolName ?? '')?.uuid);
  if (symbolName !== undefined) takeSymbol(context, symbolName, row, 'create');
  context.output.created = row;
  for (const text of settings) setColumn(transaction, row, text);
  transaction.forgetLayout();
}

export function destroy(context: CommandContext): void {
  const [tableName, ...ids] = context.args;
  const table = findTable(context.draft, tableName);
  if (context.has('--all')) {
    if (ids.length > 0) fail('--all and records argument should not be specified together');
    for (const row of context.draft.rows(table.name)) row.delete();
  } else {
    if (ids.length === 0) context.warn('either --all or records argument should be specified', 'db_ctl_base');
    for (const id of ids) recordOf(context, table, id)?.delete();
  }
  context.transaction.forgetLayout();
}

export function waitUntil(context: CommandContext): void {
  const [tableName, id, ...conditions] = context.args;
  const table = findTable(context.draft, tableName);
  const row = findRecord(context.transaction, table, id);
  if (!row || !conditions.every((condition) => meetsCondition(context.transaction, row, condition)))
    throw new TryAgain();
}
