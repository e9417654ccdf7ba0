import { OvsdbError, type TableName, type Uuid } from '../../ovsdb/index.ts';
import { type Client, isSameValue, type OpenVswitch } from '../config/index.ts';
import type { ModuleLog } from '../log/index.ts';

/** Columns of one row by name, as the database shall have them. */
export type Columns = Readonly<Record<string, unknown>>;

interface PendingRow {
  readonly table: TableName<OpenVswitch>;
  readonly uuid: Uuid;
  readonly columns: Record<string, unknown>;
}

/** The lock that whoever writes the state of a switch holds, as Open vSwitch's daemon does. */
export const DAEMON_LOCK = 'ovs_vswitchd';

/** Rows written by one transaction, so that none keeps the thread for long. */
const ROWS_PER_TRANSACTION = 100;

/** Writes state back into the database: only columns that have another value there. */
export class RowWriter {
  readonly #client: Client;
  readonly #log: ModuleLog;
  readonly #pending = new Map<Uuid, PendingRow>();

  constructor(client: Client, log: ModuleLog) {
    this.#client = client;
    this.#log = log;
  }

  set(table: TableName<OpenVswitch>, uuid: Uuid, columns: Columns): void {
    const row = this.#client.row(table, uuid) as Columns | undefined;
    if (row === undefined) return;
    for (const [name, value] of Object.entries(columns)) {
      const pending = this.#pending.get(uuid);
      const before = pending !== undefined && name in pending.columns ? pending.columns[name] : row[name];
      if (isSameValue(before, value)) continue;
      if (pending !== undefined) pending.columns[name] = value;
      else this.#pending.set(uuid, { table, uuid, columns: { [name]: value } });
    }
  }

  /** Sends what is pending, in the order it came. False when the database did not take it all. */
  async flush(): Promise<boolean> {
    const rows = [...this.#pending.values()];
    this.#pending.clear();
    for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
      const transaction = this.#client.transaction();
      for (const { table, uuid, columns } of rows.slice(at, at + ROWS_PER_TRANSACTION))
        transaction.update(table, uuid, columns);
      try {
        await transaction.assertLock(DAEMON_LOCK).commit();
      } catch (error) {
        if (!(error instanceof OvsdbError)) throw error;
        this.#log.warn(`cannot write state into the database: ${error.message}`);
        return false;
      }
    }
    return true;
  }
}
