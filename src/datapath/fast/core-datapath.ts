import type { DatapathAction } from '../action.ts';
import type {
  CachedFlow,
  Datapath,
  DatapathCounters,
  DatapathOptions,
  ProgramRunner,
  ToMainHandler,
  UpcallHandler,
} from '../datapath.ts';
import {
  BATCH_PACKETS,
  KEY_STRIDE,
  MAX_RESULTS,
  NO_QUEUE,
  NO_SLOT,
  PORT_KIND_CALL,
  PORT_KIND_SINK,
  SCRATCH_VERDICT,
  SHARED_GENERATION,
  SHARED_UNION,
  STAT_NO_PORT,
} from '../layout.ts';
import type { ProgramResult } from '../outcome.ts';
import type { Port, PortCounters } from '../port.ts';
import { encodeActions } from './action-code.ts';
import { cachedFlows } from './cached-flows.ts';
import { type CoreExports, coreModule, instantiateCore } from './core-module.ts';
import { type DatapathLimits, DatapathMemory, DEFAULT_LIMITS } from './memory.ts';
import { OutcomeStore } from './outcome-store.ts';
import { PortSlots } from './port-slots.ts';
import { ThreadCounters } from './thread-counters.ts';
import { ThreadMemory, threadBytes } from './thread-memory.ts';
import { type UnionWord, unionWords, writeUnion } from './union.ts';

export interface CoreDatapathOptions extends DatapathOptions {
  readonly limits?: Partial<DatapathLimits>;
}

/** What a packet's actions have handed to JavaScript, to be delivered when the core has returned. */
interface Delivery {
  readonly depth: number;
  deliver(): void;
}

const EXECUTE_BYTES = 1 << 20;

/**
 * The core of the fast path on the thread of its owner, without workers: the same code, the same memory, misses answered by a
 * call. For replays, for benchmarks of the core alone, and for tests that compare it with its plain twin packet by packet.
 */
export class CoreDatapath implements Datapath {
  readonly counters: Readonly<DatapathCounters>;
  readonly memory: DatapathMemory;
  readonly #upcall: UpcallHandler;
  readonly #programs: ProgramRunner;
  readonly #toMain: ToMainHandler | undefined;
  readonly #keyBytes: number;
  readonly #thread: ThreadMemory;
  readonly #core: CoreExports;
  readonly #slots: PortSlots;
  readonly #outcomes: OutcomeStore;
  readonly #executeArea: number;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  #union: readonly UnionWord[] = [];
  #timeNs = 0n;
  #deliveries: Delivery[] = [];
  /** Passes under way around what is done now. */
  #depth = 0;
  /** The core has been called and has not returned; and verdicts were made void since then. */
  #running = false;
  #hasInvalidated = false;

  /** @throws DatapathError DATAPATH_NO_MEMORY, DATAPATH_NO_CORE */
  constructor(options: CoreDatapathOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#upcall = options.upcall;
    this.#programs = options.programs;
    this.#toMain = options.toMain;
    this.#keyBytes = options.keyBytes;
    this.memory = new DatapathMemory(limits, 1, threadBytes(limits) + EXECUTE_BYTES);
    this.#thread = new ThreadMemory(this.memory, 0, true, 0);
    this.#executeArea = this.memory.allocate(EXECUTE_BYTES);
    this.#slots = new PortSlots(this.memory, [this.#thread]);
    this.#outcomes = new OutcomeStore(this.memory, (port) => this.#slots.slotOf(port));
    this.counters = new ThreadCounters(this.memory, [this.#thread]);
    this.#core = instantiateCore(coreModule(), this.memory.memory, this.#table, {
      ask: (program, packet, length) =>
        this.#programs.matches(program, this.#bytesAt(packet, length), this.#timeNs) ? 1 : 0,
      translate: (...args) => this.#translate(...args),
      toMain: (note, packet, length, depth) => this.#toMainLater(note, packet, length, depth),
      send: (...args) => this.#sendLater(...args),
      flush: () => {},
    });
    this.#core.start(this.#thread.config);
  }

  addPort(number: number, port: Port): void {
    this.#slots.add(number, port, port.isSink === true ? PORT_KIND_SINK : PORT_KIND_CALL);
    this.invalidate();
  }

  removePort(number: number): void {
    const slot = this.#slots.close(number);
    if (slot === undefined) return;
    this.#slots.free(slot);
    this.invalidate();
  }

  ports(): Iterable<readonly [number, Port]> {
    return this.#slots.entries();
  }

  portCounters(number: number): Readonly<PortCounters> | undefined {
    return this.#slots.counters(number);
  }

