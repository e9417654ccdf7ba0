import { type BridgeInterface, type BridgeSurroundings, ConfiguredBridge, datapathIdText } from './bridge/index.ts';
import { type Client, type Configuration, isConfiguration, readConfiguration } from './config/index.ts';
import type { ModuleLog } from './log/index.ts';
import { Pacer } from './pacer.ts';
import { stateColumns, statisticsColumn } from './status/interface-columns.ts';
import { RowWriter } from './status/row-writer.ts';

const LINK_INTERVAL_MS = 1000;
const STATISTICS_INTERVAL_MS = 5000;

/** Columns of Open_vSwitch that say what this switch is. */
export interface SwitchIdentity {
  readonly ovs_version: string;
  readonly datapath_types: readonly string[];
  readonly iface_types: readonly string[];
}

/**
 * Keeps the bridges as the database says, and the database informed of them. One pass follows the other: each takes the rows
 * as they are, makes the bridges so, writes back what came of it, and last `cur_cfg`, for which clients wait.
 */
export class Reconciler {
  readonly bridges = new Map<string, ConfiguredBridge>();
  readonly #client: Client;
  readonly #around: BridgeSurroundings;
  readonly #identity: SwitchIdentity;
  readonly #log: ModuleLog;
  readonly #writer: RowWriter;
  readonly #unsubscribe: (() => void)[];
  readonly #timers: NodeJS.Timeout[];
  #isDue = false;
  #isLinkCheckDue = false;
  #areStatisticsDue = false;
  #working: Promise<void> | undefined;
  #isClosed = false;
  #tellFirstPass: () => void = () => {};
  /** Resolves when the bridges have been made as the database says for the first time. */
  readonly firstPass: Promise<void>;

  constructor(client: Client, around: BridgeSurroundings, identity: SwitchIdentity) {
    this.#client = client;
    this.#around = around;
    this.#identity = identity;
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
    this.#timers = [
      setInterval(() => {
        this.#isLinkCheckDue = true;
        this.#work();
      }, LINK_INTERVAL_MS),
      setInterval(() => {
        this.#areStatisticsDue = true;
        this.#work();
      }, STATISTICS_INTERVAL_MS),
    ];
    this.schedule();
  }

  /** There may be something to do. */
  schedule(): void {
    this.#isDue = true;
    this.#work();
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
    while (!this.#isClosed && (this.#isDue || this.#isLinkCheckDue || this.#areStatisticsDue)) {
      if (!this.#client.isReady || !this.#client.hasLock) {
        this.#isDue = false;
        this.#isLinkCheckDue = false;
        this.#areStatisticsDue = false;
        return;
      }
      if (this.#isLinkCheckDue) await this.#checkLinks();
      if (this.#isDue) await this.#pass();
      if (this.#areStatisticsDue) await this.#writeStatistics();
    }
  }

  async #pass(): Promise<void> {
    this.#isDue = false;
    const configuration = readConfiguration(this.#client);
    if (configuration === undefined) return;
    const pacer = new Pacer();
    await this.#removeBridges(configuration);
    for (const config of configuration.bridges) {
      const { name } = config.row;
      if (name.includes('/')) {
        this.#log.warn(`ignoring bridge with invalid name "${name}"`);
        continue;
      }
      const bridge = this.bridges.get(name) ?? this.#addBridge(name);
      const changed = await bridge.apply(config, pacer);
      await this.#writeInterfaces(bridge, changed, pacer);
      this.#writer.set('Bridge', config.row._uuid, {
        datapath_id: datapathIdText(bridge.datapathId),
        datapath_version: '<built-in>',
      });
    }
    // In the last transaction, so that whoever sees it sees everything else too.
    const { root } = configuration;
    this.#writer.set('Open_vSwitch', root._uuid, { ...this.#identity, cur_cfg: root.next_cfg });
    await this.#writer.flush();
    this.#tellFirstPass();
  }

  #addBridge(name: string): ConfiguredBridge {
    const bridge = new ConfiguredBridge(name, this.#around);
    this.bridges.set(name, bridge);
    return bridge;
  }

  async #removeBridges({ bridges }: Configuration): Promise<void> {
    const wanted = new Set(bridges.map(({ row }) => row.name));
    for (const [name, bridge] of this.bridges) {
      if (wanted.has(name)) continue;
      this.bridges.delete(name);
      await bridge.close();
    }
  }

  async #writeInterfaces(bridge: ConfiguredBridge, interfaces: Iterable<BridgeInterface>, pacer: Pacer): Promise<void> {
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

  /** Devices come, go and change on their own. */
  async #checkLinks(): Promise<void> {
    this.#isLinkCheckDue = false;
    const pacer = new Pacer();
    for (const bridge of this.bridges.values()) {
      for (const each of [...bridge.interfaces.values()]) {
        if (each.device === undefined) {
          if (this.#around.devices.exists(each.name)) this.#isDue = true;
        } else if (!each.device.isThere()) this.#isDue = true;
        else if (bridge.refresh(each)) await this.#writeInterfaces(bridge, [each], pacer);
        if (pacer.isDue) await pacer.pause();
      }
    }
    await this.#writer.flush();
  }

  async #writeStatistics(): Promise<void> {
    this.#areStatisticsDue = false;
    const pacer = new Pacer();
    for (const bridge of this.bridges.values())
      await this.#writeInterfaces(
        bridge,
        [...bridge.interfaces.values()].filter(({ device }) => device !== undefined),
        pacer,
      );
    await this.#writer.flush();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#working;
    for (const bridge of this.bridges.values()) await bridge.close();
    this.bridges.clear();
  }
}
