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
  /** Its name, where that is not the port's. */
  readonly device?: string;
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
  readonly #device: string;
  readonly #index: number;
  #last: DeviceState = GONE;

  constructor(port: DevicePort, kernel: Kernel, options: KernelDeviceOptions) {
    this.type = options.type;
    this.port = port;
    this.receiver = port;
    this.optionsKey = options.optionsKey;
    this.#kernel = kernel;
    this.#isOtherEnd = options.isOtherEnd;
    this.#device = options.device ?? port.name;
    this.#index = kernel.control.index(this.#device);
    const driver = kernel.control.driver(this.#device);
    this.status =
      driver === undefined
        ? {}
        : { driver_name: driver.name, driver_version: driver.version, firmware_version: driver.firmware };
  }

  /** A tap device lives as long as it is open, also in another namespace, where it is not seen from here. */
  isThere(): boolean {
    return this.#isOtherEnd || this.#kernel.control.index(this.#device) === this.#index;
  }

  state(): DeviceState {
    const { control } = this.#kernel;
    const name = this.#device;
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
    const counters = this.#kernel.counters.of(this.#device);
    return counters !== undefined && this.#isOtherEnd ? reversed(counters) : counters;
  }

  setMac(mac: Uint8Array): void {
    this.#kernel.control.setMac(this.#device, mac);
  }

  setMtu(mtu: number): void {
    this.#kernel.control.setMtu(this.#device, mtu);
  }

  close(): void {
    this.port.close();
  }
}
