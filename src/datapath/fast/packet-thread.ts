import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { EbpfMemory, EpochClock } from '../../bpf/index.ts';
import { OkoError } from '../../bytes/index.ts';
import {
  PORT_KIND,
  PORT_KIND_DRIVER,
  PORT_RECORD_BYTES,
  PROGRAM_FUNCTION,
  PROGRAM_RECORD_BYTES,
  RING_HEAD,
  RING_TAIL,
  THREAD_ASLEEP,
  THREAD_DOORBELL,
  THREAD_GENERATION,
  THREAD_MAIN_AWAKE,
  THREAD_POSTED,
  THREAD_READ,
  THREAD_RUNNING,
  THREAD_STATE,
  THREAD_STOPPED,
} from '../layout.ts';
import type { PortDriver } from '../ports/driver.ts';
import { type CoreExports, instantiateCore } from './core-module.ts';
import { DriverExchange } from './driver-exchange.ts';
import type { Answer, Letter, ThreadData } from './letter.ts';

/** Rounds without anything to do before the thread sleeps. */
const SPIN_ROUNDS = 64;
/** Batches of a source in memory in one round. */
const SOURCE_BATCHES = 16;
/** A lost wake-up costs so much, not for ever. */
const SLEEP_MS = 1000;
const POLLIN = 1;

type Linux = typeof import('../ports/linux.ts');
type Ports = typeof import('../ports/port-spec.ts');

/** The native parts, which only threads with devices need. */
export interface Native {
  readonly linux: Linux;
  readonly ports: Ports;
}

/** The loop of a packet thread: what main says, packets of its ports, sleep. */
export class PacketThread {
  readonly #data: ThreadData;
  readonly #port: MessagePort;
  readonly #native: Native | undefined;
  readonly #words: Int32Array;
  readonly #core: CoreExports;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  readonly #epoch: EpochClock;
  readonly #exchange: DriverExchange;
  readonly #drivers = new Map<number, PortDriver>();
  readonly #sources = new Set<number>();
  /** Places in the table that programs have left. */
  readonly #freePlaces: number[] = [];
  readonly #originNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  #isStopping = false;

