import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatMac, parseMac } from '../../bytes/index.ts';
import {
  type Clock,
  type Datapath,
  type DatapathOptions,
  PlainDatapath,
  PmdDatapath,
  PmdMemory,
} from '../../datapath/index.ts';
import { EVENT_DESCRIPTORS } from '../../datapath/ports/index.ts';
import {
  Bridge,
  type BridgePort,
  FilterPrograms,
  filterProgFieldNamed,
  type ProgramCompiler,
  ProgramStore,
  type TlsIdentity,
} from '../../ofproto/index.ts';
import { OFPP } from '../../openflow/index.ts';
import type { Uuid } from '../../ovsdb/index.ts';
import type { BridgeConfig, Row } from '../config/index.ts';
import type { Log, ModuleLog } from '../log/index.ts';
import { type DeviceFactory, type NetworkDevice, optionsKey, type ReceiveLoop } from '../netdev/index.ts';
import type { Pacer } from '../pacer.ts';
import { BridgeControllers } from './bridge-controllers.ts';
import type { BridgeInterface, OpenInterface } from './bridge-interface.ts';
import { bridgeDatapathId, bridgeMac } from './datapath-id.ts';
import { FlowTableSettings } from './flow-tables.ts';
import { planMirror } from './mirrors.ts';
import { PortNumbers } from './port-numbers.ts';
import { portSettings } from './port-settings.ts';
import { unsupportedInBridge, unsupportedInInterface, unsupportedInPort } from './unsupported.ts';
import { isSameVlan, portVlan } from './vlan.ts';

/** What the bridges of one daemon share. */
export interface BridgeSurroundings {
  readonly clock: Clock;
  /** Packet threads of each bridge; 0: packets are handled beside everything else. */
  readonly threads: number;
  readonly rundir: string;
  readonly version: string;
  readonly devices: DeviceFactory;
  readonly receiving: ReceiveLoop;
  /** Of the filter programs of all bridges. */
  /** A folder for filter programs, one folder for each bridge in it. */
  readonly programFolder: string;
  readonly compiler: ProgramCompiler;
  readonly log: Log;
}

/** An interface as the database wants it. */
interface Wanted {
  readonly name: string;
  readonly port: Row<'Port'> | undefined;
  readonly row: Row<'Interface'> | undefined;
  /** Why it is not to be a port, if so. */
  readonly refusal?: string;
}

/** A bridge of the database: its ports, its controllers and its settings are what the rows say. */
export class ConfiguredBridge {
  readonly name: string;
  readonly bridge: Bridge;
  readonly controllers: BridgeControllers;
  readonly interfaces = new Map<string, BridgeInterface>();
  datapathId = 0n;
  datapathType = '';
  readonly #around: BridgeSurroundings;
  readonly #log: ModuleLog;
  /** Where its filter programs are kept over a restart. */
  readonly #programFolder: string;
  readonly #store: ProgramStore;
  #isRestored = false;
  /** The packet threads, if it has any. */
  #threads: PmdDatapath | undefined;
  readonly #flowTables: FlowTableSettings;
  /** What was last said of things that cannot be, so that it is said once. */
  #complaints: ReadonlySet<string> = new Set();
  /** The Mirror rows at work. */
  #mirrorKey = '';
  readonly #numbers = new PortNumbers();
  /** The numbers that interfaces had before they went away. */
  readonly #lastNumbers = new Map<string, number>();

