import { Worker } from 'node:worker_threads';
import { close, createEventFd, writeEvent } from './linux.ts';
import { POLL_CONTROL, TURN_OWNER, TURN_POLLER } from './poll-control.ts';

/** Waits for packets on device descriptors beside the event loop, on a thread that sleeps in the kernel. */
export class DeviceWaiter {
  readonly #control = new Int32Array(
    new SharedArrayBuffer(4 * (POLL_CONTROL.descriptors + POLL_CONTROL.maxDescriptors)),
  );
  readonly #wakeFd = createEventFd();
  readonly #worker: Worker;
  readonly #descriptors = new Set<number>();

  /** `onReadable` is called when some descriptor may have packets, and answers when it has taken them. */
  constructor(onReadable: () => void) {
    this.#worker = new Worker(new URL('./poll-thread.js', import.meta.url), {
      workerData: { buffer: this.#control.buffer, wakeFd: this.#wakeFd },
    });
    this.#worker.on('message', () => {
      try {
        onReadable();
      } finally {
        this.#letPoll();
      }
    });
    this.#letPoll();
  }

  watch(fd: number): void {
    this.#descriptors.add(fd);
    this.#publish();
  }

  unwatch(fd: number): void {
    this.#descriptors.delete(fd);
    this.#publish();
  }

  async close(): Promise<void> {
    Atomics.store(this.#control, POLL_CONTROL.stop, 1);
    this.#letPoll();
    writeEvent(this.#wakeFd);
    await new Promise((resolve) => this.#worker.once('exit', resolve));
    close(this.#wakeFd);
  }

  #publish(): void {
    const descriptors = [...this.#descriptors].slice(0, POLL_CONTROL.maxDescriptors);
    for (const [i, fd] of descriptors.entries()) Atomics.store(this.#control, POLL_CONTROL.descriptors + i, fd);
    Atomics.store(this.#control, POLL_CONTROL.count, descriptors.length);
    writeEvent(this.#wakeFd);
  }

  #letPoll(): void {
    if (Atomics.compareExchange(this.#control, POLL_CONTROL.turn, TURN_OWNER, TURN_POLLER) === TURN_OWNER) {
      Atomics.notify(this.#control, POLL_CONTROL.turn);
    }
  }
}
