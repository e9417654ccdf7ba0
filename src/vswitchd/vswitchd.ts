import { join } from 'node:path';
import { type Clock, WallClock } from '../datapath/index.ts';
import { CompileWorker } from '../ofproto/index.ts';
import { OvsdbClient, openVswitch } from '../ovsdb/index.ts';
import type { ConfiguredBridge } from './bridge/index.ts';
import type { Client } from './config/index.ts';
import { DaemonView } from './daemon-view.ts';
import { EmbeddedDatabase } from './database/embedded-database.ts';
import { identify } from './database/identity.ts';
import { Managers } from './database/managers.ts';
import { type Folders, makeFolder } from './folders.ts';
import type { Log } from './log/index.ts';
import { DeviceFactory, type DummyMode, ReceiveLoop } from './netdev/index.ts';
import { Reconciler } from './reconciler.ts';
import { DAEMON_LOCK } from './status/row-writer.ts';
import { type TlsFiles, TlsKeeper } from './tls.ts';
import { type LogLevels, Pidfile, UnixctlServer, unixctlCommands, WarpClock } from './unixctl/index.ts';

export interface VswitchdOptions {
  readonly folders: Folders;
  readonly log: Log;
  /** What ovs-appctl vlog/set changes; the log asks it. */
  readonly levels: LogLevels;
  /** Oko's version. */
  readonly version: string;
  /** The remote of a database server that is there already, as `unix:/run/openvswitch/db.sock`; left out: one in process. */
  readonly db?: string;
  /** The file of the database in process; left out: conf.db in `folders.dbdir`. */
  readonly databasePath?: string;
  /** Where the database in process is served; left out: db.sock in `folders.rundir`. */
  readonly remotes?: readonly string[];
  /** Path of the pidfile; left out: none, and ovs-appctl needs the socket's path. */
  readonly pidfile?: string;
  /** Path of the socket for ovs-appctl; left out: ovs-vswitchd.PID.ctl in `folders.rundir`. */
  readonly unixctl?: string;
  /** For ssl: and pssl: while table SSL says nothing. */
  readonly tls?: TlsFiles;
  readonly dummy?: DummyMode;
  /** Packet threads of each bridge; left out or 0: packets are handled on the main thread. */
  readonly threads?: number;
}

/** The daemon, as a part of a process: bridges that are what the database says. */
export class Vswitchd {
  readonly clock: Clock;
  /** Resolves when ovs-appctl has asked the daemon to end: it has stopped switching, and `stop` is due. */
  readonly exitAsked: Promise<void>;
  readonly #options: VswitchdOptions;
  #askExit: () => void = () => {};
  #database: EmbeddedDatabase | undefined;
  #client: Client | undefined;
  #devices: DeviceFactory | undefined;
  #receiving: ReceiveLoop | undefined;
  readonly #compiler = new CompileWorker();
  #reconciler: Reconciler | undefined;
  #unixctl: UnixctlServer | undefined;
  #pidfile: Pidfile | undefined;

  constructor(options: VswitchdOptions) {
    this.#options = options;
    this.clock = (options.dummy ?? 'off') === 'off' ? new WallClock() : new WarpClock();
    this.exitAsked = new Promise((resolve) => {
      this.#askExit = resolve;
    });
  }

  /** By name. */
  get bridges(): ReadonlyMap<string, ConfiguredBridge> {
    return this.#reconciler?.bridges ?? new Map();
  }

  /**
   * Resolves when the bridges are what the database says; with an external database that may be as long as it takes to be
   * reached. Rejects with VswitchdError, OvsdbError, UnixctlError, when it cannot be or `stop` comes first.
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
    const { folders, log, db, version, pidfile, tls, dummy = 'off' } = this.#options;
    makeFolder(folders.rundir);
    if (pidfile !== undefined) this.#pidfile = await Pidfile.create(pidfile);
    const keeper = new TlsKeeper(tls, log.module('ovsdb'));
    const database = db === undefined ? await this.#openDatabase(keeper) : undefined;
    const client = this.#connect(database);
    if (database !== undefined) {
      await client.whenReady();
      await identify(client, folders);
    }
    this.#devices = new DeviceFactory(dummy);
    this.#receiving = new ReceiveLoop((names) => this.#reconciler?.linksChanged(names));
    this.#reconciler = new Reconciler({
      client,
      around: {
        clock: this.clock,
        threads: this.#options.threads ?? 0,
        rundir: folders.rundir,
        programFolder: join(folders.dbdir, 'oko-programs'),
        version,
        devices: this.#devices,
        receiving: this.#receiving,
        compiler: this.#compiler,
        log,
      },
      identity: {
        ovs_version: version,
        datapath_types: dummy === 'off' ? ['netdev', 'system'] : ['dummy', 'netdev', 'system'],
        iface_types: this.#devices.types,
      },
      tls: (row) => keeper.refresh(row),
      ...(database === undefined
        ? {}
        : { managers: new Managers((target) => database.addRemote(target, folders.rundir), log.module('ovsdb')) }),
    });
    await this.#openUnixctl();
    await this.#reconciler.firstPass;
  }

  async #openDatabase(keeper: TlsKeeper): Promise<EmbeddedDatabase> {
    const { folders, log, databasePath, remotes } = this.#options;
    const path = databasePath ?? join(folders.dbdir, 'conf.db');
    this.#database = await EmbeddedDatabase.open(path, log.module('ovsdb'), () => keeper.identity);
    for (const remote of remotes ?? [`punix:${join(folders.rundir, 'db.sock')}`])
      await this.#database.addRemote(remote, folders.rundir);
    return this.#database;
  }

  #connect(database: EmbeddedDatabase | undefined): Client {
    const { db, log } = this.#options;
    const ovsdbLog = log.module('ovsdb');
    const client: Client = new OvsdbClient({
      schema: openVswitch,
      connect: db ?? (() => database?.connect() ?? Promise.reject(new Error('the database is closed'))),
      lock: DAEMON_LOCK,
    });
    let last = '';
    client.onState((error) => {
      if (this.#client === undefined) return;
      const isWaiting = client.isReady && !client.hasLock;
      const text =
        error?.message ??
        (isWaiting ? `another daemon holds the lock "${DAEMON_LOCK}" of the database, waiting for it` : '');
      if (text !== '' && text !== last) ovsdbLog.warn(text);
      last = text;
    });
    this.#client = client;
    client.start();
    return client;
  }

  async #openUnixctl(): Promise<void> {
    const { folders, version, levels, unixctl } = this.#options;
    const view = new DaemonView({
      version,
      clock: this.clock,
      levels,
      bridges: () => this.bridges.values(),
      exit: async () => {
        await this.#reconciler?.close();
        this.#askExit();
      },
    });
    const path = unixctl ?? join(folders.rundir, `ovs-vswitchd.${process.pid}.ctl`);
    this.#unixctl = await UnixctlServer.open(path, unixctlCommands(view));
  }

  /** Everything that was opened is closed again; the database keeps what it says. */
  async stop(): Promise<void> {
    await this.#reconciler?.close();
    await this.#receiving?.close();
    await this.#compiler.close();
    this.#devices?.close();
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    await this.#database?.close();
    await this.#unixctl?.close();
    this.#pidfile?.remove();
    this.#reconciler = undefined;
    this.#receiving = undefined;
    this.#devices = undefined;
    this.#database = undefined;
    this.#unixctl = undefined;
    this.#pidfile = undefined;
  }
}