  constructor(name: string, around: BridgeSurroundings) {
    this.name = name;
    this.#around = around;
    this.#log = around.log.module('bridge');
    const memory = around.threads > 0 ? new PmdMemory(around.threads) : undefined;
    this.#programFolder = join(around.programFolder, name);
    this.#store = new ProgramStore(this.#programFolder);
    const programs = new FilterPrograms({
      compiler: around.compiler,
      store: this.#store,
      ...(memory === undefined ? {} : { surroundings: memory.surroundings }),
    });
    const datapath = (options: DatapathOptions): Datapath => {
      if (memory === undefined) return new PlainDatapath(options);
      this.#threads = new PmdDatapath({ ...options, memory, wake: EVENT_DESCRIPTORS });
      return this.#threads;
    };
    this.bridge = new Bridge({ name, clock: around.clock, programs, datapath });
    this.#flowTables = new FlowTableSettings(this.bridge);
    this.controllers = new BridgeControllers({ ...around, bridge: this.bridge, log: this.#log });
  }

  /** Makes everything as the rows say. Gives the interfaces that are new, or that failed. */
  async apply(config: BridgeConfig, tls: TlsIdentity | undefined, pacer: Pacer): Promise<ReadonlySet<BridgeInterface>> {
    if (!this.#isRestored) await this.#restorePrograms();
    this.datapathType = config.row.datapath_type;
    const wanted = new Map(this.#wanted(config).map((each) => [each.name, each]));
    await this.#removeOthers(wanted, pacer);
    const changed = new Set<BridgeInterface>();
    const missing: Wanted[] = [];
    for (const each of wanted.values()) {
      const known = this.interfaces.get(each.name);
      if (known?.device === undefined) missing.push(each);
      else this.#update(known, each);
      if (pacer.isDue) await pacer.pause();
    }
    for (const each of missing.sort(byName)) {
      changed.add(this.#open(each));
      if (pacer.isDue) await pacer.pause();
    }
    const { other_config: settings } = config.row;
    this.bridge.macs.configure(macSettings(settings));
    this.bridge.filterProgField = filterProgFieldNamed(settings.get('filter-prog-field') ?? '');
    this.bridge.okoLegacy = settings.get('oko-legacy') === 'true';
    this.#chooseAddress(config);
    this.#applyMirrors(config);
    this.#flowTables.apply(config);
    this.#complain(config);
    await this.controllers.apply(config, this.datapathId, tls);
    return changed;
  }

  /** Filter programs that were there when the daemon stopped are there again before the first packet. */
  async #restorePrograms(): Promise<void> {
    this.#isRestored = true;
    try {
      for (const { message } of await this.#store.restore(this.bridge.programs, this.#around.clock))
        this.#log.warn(message, { bridge: this.name });
    } catch (error) {
      this.#log.warn(`filter programs are not kept: ${(error as Error).message}`, { bridge: this.name });
    }
  }

  #wanted(config: BridgeConfig): Wanted[] {
    const wanted: Wanted[] = config.ports.flatMap(({ row: port, interfaces }) =>
      interfaces.map((row, i) => ({ name: row.name, port, row, ...(i > 0 ? { refusal: BOND } : {}) })),
    );
    // A bridge has its own port whether the database names it or not.
    if (!wanted.some(({ name }) => name === this.name))
      wanted.unshift({ name: this.name, port: undefined, row: undefined });
    return wanted;
  }

  async #removeOthers(wanted: ReadonlyMap<string, Wanted>, pacer: Pacer): Promise<void> {
    for (const known of [...this.interfaces.values()]) {
      const still = wanted.get(known.name);
      const isKept = still !== undefined && (known.device === undefined || this.#isAsWanted(known, still));
      if (!isKept) this.#close(known, still === undefined);
      if (pacer.isDue) await pacer.pause();
    }
  }

  #isAsWanted(known: OpenInterface, { row, refusal }: Wanted): boolean {
    if (known.uuid !== row?._uuid || refusal !== undefined) return false;
    const request = this.#request(known.name, row);
    const isSame = known.device.type === this.#around.devices.typeOf(request);
    return isSame && known.device.optionsKey === optionsKey(request.options) && known.device.isThere();
  }

  #request(name: string, row: Row<'Interface'> | undefined) {
    const type = name === this.name ? 'internal' : (row?.type ?? '');
    return {
      name,
      type,
      options: row?.options ?? new Map<string, string>(),
      datapathType: this.datapathType,
      onThread: this.#threads !== undefined,
    };
  }

  #open({ name, row, port, refusal }: Wanted): BridgeInterface {
    const before = this.interfaces.get(name);
    const opened = this.#tryOpen(name, row, port, refusal);
    this.interfaces.set(name, opened);
    if (opened.error !== undefined && before?.error !== opened.error)
      this.#log.warn(opened.error, { bridge: this.name });
    return opened;
  }

  #tryOpen(
    name: string,
    row: Row<'Interface'> | undefined,
    port: Row<'Port'> | undefined,
    refusal: string | undefined,
  ): BridgeInterface {
    const uuid = row?._uuid;
    if (refusal !== undefined) return { name, uuid, error: refusal };
    let device: NetworkDevice;
    try {
      device = this.#around.devices.open(this.#request(name, row));
    } catch (error) {
      return { name, uuid, error: (error as Error).message };
    }
    const number = this.#number(name, row);
    if (number === undefined) {
      device.close();
      return {
        name,
        uuid,
        error: `could not add network device ${name} to bridge ${this.name} (no port number is left)`,
      };
    }
    if (device.receiver !== undefined) this.#prepareDevice(device, name, row);
    try {
      this.bridge.addPort(number, device.port, {
        ...portSettings(device.state()),
        ...(port === undefined ? {} : { vlan: portVlan(port), isProtected: port.protected }),
      });
    } catch (error) {
      // A packet thread could not open it.
      this.#numbers.giveBack(number);
      device.close();
      return { name, uuid, error: (error as Error).message };
    }
    const opened = { name, uuid, number, device };
    if (device.receiver === undefined) {
      device.opened?.();
      this.#prepareDevice(device, name, row);
      this.refresh(opened);
    }
    const deliver = (packet: Uint8Array): void => this.bridge.receive(number, packet);
    if (device.receiver !== undefined) this.#around.receiving.add(device.receiver, deliver);
    this.#around.devices.connect(device, deliver);
    this.#log.info(`bridge ${this.name}: added interface ${name} on port ${number === OFPP.local ? 'LOCAL' : number}`);
    return opened;
  }

