import { type DevicePort, DeviceWaiter } from '../../datapath/ports/index.ts';
import { LinkWatch } from './link-watch.ts';

/** Packets taken from one device before the next has its turn, and rounds before the event loop has its own. */
const BATCH = 32;
const ROUNDS = 8;

/** Takes packets from all devices as they arrive, and hears of devices that come, change and go. */
export class ReceiveLoop {
  readonly #devices = new Map<DevicePort, (packet: Uint8Array) => void>();
  readonly #onLinks: (names: ReadonlySet<string> | 'any') => void;
  #waiter: DeviceWaiter | undefined;
  #links: LinkWatch | undefined;

  /** `onLinks` gets the names of devices of which the kernel has told something, or `any` when some of it was lost. */
  constructor(onLinks: (names: ReadonlySet<string> | 'any') => void) {
    this.#onLinks = onLinks;
  }

  /** Starts to listen, if it does not yet: a thread that waits costs some memory. */
  start(): DeviceWaiter {
    if (this.#waiter !== undefined) return this.#waiter;
    const waiter = new DeviceWaiter(() => this.#receive());
    this.#waiter = waiter;
    this.#links = new LinkWatch(waiter, this.#onLinks);
    return waiter;
  }

  add(device: DevicePort, deliver: (packet: Uint8Array) => void): void {
    this.#devices.set(device, deliver);
    const waiter = this.start();
    for (const fd of device.descriptors) waiter.watch(fd);
    if (device.alwaysReady) this.#generate(device, deliver);
  }

  /** To be called before the device is closed. */
  remove(device: DevicePort): void {
    if (!this.#devices.delete(device)) return;
    for (const fd of device.descriptors) this.#waiter?.unwatch(fd);
  }

  /** A source that never waits gets a turn of the event loop after another, among all else. */
  #generate(device: DevicePort, deliver: (packet: Uint8Array) => void): void {
    if (!this.#devices.has(device) || !device.alwaysReady) return;
    device.receive(BATCH, deliver);
    setImmediate(() => this.#generate(device, deliver));
  }

  #receive(): void {
    this.#links?.receive();
    for (let round = 0; round < ROUNDS; round++) {
      let received = false;
      for (const [device, deliver] of this.#devices) if (device.receive(BATCH, deliver)) received = true;
      if (!received) return;
    }
  }

  async close(): Promise<void> {
    this.#devices.clear();
    this.#links?.close();
    await this.#waiter?.close();
  }
}
