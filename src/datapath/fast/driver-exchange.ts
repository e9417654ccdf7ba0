import {
  BATCH_PACKETS,
  BUFFER_BASE,
  BUFFER_CAPACITY,
  BUFFER_RECORD_BYTES,
  BUFFER_VIRTIO,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_RECORD_BYTES,
  TX_LIST_BYTES,
  TX_RECORDS,
} from '../layout.ts';
import type { LargeBuffers, PacketBatch, PortDriver } from '../ports/driver.ts';
import type { CoreExports } from './core-module.ts';
import type { ThreadData } from './letter.ts';

const VIRTIO_BYTES = 10;
const NO_BUFFER = -1;

/** Carries packets between drivers and the core of one thread: buffers are numbers here and offsets there. */
export class DriverExchange {
  readonly #data: ThreadData;
  readonly #core: CoreExports;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #batch: PacketBatch;
  readonly #numbers = new Map<number, number>();
  /** Buffers that the next driver to receive is given. */
  #given: number[] = [];
  #large: number[] = [];
  readonly #largeBuffers: LargeBuffers = (bytes) => this.#takeLarge(bytes);

  constructor(data: ThreadData, core: CoreExports, memoryAddress: bigint) {
    this.#data = data;
    this.#core = core;
    this.#bytes = new Uint8Array(data.memory.buffer);
    this.#words = new Int32Array(data.memory.buffer);
    const places = (): Uint32Array => new Uint32Array(BATCH_PACKETS);
    this.#batch = {
      bytes: this.#bytes,
      address: memoryAddress,
      ...{ buffers: places(), capacities: places(), starts: places(), lengths: places() },
    };
  }

  #record(number: number): number {
    return (this.#data.buffers + number * BUFFER_RECORD_BYTES) >> 2;
  }

  #baseOf(number: number): number {
    const base = this.#words[this.#record(number) + (BUFFER_BASE >> 2)] >>> 0;
    this.#numbers.set(base, number);
    return base;
  }

  #takeLarge(bytes: number): ReturnType<LargeBuffers> {
    const number = this.#core.allocate(bytes);
    if (number === NO_BUFFER) return undefined;
    this.#large.push(number);
    return { buffer: this.#baseOf(number), capacity: this.#words[this.#record(number) + (BUFFER_CAPACITY >> 2)] };
  }

  /** Puts what a driver has received into the core's batch; returns how many packets. */
  receive(driver: PortDriver): number {
    const { buffers, capacities, starts, lengths } = this.#batch;
    while (this.#given.length < BATCH_PACKETS) {
      const number = this.#core.allocate(1);
      if (number === NO_BUFFER) break;
      this.#given.push(number);
    }
    for (const [i, number] of this.#given.entries()) {
      buffers[i] = this.#baseOf(number);
      capacities[i] = this.#words[this.#record(number) + (BUFFER_CAPACITY >> 2)];
    }
    this.#large = [];
    const count = driver.receive(this.#batch, this.#given.length, this.#largeBuffers);
    if (count === 0) return 0;
    const used = new Set<number>();
    const place = this.#data.batch >> 2;
    for (let i = 0; i < count; i++) {
      const number = this.#numbers.get(buffers[i]) ?? 0;
      used.add(number);
      const at = place + (i * PACKET_RECORD_BYTES) / 4;
      this.#words[at + PACKET_BUFFER / 4] = number;
      this.#words[at + PACKET_ADDRESS / 4] = starts[i];
      this.#words[at + PACKET_LENGTH / 4] = lengths[i];
      this.#copyVirtio(buffers[i], 4 * this.#record(number) + BUFFER_VIRTIO);
    }
    for (const number of this.#large) if (!used.has(number)) this.#core.release(number);
    this.#given = this.#given.filter((number) => !used.has(number));
    return count;
  }

  /** Sends what is collected for a port, and tells the core how much of it went. */
  transmit(slot: number, driver: PortDriver): void {
    const list = (this.#data.txLists + slot * TX_LIST_BYTES) >> 2;
    const total = this.#words[list];
    let sent = 0;
    for (let first = 0; first < total; first += BATCH_PACKETS) {
      const count = Math.min(BATCH_PACKETS, total - first);
      for (let i = 0; i < count; i++) this.#lay(i, list + (TX_RECORDS + (first + i) * PACKET_RECORD_BYTES) / 4);
      const gone = driver.transmit(this.#batch, count);
      sent += gone;
      if (gone < count) break;
    }
    this.#core.sent(slot, sent);
  }

  #lay(i: number, at: number): void {
    const { buffers, capacities, starts, lengths } = this.#batch;
    const number = this.#words[at + PACKET_BUFFER / 4];
    const record = this.#record(number);
    buffers[i] = this.#words[record + BUFFER_BASE / 4];
    capacities[i] = this.#words[record + BUFFER_CAPACITY / 4];
    starts[i] = this.#words[at + PACKET_ADDRESS / 4];
    lengths[i] = this.#words[at + PACKET_LENGTH / 4];
    this.#copyVirtio(4 * record + BUFFER_VIRTIO, buffers[i]);
  }

  #copyVirtio(from: number, to: number): void {
    for (let i = 0; i < VIRTIO_BYTES; i++) this.#bytes[to + i] = this.#bytes[from + i];
  }

  /** Gives back what drivers were given. */
  close(): void {
    for (const number of this.#given) this.#core.release(number);
    this.#given = [];
  }
}
