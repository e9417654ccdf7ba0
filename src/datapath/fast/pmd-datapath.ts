import { KEY } from '../../packet/index.ts';
import type { DatapathAction } from '../action.ts';
import type { CachedFlow, Datapath, DatapathCounters, DatapathOptions } from '../datapath.ts';
import { DatapathError } from '../errors.ts';
import {
  KEY_PACKET_END,
  MAX_RESULTS,
  MESSAGE_EXECUTE,
  MESSAGE_OUTPUT,
  MESSAGE_RECEIVE,
  MESSAGE_TO_MAIN,
  MESSAGE_UPCALL,
  MESSAGE_VERDICT,
  NO_LIMIT,
  NO_QUEUE,
  NO_SLOT,
  PACKET_MESSAGE_DATA,
  PACKET_MESSAGE_DEPTH,
  PACKET_MESSAGE_EXTRA,
  PACKET_MESSAGE_LENGTH,
  PACKET_MESSAGE_SUBJECT,
  PACKET_MESSAGE_TIME,
  PACKET_MESSAGE_VIRTIO,
  PORT_COUNTER_BYTES,
  PORT_KIND_MAIN,
  PORT_KIND_NONE,
  PORT_KIND_SINK,
  PORT_SOURCE,
  PORT_SOURCE_COUNT,
  PORT_SOURCE_NEXT,
  PORT_SOURCE_ROUNDS,
  PORT_THREAD,
  PORT_TX_BYTES,
  PORT_TX_DROPPED,
  PORT_TX_PACKETS,
  PROGRAM_MATCHES,
  PROGRAM_RECORD_BYTES,
  PROGRAM_RUNS,
  SHARED_GENERATION,
  SHARED_UNION,
  SOURCE_RECORD_BYTES,
  STAT_NO_PORT,
  STAT_PORT_FULL,
  UPCALL_ADDRESS,
  UPCALL_IN_PORT,
  UPCALL_KEY,
  UPCALL_LENGTH,
  UPCALL_RECIRC,
  UPCALL_RECORD,
  UPCALL_RESULT_COUNT,
  UPCALL_RESULTS,
  UPCALL_TIME,
  VERDICT_GENERATION,
  VERDICT_OUTCOME,
  VERDICT_RECORD,
  VERDICT_RESULT_COUNT,
  VERDICT_RESULTS,
} from '../layout.ts';
import type { Outcome, ProgramResult } from '../outcome.ts';
import type { Port, PortCounters } from '../port.ts';
import { finishPacket } from '../ports/virtio-header.ts';
import { encodeActions } from './action-code.ts';
import { cachedFlows } from './cached-flows.ts';
import type { DatapathMemory } from './memory.ts';
import { OutcomeStore } from './outcome-store.ts';
import { PacketWorker, type WakeDescriptors } from './packet-worker.ts';
import type { PmdMemory } from './pmd-memory.ts';
import { PortSlots } from './port-slots.ts';
import { ThreadCounters } from './thread-counters.ts';
import { type UnionWord, unionWords, writeUnion } from './union.ts';

export interface PmdDatapathOptions extends DatapathOptions {
  readonly memory: PmdMemory;
  /** How threads that wait for devices are woken; left out: no port stands on a device. */
  readonly wake?: WakeDescriptors;
  /** The compiled form of `pmd-thread.ts`, where it does not lie beside this file. */
  readonly thread?: URL;
}

const THREAD = new URL('./pmd-thread.js', import.meta.url);
const VIRTIO_BYTES = 10;

/**
 * The fast path: packet threads own the ports' queues and the flow caches, and this object, on the main thread, only sees packets
 * whose flow is not cached. What it says of verdicts (`invalidate`, `setUnion`) holds for every thread when the call returns.
 */
export class PmdDatapath implements Datapath {
  readonly counters: Readonly<DatapathCounters>;
  readonly isConcurrent = true;
  readonly #options: PmdDatapathOptions;
  readonly #memory: DatapathMemory;
  readonly #workers: readonly PacketWorker[];
  readonly #slots: PortSlots;
  readonly #outcomes: OutcomeStore;
  readonly #key: Uint8Array;
  #union: readonly UnionWord[] = [];
  #nextThread = 0;
  /** Passes under way around what is done now. */
  #depth = 0;

