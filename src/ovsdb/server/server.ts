import { randomUUID } from 'node:crypto';
import { scalarDatum } from '../data/datum.ts';
import { Database, serverRow } from '../database.ts';
import type { OvsdbError } from '../errors.ts';
import type { FramingLimits } from '../json/framing.ts';
import { printJsonSorted } from '../json/text.ts';
import { dial } from '../rpc/dial.ts';
import { Listener, type ListenOptions } from '../rpc/listener.ts';
import { loopbackPair } from '../rpc/loopback.ts';
import { isPassive, parseRemote } from '../rpc/remote.ts';
import type { Transport } from '../rpc/transport.ts';
import { compileSchema } from '../schema/compile.ts';
import { printSchema } from '../schema/schema-json.ts';
import { serverSchema } from '../schema/server.ts';
import { Dialer } from './dialer.ts';
import { Locks } from './locks.ts';
import { DEFAULT_SESSION_LIMITS, Session, type SessionContext, type SessionLimits } from './session.ts';

export interface OvsdbServerOptions {
  readonly databases: readonly Database[];
  readonly sessionLimits?: Partial<SessionLimits>;
  readonly framingLimits?: FramingLimits;
  /** Clients at once; another is closed at once. */
  readonly maxSessions?: number;
  /** How long a client may be silent before it is asked for a sign of life; 0 for ever. ovsdb-server's default is 5 s. */
  readonly probeIntervalMs?: number;
  /** Key, certificate and CA certificate for pssl: and ssl: remotes. */
  readonly tls?: ListenOptions['tls'];
  /** Told of every session that ended by a fault, and every client refused; for a log. */
  readonly onSessionError?: (peer: string, error: OvsdbError | undefined) => void;
}

const DEFAULT_PROBE_INTERVAL_MS = 5000;
const DEFAULT_MAX_SESSIONS = 1024;

/** A remote that is being served. */
export interface ServedRemote {
  /** For ptcp: and pssl: the port, also when it was 0 and the kernel chose one. */
  readonly port: number;
  /** How many clients are connected that came this way. */
  readonly sessionCount: number;
  close(): Promise<void>;
}

/** Serves databases to clients, on sockets and in process, beside the `_Server` database that tells of them. */
export class OvsdbServer {
  readonly #context: SessionContext;
  readonly #options: OvsdbServerOptions;
  readonly #sessions = new Set<Session>();
  readonly #remotes = new Set<ServedRemote>();

  constructor(options: OvsdbServerOptions) {
    this.#options = options;
    const server = new Database(compileSchema(serverSchema), { isReadOnly: true });
    const databases = new Map([...options.databases, server].map((database) => [database.schema.name, database]));
    describeDatabases(server, [...databases.values()]);
    this.#context = {
      serverId: randomUUID(),
      databases,
      locks: new Locks(),
      limits: { ...DEFAULT_SESSION_LIMITS, ...options.sessionLimits },
      probeIntervalMs: options.probeIntervalMs ?? DEFAULT_PROBE_INTERVAL_MS,
    };
  }

  get #maxSessions(): number {
    return this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS;
  }

  /** How many clients are connected. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Serves the client at the other end of `transport`. */
  serve(transport: Transport, onClosed?: () => void): void {
    if (this.#sessions.size >= this.#maxSessions) {
      this.#options.onSessionError?.(transport.peer, undefined);
      transport.close();
      onClosed?.();
      return;
    }
    const session: Session = new Session(this.#context, transport, (error) => {
      this.#sessions.delete(session);
      if (error) this.#options.onSessionError?.(transport.peer, error);
      onClosed?.();
    });
    this.#sessions.add(session);
  }

  /** A client's end of a new connection in this process. */
  connectInProcess(): Transport {
    const [ours, theirs] = loopbackPair('in process');
    this.serve(ours);
    return theirs;
  }

  /**
   * Serves clients on a remote: a passive one (punix:, ptcp:, pssl:) is listened on; an active one (unix:, tcp:, ssl:) is
   * connected to, again and again, as Manager rows ask for. Rejects with OvsdbError OVSDB_REMOTE.
   */
  async addRemote(text: string, rundir?: string): Promise<ServedRemote> {
    const remote = parseRemote(text, rundir);
    const { tls, framingLimits: limits } = this.#options;
    let sessionCount = 0;
    const serve = (transport: Transport, onClosed?: () => void): void => {
      sessionCount++;
      this.serve(transport, () => {
        sessionCount--;
        onClosed?.();
      });
    };
    const opened = isPassive(remote)
      ? await Listener.open(remote, text, serve, {
          tls,
          limits,
          maxConnections: this.#maxSessions,
        })
      : new Dialer(() => dial(remote, text, { tls, limits }), serve);
    const served: ServedRemote = {
      port: opened instanceof Listener ? opened.port : 0,
      get sessionCount() {
        return sessionCount;
      },
      close: async () => {
        this.#remotes.delete(served);
        await opened.close();
      },
    };
    this.#remotes.add(served);
    return served;
  }

  /** Closes all remotes and sessions. Transactions that were answered are committed. */
  async close(): Promise<void> {
    await Promise.all([...this.#remotes].map((remote) => remote.close()));
    for (const session of this.#sessions) session.close();
  }
}

/** Fills `_Server`'s table Database, ovsdb-server(5). */
function describeDatabases(server: Database, databases: readonly Database[]): void {
  const table = server.tables.get('Database');
  if (!table) return;
  const rows = databases.map(({ schema }) =>
    serverRow(
      table,
      new Map([
        ['name', scalarDatum(schema.name)],
        ['model', scalarDatum('standalone')],
        ['connected', scalarDatum(true)],
        ['leader', scalarDatum(true)],
        ['schema', scalarDatum(printJsonSorted(printSchema(schema)))],
      ]),
    ),
  );
  server.put('Database', rows);
}
