import { join } from 'node:path';
import { type Clock, WallClock } from '../datapath/index.ts';
import { OvsdbClient, openVswitch } from '../ovsdb/index.ts';
import type { ConfiguredBridge } from './bridge/index.ts';
import type { Client } from './config/index.ts';
import { EmbeddedDatabase } from './database/embedded-database.ts';
import { type Folders, makeFolder } from './folders.ts';
import type { Log } from './log/index.ts';
import { DeviceFactory, type DummyMode, ReceiveLoop } from './netdev/index.ts';
import { Reconciler } from './reconciler.ts';
import { DAEMON_LOCK } from './status/row-writer.ts';

export interface VswitchdOptions {
  readonly folders: Folders;
  readonly log: Log;
  /** Oko's version. */
  readonly version: string;
  /** The remote of a database server that is there already, as `unix:/run/openvswitch/db.sock`; left out: one in process. */
  readonly db?: string;
  /** The file of the database in process; left out: conf.db in `folders.dbdir`. */
  readonly databasePath?: string;
  /** Where the database in process is served; left out: db.sock in `folders.rundir`. */
  readonly remotes?: readonly string[];
  readonly dummy?: DummyMode;
  readonly clock?: Clock;
}

/** The daemon, as a part of a process: bridges that are what the database says. */
export class Vswitchd {
  readonly #options: VswitchdOptions;
  readonly #clock: Clock;
  #database: EmbeddedDatabase | undefined;
  #client: Client | undefined;
  #devices: DeviceFactory | undefined;
  #receiving: ReceiveLoop | undefined;
  #reconciler: Reconciler | undefined;

  constructor(options: VswitchdOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new WallClock();
  }

  /** By name. */
  get bridges(): ReadonlyMap<string, ConfiguredBridge> {
    return this.#reconciler?.bridges ?? new Map();
  }

  get clock(): Clock {
    return this.#clock;
  }

  /**
   * Resolves when the bridges are what the database says; with an external database that may be as long as it takes to be
   * reached. Rejects with VswitchdError, OvsdbError.
   */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { folders, log, db, version, dummy = 'off' } = this.#options;
    makeFolder(folders.rundir);
    if (db === undefined) await this.#openDatabase();
    const client: Client = new OvsdbClient({
      schema: openVswitch,
      connect: db ?? (() => this.#connectInProcess()),
      lock: DAEMON_LOCK,
    });
    this.#client = client;
    const ovsdbLog = log.module('ovsdb');
    client.onState((error) => {
      if (error !== undefined && this.#client !== undefined) ovsdbLog.warn(error.message);
      else if (client.isReady && !client.hasLock)
        ovsdbLog.warn(`another daemon holds the lock "${DAEMON_LOCK}" of the database; waiting for it`);
    });
    client.start();
    if (db === undefined) {
      await client.whenReady();
      await this.#initialize(client);
    }
    this.#devices = new DeviceFactory(dummy);
    this.#receiving = new ReceiveLoop();
    this.#reconciler = new Reconciler(
      client,
      {
        clock: this.#clock,
        rundir: folders.rundir,
        version,
        devices: this.#devices,
        receiving: this.#receiving,
        log,
      },
      {
        ovs_version: version,
        datapath_types: dummy === 'off' ? ['netdev', 'system'] : ['dummy', 'netdev', 'system'],
        iface_types: this.#devices.types,
      },
    );
    await this.#reconciler.firstPass;
  }

  async #openDatabase(): Promise<void> {
    const { folders, log, databasePath, remotes } = this.#options;
    const path = databasePath ?? join(folders.dbdir, 'conf.db');
    this.#database = await EmbeddedDatabase.open(path, log.module('ovsdb'));
    for (const remote of remotes ?? [`punix:${join(folders.rundir, 'db.sock')}`])
      await this.#database.addRemote(remote, folders.rundir);
  }

  #connectInProcess() {
    if (this.#database === undefined) throw new Error('the database in process is closed');
    return this.#database.connect();
  }

  /** A new database gets its one row, as `ovs-vsctl init` would give it. */
  async #initialize(client: Client): Promise<void> {
    if (client.rows('Open_vSwitch').size > 0) return;
    const transaction = client.transaction().comment('oko: init');
    transaction.insert('Open_vSwitch', { db_version: openVswitch.version });
    await transaction.commit();
  }

  /** Everything that was opened is closed again; the database keeps what it says. */
  async stop(): Promise<void> {
    await this.#reconciler?.close();
    await this.#receiving?.close();
    this.#devices?.close();
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    await this.#database?.close();
    this.#reconciler = undefined;
    this.#receiving = undefined;
    this.#devices = undefined;
    this.#database = undefined;
  }
}
