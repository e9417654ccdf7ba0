import type { TlsIdentity } from '../ofproto/index.ts';
import { parseUuid } from '../ovsdb/index.ts';
import {
  type BridgeInterface,
  type BridgeSurroundings,
  ConfiguredBridge,
  datapathIdText,
  statusOf,
  unsupportedInBridge,
  unsupportedInPort,
} from './bridge/index.ts';
import { type Client, type Configuration, isConfiguration, type Row, readConfiguration } from './config/index.ts';
import type { ModuleLog } from './log/index.ts';
import { Pacer } from './pacer.ts';
import { stateColumns, statisticsColumn } from './status/interface-columns.ts';
import { type Columns, RowWriter } from './status/row-writer.ts';

/** How often it is looked who is connected. */
const CONNECTIONS_INTERVAL_MS = 1000;
/** How often counters are written; other_config:stats-update-interval can only make it longer. */
const STATISTICS_INTERVAL_MS = 5000;

export interface ReconcilerOptions {
  readonly client: Client;
  readonly around: BridgeSurroundings;
  /** Columns of Open_vSwitch that say what this switch is. */
  readonly identity: Columns;
  /** The identity for ssl: and pssl: that table SSL asks for. */
  readonly tls: (row: Row<'SSL'> | undefined) => TlsIdentity | undefined;
  /** Serves the database to these managers and no others; gives columns of their rows. Left out where another server does. */
  readonly managers?: ManagerService;
}

export interface ManagerService {
  apply(rows: readonly Row<'Manager'>[], tls: TlsIdentity | undefined): Promise<void>;
  columns(): Iterable<readonly [Row<'Manager'>['_uuid'], Columns]>;
}

/** Jobs that wait for their turn. */
interface Due {
  pass: boolean;
  links: Set<string> | 'any';
  connections: boolean;
  statistics: boolean;
}

const nothingDue = (): Due => ({ pass: false, links: new Set(), connections: false, statistics: false });

/**
 * Keeps the bridges as the database says, and the database informed of them. One pass follows the other: each takes the rows
 * as they are, makes the bridges so, writes back what came of it, and last `cur_cfg`, for which clients wait.
 */
export class Reconciler {
  readonly bridges = new Map<string, ConfiguredBridge>();
  readonly #options: ReconcilerOptions;
  readonly #client: Client;
  readonly #log: ModuleLog;
  readonly #writer: RowWriter;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #connectionsTimer: NodeJS.Timeout;
  #statisticsTimer: NodeJS.Timeout;
  #due = nothingDue();
  #working: Promise<void> | undefined;
  #isClosed = false;
  #tellFirstPass: () => void = () => {};
  /** Resolves when the bridges have been made as the database says for the first time. */
  readonly firstPass: Promise<void>;