  /** @throws DatapathError DATAPATH_NO_CORE */
  constructor(options: PmdDatapathOptions) {
    this.#options = options;
    const { memory } = options;
    this.#memory = memory.datapath;
    this.#key = new Uint8Array(options.keyBytes);
    this.#workers = memory.workers.map(
      ({ own, ebpf }) =>
        new PacketWorker(
          this.#memory,
          own,
          { clock: memory.clock.address, thread: ebpf.address },
          (address) => this.#read(own.index, address),
          options.thread ?? THREAD,
          options.wake,
        ),
    );
    const counting = [memory, ...memory.workers.map(({ own }) => own)];
    this.#slots = new PortSlots(this.#memory, counting);
    this.counters = new ThreadCounters(this.#memory, counting);
    this.#outcomes = new OutcomeStore(this.#memory, (port) => this.#slots.slotOf(port));
    const { compiled } = options.programs;
    for (const [id, module] of compiled?.modules() ?? []) this.#setProgram(id, module);
    compiled?.use({
      changed: (id, module) => this.#setProgram(id, module),
      counters: (id) => this.#programCounters(id),
    });
  }

  /** Ends the threads; their devices are closed then. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** Nothing is on its way between the threads and main. */
  get isQuiet(): boolean {
    return this.#workers.every(({ up, down }) => up.isEmpty && down.isEmpty);
  }

  // ---- Ports

