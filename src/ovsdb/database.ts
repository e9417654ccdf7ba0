import type { Row } from './data/row.ts';
import { type Changes, type RowChange, Table } from './data/table.ts';
import { newUuid, type Uuid } from './data/uuid.ts';
import { wireError } from './errors.ts';
import type { Json, JsonObject } from './json/value.ts';
import type { DatabaseSchema } from './schema/schema.ts';
import { type StrongCountDeltas, settle } from './transaction/integrity.ts';
import { type OperationContext, operate, Unmet } from './transaction/operation.ts';
import { Pending, type PendingTransaction, type TransactionRequest } from './transaction/pending.ts';
import { commitRecord } from './transaction/record.ts';
import { replayRecord } from './transaction/replay.ts';
import { atOnce, inSlices, type Steps } from './transaction/steps.ts';
import { Transaction } from './transaction/transaction.ts';
import { UuidNames } from './transaction/uuid-names.ts';

/** Where commits are kept so that they outlive the process. */
export interface CommitLog {
  /**
   * Keeps one record. A durable one is on the medium when the promise fulfils; another is with the operating system when
   * the call returns. Throws, or rejects with, OvsdbError OVSDB_IO, and then the record is not kept.
   */
  append(record: JsonObject, isDurable: boolean): Promise<void> | undefined;
}

export interface DatabaseOptions {
  readonly log?: CommitLog;
  /** Transactions of clients may not change it: the server keeps it itself. */
  readonly isReadOnly?: boolean;
}

type CommitListener = (changes: Changes) => void;
type Outcome = readonly Json[] | Unmet | { readonly results: readonly Json[]; readonly transaction: Transaction };

/** One database: tables, transactions on them one at a time, and listeners that hear of every commit. */
export class Database {
  readonly schema: DatabaseSchema;
  readonly tables: ReadonlyMap<string, Table>;
  readonly isReadOnly: boolean;
  readonly #listeners = new Set<CommitListener>();
  readonly #queue: Pending[] = [];
  /** Transactions with an unmet wait; each commit gives them another chance. */
  readonly #waiting = new Set<Pending>();
  #log: CommitLog | undefined;
  #isBusy = false;
  #idleCallbacks: (() => void)[] = [];

  constructor(schema: DatabaseSchema, options: DatabaseOptions = {}) {
    this.schema = schema;
    this.tables = new Map([...schema.tables].map(([name, table]) => [name, new Table(table)]));
    this.isReadOnly = options.isReadOnly === true;
    this.#log = options.log;
  }

  /** From now on commits are kept in `log`; for after a replay. */
  attachLog(log: CommitLog): void {
    this.#log = log;
  }

  /** Calls `listener` with the changes of every commit from now on, until the returned function is called. */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Applies a record of the file. Throws OvsdbError when it does not fit. */
  replay(record: Json): void {
    const transaction = replayRecord(record, this.tables);
    this.#apply(transaction);
  }

  /** Puts rows in that the server itself keeps, past what clients may do. */
  put(tableName: string, rows: readonly Row[]): void {
    const table = this.tables.get(tableName);
    if (!table) return;
    const transaction = new Transaction(this.tables);
    for (const row of rows) transaction.put(table, row);
    this.#apply(transaction);
  }

  #apply(transaction: Transaction): void {
    const changes = atOnce(this.#settle(transaction));
    if (changes) this.#commit(changes);
  }

  submit(request: TransactionRequest): PendingTransaction {
    const pending = new Pending(request);
    this.#queue.push(pending);
    this.#runQueue();
    const waiting = this.#waiting;
    return {
      cancel: () => this.#cancel(pending),
      get isWaiting() {
        return waiting.has(pending);
      },
    };
  }

  #cancel(pending: Pending): boolean {
    if (pending.isDone || (!this.#waiting.delete(pending) && !this.#queue.includes(pending))) return false;
    pending.drop();
    return true;
  }

  #runQueue(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let pending = this.#queue.shift(); pending; pending = this.#queue.shift()) {
      const rest = pending.isDone ? undefined : inSlices(this.#run(pending));
      if (rest) {
        // A long transaction, or a durable commit: nothing else runs until it is done, but the thread is free meanwhile.
        void rest.then(() => {
          this.#isBusy = false;
          this.#runQueue();
        });
        return;
      }
      this.#callIdle();
    }
    this.#isBusy = false;
    this.#callIdle();
  }

