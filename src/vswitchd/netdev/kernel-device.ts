import type { DevicePort } from '../../datapath/ports/index.ts';
import type { DeviceControl } from './device-control.ts';
import { type KernelCounters, reversed } from './kernel-counters.ts';
import type { DeviceState, DeviceStatistics, NetworkDevice } from './network-device.ts';

/** What kernel devices share. */
export interface Kernel {
  readonly control: DeviceControl;
  readonly counters: KernelCounters;
}

export interface KernelDeviceOptions {
  readonly type: string;
  /** The port is the other end of the device (tap) rather than the device itself. */
  readonly isOtherEnd: boolean;
  readonly optionsKey: string;
}

const GONE: DeviceState = {
  mac: undefined,
  ifindex: undefined,
  mtu: undefined,
  isUp: false,
  hasLink: false,
  speed: undefined,
  duplex: undefined,
  linkResets: 0,
};

/** A device of the kernel, through whatever port. */
export class KernelDevice implements NetworkDevice {
  readonly type: string;
  readonly port: DevicePort;
  readonly receiver: DevicePort;
  readonly optionsKey: string;
  readonly status: Readonly<Record<string, string>>;
  readonly #kernel: Kernel;
  readonly #isOtherEnd: boolean;
  readonly #index: number;
  #last: DeviceState = GONE;

  constructor(port: DevicePort, kernel: Kernel, options: KernelDeviceOptions) {
    this.type = options.type;
    this.port = port;
    this.receiver = port;
    this.optionsKey = options.optionsKey;
    this.#kernel = kernel;
    this.#isOtherEnd = options.isOtherEnd;
    this.#index = kernel.control.index(port.name);
    const driver = kernel.control.driver(port.name);
    this.status =
      driver === undefined
        ? {}
        : { driver_name: driver.name, driver_version: driver.version, firmware_version: driver.firmware };
  }

  /** A tap device lives as long as it is open, also in another namespace, where it is not seen from here. */
  isThere(): boolean {
    return this.#isOtherEnd || this.#kernel.control.index(this.port.name) === this.#index;
  }

  state(): DeviceState {
    const { control } = this.#kernel;
    const { name } = this.port;
    const flags = control.flags(name);
    // Moved to another namespace: what was known last has to do.
    if (flags === undefined) return this.#last;
    const { speed, duplex } = control.linkSettings(name);
    const resets = this.#last === GONE || this.#last.hasLink === flags.isRunning ? 0 : 1;
    this.#last = {
      mac: control.mac(name),
      ifindex: control.index(name),
      mtu: control.mtu(name),
      isUp: flags.isUp,
      hasLink: flags.isRunning,
      speed,
      duplex,
      linkResets: this.#last.linkResets + resets,
    };
    return this.#last;
  }

  statistics(): DeviceStatistics | undefined {
    const counters = this.#kernel.counters.of(this.port.name);
    return counters !== undefined && this.#isOtherEnd ? reversed(counters) : counters;
  }

  setMac(mac: Uint8Array): void {
    this.#kernel.control.setMac(this.port.name, mac);
  }

  setMtu(mtu: number): void {
    this.#kernel.control.setMtu(this.port.name, mtu);
  }

  close(): void {
    this.port.close();
  }
}