  constructor(options: ReconcilerOptions) {
    const { client, around } = options;
    this.#options = options;
    this.#client = client;
    this.#log = around.log.module('bridge');
    this.#writer = new RowWriter(client, around.log.module('ovsdb'));
    this.firstPass = new Promise((resolve) => {
      this.#tellFirstPass = resolve;
    });
    this.#unsubscribe = [
      client.onChange((events) => {
        if (events.some(isConfiguration)) this.schedule();
      }),
      client.onState(() => this.schedule()),
    ];
    this.#connectionsTimer = setInterval(() => {
      this.#due.connections = true;
      this.#work();
    }, CONNECTIONS_INTERVAL_MS);
    this.#statisticsTimer = setTimeout(() => this.#statisticsAreDue(), STATISTICS_INTERVAL_MS);
    this.schedule();
  }

  /** There may be something to do. */
  schedule(): void {
    this.#due.pass = true;
    this.#work();
  }

  /** The kernel has told something of these devices. */
  linksChanged(names: ReadonlySet<string> | 'any'): void {
    const { links } = this.#due;
    if (names === 'any' || links === 'any') this.#due.links = 'any';
    else for (const name of names) links.add(name);
    this.#work();
  }

  #statisticsAreDue(): void {
    this.#due.statistics = true;
    this.#work();
    const [root] = this.#client.rows('Open_vSwitch').values();
    const asked = Number(root?.other_config.get('stats-update-interval') ?? 0);
    this.#statisticsTimer = setTimeout(
      () => this.#statisticsAreDue(),
      asked > STATISTICS_INTERVAL_MS && asked < 2 ** 31 ? asked : STATISTICS_INTERVAL_MS,
    );
  }

  #work(): void {
    if (this.#working !== undefined || this.#isClosed) return;
    this.#working = this.#workOff()
      .catch((error: unknown) => {
        // A defect of ours: it must be seen, and the next change gets another chance.
        this.#log.emer(`reconciliation failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      })
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #workOff(): Promise<void> {
    while (!this.#isClosed) {
      const due = this.#due;
      const hasLinks = due.links === 'any' || due.links.size > 0;
      if (!due.pass && !hasLinks && !due.connections && !due.statistics) return;
      this.#due = nothingDue();
      // Without the lock the switch is another daemon's; `onState` tells when that changes.
      if (!this.#client.isReady || !this.#client.hasLock) continue;
      if (hasLinks && (await this.#checkLinks(due.links))) due.pass = true;
      if (due.pass) await this.#pass();
      if (due.connections) await this.#writeConnections();
      if (due.statistics) await this.#writeStatistics();
    }
  }

  async #pass(): Promise<void> {
    const configuration = readConfiguration(this.#client);
    if (configuration === undefined) return;
    const { root } = configuration;
    const pacer = new Pacer();
    const tls = this.#options.tls(configuration.ssl);
    await this.#removeBridges(configuration);
    for (const config of configuration.bridges) {
      const { name } = config.row;
      if (name.includes('/') || /^\.*$/.test(name)) {
        this.#log.warn(`ignoring bridge with invalid name "${name}"`);
        continue;
      }
      const bridge = this.bridges.get(name) ?? this.#addBridge(name);
      const changed = await bridge.apply(config, tls, pacer);
      await this.#putInterfaces(bridge, changed, pacer);
      this.#writer.set('Bridge', config.row._uuid, {
        datapath_id: datapathIdText(bridge.datapathId),
        datapath_version: '<built-in>',
        status: statusOf(unsupportedInBridge(config.row)),
      });
      for (const { row } of config.ports)
        this.#writer.set('Port', row._uuid, { status: statusOf(unsupportedInPort(row)) });
    }
    await this.#options.managers?.apply(configuration.managers, tls);
    // In the last transaction, so that whoever sees it sees everything else too.
    this.#writer.set('Open_vSwitch', root._uuid, { ...this.#options.identity, cur_cfg: root.next_cfg });
    await this.#writer.flush();
    this.#tellFirstPass();
  }

  #addBridge(name: string): ConfiguredBridge {
    this.#options.around.receiving.start();
    const bridge = new ConfiguredBridge(name, this.#options.around);
    this.bridges.set(name, bridge);
    return bridge;
  }

  async #removeBridges({ bridges }: Configuration): Promise<void> {
    const wanted = new Set(bridges.map(({ row }) => row.name));
    for (const [name, bridge] of this.bridges) {
      if (wanted.has(name)) continue;
      this.bridges.delete(name);
      await bridge.remove();
    }
  }

  /** Gathers what there is to be written of interfaces. */
  async #putInterfaces(bridge: ConfiguredBridge, interfaces: Iterable<BridgeInterface>, pacer: Pacer): Promise<void> {
    for (const each of interfaces) {
      if (each.uuid === undefined) continue;
      const counters = each.device === undefined ? undefined : bridge.bridge.datapath.portCounters(each.number);
      this.#writer.set('Interface', each.uuid, {
        ...stateColumns(each),
        ...(each.device === undefined ? {} : statisticsColumn(each.device, counters)),
      });
      if (pacer.isDue) await pacer.pause();
    }
  }

  /** Devices come, go and change on their own. Gives whether a pass is needed for it. */
  async #checkLinks(names: ReadonlySet<string> | 'any'): Promise<boolean> {
    const pacer = new Pacer();
    let needsPass = false;
    for (const bridge of this.bridges.values()) {
      const { interfaces } = bridge;
      const told =
        names === 'any' ? [...interfaces.values()] : [...names].flatMap((name) => interfaces.get(name) ?? []);
      for (const each of told) {
        if (each.device === undefined || !each.device.isThere()) needsPass = true;
        else {
          bridge.refresh(each);
          await this.#putInterfaces(bridge, [each], pacer);
        }
        if (pacer.isDue) await pacer.pause();
      }
    }
    await this.#writer.flush();
    return needsPass;
  }

  /** Only where somebody has come or gone: how long they have been there is written with the statistics. */
  async #writeConnections(): Promise<void> {
    for (const bridge of this.bridges.values())
      for (const [uuid, columns] of bridge.controllers.columns()) {
        const row = this.#client.row('Controller', uuid);
        if (row === undefined) continue;
        const state = (columns.status as ReadonlyMap<string, string>).get('state');
        const isKnown = row.is_connected === columns.is_connected && row.role === columns.role;
        if (!isKnown || row.status.get('state') !== state) this.#writer.set('Controller', uuid, columns);
      }
    for (const [uuid, columns] of this.#options.managers?.columns() ?? []) this.#writer.set('Manager', uuid, columns);
    await this.#writer.flush();
  }

  async #writeStatistics(): Promise<void> {
    const pacer = new Pacer();
    for (const bridge of this.bridges.values()) {
      await this.#putInterfaces(
        bridge,
        [...bridge.interfaces.values()].filter(({ device }) => device !== undefined),
        pacer,
      );
      for (const [uuid, columns] of bridge.controllers.columns()) this.#writer.set('Controller', uuid, columns);
      for (const { name, counters } of bridge.bridge.mirrors()) {
        const statistics = new Map(Object.entries({ tx_packets: counters.packets, tx_bytes: counters.bytes }));
        const uuid = parseUuid(name);
        if (uuid !== undefined) this.#writer.set('Mirror', uuid, { statistics });
      }
    }
    await this.#writer.flush();
  }

  /** Stops switching. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#connectionsTimer);
    clearTimeout(this.#statisticsTimer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#working;
    for (const bridge of this.bridges.values()) await bridge.close();
    this.bridges.clear();
  }
}
