import { isId } from '../data/atom-json.ts';
import type { Changes } from '../data/table.ts';
import { parseUuid } from '../data/uuid.ts';
import type { Database } from '../database.ts';
import { OvsdbError, wireError } from '../errors.ts';
import { printJsonSorted } from '../json/text.ts';
import { isArray, type Json } from '../json/value.ts';
import { Monitor, type MonitorVersion, type UpdateNotification } from '../monitor/monitor.ts';
import { parseConditionChange, parseMonitorRequests } from '../monitor/request.ts';
import { RpcConnection } from '../rpc/connection.ts';
import type { Transport } from '../rpc/transport.ts';
import { printSchema } from '../schema/schema-json.ts';
import type { PendingTransaction } from '../transaction/pending.ts';
import type { LockClient, Locks } from './locks.ts';

/** What sessions of one server share. */
export interface SessionContext {
  readonly serverId: string;
  readonly databases: ReadonlyMap<string, Database>;
  readonly locks: Locks<Session>;
  readonly limits: SessionLimits;
  readonly probeIntervalMs: number;
}

export interface SessionLimits {
  /** Bytes waiting to be sent beyond which a client gets no updates and its requests wait until it has read. */
  readonly maxBacklog: number;
  readonly maxMonitors: number;
  /** Locks held or waited for. */
  readonly maxLocks: number;
  /**
   * Transactions under way. A client with more of them is not read from until one is done; one with that many `wait`
   * operations unmet is refused another transaction.
   */
  readonly maxTransactions: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  maxBacklog: 4 * 1024 * 1024,
  maxMonitors: 1000,
  maxLocks: 1000,
  maxTransactions: 1000,
};

type Method = (session: Session, params: readonly Json[], id: Json) => Json | undefined;

/** One client of the server: its requests, monitors, locks and transactions (RFC 7047 section 4.1). */
export class Session implements LockClient {
  readonly #context: SessionContext;
  readonly #connection: RpcConnection;
  readonly #monitors = new Map<string, Monitor>();
  readonly #transactions = new Map<string, PendingTransaction>();
  readonly #unsubscribe: (() => void)[];
  #lockCount = 0;

