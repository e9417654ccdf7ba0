import type { Clock } from '../datapath/index.ts';

const NS_PER_MS = 1_000_000;

/** The clock's time in milliseconds, with a fraction. */
export function clockMs(clock: Clock): number {
  return Number(clock.nowNs()) / NS_PER_MS;
}
