/** Work that can be left between any two steps. */
export type Steps<Result> = Generator<void, Result, void>;

/** How long a long work may hold the thread at a stretch. */
const SLICE_MS = 4;
/** So many steps are done at once, however slow the machine: everyday transactions are over before the next is looked at. */
const STEPS_AT_ONCE = 200;
/** Looking at the clock costs as much as a small step. */
const STEPS_A_LOOK = 32;

/** Does all of it now. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Does short work at once, and gives what it gave. Of long work it gives the promise of the rest, which is done in slices, between which the thread does other things.
 */
export function inSlices(steps: Steps<Promise<void> | undefined>): Promise<void> | undefined {
  for (let i = 0; i < STEPS_AT_ONCE; i++) {
    const { done, value } = steps.next();
    if (done) return value;
  }
  return new Promise((resolve, reject) => {
    const slice = (): void => {
      try {
        const end = performance.now() + SLICE_MS;
        do
          for (let i = 0; i < STEPS_A_LOOK; i++) {
            const { done, value } = steps.next();
            if (!done) continue;
            resolve(value);
            return;
          }
        while (performance.now() < end);
        setImmediate(slice);
      } catch (error) {
        reject(error);
      }
    };
    setImmediate(slice);
  });
}
