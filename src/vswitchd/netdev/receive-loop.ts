import { type DevicePort, DeviceWaiter } from '../../datapath/ports/index.ts';

/** Packets taken from one device before the next has its turn, and rounds before the event loop has its own. */
const BATCH = 32;
const ROUNDS = 8;

/** Takes packets from all devices as they arrive. */
export class ReceiveLoop {
  readonly #devices = new Map<DevicePort, (packet: Uint8Array) => void>();
  #waiter: DeviceWaiter | undefined;

  add(device: DevicePort, deliver: (packet: Uint8Array) => void): void {
    this.#devices.set(device, deliver);
    // Only now, since a thread of its own costs some memory.
    this.#waiter ??= new DeviceWaiter(() => this.#receive());
    this.#waiter.watch(device.fd);
  }

  /** To be called before the device is closed. */
  remove(device: DevicePort): void {
    if (this.#devices.delete(device)) this.#waiter?.unwatch(device.fd);
  }

  #receive(): void {
    for (let round = 0; round < ROUNDS; round++) {
      let received = false;
      for (const [device, deliver] of this.#devices) if (device.receive(BATCH, deliver)) received = true;
      if (!received) return;
    }
  }

  async close(): Promise<void> {
    await this.#waiter?.close();
  }
}
