import { parseUuid, type Uuid, ZERO_UUID } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { isArray, isObject, type Json, type JsonObject } from '../json/value.ts';
import { RpcConnection } from '../rpc/connection.ts';
import { type DialOptions, dial } from '../rpc/dial.ts';
import { isPassive, parseRemote } from '../rpc/remote.ts';
import type { Transport } from '../rpc/transport.ts';
import type { ColumnType } from '../schema/column-type.ts';
import { compileSchema } from '../schema/compile.ts';
import type { ColumnName, RowOf, SchemaDefinition, TableName } from '../schema/definition.ts';
import type { DatabaseSchema } from '../schema/schema.ts';
import { parseSchema } from '../schema/schema-json.ts';
import { Draft } from './draft.ts';
import { type PlainRowEvent, Replica } from './replica.ts';
import { ClientTransaction } from './transaction.ts';

/** What became of one row: `before` undefined means it is new (to the replica), `after` undefined that it is gone. */
export type RowEvent<D extends SchemaDefinition> = {
  [T in TableName<D>]: {
    readonly table: T;
    readonly uuid: Uuid;
    readonly before: RowOf<D, T> | undefined;
    readonly after: RowOf<D, T> | undefined;
  };
}[TableName<D>];

export interface OvsdbClientOptions<D extends SchemaDefinition> {
  readonly schema: D;
  /** An active remote (unix:, tcp:, ssl:), or a function that connects, as `OvsdbServer.connectInProcess`. */
  readonly connect: string | (() => Transport | Promise<Transport>);
  /** The tables to replicate, each with its columns or `true` for all; everything when left out. */
  readonly tables?: { readonly [T in TableName<D>]?: true | readonly ColumnName<D, T>[] };
  /** A lock that the client asks for whenever it is connected. */
  readonly lock?: string;
  readonly probeIntervalMs?: number;
  /** The first and the longest wait before another attempt to connect. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  readonly dial?: DialOptions;
}

const DEFAULT_PROBE_INTERVAL_MS = 5000;
const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 8000;

/** The methods that make a monitor, the most capable first. */
const MONITOR_METHODS = ['monitor_cond_since', 'monitor_cond', 'monitor'] as const;
const MONITOR_ID = 'replica';

/**
 * A client that keeps a replica of a database, typed by its schema: it connects, monitors, reconnects, and tells of every
 * change. The replica stays readable while the connection is down.
 */
export class OvsdbClient<D extends SchemaDefinition> {
  readonly #options: OvsdbClientOptions<D>;
  readonly #schema: DatabaseSchema;
  readonly #replica: Replica;
  readonly #changeListeners = new Set<(events: readonly RowEvent<D>[]) => void>();
  readonly #stateListeners = new Set<(error: OvsdbError | undefined) => void>();
  #connection: RpcConnection | undefined;
  #isReady = false;
  #hasLock = false;
  #isClosed = false;
  #lastTransactionId: Uuid = ZERO_UUID;
  #backoffMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OvsdbClientOptions<D>) {
    this.#options = options;
    this.#schema = compileSchema(options.schema);
    this.#replica = new Replica(this.#schema);
    this.#backoffMs = options.minBackoffMs ?? MIN_BACKOFF_MS;
  }

  /** Connected, and the replica is what the server has. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the client holds the lock of its options. */
  get hasLock(): boolean {
    return this.#hasLock;
  }

  rows<T extends TableName<D>>(table: T): ReadonlyMap<Uuid, RowOf<D, T>> {
    return this.#replica.rows(table) as ReadonlyMap<Uuid, unknown> as ReadonlyMap<Uuid, RowOf<D, T>>;
  }

  row<T extends TableName<D>>(table: T, uuid: Uuid): RowOf<D, T> | undefined {
    return this.rows(table).get(uuid);
  }

  /** The schema that the client was made with, compiled. */
  get schema(): DatabaseSchema {
    return this.#schema;
  }

  /** A draft of changes to what the replica has now; see `Draft`. */
  draft(): Draft {
    const replica = this.#replica;
    return new Draft({
      schema: this.#schema,
      uuids: (table) => replica.rows(table).keys(),
      data: (table, uuid) => replica.tables.get(table)?.rows.get(uuid)?.data,
    });
  }

