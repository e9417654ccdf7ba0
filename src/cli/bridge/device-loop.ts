import { DeviceWaiter } from '../../datapath/ports/device-waiter.ts';
import type { Bridge } from '../../ofproto/index.ts';
import { deviceSettings, type OpenedPort } from './device.ts';

/** Packets taken from one port before the next has its turn, and rounds before the event loop has its own. */
const BATCH = 32;
const ROUNDS = 8;
const LINK_INTERVAL_MS = 1000;

/** Takes packets from the devices of a bridge as they arrive, and notices when links go up and down. */
export class DeviceLoop {
  readonly #bridge: Bridge;
  readonly #ports: readonly OpenedPort[];
  readonly #waiter: DeviceWaiter;
  readonly #timer: NodeJS.Timeout;

  constructor(bridge: Bridge, ports: readonly OpenedPort[]) {
    this.#bridge = bridge;
    this.#ports = ports.filter(({ hasLink }) => hasLink);
    this.#waiter = new DeviceWaiter(() => this.#receive());
    for (const { device } of this.#ports) for (const fd of device?.descriptors ?? []) this.#waiter.watch(fd);
    this.#timer = setInterval(() => this.#checkLinks(), LINK_INTERVAL_MS);
  }

  #receive(): void {
    for (let round = 0; round < ROUNDS; round++) {
      let received = false;
      for (const { number, device } of this.#ports)
        if (device?.receive(BATCH, (packet) => this.#bridge.receive(number, packet))) received = true;
      if (!received) return;
    }
  }

  #checkLinks(): void {
    for (const { number, port } of this.#ports) {
      const known = this.#bridge.ports.peek(number);
      const now = deviceSettings(port.name);
      const hasMoved = known?.mac.some((byte, i) => byte !== now.mac[i]);
      if (known !== undefined && (known.state !== now.state || hasMoved)) this.#bridge.setPort(number, now);
    }
  }

  /** Stops taking packets and closes the devices. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#waiter.close();
    for (const { device } of this.#ports) device?.close();
  }
}
