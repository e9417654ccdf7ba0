import { equalData, filterDatum } from '../data/datum.ts';
import type { Row } from '../data/row.ts';
import { indexKey, type Table } from '../data/table.ts';
import { newUuid, type Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { type Reference, referredUuids } from '../schema/reference.ts';
import type { Steps } from './steps.ts';
import type { Transaction } from './transaction.ts';

/** By how much a commit changes how often rows are referred to. */
export type StrongCountDeltas = ReadonlyMap<Table, ReadonlyMap<Uuid, number>>;

const NONE: readonly Uuid[] = [];

/**
 * Brings a transaction into the state in which it can be committed: drops rows that did not change, deletes what nothing
 * refers to any more, removes weak references to rows that are gone, and throws OvsdbError where the schema's constraints
 * across rows do not hold (RFC 7047 sections 3.2 and 5.1). The transaction's changes are then what the commit does.
 */
export function* settle(transaction: Transaction): Steps<StrongCountDeltas> {
  yield* forgetUnchanged(transaction);
  const counts = new StrongCounts(transaction);
  yield* counts.countAll();
  yield* counts.check();
  // Each may leave work for the other: a map's pair with a weak key may hold the last strong reference to a row.
  do yield* counts.collectGarbage();
  while (yield* removeDanglingWeakReferences(transaction, counts));
  yield* checkMaxRows(transaction);
  yield* checkIndexes(transaction);
  yield* stampVersions(transaction);
  return counts.deltas;
}

function* forgetUnchanged(transaction: Transaction): Steps<void> {
  for (const [table, changes] of transaction.changes)
    for (const [uuid, { before, after }] of changes) {
      if (before && after && before.data.every((datum, i) => equalData(datum, after.data[i])))
        transaction.forget(table, uuid);
      yield;
    }
}

/** Strong reference counts as the transaction would leave them. A row's references to itself do not count. */
class StrongCounts {
  readonly deltas = new Map<Table, Map<Uuid, number>>();
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  *countAll(): Steps<void> {
    for (const [table, changes] of this.#transaction.changes)
      for (const { before, after } of changes.values()) {
        this.replace(table, before, after);
        yield;
      }
  }

  replace(table: Table, before: Row | undefined, after: Row | undefined): void {
    const uuid = (before ?? after)?.uuid;
    for (const reference of table.strongReferences) {
      const old = before ? referredUuids(before, reference) : NONE;
      const now = after ? referredUuids(after, reference) : NONE;
      if (old === now) continue;
      const target = this.#tableOf(reference);
      const self = target === table ? uuid : undefined;
      const deltas = this.#deltasOf(target);
      const add = (referred: Uuid, count: 1 | -1): void => {
        if (referred !== self) deltas.set(referred, (deltas.get(referred) ?? 0) + count);
      };
      // Of a bridge's thousand ports mostly one comes or goes: what both have at the same end need not be counted.
      let start = 0;
      while (start < old.length && start < now.length && old[start] === now[start]) start++;
      let oldEnd = old.length;
      let nowEnd = now.length;
      for (; oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]; oldEnd--) nowEnd--;
      for (let i = start; i < oldEnd; i++) add(old[i], -1);
      for (let i = start; i < nowEnd; i++) add(now[i], 1);
    }
  }

  #deltasOf(table: Table): Map<Uuid, number> {
    let deltas = this.deltas.get(table);
    if (!deltas) {
      deltas = new Map();
      this.deltas.set(table, deltas);
    }
    return deltas;
  }

  #tableOf(reference: Reference): Table {
    // compileSchema has checked that the table exists.
    return this.#transaction.tables.get(reference.refTable) as Table;
  }

  #count(table: Table, uuid: Uuid): number {
    return table.strongCount(uuid) + (this.deltas.get(table)?.get(uuid) ?? 0);
  }

  *check(): Steps<void> {
    for (const [table, deltas] of this.deltas)
      for (const uuid of deltas.keys()) {
        if (!this.#transaction.get(table, uuid)) this.#checkGone(table, uuid);
        yield;
      }
    for (const [table, changes] of this.#transaction.changes)
      for (const [uuid, { after }] of changes) {
        if (!after) this.#checkGone(table, uuid);
        yield;
      }
  }

  #checkGone(table: Table, uuid: Uuid): void {
    const count = this.#count(table, uuid);
    if (count > 0)
      throw new OvsdbError(
        'OVSDB_REFERENTIAL_INTEGRITY',
        `row ${uuid} of table ${table.schema.name}, which does not exist after the transaction, is still referred to ${count} time(s)`,
      );
  }

  /** Deletes rows of non-root tables that nothing refers to, and then what only those referred to. */
  *collectGarbage(): Steps<void> {
    const candidates: [Table, Uuid][] = [];
    const consider = (table: Table, uuid: Uuid): void => {
      if (!table.schema.isRoot) candidates.push([table, uuid]);
    };
    for (const [table, changes] of this.#transaction.changes) for (const uuid of changes.keys()) consider(table, uuid);
    for (const [table, deltas] of this.deltas) for (const uuid of deltas.keys()) consider(table, uuid);
    for (let next = candidates.pop(); next; next = candidates.pop()) {
      yield;
      const [table, uuid] = next;
      const row = this.#transaction.get(table, uuid);
      if (!row || this.#count(table, uuid) > 0) continue;
      this.#transaction.remove(table, uuid);
      this.replace(table, row, undefined);
      for (const reference of table.strongReferences)
        for (const referred of referredUuids(row, reference)) consider(this.#tableOf(reference), referred);
    }
  }
}

/** Whether any row had to be changed. */
function* removeDanglingWeakReferences(transaction: Transaction, counts: StrongCounts): Steps<boolean> {
  const holders: [Table, Uuid][] = [];
  for (const [table, changes] of transaction.changes) {
    for (const [uuid, { after }] of changes) {
      if (after && table.weakReferences.length > 0) holders.push([table, uuid]);
      if (!after)
        for (const [holder, holderTable] of table.weakHolders(uuid) ?? []) holders.push([holderTable, holder]);
      yield;
    }
  }
  let hasChanged = false;
  for (const [table, uuid] of holders) {
    yield;
    const row = transaction.get(table, uuid);
    const mended = row && withoutDangling(row, table, transaction);
    if (!row || !mended || mended === row) continue;
    transaction.put(table, mended);
    counts.replace(table, row, mended);
    hasChanged = true;
  }
  return hasChanged;
}

function withoutDangling(row: Row, table: Table, transaction: Transaction): Row {
  let data = row.data;
  for (const { column, part, refTable } of table.weakReferences) {
    const target = transaction.tables.get(refTable) as Table;
    const datum = data[column.index];
    const kept = filterDatum(datum, (key, value) => {
      return transaction.get(target, (part === 'keys' ? key : value) as Uuid) !== undefined;
    });
    if (kept === datum) continue;
    if (kept.keys.length < column.type.min)
      throw new OvsdbError(
        'OVSDB_CONSTRAINT',
        `column ${column.name} of row ${row.uuid} in table ${table.schema.name} must not become empty, but the rows that it refers to weakly are gone`,
      );
    data = data.with(column.index, kept);
  }
  return data === row.data ? row : { ...row, data };
}

function* checkMaxRows(transaction: Transaction): Steps<void> {
  for (const [table, changes] of transaction.changes) {
    let count = table.rows.size;
    for (const { before, after } of changes.values()) {
      count += (after ? 1 : 0) - (before ? 1 : 0);
      yield;
    }
    if (count > table.schema.maxRows)
      throw new OvsdbError(
        'OVSDB_CONSTRAINT',
        `table ${table.schema.name} would have ${count} rows, more than the ${table.schema.maxRows} that the schema allows`,
      );
  }
}

function* checkIndexes(transaction: Transaction): Steps<void> {
  for (const [table, changes] of transaction.changes)
    for (const [i, index] of table.schema.indexes.entries()) {
      const taken = new Map<string, Uuid>();
      for (const { after } of changes.values()) {
        if (!after) continue;
        const key = indexKey(after, index);
        const committed = table.lookup(i, key);
        const other = taken.get(key) ?? (committed !== undefined && !changes.has(committed) ? committed : undefined);
        if (other !== undefined)
          throw new OvsdbError(
            'OVSDB_CONSTRAINT',
            `rows ${after.uuid} and ${other} of table ${table.schema.name} would have the same values in the index on ${index.map((column) => column.name).join(', ')}`,
          );
        taken.set(key, after.uuid);
        yield;
      }
    }
}

function* stampVersions(transaction: Transaction): Steps<void> {
  for (const [table, changes] of transaction.changes)
    for (const { after } of changes.values()) {
      if (after) transaction.put(table, { ...after, version: newUuid() });
      yield;
    }
}