  constructor(context: SessionContext, transport: Transport, onClosed: (error: OvsdbError | undefined) => void) {
    this.#context = context;
    this.#unsubscribe = [...context.databases.values()].map((database) =>
      database.onCommit((changes) => this.#note(database, changes)),
    );
    this.#connection = new RpcConnection(
      transport,
      {
        request: (method, params, id) => this.#request(method, params, id),
        notification: (method, params) => this.#notification(method, params),
        drained: () => this.#drained(),
        closed: (error) => {
          this.#end();
          onClosed(error);
        },
      },
      context.probeIntervalMs,
    );
  }

  get peer(): string {
    return this.#connection.peer;
  }

  close(): void {
    this.#connection.close();
  }

  locked(lock: string): void {
    this.#connection.notify('locked', [lock]);
  }

  stolen(lock: string): void {
    this.#connection.notify('stolen', [lock]);
  }

  #end(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const transaction of this.#transactions.values()) transaction.cancel();
    this.#transactions.clear();
    this.#monitors.clear();
    this.#context.locks.release(this);
  }

  #request(name: string, params: readonly Json[], id: Json): void {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (!method) {
      this.#connection.replyError(id, 'unknown method');
      return;
    }
    try {
      const result = method(this, params, id);
      if (result !== undefined) this.#connection.reply(id, result);
    } catch (error) {
      this.#connection.replyError(id, wireError(error));
    }
    if (!this.#keepsUp()) this.#connection.pause();
  }

  #keepsUp(): boolean {
    const { maxBacklog, maxTransactions } = this.#context.limits;
    if (this.#connection.backlog > maxBacklog) return false;
    return this.#transactions.size < maxTransactions || this.#waitingCount() >= maxTransactions;
  }

  #waitingCount(): number {
    let count = 0;
    for (const { isWaiting } of this.#transactions.values()) if (isWaiting) count++;
    return count;
  }

  /** RFC 7047 section 4.1.4: the only notification that a client sends. */
  #notification(name: string, params: readonly Json[]): void {
    if (name !== 'cancel' || params.length !== 1) return;
    const [id] = params;
    const key = printJsonSorted(id);
    if (!this.#transactions.get(key)?.cancel()) return;
    this.#transactions.delete(key);
    this.#connection.replyError(id, 'canceled');
  }

  #drained(): void {
    if (this.#keepsUp()) this.#connection.resume();
    for (const monitor of this.#monitors.values()) this.#notify(monitor.take());
  }

  #note(database: Database, changes: Changes): void {
    for (const monitor of this.#monitors.values()) {
      if (monitor.database !== database) continue;
      monitor.add(changes);
      // A client that does not keep up hears of the sum of the changes, once it has read what it was sent.
      if (this.#connection.backlog <= this.#context.limits.maxBacklog) this.#notify(monitor.take());
    }
  }

  #notify(update: UpdateNotification | undefined): void {
    if (update) this.#connection.notify(update.method, update.params);
  }

  database(params: readonly Json[], method: string): Database {
    const [name] = params;
    if (typeof name !== 'string')
      throw new OvsdbError('OVSDB_SYNTAX', `params of ${method} must begin with <db-name>`, { syntax: params });
    const database = this.#context.databases.get(name);
    if (!database) throw new OvsdbError('OVSDB_UNKNOWN_DATABASE', `there is no database ${name}`, { syntax: params });
    return database;
  }

  databaseNames(): string[] {
    return [...this.#context.databases.keys()].sort();
  }

  get serverId(): string {
    return this.#context.serverId;
  }

  /** Section 4.1.3 */
  transact(params: readonly Json[], id: Json): undefined {
    const database = this.database(params, 'transact');
    const key = printJsonSorted(id);
    if (this.#transactions.has(key))
      throw new OvsdbError('OVSDB_SYNTAX', 'a transaction with this request id is under way', { syntax: id });
    const { maxTransactions } = this.#context.limits;
    if (this.#transactions.size >= maxTransactions && this.#waitingCount() >= maxTransactions)
      throw new OvsdbError('OVSDB_RESOURCES', `maxTransactions: ${maxTransactions} transactions wait already`);
    let isDone = false;
    const pending = database.submit({
      operations: params.slice(1),
      holdsLock: (lock) => this.#context.locks.isHeldBy(lock, this),
      done: (results) => {
        isDone = true;
        this.#transactions.delete(key);
        if (!this.#connection.isOpen) return;
        // Updates go out before the reply of the transaction that made them, also to a client that does not keep up.
        for (const monitor of this.#monitors.values()) this.#notify(monitor.take());
        this.#connection.reply(id, results);
        if (this.#keepsUp()) this.#connection.resume();
      },
    });
    if (!isDone) this.#transactions.set(key, pending);
  }

  /** Section 4.1.5, and sections 4.1.12 and 4.1.15 of ovsdb-server(7). */
  monitor(params: readonly Json[], version: MonitorVersion, method: string): Json {
    const database = this.database(params, method);
    if (params.length !== (version === 3 ? 4 : 3))
      throw new OvsdbError('OVSDB_SYNTAX', `wrong number of params for ${method}`, { syntax: params });
    const [, id, requests, lastTransactionId] = params;
    if (version === 3 && !(typeof lastTransactionId === 'string' && parseUuid(lastTransactionId)))
      throw new OvsdbError('OVSDB_SYNTAX', 'last-txn-id must be a UUID', { syntax: lastTransactionId });
    const key = this.#freeMonitorKey(id);
    if (this.#monitors.size >= this.#context.limits.maxMonitors)
      throw new OvsdbError('OVSDB_RESOURCES', `maxMonitors: the session has ${this.#monitors.size} monitors already`);
    const monitor = new Monitor(id, database, version, parseMonitorRequests(requests, database, version > 1));
    this.#monitors.set(key, monitor);
    return monitor.initial();
  }

  #freeMonitorKey(id: Json): string {
    const key = printJsonSorted(id);
    if (this.#monitors.has(key))
      throw new OvsdbError('OVSDB_SYNTAX', 'a monitor of this session has this id', { syntax: id });
    return key;
  }

  /** Section 4.1.13 of ovsdb-server(7). */
  changeMonitor(params: readonly Json[]): Json {
    if (params.length !== 3)
      throw new OvsdbError('OVSDB_SYNTAX', 'monitor_cond_change has three params', { syntax: params });
    const [oldId, newId, requests] = params;
    const oldKey = printJsonSorted(oldId);
    const monitor = this.#monitors.get(oldKey);
    if (!monitor || monitor.version === 1)
      throw new OvsdbError('OVSDB_SYNTAX', 'no conditional monitor of this session has this id', { syntax: oldId });
    const newKey = printJsonSorted(newId) === oldKey ? oldKey : this.#freeMonitorKey(newId);
    const conditions = parseConditionChange(requests, monitor.database, monitor.tables);
    this.#notify(monitor.take());
    this.#monitors.delete(oldKey);
    this.#monitors.set(newKey, monitor);
    monitor.id = newId;
    this.#notify(monitor.changeConditions(conditions));
    return {};
  }

  /** Section 4.1.7 */
  cancelMonitor(params: readonly Json[], id: Json): Json | undefined {
    if (params.length === 1 && this.#monitors.delete(printJsonSorted(params[0]))) return {};
    this.#connection.replyError(id, params.length === 1 ? 'unknown monitor' : 'invalid parameters');
    return undefined;
  }

  /** Section 4.1.8 */
  lock(params: readonly Json[], method: 'lock' | 'steal'): Json {
    const lock = lockName(params, method);
    const { locks, limits } = this.#context;
    if (locks.isWantedBy(lock, this))
      throw new OvsdbError(
        'OVSDB_SYNTAX',
        `the session has asked for this lock; unlock comes before another ${method}`,
        {
          syntax: params,
        },
      );
    if (this.#lockCount >= limits.maxLocks)
      throw new OvsdbError('OVSDB_RESOURCES', `maxLocks: the session has asked for ${this.#lockCount} locks already`);
    this.#lockCount++;
    if (method === 'lock') return { locked: locks.lock(lock, this) };
    locks.steal(lock, this);
    return { locked: true };
  }

  unlock(params: readonly Json[]): Json {
    if (!this.#context.locks.unlock(lockName(params, 'unlock'), this))
      throw new OvsdbError('OVSDB_SYNTAX', 'the session has not asked for this lock', { syntax: params });
    this.#lockCount--;
    return {};
  }
}

function lockName(params: readonly Json[], method: string): string {
  if (params.length === 1 && isId(params[0])) return params[0];
  throw new OvsdbError('OVSDB_SYNTAX', `params of ${method} must be one <id>`, { syntax: params });
}

const METHODS: Readonly<Record<string, Method>> = {
  list_dbs: (session) => session.databaseNames(),
  get_schema: (session, params) => printSchema(session.database(params, 'get_schema').schema),
  get_server_id: (session) => session.serverId,
  transact: (session, params, id) => session.transact(params, id),
  monitor: (session, params) => session.monitor(params, 1, 'monitor'),
  monitor_cond: (session, params) => session.monitor(params, 2, 'monitor_cond'),
  monitor_cond_since: (session, params) => session.monitor(params, 3, 'monitor_cond_since'),
  monitor_cond_change: (session, params) => session.changeMonitor(params),
  monitor_cancel: (session, params, id) => session.cancelMonitor(params, id),
  lock: (session, params) => session.lock(params, 'lock'),
  steal: (session, params) => session.lock(params, 'steal'),
  unlock: (session, params) => session.unlock(params),
  set_db_change_aware: (_session, params) => {
    // Databases never come, go or change their schema here, so there is nothing to be aware of.
    if (params.length === 1 && typeof params[0] === 'boolean') return {};
    throw new OvsdbError('OVSDB_SYNTAX', 'params of set_db_change_aware must be one boolean', { syntax: params });
  },
  convert: (session, params) => {
    session.database(params, 'convert');
    if (!isArray(params) || params.length !== 2)
      throw new OvsdbError('OVSDB_SYNTAX', 'params of convert must be <db-name> and <database-schema>', {
        syntax: params,
      });
    throw new OvsdbError(
      'OVSDB_NOT_SUPPORTED',
      'a database cannot be converted while it is served; use ovsdb-tool convert',
    );
  },
};