  setUnion(mask: Uint8Array): void {
    this.#union = unionWords(mask);
    const { shared, unions } = this.memory;
    const address = unions[this.memory.word(shared + SHARED_UNION) === unions[0] ? 1 : 0];
    writeUnion(this.memory, address, this.#union);
    this.memory.setWord(shared + SHARED_UNION, address);
    this.invalidate();
  }

  invalidate(): void {
    const at = this.memory.shared + SHARED_GENERATION;
    this.memory.setWord(at, this.memory.word(at) + 1);
    // An outcome that is being carried out must stay where it is until the core returns.
    this.#outcomes.startGeneration(this.#running && this.#hasInvalidated);
    this.#hasInvalidated = this.#running;
    if (!this.#running) this.#core.adoptGeneration();
  }

  readCounters(): void {
    this.#outcomes.collect();
  }

  receive(inPort: number, packet: Uint8Array, timeNs: bigint): void {
    this.receiveBatch(inPort, [packet], timeNs);
  }

  /** Several packets that have come in by a port together, in their order. */
  receiveBatch(inPort: number, packets: readonly Uint8Array[], timeNs: bigint): void {
    const slot = this.#slots.slotOf(inPort);
    if (slot === NO_SLOT) {
      const at = this.#thread.stats + STAT_NO_PORT;
      const { view } = this.memory;
      view.setBigUint64(at, view.getBigUint64(at, true) + BigInt(packets.length), true);
      return;
    }
    for (let first = 0; first < packets.length; first += BATCH_PACKETS) {
      let count = 0;
      for (const packet of packets.slice(first, first + BATCH_PACKETS)) if (this.#bringIn(count, packet)) count++;
      this.#run(timeNs, () => this.#core.receive(slot, count, this.#depth));
    }
  }

  /** Copies a packet into place `i` of the batch. */
  #bringIn(i: number, packet: Uint8Array): boolean {
    const at = this.#core.prepare(i, packet.length) >>> 0;
    if (at === 0) return false;
    this.memory.bytes.set(packet, at);
    return true;
  }

  execute(actions: readonly DatapathAction[], packet: Uint8Array, timeNs: bigint, inPort = 0): void {
    if (actions.length === 0) return;
    const words = encodeActions(actions, (port) => this.#slots.slotOf(port));
    if (4 * words.length > EXECUTE_BYTES || !this.#bringIn(0, packet)) return;
    this.memory.words.set(words, this.#executeArea >> 2);
    this.#run(timeNs, () => this.#core.execute(this.#executeArea, inPort, this.#depth));
  }

  /** Calls the core, then delivers what it has for JavaScript, in the order of the actions. */
  #run(timeNs: bigint, call: () => void): void {
    const outerDeliveries = this.#deliveries;
    const deliveries: Delivery[] = [];
    this.#deliveries = deliveries;
    this.#timeNs = timeNs;
    this.#core.setNow(timeNs);
    this.#running = true;
    try {
      call();
    } finally {
      this.#running = false;
      this.#hasInvalidated = false;
      this.#deliveries = outerDeliveries;
    }
    const outerDepth = this.#depth;
    try {
      for (const { depth, deliver } of deliveries) {
        this.#depth = depth;
        deliver();
      }
    } finally {
      this.#depth = outerDepth;
    }
  }

  #bytesAt(address: number, length: number): Uint8Array {
    const at = address >>> 0;
    return this.memory.bytes.subarray(at, at + (length >>> 0));
  }

  #translate(
    set: number,
    packet: number,
    length: number,
    inPort: number,
    recircId: number,
    resultCount: number,
  ): number {
    const { keys, results, scratch } = this.#thread;
    const keyAt = keys + set * KEY_STRIDE;
    const verdict = this.#upcall({
      packet: this.#bytesAt(packet, length).slice(),
      key: this.memory.bytes.slice(keyAt, keyAt + this.#keyBytes),
      inPort: inPort >>> 0,
      recircId: recircId >>> 0,
      timeNs: this.#timeNs,
      results: this.#resultsAt(results + set * 256, Math.min(resultCount, MAX_RESULTS)),
    });
    const at = scratch + SCRATCH_VERDICT;
    this.memory.setWord(at, verdict.results.length);
    for (const [i, { program, matched }] of verdict.results.slice(0, MAX_RESULTS).entries())
      this.memory.setWord(at + 4 + 4 * i, 2 * program + (matched ? 1 : 0));
    return this.#placeOutcome(verdict.outcome);
  }

  #placeOutcome(outcome: Parameters<OutcomeStore['place']>[0]): number {
    const address = this.#outcomes.place(outcome);
    if (address !== undefined) return address;
    // No room for another one: all make room.
    this.invalidate();
    return this.#outcomes.place(outcome) ?? 0;
  }

  #resultsAt(address: number, count: number): ProgramResult[] {
    return Array.from({ length: count }, (_, i) => {
      const result = this.memory.word(address + 4 * i);
      return { program: result >>> 1, matched: (result & 1) === 1 };
    });
  }

  #toMainLater(note: number, packet: number, length: number, depth: number): void {
    const bytes = this.#bytesAt(packet, length).slice();
    const timeNs = this.#timeNs;
    this.#deliveries.push({ depth, deliver: () => this.#toMain?.(note >>> 0, bytes, timeNs) });
  }

  #sendLater(slot: number, packet: number, length: number, queue: number, depth: number): void {
    const bytes = this.#bytesAt(packet, length).slice();
    const port = this.#slots.port(slot);
    const timeNs = this.#timeNs;
    const deliver = (): void => {
      if (port?.send(bytes, timeNs, queue >>> 0 === NO_QUEUE ? undefined : queue >>> 0) === true)
        this.#core.countSent(slot, 1n, BigInt(bytes.length));
      else this.#core.countUnsent(slot, 1n);
    };
    this.#deliveries.push({ depth, deliver });
  }

  flows(): Iterable<CachedFlow> {
    return cachedFlows(this.memory, 0, this.#union, this.#keyBytes, (address) => this.#outcomes.at(address));
  }
}
