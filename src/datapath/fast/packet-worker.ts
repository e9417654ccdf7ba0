import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { DatapathError } from '../errors.ts';
import {
  SHARED_THREAD_BYTES,
  SHARED_THREADS,
  THREAD_ASLEEP,
  THREAD_DOORBELL,
  THREAD_GENERATION,
  THREAD_MAIN_AWAKE,
  THREAD_POSTED,
  THREAD_READ,
  THREAD_STATE,
  THREAD_STOPPED,
} from '../layout.ts';
import { coreModule } from './core-module.ts';
import type { Answer, Letter, ThreadData } from './letter.ts';
import type { DatapathMemory } from './memory.ts';
import { RingReader } from './ring-reader.ts';
import { RingWriter } from './ring-writer.ts';
import type { ThreadMemory } from './thread-memory.ts';

/** How long main waits for a thread between two batches before it takes it for dead. */
const DEAD_MS = 10_000;
/** What a thread has said before main looks again at other things. */
const TURN_MS = 5;

/** Messages of a thread that are answered before it is woken. */
const WAKE_MESSAGES = 16;

/** What main needs of the system to wake threads that wait for devices. */
export interface WakeDescriptors {
  create(): number;
  write(fd: number): void;
  close(fd: number): void;
}

/** A packet thread as main sees it. */
export class PacketWorker {
  readonly memory: ThreadMemory;
  readonly down: RingWriter;
  readonly up: RingReader;
  readonly #memory: DatapathMemory;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #own: number;
  readonly #wake: WakeDescriptors | undefined;
  readonly #wakeFd: number;
  readonly #exited: Promise<void>;
  #failure: Error | undefined;
  #isStopping = false;

