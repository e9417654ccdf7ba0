import { extractKey, KEY } from '../../packet/index.ts';
import type { DatapathAction } from '../action.ts';
import type { CachedFlow, Datapath, DatapathCounters, ProgramRunner, UpcallHandler } from '../datapath.ts';
import { DatapathError } from '../errors.ts';
import { type FlowNode, type Outcome, type ProgramResult, Question, withPath } from '../outcome.ts';
import type { Port, PortCounters } from '../port.ts';
import { FlowCache } from './flow-cache.ts';

export interface PlainDatapathOptions {
  /** Who answers misses. */
  readonly upcall: UpcallHandler;
  readonly programs: ProgramRunner;
  /** Bytes of a flow key. */
  readonly keyBytes: number;
  /** The most flows to cache. */
  readonly cacheCapacity?: number;
}

/** The most ports of one datapath; OpenFlow 1.0 numbers them up to 0xff00. */
const MAX_PORTS = 0xff00;

interface PortState {
  readonly port: Port;
  readonly counters: PortCounters;
}

/**
 * The datapath in plain TypeScript, on one thread: the reference that others are compared with, and all there is where
 * packets are few. Every step of the way of a packet stands in `receive`.
 */
export class PlainDatapath implements Datapath {
  readonly counters: DatapathCounters = { hits: 0, misses: 0, cacheEvictions: 0, dropNoPort: 0, dropPortFull: 0 };
  readonly #upcall: UpcallHandler;
  readonly #programs: ProgramRunner;
  readonly #cache: FlowCache;
  readonly #ports = new Map<number, PortState>();
  readonly #key: Uint8Array;

  constructor(options: PlainDatapathOptions) {
    this.#upcall = options.upcall;
    this.#programs = options.programs;
    this.#key = new Uint8Array(options.keyBytes);
    this.#cache = new FlowCache(options.keyBytes, options.cacheCapacity ?? 1 << 20);
  }

  addPort(number: number, port: Port): void {
    if (!Number.isInteger(number) || number < 1 || number >= MAX_PORTS) {
      throw new DatapathError(
        'DATAPATH_BAD_PORT_NUMBER',
        `port number ${number} of ${port.name} is not in 1..${MAX_PORTS - 1}`,
      );
    }
    if (this.#ports.has(number)) {
      throw new DatapathError(
        'DATAPATH_PORT_EXISTS',
        `port ${number} is already there, it is ${this.#ports.get(number)?.port.name}`,
      );
    }
    this.#ports.set(number, { port, counters: { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0 } });
    this.invalidate();
  }

  removePort(number: number): void {
    if (this.#ports.delete(number)) this.invalidate();
  }

  *ports(): Iterable<readonly [number, Port]> {
    for (const [number, state] of this.#ports) yield [number, state.port];
  }

  portCounters(number: number): Readonly<PortCounters> | undefined {
    return this.#ports.get(number)?.counters;
  }

  setUnion(mask: Uint8Array): void {
    this.#cache.setUnion(mask);
  }

  invalidate(): void {
    this.#cache.invalidate();
  }

  receive(inPort: number, packet: Uint8Array, timeNs: bigint): void {
    const ingress = this.#ports.get(inPort);
    if (ingress === undefined) {
      this.counters.dropNoPort++;
      return;
    }
    ingress.counters.rxPackets++;
    ingress.counters.rxBytes += packet.length;

    const key = this.#key;
    new DataView(key.buffer).setUint32(KEY.inPort, inPort);
    extractKey(packet, key);
    const index = this.#cache.index(key);
    const root = this.#cache.get(index);

    const results: ProgramResult[] = [];
    const found = this.#follow(root, packet, timeNs, results);
    let outcome: Outcome;
    if (found !== undefined) {
      this.counters.hits++;
      outcome = found;
    } else {
      this.counters.misses++;
      const verdict = this.#upcall({ packet, key, inPort, timeNs, results });
      outcome = verdict.outcome;
      // The handler may have changed tables (a MAC learnt): what it says holds for the generation that follows.
      this.#cache.set(index, withPath(this.#cache.get(index), verdict.results, outcome));
      this.counters.cacheEvictions = this.#cache.evictions;
    }
    outcome.packets++;
    outcome.bytes += packet.length;
    outcome.lastUsedNs = timeNs;
    this.execute(outcome.actions, packet, timeNs);
  }

  /** Asks the programs of a chain until an outcome; undefined where no packet has gone before. Notes each answer in `results`. */
  #follow(
    root: FlowNode | undefined,
    packet: Uint8Array,
    timeNs: bigint,
    results: ProgramResult[],
  ): Outcome | undefined {
    let node = root;
    while (node instanceof Question) {
      const matched = this.#programs.matches(node.program, packet, timeNs);
      results.push({ program: node.program, matched });
      node = matched ? node.matched : node.refused;
    }
    return node;
  }

  execute(actions: readonly DatapathAction[], packet: Uint8Array, timeNs: bigint): void {
    for (const action of actions) this.#output(action.port, packet, timeNs);
  }

  #output(number: number, packet: Uint8Array, timeNs: bigint): void {
    const egress = this.#ports.get(number);
    if (egress === undefined) {
      this.counters.dropNoPort++;
    } else if (egress.port.send(packet, timeNs)) {
      egress.counters.txPackets++;
      egress.counters.txBytes += packet.length;
    } else {
      egress.counters.txDropped++;
      this.counters.dropPortFull++;
    }
  }

  flows(): Iterable<CachedFlow> {
    return this.#cache.flows();
  }
}
