const SPINS_BEFORE_WAIT = 1000;

/** Whether this thread may sleep in Atomics.wait (a browser's main thread may not). */
let mayWait = true;

/**
 * Takes the lock word at `index` (0 is free). Holders are quick and never block, so this spins; only when the holder seems to
 * be off its processor does it give up its own for up to a millisecond.
 */
export function acquire(words: Int32Array, index: number): void {
  for (let spins = 0; Atomics.compareExchange(words, index, 0, 1) !== 0; spins++) {
    if (spins < SPINS_BEFORE_WAIT || !mayWait) continue;
    try {
      Atomics.wait(words, index, 1, 1);
    } catch {
      mayWait = false;
    }
  }
}

export function release(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
}