  /** Calls back with the changes of each update. When a transaction of this client commits, that is before its result. */
  onChange(listener: (events: readonly RowEvent<D>[]) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Calls back when `isReady` or `hasLock` changed, and with the error when connecting failed or a connection broke. */
  onState(listener: (error: OvsdbError | undefined) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Connects, and from then on reconnects. Throws OvsdbError OVSDB_REMOTE when the remote cannot be one. */
  start(): void {
    const { connect, dial: dialOptions } = this.#options;
    if (typeof connect !== 'string') {
      this.#connect(async () => connect());
      return;
    }
    const remote = parseRemote(connect);
    if (isPassive(remote)) throw new OvsdbError('OVSDB_REMOTE', `${connect}: a client needs an active remote`);
    this.#connect(() => dial(remote, connect, dialOptions));
  }

  /** Resolves as soon as `isReady`. */
  whenReady(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isReady) {
        resolve();
        return;
      }
      const unsubscribe = this.onState(() => {
        if (!this.#isReady) return;
        unsubscribe();
        resolve();
      });
    });
  }

  transaction(): ClientTransaction<D> {
    return new ClientTransaction<D>({
      schema: this.#schema,
      row: (table, uuid) => this.#replica.rows(table).get(uuid),
      transact: (operations) => this.call('transact', [this.#schema.name, ...operations]),
    });
  }

  /** Any other request (RFC 7047 section 4.1). Rejects with OvsdbError OVSDB_REJECTED or OVSDB_DISCONNECTED. */
  call(method: string, params: readonly Json[]): Promise<Json> {
    if (this.#connection) return this.#connection.call(method, params);
    return Promise.reject(new OvsdbError('OVSDB_DISCONNECTED', 'not connected to the database'));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  #connect(open: () => Promise<Transport>): void {
    const retry = (error: OvsdbError | undefined): void => {
      this.#connection = undefined;
      this.#isReady = false;
      this.#hasLock = false;
      if (!this.#isClosed) {
        this.#timer = setTimeout(() => this.#connect(open), this.#backoffMs);
        this.#backoffMs = Math.min(2 * this.#backoffMs, this.#options.maxBackoffMs ?? MAX_BACKOFF_MS);
      }
      this.#tellState(error);
    };
    open().then((transport) => {
      if (this.#isClosed) transport.close();
      else this.#use(transport, retry);
    }, retry);
  }

  #use(transport: Transport, onClosed: (error: OvsdbError | undefined) => void): void {
    // Updates that come before the monitor's reply has been taken apart wait for it.
    const early: [string, readonly Json[]][] = [];
    let reason: OvsdbError | undefined;
    const connection = new RpcConnection(
      transport,
      {
        request: (_method, _params, id) => connection.replyError(id, 'unknown method'),
        notification: (method, params) => {
          if (method.startsWith('update') && !this.#isReady) early.push([method, params]);
          else {
            const hadLock = this.#hasLock;
            this.#tellChanges(guard(() => this.#notified(method, params)) ?? []);
            if (this.#hasLock !== hadLock) this.#tellState(undefined);
          }
        },
        drained: () => undefined,
        closed: (error) => onClosed(error ?? reason ?? lost(transport.peer)),
      },
      this.#options.probeIntervalMs ?? DEFAULT_PROBE_INTERVAL_MS,
    );
    const fail = (error: unknown): void => {
      reason = error instanceof OvsdbError ? error : new OvsdbError('OVSDB_PROTOCOL', String(error), { cause: error });
      connection.close();
    };
    // What listeners throw is theirs to catch; what the server sends wrong ends the connection.
    const guard = <T>(action: () => T): T | undefined => {
      try {
        return action();
      } catch (error) {
        fail(error);
        return undefined;
      }
    };
    this.#connection = connection;
    this.#begin(connection).then((initial) => {
      const events = early.map(([method, params]) => guard(() => this.#notified(method, params)) ?? []);
      this.#isReady = connection.isOpen;
      // The replica has changed even if the connection is gone again.
      for (const some of [initial, ...events]) this.#tellChanges(some);
      if (!this.#isReady) return;
      this.#backoffMs = this.#options.minBackoffMs ?? MIN_BACKOFF_MS;
      this.#tellState(undefined);
    }, fail);
  }

  /** Gives what changed in the replica since the connection before. */
  async #begin(connection: RpcConnection): Promise<readonly PlainRowEvent[]> {
    const served = compileSchema(parseSchema(await connection.call('get_schema', [this.#schema.name])));
    const { lock } = this.#options;
    if (lock !== undefined) {
      const reply = await connection.call('lock', [lock]);
      this.#hasLock = isObject(reply) && reply.locked === true;
    }
    const requests = this.#monitorRequests(served);
    for (const method of MONITOR_METHODS) {
      const params: Json[] = [this.#schema.name, MONITOR_ID, requests];
      if (method === 'monitor_cond_since') params.push(this.#lastTransactionId);
      try {
        return this.#takeInitial(method, await connection.call(method, params));
      } catch (error) {
        // A server that does not know the method may know the one before it.
        if (!(error instanceof OvsdbError) || error.code !== 'OVSDB_REJECTED' || method === 'monitor') throw error;
      }
    }
    return [];
  }

  /** The wanted columns that the server has, too. */
  #monitorRequests(served: DatabaseSchema): JsonObject {
    const requests: JsonObject = {};
    for (const [name, table] of this.#schema.tables) {
      const wanted = this.#options.tables ? this.#options.tables[name as TableName<D>] : true;
      const servedTable = served.tables.get(name);
      if (!wanted || !servedTable) continue;
      const columns = table.columns.filter((column) => {
        const isWanted = wanted === true || (wanted as readonly string[]).includes(column.name);
        const theirs = servedTable.column(column.name);
        return isWanted && theirs !== undefined && isSameShape(column.type, theirs.type);
      });
      requests[name] = [{ columns: columns.map((column) => column.name) }];
    }
    return requests;
  }

  #takeInitial(method: (typeof MONITOR_METHODS)[number], reply: Json): readonly PlainRowEvent[] {
    if (method !== 'monitor_cond_since')
      return this.#replica.replace(reply, method === 'monitor' ? 'row-update' : 'row-update2');
    if (!isArray(reply) || reply.length !== 3)
      throw new OvsdbError('OVSDB_PROTOCOL', 'the reply to monitor_cond_since has three elements');
    const [isFound, lastId, updates] = reply;
    const events =
      isFound === true ? this.#replica.update(updates, 'row-update2') : this.#replica.replace(updates, 'row-update2');
    this.#remember(lastId);
    return events;
  }

  /** Gives what changed in the replica. Throws OvsdbError. */
  #notified(method: string, params: readonly Json[]): readonly PlainRowEvent[] {
    switch (method) {
      case 'update':
        return this.#replica.update(params[1], 'row-update');
      case 'update2':
        return this.#replica.update(params[1], 'row-update2');
      case 'update3':
        this.#remember(params[1]);
        return this.#replica.update(params[2], 'row-update2');
      case 'locked':
      case 'stolen':
        if (params[0] === this.#options.lock) this.#hasLock = method === 'locked';
        return [];
      case 'monitor_canceled':
        throw new OvsdbError('OVSDB_DISCONNECTED', 'the server no longer has the database');
      default:
        return [];
    }
  }

  #remember(lastId: Json): void {
    this.#lastTransactionId = (typeof lastId === 'string' ? parseUuid(lastId) : undefined) ?? ZERO_UUID;
  }

  #tellChanges(events: readonly PlainRowEvent[]): void {
    if (events.length === 0) return;
    for (const listener of this.#changeListeners) listener(events as readonly unknown[] as readonly RowEvent<D>[]);
  }

  #tellState(error: OvsdbError | undefined): void {
    for (const listener of [...this.#stateListeners]) listener(error);
  }
}

function lost(peer: string): OvsdbError {
  return new OvsdbError('OVSDB_DISCONNECTED', `${peer}: the connection was closed`);
}

/** The same kind of value, whatever its constraints. */
function isSameShape(a: ColumnType, b: ColumnType): boolean {
  return (
    a.key.type === b.key.type &&
    a.value?.type === b.value?.type &&
    a.max > 1 === b.max > 1 &&
    (a.max > 1 || a.min === b.min || a.value !== undefined)
  );
}
