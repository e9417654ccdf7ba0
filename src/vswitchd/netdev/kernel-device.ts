import type { Port } from '../../datapath/index.ts';
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
  readonly port: Port;
  readonly receiver?: DevicePort;
  readonly optionsKey: string;
  readonly #kernel: Kernel;
  readonly #isOtherEnd: boolean;
  readonly #device: string;
  /** Of the device as it was opened; unknown while a packet thread is still to open it. */
  #index: number | undefined;
  #driver: ReturnType<DeviceControl['driver']>;
  #last: DeviceState = GONE;

  /** `receiver` is left out where a packet thread receives. */
  constructor(port: Port, receiver: DevicePort | undefined, kernel: Kernel, options: KernelDeviceOptions) {
    this.type = options.type;
    this.port = port;
    if (receiver !== undefined) this.receiver = receiver;
    this.optionsKey = options.optionsKey;
    this.#kernel = kernel;
    this.#isOtherEnd = options.isOtherEnd;
    this.#device = options.device ?? port.name;
    if (receiver !== undefined) this.opened();
  }

  opened(): void {
    const { control } = this.#kernel;
    this.#index = control.index(this.#device);
    this.#driver = control.driver(this.#device);
  }

  get status(): Readonly<Record<string, string>> {
    const driver = this.#driver;
    if (driver === undefined) return {};
    return { driver_name: driver.name, driver_version: driver.version, firmware_version: driver.firmware };
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
    this.receiver?.close();
  }
}
