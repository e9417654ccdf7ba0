/** Entries, and bytes of values, that one step of a dump copies at most: a step must not hold its thread for milliseconds. */
const STEP_ENTRIES = 1024;
const STEP_BYTES = 1 << 20;

/** How many entries with values of `valueBytes` a step that is asked for `limit` may give: at least one. */
export function boundedStep(limit: number, valueBytes: number): number {
  return Math.max(1, Math.min(limit, STEP_ENTRIES, Math.floor(STEP_BYTES / valueBytes)));
}