  #number(name: string, row: Row<'Interface'> | undefined): number | undefined {
    if (name === this.name) return OFPP.local;
    return this.#numbers.take(row?.ofport_request, row?.ofport, this.#lastNumbers.get(name));
  }

  /** What the row asks of the device itself. */
  #prepareDevice(device: NetworkDevice, name: string, row: Row<'Interface'> | undefined): void {
    const mac = parseMac(row?.mac ?? '');
    try {
      if (mac !== undefined && device.type === 'internal' && name !== this.name) device.setMac(mac);
      if (row?.mtu_request != null && device.state().mtu !== row.mtu_request) device.setMtu(row.mtu_request);
    } catch (error) {
      this.#log.warn((error as Error).message, { bridge: this.name });
    }
  }

  #update(known: OpenInterface, { row, port }: Wanted): void {
    this.#prepareDevice(known.device, known.name, row);
    const now = this.bridge.ports.peek(known.number);
    if (now === undefined || port === undefined) return;
    const vlan = portVlan(port);
    if (!isSameVlan(now.vlan, vlan) || now.isProtected !== port.protected)
      this.bridge.setPort(known.number, { vlan, isProtected: port.protected });
  }

  /** A device may have changed by itself: its address, its link. */
  refresh({ number, device }: OpenInterface): void {
    const known = this.bridge.ports.peek(number);
    const settings = portSettings(device.state());
    if (known !== undefined && !isSamePort(known, settings)) this.bridge.setPort(number, settings);
  }

  #close(known: BridgeInterface, isUnwanted: boolean): void {
    this.interfaces.delete(known.name);
    if (known.device === undefined) return;
    const { name, number, device } = known;
    if (device.receiver !== undefined) this.#around.receiving.remove(device.receiver);
    this.bridge.removePort(number);
    this.#numbers.giveBack(number);
    if (isUnwanted) this.#lastNumbers.delete(name);
    else this.#lastNumbers.set(name, number);
    device.close();
    this.#log.info(
      `bridge ${this.name}: deleted interface ${name} on port ${number === OFPP.local ? 'LOCAL' : number}`,
    );
  }

  #applyMirrors({ mirrors, ports }: BridgeConfig): void {
    if (mirrors.length === 0 && this.#mirrorKey === '') return;
    const names = new Map(ports.map(({ row, interfaces }) => [row._uuid, interfaces.map(({ name }) => name)]));
    const numbersOf = (port: Uuid): readonly number[] =>
      (names.get(port) ?? []).flatMap((name) => this.interfaces.get(name)?.number ?? []);
    const settings = mirrors.flatMap((row) => planMirror(row, numbersOf) ?? []);
    const key = JSON.stringify(settings, (_name, value) => (value instanceof Set ? [...value] : value));
    if (key === this.#mirrorKey) return;
    this.#mirrorKey = settings.length === 0 ? '' : key;
    this.bridge.setMirrors(settings);
  }

  /** Says once what is asked for and not done. */
  #complain({ row, ports, mirrors }: BridgeConfig): void {
    const complaints = new Set<string>();
    const add = (where: string, what: readonly string[]): void => {
      for (const each of what) complaints.add(`${where}: ${each} is not supported and has no effect`);
    };
    add(`bridge ${row.name}`, unsupportedInBridge(row));
    for (const { row: port, interfaces } of ports) {
      add(`port ${port.name}`, unsupportedInPort(port));
      for (const each of interfaces) add(`interface ${each.name}`, unsupportedInInterface(each));
    }
    const isWorking = new Set(this.bridge.mirrors().map(({ name }) => name));
    for (const { _uuid, name } of mirrors)
      if (!isWorking.has(_uuid)) complaints.add(`mirror ${name}: no output port or VLAN, so that it has no effect`);
    for (const text of complaints) if (!this.#complaints.has(text)) this.#log.warn(text, { bridge: this.name });
    this.#complaints = complaints;
  }

  /** The bridge's own port has the address that stands for the bridge, and so has its datapath ID. */
  #chooseAddress({ row }: BridgeConfig): void {
    const others = [...this.interfaces.values()].flatMap(({ device, name, number }) =>
      device === undefined || name === this.name || device.type === 'internal'
        ? []
        : (this.bridge.ports.peek(number)?.mac ?? []),
    );
    const mac = bridgeMac(row, others);
    this.datapathId = bridgeDatapathId(row, mac);
    const local = this.interfaces.get(this.name);
    if (local?.device === undefined) return;
    const now = local.device.state().mac;
    if (now !== undefined && formatMac(now) === formatMac(mac)) return;
    try {
      local.device.setMac(mac);
      this.refresh(local);
    } catch (error) {
      this.#log.warn((error as Error).message, { bridge: this.name });
    }
  }

  /** The database has it no more. */
  async remove(): Promise<void> {
    await this.close();
    rmSync(this.#programFolder, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.controllers.close();
    for (const known of [...this.interfaces.values()]) this.#close(known, true);
    await this.#threads?.close();
    try {
      await this.#store.snapshot(this.bridge.programs);
    } catch (error) {
      this.#log.warn(`what maps hold is not kept: ${(error as Error).message}`, { bridge: this.name });
    }
  }
}

/** other_config:mac-aging-time, in seconds, and mac-table-size; what cannot be is taken to be left out. */
function macSettings(settings: ReadonlyMap<string, string>): { agingNs?: bigint; capacity?: number } {
  const within = (name: string, least: number, most: number): number | undefined => {
    const value = Number(settings.get(name) ?? Number.NaN);
    return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
  };
  const seconds = within('mac-aging-time', 1, 1_000_000);
  const capacity = within('mac-table-size', 10, 1_000_000);
  return {
    ...(seconds === undefined ? {} : { agingNs: BigInt(seconds) * 1_000_000_000n }),
    ...(capacity === undefined ? {} : { capacity }),
  };
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** p2 before p10, so that ports added at once get numbers in the order that people expect. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return COLLATOR.compare(a.name, b.name);
}

const BOND = 'bonds are not supported: only the first interface of a port is used';

function isSamePort(known: BridgePort, settings: ReturnType<typeof portSettings>): boolean {
  return (
    known.state === settings.state &&
    known.features.currentSpeedKbps === settings.features.currentSpeedKbps &&
    known.mac.every((byte, i) => byte === settings.mac[i])
  );
}
