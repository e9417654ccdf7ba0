import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a job may hold the main thread at a stretch, in milliseconds: packets that miss the caches wait meanwhile. */
const SLICE_MS = 4;

/** Breaks a long job into slices. */
export class Pacer {
  #startedMs = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#startedMs > SLICE_MS;
  }

  /** Lets everybody else have a turn. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#startedMs = performance.now();
  }
}
