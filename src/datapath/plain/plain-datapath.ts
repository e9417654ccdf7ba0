import { extractKey, KEY, newKey } from '../../packet/index.ts';
import type { DatapathAction, OutputAction } from '../action.ts';
import type {
  CachedFlow,
  Datapath,
  DatapathCounters,
  DatapathOptions,
  ProgramRunner,
  ToMainHandler,
  Upcall,
  UpcallHandler,
} from '../datapath.ts';
import { DatapathError } from '../errors.ts';
import { type FlowNode, LENGTH_QUESTION, type Outcome, type ProgramResult, Question, withPath } from '../outcome.ts';
import type { Port, PortCounters } from '../port.ts';
import { FlowCache } from './flow-cache.ts';
import { runActions } from './packet-actions.ts';

export interface PlainDatapathOptions extends DatapathOptions {
  /** The most flows to cache. */
  readonly cacheCapacity?: number;
}

/** The most ports of one datapath; OpenFlow 1.0 numbers them up to 0xff00. */
const MAX_PORTS = 0xff00;
/** The number of the bridge's own port. */
export const LOCAL_PORT = 0xfffffffe;
/** Passes in a row, and ports that hand a packet straight back, as patch ports do. */
const MAX_DEPTH = 64;

interface PortState {
  readonly port: Port;
  readonly counters: PortCounters;
}

/**
 * The datapath in plain TypeScript, on one thread: the reference that others are compared with, and all there is where
 * packets are few. Every step of the way of a packet stands in `receive`.
 */
export class PlainDatapath implements Datapath {
  readonly counters: DatapathCounters = {
    hits: 0,
    misses: 0,
    cacheEvictions: 0,
    dropNoPort: 0,
    dropPortFull: 0,
    dropTooDeep: 0,
    dropNoBuffer: 0,
    dropUpcallFull: 0,
    uncached: 0,
  };
  readonly #upcall: UpcallHandler;
  readonly #programs: ProgramRunner;
  readonly #cache: FlowCache;
  readonly #ports = new Map<number, PortState>();
  readonly #toMain: ToMainHandler | undefined;
  /** One key for each pass that is under way. */
  readonly #keys: Uint8Array[] = [];
  #depth = 0;

  constructor(options: PlainDatapathOptions) {
    this.#upcall = options.upcall;
    this.#programs = options.programs;
    this.#toMain = options.toMain;
    this.#cache = new FlowCache(options.keyBytes, options.cacheCapacity ?? 1 << 20);
  }

  addPort(number: number, port: Port): void {
    if (!Number.isInteger(number) || number < 1 || (number >= MAX_PORTS && number !== LOCAL_PORT)) {
      throw new DatapathError(
        'DATAPATH_BAD_PORT_NUMBER',
        `port number ${number} of ${port.name} is neither in 1..${MAX_PORTS - 1} nor that of the bridge’s own port`,
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

  /** They always are. */
  readCounters(): void {}

  receive(inPort: number, packet: Uint8Array, timeNs: bigint): void {
    const ingress = this.#ports.get(inPort);
    if (ingress === undefined) {
      this.counters.dropNoPort++;
      return;
    }
    ingress.counters.rxPackets++;
    ingress.counters.rxBytes += packet.length;

    this.#pass(inPort, 0, packet, timeNs);
  }

  /** One pass of a packet: from its key to its outcome's actions. */
  #pass(inPort: number, recircId: number, packet: Uint8Array, timeNs: bigint): void {
    if (this.#depth >= MAX_DEPTH) {
      this.counters.dropTooDeep++;
      return;
    }
    this.#keys[this.#depth] ??= newKey();
    const key = this.#keys[this.#depth];
    this.#depth++;
    try {
      const view = new DataView(key.buffer);
      view.setUint32(KEY.inPort, inPort);
      view.setUint32(KEY.recircId, recircId);
      extractKey(packet, key);
      const outcome = this.#outcome({ packet, key, inPort, recircId, timeNs, results: [] });
      outcome.packets++;
      outcome.bytes += packet.length;
      outcome.lastUsedNs = timeNs;
      this.execute(outcome.actions, packet, timeNs, inPort);
    } finally {
      this.#depth--;
    }
  }

  #outcome(pass: Upcall & { results: ProgramResult[] }): Outcome {
    const index = this.#cache.index(pass.key);
    const found = this.#follow(this.#cache.get(index), pass.packet, pass.timeNs, pass.results);
    if (found !== undefined) {
      this.counters.hits++;
      return found;
    }
    this.counters.misses++;
    const { results, outcome } = this.#upcall(pass);
    // The handler may have changed tables (a MAC learnt): what it says holds for the generation that follows.
    const place = this.#cache.index(pass.key);
    this.#cache.set(place, withPath(this.#cache.get(place), results, outcome));
    this.counters.cacheEvictions = this.#cache.evictions;
    return outcome;
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
      const matched = this.#answer(node.program, packet, timeNs);
      results.push({ program: node.program, matched });
      node = matched ? node.matched : node.refused;
    }
    return node;
  }

  #answer(question: number, packet: Uint8Array, timeNs: bigint): boolean {
    if (question >= LENGTH_QUESTION) return packet.length > question - LENGTH_QUESTION;
    return this.#programs.matches(question, packet, timeNs);
  }

  execute(actions: readonly DatapathAction[], packet: Uint8Array, timeNs: bigint, inPort = 0): void {
    if (actions.length === 0) return;
    runActions(actions, packet, {
      output: (action, bytes) => this.#output(action, bytes, timeNs),
      recirculate: (id, bytes) => this.#pass(inPort, id, bytes, timeNs),
      toMain: (note, bytes) => this.#toMain?.(note, bytes, timeNs),
    });
  }

  #output({ port, queue }: OutputAction, packet: Uint8Array, timeNs: bigint): void {
    const egress = this.#ports.get(port);
    if (egress === undefined) {
      this.counters.dropNoPort++;
    } else if (egress.port.send(packet, timeNs, queue)) {
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