  addPort(number: number, port: Port): void {
    const thread = this.#nextThread;
    const { spec } = port;
    if (spec === undefined || spec.kind === 'null') {
      this.#slots.add(number, port, port.isSink === true || spec !== undefined ? PORT_KIND_SINK : PORT_KIND_MAIN);
    } else {
      const slot = this.#slots.add(number, port, PORT_KIND_NONE, thread);
      this.#nextThread = (this.#nextThread + 1) % this.#workers.length;
      const worker = this.#workers[thread];
      worker.post({ kind: 'open', slot, name: port.name, spec });
      const failure = worker.takeFailure(slot, (address) => this.#read(thread, address));
      if (failure !== undefined) {
        this.#slots.close(number);
        this.#slots.free(slot);
        throw new DatapathError('DATAPATH_CANNOT_OPEN', failure.error);
      }
    }
    this.invalidate();
  }

  /** Lets packets come in by a port, from memory, so many times over, or without end. */
  play(number: number, packets: readonly Uint8Array[], rounds = Number.POSITIVE_INFINITY): void {
    const slot = this.#slots.slotOf(number);
    if (slot === NO_SLOT || packets.length === 0) return;
    const { ebpf } = this.#memory;
    const bytes = packets.reduce((sum, packet) => sum + Math.ceil((packet.length + 16) / 16) * 16, 0);
    const records = ebpf.allocate(packets.length * SOURCE_RECORD_BYTES, 'packets to play');
    let at = ebpf.allocate(bytes, 'packets to play');
    for (const [i, packet] of packets.entries()) {
      this.#memory.bytes.set(packet, at);
      this.#memory.setWord(records + i * SOURCE_RECORD_BYTES, at);
      this.#memory.setWord(records + i * SOURCE_RECORD_BYTES + 4, packet.length);
      at += Math.ceil((packet.length + 16) / 16) * 16;
    }
    const record = this.#slots.record(slot);
    this.#memory.setWord(record + PORT_SOURCE, records);
    this.#memory.setWord(record + PORT_SOURCE_COUNT, packets.length);
    this.#memory.setWord(record + PORT_SOURCE_NEXT, 0);
    this.#memory.setWord(record + PORT_SOURCE_ROUNDS, Number.isFinite(rounds) ? rounds : NO_LIMIT);
    this.#workers[this.#memory.word(record + PORT_THREAD)].post({ kind: 'play', slot });
  }

  removePort(number: number): void {
    const slot = this.#slots.close(number);
    if (slot === undefined) return;
    this.invalidate();
    for (const worker of this.#workers) worker.post({ kind: 'close', slot });
    this.#slots.free(slot);
  }

  ports(): Iterable<readonly [number, Port]> {
    return this.#slots.entries();
  }

  portCounters(number: number): Readonly<PortCounters> | undefined {
    return this.#slots.counters(number);
  }

  // ---- Verdicts

  setUnion(mask: Uint8Array): void {
    this.#union = unionWords(mask);
    const { shared, unions } = this.#memory;
    const address = unions[this.#memory.word(shared + SHARED_UNION) === unions[0] ? 1 : 0];
    writeUnion(this.#memory, address, this.#union);
    this.#memory.setWord(shared + SHARED_UNION, address);
    this.invalidate();
  }

  invalidate(): void {
    const { words, shared } = this.#memory;
    const generation = (Atomics.add(words, (shared + SHARED_GENERATION) >> 2, 1) + 1) >>> 0;
    for (const worker of this.#workers) worker.waitForGeneration(generation);
    this.#outcomes.startGeneration();
  }

  readCounters(): void {
    this.#outcomes.collect();
  }

  *flows(): Iterable<CachedFlow> {
    const keyBytes = this.#options.keyBytes;
    for (const { memory } of this.#workers)
      yield* cachedFlows(this.#memory, memory.index, this.#union, keyBytes, (at) => this.#outcomes.at(at));
  }

  // ---- Programs

  #setProgram(id: number, module: WebAssembly.Module | undefined): void {
    for (const worker of this.#workers) worker.post({ kind: 'program', id, module });
  }

  #programCounters(id: number): { readonly runs: number; readonly matches: number } {
    let runs = 0;
    let matches = 0;
    for (const { memory } of this.#workers) {
      const record = memory.programs + id * PROGRAM_RECORD_BYTES;
      runs += this.#memory.counter(record + PROGRAM_RUNS);
      matches += this.#memory.counter(record + PROGRAM_MATCHES);
    }
    return { runs, matches };
  }

  // ---- Packets

  receive(inPort: number, packet: Uint8Array, timeNs: bigint): void {
    const slot = this.#slots.slotOf(inPort);
    if (slot === NO_SLOT) {
      this.#count(this.#options.memory.stats + STAT_NO_PORT, 1);
      return;
    }
    const thread = this.#memory.word(this.#slots.record(slot) + PORT_THREAD);
    this.#send(thread, MESSAGE_RECEIVE, slot, packet, timeNs, []);
  }

  execute(actions: readonly DatapathAction[], packet: Uint8Array, timeNs: bigint, inPort = 0): void {
    if (actions.length === 0) return;
    const words = encodeActions(actions, (port) => this.#slots.slotOf(port));
    this.#send(0, MESSAGE_EXECUTE, inPort, packet, timeNs, words);
  }

  #send(
    thread: number,
    kind: number,
    subject: number,
    packet: Uint8Array,
    timeNs: bigint,
    actions: readonly number[],
    virtio?: Uint8Array,
  ): void {
    const memory = this.#memory;
    const extra = 4 * actions.length;
    this.#workers[thread].send(kind, PACKET_MESSAGE_DATA + extra + packet.length, (at) => {
      memory.setWord(at + PACKET_MESSAGE_SUBJECT, subject);
      memory.setWord(at + PACKET_MESSAGE_LENGTH, packet.length);
      memory.setWord(at + PACKET_MESSAGE_DEPTH, this.#depth);
      memory.setWord(at + PACKET_MESSAGE_EXTRA, extra);
      memory.view.setBigUint64(at + PACKET_MESSAGE_TIME, timeNs, true);
      memory.bytes.fill(0, at + PACKET_MESSAGE_VIRTIO, at + PACKET_MESSAGE_DATA);
      if (virtio !== undefined) memory.bytes.set(virtio, at + PACKET_MESSAGE_VIRTIO);
      memory.words.set(actions, (at + PACKET_MESSAGE_DATA) >> 2);
      memory.bytes.set(packet, at + PACKET_MESSAGE_DATA + extra);
    });
  }

  #read(thread: number, message: number): void {
    switch (this.#memory.word(message + 4)) {
      case MESSAGE_UPCALL:
        this.#answer(thread, message);
        return;
      case MESSAGE_TO_MAIN:
        this.#toMain(message);
        return;
      case MESSAGE_OUTPUT:
        this.#output(thread, message);
    }
  }

  #answer(thread: number, message: number): void {
    const memory = this.#memory;
    const address = memory.word(message + UPCALL_ADDRESS);
    const inPort = memory.word(message + UPCALL_IN_PORT);
    const recircId = memory.word(message + UPCALL_RECIRC);
    this.#key.set(memory.bytes.subarray(message + UPCALL_KEY, message + UPCALL_KEY + KEY_PACKET_END));
    new DataView(this.#key.buffer).setUint32(KEY.recircId, recircId);
    const { results, outcome } = this.#options.upcall({
      packet: memory.bytes.subarray(address, address + memory.word(message + UPCALL_LENGTH)),
      key: this.#key,
      ...{ inPort, recircId, timeNs: memory.view.getBigUint64(message + UPCALL_TIME, true) },
      results: this.#resultsAt(message + UPCALL_RESULTS, memory.word(message + UPCALL_RESULT_COUNT)),
    });
    const place = this.#placeOutcome(outcome);
    const generation = memory.word(memory.shared + SHARED_GENERATION);
    const cached = results.slice(0, MAX_RESULTS);
    this.#workers[thread].enqueue(MESSAGE_VERDICT, VERDICT_RESULTS + 4 * cached.length, (at) => {
      memory.setWord(at + VERDICT_RECORD, memory.word(message + UPCALL_RECORD));
      memory.setWord(at + VERDICT_OUTCOME, place);
      memory.setWord(at + VERDICT_GENERATION, generation);
      memory.setWord(at + VERDICT_RESULT_COUNT, results.length);
      for (const [i, { program, matched }] of cached.entries())
        memory.setWord(at + VERDICT_RESULTS + 4 * i, 2 * program + (matched ? 1 : 0));
    });
  }

