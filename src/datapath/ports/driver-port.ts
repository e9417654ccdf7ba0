import type { DevicePort } from './device-port.ts';
import { BATCH_PACKETS, type LargeBuffers, PACKET_START, type PacketBatch, type PortDriver } from './driver.ts';
import { addressOf } from './linux.ts';
import { SPILL_BYTES } from './received.ts';
import { finishPacket, isUnfinished, VIRTIO_HEADER_BYTES } from './virtio-header.ts';

const SMALL_BYTES = 2048;
const LARGE_BYTES = PACKET_START + SPILL_BYTES;
/** Behind the small buffers: one large for each packet of a batch, and one to send from. Memory that nobody touches costs nothing. */
const LARGE_START = BATCH_PACKETS * SMALL_BYTES;
const SEND_BUFFER = LARGE_START + BATCH_PACKETS * LARGE_BYTES;

/**
 * A driver as a port of the plain datapath: packets come one by one, finished, and go out one by one. The fast path works on
 * the driver itself.
 */
export class DriverPort implements DevicePort {
  readonly name: string;
  readonly #driver: PortDriver;
  readonly #received: PacketBatch;
  readonly #sent: PacketBatch;
  #largeUsed = 0;
  readonly #large: LargeBuffers = () => ({
    buffer: LARGE_START + LARGE_BYTES * this.#largeUsed++,
    capacity: LARGE_BYTES,
  });

  /** @param name of the port, where that is not the device's */
  constructor(driver: PortDriver, name = driver.name) {
    this.name = name;
    this.#driver = driver;
    const bytes = new Uint8Array(SEND_BUFFER + LARGE_BYTES);
    const address = addressOf(bytes);
    const batch = (packets: number): PacketBatch => ({
      bytes,
      address,
      buffers: new Uint32Array(packets),
      capacities: new Uint32Array(packets),
      starts: new Uint32Array(packets),
      lengths: new Uint32Array(packets),
    });
    this.#received = batch(BATCH_PACKETS);
    this.#sent = batch(1);
    this.#sent.buffers[0] = SEND_BUFFER;
    this.#sent.capacities[0] = LARGE_BYTES;
    this.#sent.starts[0] = SEND_BUFFER + PACKET_START;
  }

  get descriptors(): readonly number[] {
    return this.#driver.descriptors;
  }

  get alwaysReady(): boolean {
    return this.#driver.alwaysReady;
  }

  receive(limit: number, deliver: (packet: Uint8Array) => void): boolean {
    const { bytes, buffers, capacities, starts, lengths } = this.#received;
    for (let i = 0; i < BATCH_PACKETS; i++) {
      buffers[i] = i * SMALL_BYTES;
      capacities[i] = SMALL_BYTES;
    }
    this.#largeUsed = 0;
    const count = this.#driver.receive(this.#received, Math.min(limit, BATCH_PACKETS), this.#large);
    for (let i = 0; i < count; i++) {
      const packet = bytes.subarray(starts[i], starts[i] + lengths[i]);
      if (!isUnfinished(bytes, buffers[i])) deliver(packet);
      else
        for (const each of finishPacket(bytes.subarray(buffers[i], buffers[i] + VIRTIO_HEADER_BYTES), packet))
          deliver(each);
    }
    return count > 0;
  }

  send(packet: Uint8Array): boolean {
    if (packet.length > SPILL_BYTES) return false;
    this.#sent.bytes.set(packet, SEND_BUFFER + PACKET_START);
    this.#sent.lengths[0] = packet.length;
    return this.#driver.transmit(this.#sent, 1) === 1;
  }

  close(): void {
    this.#driver.close();
  }
}
