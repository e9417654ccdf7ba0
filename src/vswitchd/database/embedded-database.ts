import { dirname } from 'node:path';
import {
  compileSchema,
  DatabaseFile,
  loadFcntlLock,
  OvsdbServer,
  openVswitch,
  type ServedRemote,
  type Transport,
} from '../../ovsdb/index.ts';
import { makeFolder } from '../folders.ts';
import type { ModuleLog } from '../log/index.ts';
import type { PemIdentity } from '../tls.ts';

/** The daemon's own database server: the file conf.db, and the sockets that clients of it come to. */
export class EmbeddedDatabase {
  readonly #file: DatabaseFile;
  readonly #server: OvsdbServer;
  readonly #log: ModuleLog;

  private constructor(file: DatabaseFile, server: OvsdbServer, log: ModuleLog) {
    this.#file = file;
    this.#server = server;
    this.#log = log;
  }

  /** Opens the file, which is created when there is none. Rejects with OvsdbError OVSDB_FILE_…, VswitchdError VSWITCHD_FOLDER. */
  static async open(path: string, log: ModuleLog, tls: () => PemIdentity | undefined): Promise<EmbeddedDatabase> {
    makeFolder(dirname(path));
    const file = DatabaseFile.open(path, {
      schema: compileSchema(openVswitch),
      lock: await loadFcntlLock(),
      onNotice: (text) => log.warn(text),
    });
    const server = new OvsdbServer({
      databases: [file.database],
      // Asked for whenever a remote is opened, as table SSL may change.
      get tls() {
        const identity = tls();
        return identity && { key: identity.key, cert: identity.cert, ...(identity.ca ? { ca: identity.ca } : {}) };
      },
      onSessionError: (peer, error) => log.warn(`${peer}: ${error?.message ?? 'too many clients'}`),
    });
    return new EmbeddedDatabase(file, server, log);
  }

  connect(): Transport {
    return this.#server.connectInProcess();
  }

  /** Serves clients on a remote. Rejects with OvsdbError OVSDB_REMOTE. */
  async addRemote(text: string, rundir: string): Promise<ServedRemote> {
    const remote = await this.#server.addRemote(text, rundir);
    this.#log.info(`${text}: serving the database`);
    return remote;
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#file.close();
  }
}
