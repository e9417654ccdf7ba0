import { threadCpuNs } from '../stopwatch.ts';

/** How long the main thread is held at a stretch: processor time from one turn of the event loop to the next. */
export class SliceMeter {
  #isOn = false;
  #lastNs = 0;
  #longestNs = 0;

  start(): void {
    this.#isOn = true;
    this.#longestNs = 0;
    this.#lastNs = threadCpuNs();
    setImmediate(this.#turn);
  }

  /** The longest stretch since `start`, milliseconds. */
  stop(): number {
    this.#note();
    this.#isOn = false;
    return this.#longestNs / 1e6;
  }

  readonly #turn = (): void => {
    if (!this.#isOn) return;
    this.#note();
    setImmediate(this.#turn);
  };

  #note(): void {
    const nowNs = threadCpuNs();
    this.#longestNs = Math.max(this.#longestNs, nowNs - this.#lastNs);
    this.#lastNs = nowNs;
  }
}
