import { DummyPort, type Port } from '../../datapath/index.ts';
import type { DevicePort } from '../../datapath/ports/index.ts';
import type { DeviceState, DeviceStatistics, NetworkDevice } from './network-device.ts';

const DEFAULT_MTU = 1500;

/** A device that exists only here: `null`, `pcap`, `dummy`, `patch`. */
export class MemoryDevice implements NetworkDevice {
  readonly type: string;
  readonly port: Port;
  readonly receiver?: DevicePort;
  readonly optionsKey: string;
  readonly status: Readonly<Record<string, string>>;
  readonly #onClose: () => void;
  #mac: Uint8Array | undefined;
  #mtu: number | undefined = DEFAULT_MTU;

  constructor(
    type: string,
    port: Port,
    options: {
      readonly optionsKey: string;
      readonly receiver?: DevicePort;
      readonly mac?: Uint8Array;
      readonly status?: Readonly<Record<string, string>>;
      readonly onClose?: () => void;
    },
  ) {
    this.type = type;
    this.port = port;
    this.optionsKey = options.optionsKey;
    if (options.receiver !== undefined) this.receiver = options.receiver;
    this.status = options.status ?? {};
    this.#mac = options.mac;
    this.#onClose = options.onClose ?? (() => {});
  }

  isThere(): boolean {
    return true;
  }

  state(): DeviceState {
    return {
      mac: this.#mac,
      ifindex: undefined,
      mtu: this.#mtu,
      isUp: !(this.port instanceof DummyPort) || this.port.isUp,
      hasLink: !(this.port instanceof DummyPort) || this.port.isUp,
      speed: undefined,
      duplex: undefined,
      linkResets: 0,
    };
  }

  statistics(): DeviceStatistics | undefined {
    return undefined;
  }

  setMac(mac: Uint8Array): void {
    this.#mac = mac;
  }

  setMtu(mtu: number): void {
    this.#mtu = mtu;
  }

  close(): void {
    this.#onClose();
  }
}
