import type { Table } from '../data/table.ts';
import { OvsdbError } from '../errors.ts';
import { Members } from '../json/members.ts';
import type { Json } from '../json/value.ts';
import { insert, isAwaited, mutate, remove, select, update } from './row-operations.ts';
import type { Transaction } from './transaction.ts';
import type { UuidNames } from './uuid-names.ts';

/** What operations of one transaction share. */
export interface OperationContext {
  readonly transaction: Transaction;
  readonly names: UuidNames;
  readonly isReadOnly: boolean;
  /** Milliseconds since the transaction was received. */
  readonly elapsedMs: number;
  holdsLock(lock: string): boolean;
}

/** A wait operation that may still come true. */
export class Unmet {
  /** When the wait gives up, in milliseconds after the transaction was received; may be Infinity. */
  readonly deadlineMs: number;

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }
}

type RowOperation = (members: Members, table: Table, context: OperationContext) => Json;

const ROW_OPERATIONS: Readonly<Record<string, { readonly run: RowOperation; readonly writes: boolean }>> = {
  insert: { run: insert, writes: true },
  select: { run: select, writes: false },
  update: { run: update, writes: true },
  mutate: { run: mutate, writes: true },
  delete: { run: remove, writes: true },
};

type ControlOperation = (members: Members, context: OperationContext) => Json | Unmet;

const CONTROL_OPERATIONS: Readonly<Record<string, ControlOperation>> = { wait, commit, abort, comment, assert };

/** Does one operation of RFC 7047 section 5.2 and gives its result. Throws OvsdbError. */
export function operate(json: Json, what: string, context: OperationContext): Json | Unmet {
  const members = new Members(json, what);
  const op = members.required('op', 'string');
  if (Object.hasOwn(ROW_OPERATIONS, op)) {
    const { run, writes } = ROW_OPERATIONS[op];
    const table = takeTable(members, context);
    if (writes && context.isReadOnly)
      throw new OvsdbError('OVSDB_NOT_ALLOWED', `${op} is not allowed on a table that the server itself keeps`);
    return run(members, table, context);
  }
  if (Object.hasOwn(CONTROL_OPERATIONS, op)) return CONTROL_OPERATIONS[op](members, context);
  throw members.error(`there is no operation "${op}"`);
}

function takeTable(members: Members, context: OperationContext): Table {
  const name = members.required('table', 'string');
  const table = context.transaction.tables.get(name);
  if (!table) throw members.error(`there is no table ${name}`);
  return table;
}

/** Section 5.2.6 */
function wait(members: Members, context: OperationContext): Json | Unmet {
  const table = takeTable(members, context);
  const timeoutMs = members.optional('timeout', 'integer');
  if (timeoutMs !== undefined && timeoutMs < 0)
    throw new OvsdbError('OVSDB_SYNTAX', 'timeout must not be negative', { syntax: timeoutMs });
  if (isAwaited(members, table, context)) return {};
  if (timeoutMs === 0) throw new OvsdbError('OVSDB_TIMED_OUT', 'the rows are not what the wait expects');
  if (timeoutMs !== undefined && context.elapsedMs >= timeoutMs)
    throw new OvsdbError('OVSDB_TIMED_OUT', `the rows have not become what the wait expects in ${timeoutMs} ms`);
  return new Unmet(timeoutMs ?? Number.POSITIVE_INFINITY);
}

/** Section 5.2.7 */
function commit(members: Members, context: OperationContext): Json {
  const durable = members.required('durable', 'boolean');
  members.finish();
  if (context.isReadOnly)
    throw new OvsdbError('OVSDB_NOT_ALLOWED', 'commit is not allowed on a database that the server itself keeps');
  if (durable) context.transaction.isDurable = true;
  return {};
}

/** Section 5.2.8 */
function abort(members: Members): never {
  members.finish();
  throw new OvsdbError('OVSDB_ABORTED', 'aborted by request');
}

/** Section 5.2.9 */
function comment(members: Members, context: OperationContext): Json {
  context.transaction.comments.push(members.required('comment', 'string'));
  members.finish();
  return {};
}

/** Section 5.2.10 */
function assert(members: Members, context: OperationContext): Json {
  const lock = members.required('lock', 'string');
  members.finish();
  if (!context.holdsLock(lock)) throw new OvsdbError('OVSDB_NOT_OWNER', `the session does not hold lock ${lock}`);
  return {};
}