  #placeOutcome(outcome: Outcome): number {
    const address = this.#outcomes.place(outcome);
    if (address !== undefined) return address;
    // No room for another one: all make room.
    this.invalidate();
    const again = this.#outcomes.place(outcome);
    if (again === undefined)
      throw new DatapathError('DATAPATH_NO_MEMORY', 'the actions of one flow take more memory than there is for all');
    return again;
  }

  #resultsAt(address: number, count: number): ProgramResult[] {
    return Array.from({ length: count }, (_, i) => {
      const result = this.#memory.word(address + 4 * i);
      return { program: result >>> 1, matched: (result & 1) === 1 };
    });
  }

  #packetOf(message: number): Uint8Array {
    const at = message + PACKET_MESSAGE_DATA;
    return this.#memory.bytes.slice(at, at + this.#memory.word(message + PACKET_MESSAGE_LENGTH));
  }

  #toMain(message: number): void {
    const timeNs = this.#memory.view.getBigUint64(message + PACKET_MESSAGE_TIME, true);
    const note = this.#memory.word(message + PACKET_MESSAGE_SUBJECT);
    this.#within(message, () => this.#options.toMain?.(note, this.#packetOf(message), timeNs));
  }

  /** A packet for a port of main's, or of another thread. */
  #output(thread: number, message: number): void {
    const memory = this.#memory;
    const slot = memory.word(message + PACKET_MESSAGE_SUBJECT);
    const port = this.#slots.port(slot);
    if (port === undefined) {
      this.#count(this.#options.memory.stats + STAT_NO_PORT, 1);
      return;
    }
    const timeNs = memory.view.getBigUint64(message + PACKET_MESSAGE_TIME, true);
    const queue = memory.word(message + PACKET_MESSAGE_EXTRA);
    const virtioAt = message + PACKET_MESSAGE_VIRTIO;
    const virtio = memory.bytes.slice(virtioAt, virtioAt + VIRTIO_BYTES);
    const owner = memory.word(this.#slots.record(slot) + PORT_THREAD);
    if (port.spec !== undefined && owner !== thread) {
      const words = encodeActions([{ kind: 'output', port: this.#slots.numberAt(slot) }], () => slot);
      this.#within(message, () =>
        this.#send(owner, MESSAGE_EXECUTE, 0, this.#packetOf(message), timeNs, words, virtio),
      );
      return;
    }
    const counters = this.#options.memory.portCounters + slot * PORT_COUNTER_BYTES;
    this.#within(message, () => {
      for (const packet of finishPacket(virtio, this.#packetOf(message))) {
        if (port.send(packet, timeNs, queue === NO_QUEUE ? undefined : queue)) {
          this.#count(counters + PORT_TX_PACKETS, 1);
          this.#count(counters + PORT_TX_BYTES, packet.length);
        } else {
          this.#count(counters + PORT_TX_DROPPED, 1);
          this.#count(this.#options.memory.stats + STAT_PORT_FULL, 1);
        }
      }
    });
  }

  /** What is done now goes on from the pass that a message is about. */
  #within(message: number, body: () => void): void {
    const outer = this.#depth;
    this.#depth = this.#memory.word(message + PACKET_MESSAGE_DEPTH);
    try {
      body();
    } finally {
      this.#depth = outer;
    }
  }

  #count(address: number, by: number): void {
    const { view } = this.#memory;
    view.setBigUint64(address, view.getBigUint64(address, true) + BigInt(by), true);
  }
}
