import { OFPP } from '../openflow/index.ts';
import { OfprotoError } from './errors.ts';

/** Bits of a port's configuration (OpenFlow 1.0.2 section 5.2.1; 1.1 and later keep four of them). */
export const PORT_CONFIG = {
  portDown: 1 << 0,
  noStp: 1 << 1,
  noRecv: 1 << 2,
  noRecvStp: 1 << 3,
  noFlood: 1 << 4,
  noFwd: 1 << 5,
  noPacketIn: 1 << 6,
} as const;

/** Bits of a port's state. */
export const PORT_STATE = { linkDown: 1 << 0, blocked: 1 << 1, live: 1 << 2 } as const;

/** How a port takes part in VLANs when action NORMAL switches (ovs-vswitchd.conf.db(5), table Port). */
export interface PortVlan {
  readonly mode: 'access' | 'trunk' | 'native-tagged' | 'native-untagged';
  /** The VLAN of an access port, the native VLAN of a native port; 0 in a trunk. */
  readonly tag: number;
  /** The VLANs that a trunk carries; left out: all. */
  readonly trunks?: ReadonlySet<number>;
  /** Whether packets of VLAN 0 leave with a tag that holds only a priority. */
  readonly priorityTags: 'never' | 'if-nonzero' | 'always';
}

export const TRUNK_ALL: PortVlan = { mode: 'trunk', tag: 0, priorityTags: 'never' };

/** What the network device says of itself: bits of ofp_port_features, speeds in kbit/s. */
export interface PortFeatures {
  readonly current: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  readonly currentSpeedKbps: number;
  readonly maxSpeedKbps: number;
}

const NO_FEATURES: PortFeatures = {
  current: 0,
  advertised: 0,
  supported: 0,
  peer: 0,
  currentSpeedKbps: 0,
  maxSpeedKbps: 0,
};

/** What may be said of a port when it is added or changed; what is left out stays as it is. */
export interface PortSettings {
  readonly mac?: Uint8Array;
  readonly state?: number;
  readonly features?: PortFeatures;
  readonly vlan?: PortVlan;
  /** Protected ports do not switch to each other. */
  readonly isProtected?: boolean;
}

/** A port as OpenFlow sees it. */
export interface BridgePort {
  readonly number: number;
  readonly name: string;
  readonly mac: Uint8Array;
  /** Bits of `PORT_CONFIG`. */
  readonly config: number;
  /** Bits of `PORT_STATE`. */
  readonly state: number;
  readonly features: PortFeatures;
  readonly vlan: PortVlan;
  readonly isProtected: boolean;
  readonly addedNs: bigint;
}

/** A request to change a port's configuration. */
export interface PortMod {
  readonly port: number;
  /** Must be the port's own address; left out, or all zero: not checked. */
  readonly mac?: Uint8Array;
  readonly config: number;
  /** The bits of `config` that count. */
  readonly mask: number;
}

/** The ports of a bridge. Their objects never change; a change puts another in their place. */
export class PortTable {
  readonly #ports = new Map<number, BridgePort>();
  #sorted: readonly BridgePort[] | undefined;

  add(number: number, name: string, settings: PortSettings, addedNs: bigint): BridgePort {
    const port: BridgePort = {
      number,
      name,
      mac: settings.mac ?? new Uint8Array(6),
      config: 0,
      state: settings.state ?? PORT_STATE.live,
      features: settings.features ?? NO_FEATURES,
      vlan: settings.vlan ?? TRUNK_ALL,
      isProtected: settings.isProtected ?? false,
      addedNs,
    };
    this.#put(port);
    return port;
  }

  remove(number: number): BridgePort | undefined {
    const port = this.#ports.get(number);
    this.#ports.delete(number);
    this.#sorted = undefined;
    return port;
  }

  peek(number: number): BridgePort | undefined {
    return this.#ports.get(number);
  }

  /** @throws OfprotoError OFPROTO_NO_SUCH_PORT */
  get(number: number): BridgePort {
    const port = this.#ports.get(number);
    if (port === undefined) throw new OfprotoError('OFPROTO_NO_SUCH_PORT', `there is no port ${number}`);
    return port;
  }

  set(number: number, settings: PortSettings): BridgePort {
    const port = { ...this.get(number), ...settings };
    this.#put(port);
    return port;
  }

  /** @throws OfprotoError OFPROTO_NO_SUCH_PORT, OFPROTO_BAD_HARDWARE_ADDRESS */
  modify(mod: PortMod): BridgePort {
    const port = this.get(mod.port);
    if (mod.mac?.some((byte) => byte !== 0) && !mod.mac.every((byte, i) => byte === port.mac[i]))
      throw new OfprotoError('OFPROTO_BAD_HARDWARE_ADDRESS', `port ${port.number} (${port.name}) has another address`);
    const changed = { ...port, config: (port.config & ~mod.mask) | (mod.config & mod.mask) };
    this.#put(changed);
    return changed;
  }

  /** In the order of their numbers, the bridge's own port last. */
  list(): readonly BridgePort[] {
    this.#sorted ??= [...this.#ports.values()].sort((a, b) => a.number - b.number);
    return this.#sorted;
  }

  #put(port: BridgePort): void {
    this.#ports.set(port.number, port);
    this.#sorted = undefined;
  }
}

/** Can a port have that number? */
export function isPortNumber(number: number): boolean {
  return (number >= 1 && number < MAX_PORT) || number === OFPP.local;
}

/** OpenFlow 1.0 numbers ports below 0xff00, and so do all versions here. */
export const MAX_PORT = 0xff00;
