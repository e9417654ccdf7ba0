import type { Json } from '../json/value.ts';

/** How long messages are handled in one go before others get the thread. */
const SLICE_MS = 4;

/** Messages that have come and wait to be handled, one after the other, and not while handling is paused. */
export class Inbox {
  readonly #handle: (message: Json) => void;
  #messages: Json[] = [];
  #next = 0;
  #isPaused = false;
  #isScheduled = false;
  #onEmpty: () => void;

  /** `onEmpty` is called each time the last message has been handled. */
  constructor(handle: (message: Json) => void, onEmpty: () => void) {
    this.#handle = handle;
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#next === this.#messages.length;
  }

  push(message: Json): void {
    this.#messages.push(message);
  }

  /** Handles what is there: now, and what does not fit into a slice of time on the next turns. */
  run(): void {
    const end = performance.now() + SLICE_MS;
    while (!this.#isPaused && !this.isEmpty) {
      const message = this.#messages[this.#next++];
      if (this.isEmpty) {
        this.#messages = [];
        this.#next = 0;
      }
      this.#handle(message);
      if (performance.now() > end) break;
    }
    if (this.#isPaused) return;
    if (this.isEmpty) this.#onEmpty();
    else this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.run();
    });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.schedule();
  }

  /** Forgets everything; nothing is handled any more. */
  close(): void {
    this.#isPaused = true;
    this.#messages = [];
    this.#next = 0;
    this.#onEmpty = () => undefined;
  }
}