  constructor(data: ThreadData, port: MessagePort, native: Native | undefined) {
    this.#data = data;
    this.#port = port;
    this.#native = native;
    this.#words = new Int32Array(data.memory.buffer);
    const ebpf = EbpfMemory.attach({ memory: data.memory, windowBits: data.windowBits });
    this.#epoch = EpochClock.attach(ebpf, data.epoch);
    const never = (): number => 0;
    this.#core = instantiateCore(data.core, data.memory, this.#table, {
      ...{ ask: never, translate: never, toMain: never, send: never },
      flush: (slot) => this.#flush(slot),
    });
    const address = native?.linux.addressOf(new Uint8Array(data.memory.buffer)) ?? 0n;
    this.#exchange = new DriverExchange(data, this.#core, address);
  }

  get #own(): number {
    return this.#data.ownWords >> 2;
  }

  /** Until main says stop. */
  run(): void {
    const words = this.#words;
    const own = this.#own;
    const thread = this.#data.index + 1;
    this.#core.start(this.#data.config);
    this.#epoch.enter(thread);
    Atomics.store(words, own + THREAD_STATE / 4, THREAD_RUNNING);
    let idleRounds = 0;
    try {
      while (!this.#isStopping) {
        this.#core.setNow(this.#originNs + process.hrtime.bigint());
        let work = this.#core.attend();
        this.#readLetters();
        // What main says is done at the time it says.
        if (work > 0) this.#core.setNow(this.#originNs + process.hrtime.bigint());
        for (const slot of this.#sources) work += this.#core.play(slot, SOURCE_BATCHES);
        for (const [slot, driver] of this.#drivers) {
          const count = this.#exchange.receive(driver);
          if (count > 0) this.#core.receive(slot, count, 0);
          work += count;
        }
        this.#core.flushAll();
        this.#epoch.advance(thread);
        this.#wakeMain();
        idleRounds = work > 0 ? 0 : idleRounds + 1;
        if (idleRounds > SPIN_ROUNDS && !this.#isStopping) this.#sleep(thread);
      }
    } finally {
      this.#epoch.leave(thread);
      for (const driver of this.#drivers.values()) driver.close();
      Atomics.store(words, own + THREAD_STATE / 4, THREAD_STOPPED);
      Atomics.notify(words, own + THREAD_GENERATION / 4);
      Atomics.notify(words, own + THREAD_READ / 4);
    }
  }

  #flush(slot: number): void {
    const driver = this.#drivers.get(slot);
    if (driver === undefined) this.#core.sent(slot, 0);
    else this.#exchange.transmit(slot, driver);
  }

  /** Main hears of its ring once, and looks until it is empty. */
  #wakeMain(): void {
    const words = this.#words;
    if (this.#isEmpty(this.#data.upRing)) return;
    if (Atomics.compareExchange(words, this.#own + THREAD_MAIN_AWAKE / 4, 0, 1) === 0) this.#tell('ring');
  }

  #tell(answer: Answer): void {
    this.#port.postMessage(answer);
  }

  #isEmpty(ring: number): boolean {
    return Atomics.load(this.#words, (ring + RING_HEAD) / 4) === Atomics.load(this.#words, (ring + RING_TAIL) / 4);
  }

  #sleep(thread: number): void {
    const words = this.#words;
    const own = this.#own;
    if ([...this.#drivers.values()].some(({ alwaysReady }) => alwaysReady)) return;
    const bell = Atomics.load(words, own + THREAD_DOORBELL / 4);
    this.#epoch.leave(thread);
    Atomics.store(words, own + THREAD_STATE / 4, THREAD_ASLEEP);
    const hasNews =
      !this.#isEmpty(this.#data.downRing) ||
      Atomics.load(words, own + THREAD_POSTED / 4) !== Atomics.load(words, own + THREAD_READ / 4);
    if (!hasNews) {
      if (this.#drivers.size === 0) Atomics.wait(words, own + THREAD_DOORBELL / 4, bell, SLEEP_MS);
      else this.#poll();
    }
    Atomics.store(words, own + THREAD_STATE / 4, THREAD_RUNNING);
    this.#epoch.enter(thread);
  }

  /** Sleeps in the kernel until a device has packets or main writes to the descriptor. */
  #poll(): void {
    if (this.#native === undefined) return;
    const { poll, readEvent } = this.#native.linux;
    const descriptors = [...this.#drivers.values()].flatMap((driver) => driver.descriptors);
    const entries = new Int32Array(2 * (descriptors.length + 1)); // struct pollfd: fd, then events and revents
    for (const [i, fd] of [...descriptors, this.#data.wakeFd].entries()) {
      entries[2 * i] = fd;
      entries[2 * i + 1] = POLLIN;
    }
    poll(entries, descriptors.length + 1, SLEEP_MS);
    if (entries[entries.length - 1] >>> 16 !== 0) readEvent(this.#data.wakeFd);
  }

  #readLetters(): void {
    const words = this.#words;
    const own = this.#own;
    while (Atomics.load(words, own + THREAD_READ / 4) !== Atomics.load(words, own + THREAD_POSTED / 4)) {
      const received = receiveMessageOnPort(this.#port) as { message: Letter } | undefined;
      // The count may run ahead of the letter for a moment.
      if (received === undefined) return;
      this.#read(received.message);
      Atomics.add(words, own + THREAD_READ / 4, 1);
      Atomics.notify(words, own + THREAD_READ / 4);
    }
  }

  #read(letter: Letter): void {
    switch (letter.kind) {
      case 'open':
        this.#open(letter);
        return;
      case 'play':
        this.#sources.add(letter.slot);
        return;
      case 'close':
        this.#sources.delete(letter.slot);
        this.#drivers.get(letter.slot)?.close();
        this.#drivers.delete(letter.slot);
        return;
      case 'program':
        this.#setProgram(letter.id, letter.module);
        return;
      case 'stop':
        this.#isStopping = true;
    }
  }

  #open({ slot, name, spec }: Extract<Letter, { kind: 'open' }>): void {
    try {
      if (this.#native === undefined) throw new Error('this thread has no devices');
      this.#drivers.set(slot, this.#native.ports.openDriver(name, spec));
      Atomics.store(this.#words, (this.#data.ports + slot * PORT_RECORD_BYTES + PORT_KIND) / 4, PORT_KIND_DRIVER);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#tell({ slot, code: error instanceof OkoError ? error.code : '', error: error.message });
    }
  }

  #setProgram(id: number, module: WebAssembly.Module | undefined): void {
    const at = (this.#data.programs + id * PROGRAM_RECORD_BYTES + PROGRAM_FUNCTION) / 4;
    const old = this.#words[at];
    if (module === undefined) {
      if (old === 0) return;
      this.#words[at] = 0;
      this.#table.set(old, null);
      this.#freePlaces.push(old);
      return;
    }
    const instance = new WebAssembly.Instance(module, {
      oko: { memory: this.#data.memory, thread: this.#data.ebpfThread },
    });
    const place = old || this.#freePlaces.pop() || this.#table.grow(1);
    this.#table.set(place, instance.exports.run as CallableFunction);
    this.#words[at] = place;
  }
}