  #callIdle(): void {
    for (const callback of this.#idleCallbacks.splice(0)) callback();
  }

  /** Calls back, now or soon, at a moment at which every commit in the log is in the tables and the other way round. */
  whenIdle(callback: () => void): void {
    if (this.#isBusy) this.#idleCallbacks.push(callback);
    else callback();
  }

  /**
   * Runs one transaction as far as it goes now, in steps of about a row each. The promise is there when the commit is still
   * being made durable. Until the commit itself, which is one step, nothing that others see is touched.
   */
  *#run(pending: Pending): Steps<Promise<void> | undefined> {
    const outcome = yield* this.#execute(pending);
    if (outcome instanceof Unmet) {
      this.#keepWaiting(pending, outcome);
      return undefined;
    }
    if (Array.isArray(outcome)) {
      this.#finish(pending, outcome);
      return undefined;
    }
    const { results, transaction } = outcome as Exclude<Outcome, Unmet | readonly Json[]>;
    const fail = (error: unknown): void => this.#finish(pending, [...results, wireError(error)]);
    try {
      const settled = yield* this.#settle(transaction);
      if (!settled) {
        this.#finish(pending, results);
        return undefined;
      }
      const succeed = (): void => {
        this.#commit(settled);
        this.#finish(pending, results);
      };
      const record = this.#log && (yield* commitRecord(settled.changes, transaction.comments, Date.now()));
      const written = record && this.#log?.append(record, transaction.isDurable);
      if (written) return written.then(succeed, fail);
      succeed();
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  *#execute(pending: Pending): Steps<Outcome> {
    const { operations, holdsLock } = pending.request;
    const transaction = new Transaction(this.tables);
    const context: OperationContext = {
      transaction,
      names: new UuidNames(),
      isReadOnly: this.isReadOnly,
      elapsedMs: pending.elapsedMs,
      holdsLock,
    };
    const results: Json[] = [];
    for (let i = 0; i < operations.length; i++) {
      try {
        const result = operate(operations[i], `operation ${i + 1} of ${operations.length}`, context);
        if (result instanceof Unmet) return result;
        results.push(result);
      } catch (error) {
        results.push(wireError(error));
        while (results.length < operations.length) results.push(null);
        return results;
      }
      yield;
    }
    return { results, transaction };
  }

  #keepWaiting(pending: Pending, { deadlineMs }: Unmet): void {
    this.#waiting.add(pending);
    const leftMs = deadlineMs - pending.elapsedMs;
    pending.wakeAfter(leftMs, () => this.#retry([pending]));
  }

  #retry(waiting: Iterable<Pending>): void {
    for (const pending of waiting) {
      pending.sleep();
      this.#waiting.delete(pending);
      this.#queue.push(pending);
    }
    this.#runQueue();
  }

  #finish(pending: Pending, results: readonly Json[]): void {
    this.#waiting.delete(pending);
    pending.finish(results);
  }

  *#settle(transaction: Transaction): Steps<SettledChanges | undefined> {
    const deltas = yield* settle(transaction);
    const changes = new Map([...transaction.changes].filter(([, rows]) => rows.size > 0));
    return changes.size === 0 ? undefined : { changes, deltas };
  }

  #commit({ changes, deltas }: SettledChanges): void {
    for (const [table, counts] of deltas) for (const [uuid, delta] of counts) table.addStrongCount(uuid, delta);
    for (const [table, rows] of changes) table.apply(rows, this.tables);
    for (const listener of this.#listeners) listener(changes);
    if (this.#waiting.size > 0) this.#retry([...this.#waiting]);
  }
}

interface SettledChanges {
  readonly changes: ReadonlyMap<Table, ReadonlyMap<Uuid, RowChange>>;
  readonly deltas: StrongCountDeltas;
}

/** A row of a table that the server keeps itself. */
export function serverRow(table: Table, values: ReadonlyMap<string, Row['data'][number]>, uuid: Uuid = newUuid()): Row {
  return {
    uuid,
    version: uuid,
    data: table.schema.columns.map(({ name, index }) => values.get(name) ?? table.defaults[index]),
  };
}