  /**
   * @param read takes one message from the ring; `address` is its first byte
   * @param thread the compiled form of `pmd-thread.ts`
   */
  constructor(
    memory: DatapathMemory,
    own: ThreadMemory,
    epoch: { readonly clock: number; readonly thread: number },
    read: (address: number) => void,
    thread: URL,
    wake: WakeDescriptors | undefined,
  ) {
    this.memory = own;
    this.#memory = memory;
    this.down = new RingWriter(memory, own.downRing);
    this.up = new RingReader(memory, own.upRing);
    this.#own = (memory.shared + SHARED_THREADS + own.index * SHARED_THREAD_BYTES) >> 2;
    this.#wake = wake;
    this.#wakeFd = wake?.create() ?? -1;
    const data: ThreadData = {
      ...{ core: coreModule(), memory: memory.memory, windowBits: memory.limits.windowBits, config: own.config },
      ...{ index: own.index, threads: memory.threads, smallBuffers: memory.limits.smallBuffers },
      ...{ ownWords: 4 * this.#own, batch: own.batch, txLists: own.txLists, upRing: own.upRing },
      ...{ downRing: own.downRing, buffers: memory.buffers, ports: memory.ports, programs: own.programs },
      ...{ epoch: epoch.clock, ebpfThread: epoch.thread, wakeFd: this.#wakeFd },
    };
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(thread, { workerData: { ...data, port: port2 }, transferList: [port2] });
    this.#worker.on('error', (error: Error) => {
      this.#failure = error;
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.unref();
    port1.on('message', (answer: Answer) => {
      if (answer === 'ring') this.#drain(read);
    });
    port1.unref();
  }

  /** Reads the ring until it is empty, in turns. */
  #drain(read: (address: number) => void): void {
    const { words } = this.#memory;
    const end = performance.now() + TURN_MS;
    for (;;) {
      this.drainNow(read, end);
      if (!this.up.isEmpty) {
        setImmediate(() => this.#drain(read));
        return;
      }
      Atomics.store(words, this.#own + THREAD_MAIN_AWAKE / 4, 0);
      // Something may have come before the thread saw that main is about to look away.
      if (this.up.isEmpty || Atomics.compareExchange(words, this.#own + THREAD_MAIN_AWAKE / 4, 0, 1) !== 0) return;
    }
  }

  /** Reads what is in the ring, until a time. */
  drainNow(read: (address: number) => void, end: number): void {
    // To wake a thread costs as much as a verdict, so that is done for several together.
    let answered = 0;
    try {
      for (let address = this.up.next(); address !== undefined; address = this.up.next()) {
        try {
          read(address);
        } finally {
          this.up.finish(address);
        }
        answered++;
        if (answered % WAKE_MESSAGES === 0) this.ring();
        if (performance.now() > end) return;
      }
    } finally {
      if (answered % WAKE_MESSAGES !== 0) this.ring();
    }
  }

  get state(): number {
    return Atomics.load(this.#memory.words, this.#own + THREAD_STATE / 4);
  }

  /** Gives a message to the thread; waits for room while it goes on. @throws DatapathError DATAPATH_THREAD_DEAD */
  send(kind: number, bytes: number, fill: (message: number) => void): void {
    this.enqueue(kind, bytes, fill);
    this.ring();
  }

  /** The same, for a thread that is woken later. @throws DatapathError DATAPATH_THREAD_DEAD */
  enqueue(kind: number, bytes: number, fill: (message: number) => void): void {
    for (let waits = 0; !this.down.write(kind, bytes, fill); waits++) {
      if (waits > DEAD_MS) throw this.#dead();
      this.ring();
      this.down.waitForRoom();
    }
  }

  /** Wakes the thread if it sleeps. */
  ring(): void {
    const { words } = this.#memory;
    Atomics.add(words, this.#own + THREAD_DOORBELL / 4, 1);
    if (this.state !== THREAD_ASLEEP) return;
    Atomics.notify(words, this.#own + THREAD_DOORBELL / 4);
    this.#wake?.write(this.#wakeFd);
  }

  /** Waits until the thread handles no packet by older verdicts. A sleeping thread handles none. @throws DatapathError */
  waitForGeneration(generation: number): void {
    const { words } = this.#memory;
    const at = this.#own + THREAD_GENERATION / 4;
    const start = performance.now();
    // It may have been given messages that it has not been woken for.
    if (!this.down.isEmpty) this.ring();
    for (;;) {
      const adopted = Atomics.load(words, at);
      if (adopted >>> 0 === generation || this.state === THREAD_STOPPED || this.state === 0) return;
      if (this.state === THREAD_ASLEEP && this.down.isEmpty) return;
      if (this.#failure !== undefined || performance.now() - start > DEAD_MS) throw this.#dead();
      Atomics.wait(words, at, adopted, 1);
    }
  }

  /** Has the thread's JavaScript do something, and waits until it is done. @throws DatapathError */
  post(letter: Letter): void {
    const { words } = this.#memory;
    this.#port.postMessage(letter);
    const posted = Atomics.add(words, this.#own + THREAD_POSTED / 4, 1) + 1;
    const start = performance.now();
    for (;;) {
      this.ring();
      const read = Atomics.load(words, this.#own + THREAD_READ / 4);
      if (((read - posted) | 0) >= 0) return;
      if (this.state === THREAD_STOPPED) return;
      if (this.#failure !== undefined || performance.now() - start > DEAD_MS) throw this.#dead();
      Atomics.wait(words, this.#own + THREAD_READ / 4, read, 1);
    }
  }

  /** What the thread has answered to a letter about a slot. */
  takeFailure(slot: number, read: (address: number) => void): Exclude<Answer, 'ring'> | undefined {
    let failure: Exclude<Answer, 'ring'> | undefined;
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: Answer } | undefined;
      if (received === undefined) return failure;
      const { message } = received;
      if (message === 'ring') setImmediate(() => this.#drain(read));
      else if (message.slot === slot) failure = message;
    }
  }

  #dead(): DatapathError {
    return new DatapathError(
      'DATAPATH_THREAD_DEAD',
      `packet thread ${this.memory.index} ${this.#failure === undefined ? 'does not answer' : `has failed: ${this.#failure.message}`}`,
    );
  }

  /** Ends the thread; its devices are closed when this is done. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#worker.ref();
    this.#port.postMessage({ kind: 'stop' } satisfies Letter);
    Atomics.add(this.#memory.words, this.#own + THREAD_POSTED / 4, 1);
    this.ring();
    await this.#exited;
    this.#port.close();
    if (this.#wakeFd >= 0) this.#wake?.close(this.#wakeFd);
  }
}
