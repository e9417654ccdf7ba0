/** How long a job holds the main thread at a stretch: packets that miss the cache wait for it meanwhile. */
export const SLICE_MS = 4;
/** Steps between two looks at the time. */
const STEPS_BETWEEN_LOOKS = 8;

/** Goes on with a job, one step of which takes microseconds, for one slice; true when it is done. What it throws is thrown. */
export function runSlice(job: Iterator<unknown>): boolean {
  const end = performance.now() + SLICE_MS;
  do {
    for (let i = 0; i < STEPS_BETWEEN_LOOKS; i++) if (job.next().done) return true;
  } while (performance.now() < end);
  return false;
}

/** Does all the rest of a job, however long that takes. */
export function runToEnd(job: Iterator<unknown>): void {
  while (!job.next().done);
}

/** The next turn of the event loop, when others have had theirs. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
