/**
 * What the poll thread and the thread that owns the ports share: 32-bit words in a SharedArrayBuffer. The two take turns, so
 * that a descriptor is not reported again while its packets are being taken.
 */
export const POLL_CONTROL = {
  /** OWNER while the owner takes packets, POLLER while the poll thread may wait. */
  turn: 0,
  /** 1: the poll thread ends. */
  stop: 1,
  /** How many descriptors follow. */
  count: 2,
  descriptors: 3,
  maxDescriptors: 1024,
} as const;

export const TURN_OWNER = 0;
export const TURN_POLLER = 1;
