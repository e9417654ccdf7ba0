import type { TlsIdentity } from '../../ofproto/index.ts';
import type { ServedRemote, Uuid } from '../../ovsdb/index.ts';
import type { Row } from '../config/index.ts';
import type { ModuleLog } from '../log/index.ts';
import type { ManagerService } from '../reconciler.ts';
import type { Columns } from '../status/row-writer.ts';

interface Managed {
  readonly uuid: Uuid;
  readonly remote: ServedRemote | undefined;
  readonly error: string | undefined;
}

/** Serves the database where the rows of table Manager say. */
export class Managers implements ManagerService {
  readonly #open: (target: string) => Promise<ServedRemote>;
  readonly #log: ModuleLog;
  /** By target. */
  readonly #managed = new Map<string, Managed>();
  #tls: TlsIdentity | undefined;

  constructor(open: (target: string) => Promise<ServedRemote>, log: ModuleLog) {
    this.#open = open;
    this.#log = log;
  }

  async apply(rows: readonly Row<'Manager'>[], tls: TlsIdentity | undefined): Promise<void> {
    const wanted = new Map(rows.map((row) => [row.target, row._uuid]));
    const isOtherTls = tls !== this.#tls;
    this.#tls = tls;
    for (const [target, { remote }] of this.#managed) {
      const isKept = wanted.has(target) && !(isOtherTls && /^p?ssl:/.test(target));
      if (isKept) continue;
      this.#managed.delete(target);
      await remote?.close();
    }
    // What could not be opened before is tried again.
    for (const [target, uuid] of wanted) {
      const known = this.#managed.get(target);
      if (known?.remote === undefined) this.#managed.set(target, await this.#tryOpen(target, uuid, known?.error));
      else if (known.uuid !== uuid) this.#managed.set(target, { ...known, uuid });
    }
  }

  async #tryOpen(target: string, uuid: Uuid, lastError: string | undefined): Promise<Managed> {
    try {
      return { uuid, remote: await this.#open(target), error: undefined };
    } catch (error) {
      const { message } = error as Error;
      if (message !== lastError) this.#log.warn(message);
      return { uuid, remote: undefined, error: message };
    }
  }

  *columns(): Iterable<readonly [Uuid, Columns]> {
    for (const { uuid, remote, error } of this.#managed.values()) {
      const sessions = remote?.sessionCount ?? 0;
      const status: Record<string, string> = {
        state: sessions > 0 ? 'ACTIVE' : remote === undefined ? 'VOID' : 'BACKOFF',
      };
      if (error !== undefined) status.last_error = error;
      if (sessions > 1) status.n_connections = String(sessions);
      yield [uuid, { is_connected: sessions > 0, status: new Map(Object.entries(status)) }];
    }
  }
}
