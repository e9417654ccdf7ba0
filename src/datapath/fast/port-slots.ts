import { DatapathError } from '../errors.ts';
import {
  NO_SLOT,
  PORT_COUNTER_BYTES,
  PORT_KIND,
  PORT_NUMBER,
  PORT_RECORD_BYTES,
  PORT_RX_BYTES,
  PORT_RX_PACKETS,
  PORT_THREAD,
  PORT_TX_BYTES,
  PORT_TX_DROPPED,
  PORT_TX_PACKETS,
} from '../layout.ts';
import { LOCAL_PORT } from '../plain/plain-datapath.ts';
import type { Port, PortCounters } from '../port.ts';
import type { DatapathMemory } from './memory.ts';

/** OpenFlow 1.0 numbers ports up to here. */
const MAX_PORTS = 0xff00;

/** Where somebody counts packets of ports. */
interface CountsPorts {
  readonly portCounters: number;
}

/** The ports of a datapath in shared memory: each has a slot, by which threads know it. */
export class PortSlots {
  readonly #memory: DatapathMemory;
  readonly #threads: readonly CountsPorts[];
  readonly #slots = new Map<number, number>();
  readonly #ports: (Port | undefined)[] = [];

  constructor(memory: DatapathMemory, threads: readonly CountsPorts[]) {
    this.#memory = memory;
    this.#threads = threads;
  }

  /** @throws DatapathError DATAPATH_BAD_PORT_NUMBER, DATAPATH_PORT_EXISTS, DATAPATH_TOO_MANY_PORTS */
  add(number: number, port: Port, kind: number, thread = 0): number {
    if (!Number.isInteger(number) || number < 1 || (number >= MAX_PORTS && number !== LOCAL_PORT)) {
      throw new DatapathError(
        'DATAPATH_BAD_PORT_NUMBER',
        `port number ${number} of ${port.name} is neither in 1..${MAX_PORTS - 1} nor that of the bridge’s own port`,
      );
    }
    const taken = this.#slots.get(number);
    if (taken !== undefined) {
      throw new DatapathError(
        'DATAPATH_PORT_EXISTS',
        `port ${number} is already there, it is ${this.#ports[taken]?.name}`,
      );
    }
    const free = this.#ports.indexOf(undefined);
    const slot = free < 0 ? this.#ports.length : free;
    const { limits } = this.#memory;
    if (slot >= limits.ports) {
      throw new DatapathError('DATAPATH_TOO_MANY_PORTS', `port ${port.name} is one more than ${limits.ports} ports`);
    }
    this.#slots.set(number, slot);
    this.#ports[slot] = port;
    for (const { portCounters } of this.#threads) {
      const at = portCounters + slot * PORT_COUNTER_BYTES;
      this.#memory.bytes.fill(0, at, at + PORT_COUNTER_BYTES);
    }
    const record = this.record(slot);
    this.#memory.setWord(record + PORT_NUMBER, number);
    this.#memory.setWord(record + PORT_THREAD, thread);
    this.#memory.setWord(record + PORT_KIND, kind);
    return slot;
  }

  /** No packet is sent by the port any more; its slot stays taken until `free`. */
  close(number: number): number | undefined {
    const slot = this.#slots.get(number);
    if (slot === undefined) return undefined;
    this.#slots.delete(number);
    this.#memory.setWord(this.record(slot) + PORT_KIND, 0);
    return slot;
  }

  free(slot: number): void {
    this.#ports[slot] = undefined;
  }

  /** NO_SLOT when there is no such port. */
  slotOf(number: number): number {
    return this.#slots.get(number) ?? NO_SLOT;
  }

  numberAt(slot: number): number {
    return this.#memory.word(this.record(slot) + PORT_NUMBER);
  }

  port(slot: number): Port | undefined {
    return this.#ports[slot];
  }

  record(slot: number): number {
    return this.#memory.ports + slot * PORT_RECORD_BYTES;
  }

  *entries(): Iterable<readonly [number, Port]> {
    for (const [number, slot] of this.#slots) {
      const port = this.#ports[slot];
      if (port !== undefined) yield [number, port];
    }
  }

  /** Summed over the threads. */
  counters(number: number): PortCounters | undefined {
    const slot = this.#slots.get(number);
    if (slot === undefined) return undefined;
    const sum = (offset: number): number =>
      this.#threads.reduce(
        (total, { portCounters }) => total + this.#memory.counter(portCounters + slot * PORT_COUNTER_BYTES + offset),
        0,
      );
    return {
      rxPackets: sum(PORT_RX_PACKETS),
      rxBytes: sum(PORT_RX_BYTES),
      txPackets: sum(PORT_TX_PACKETS),
      txBytes: sum(PORT_TX_BYTES),
      txDropped: sum(PORT_TX_DROPPED),
    };
  }
}
