/** Where a datapath reads the time: wall clock in service, the capture's timestamps in a replay. */
export interface Clock {
  /** Nanoseconds since the Unix epoch. */
  nowNs(): bigint;
}

/** The machine's clock, in steps of a microsecond or finer. */
export class WallClock implements Clock {
  readonly #originNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

  nowNs(): bigint {
    return this.#originNs + process.hrtime.bigint();
  }
}

/** A clock that stands still until it is set; it never runs backwards. */
export class ManualClock implements Clock {
  #nowNs: bigint;

  constructor(startNs = 0n) {
    this.#nowNs = startNs;
  }

  nowNs(): bigint {
    return this.#nowNs;
  }

  advanceTo(timeNs: bigint): void {
    if (timeNs > this.#nowNs) this.#nowNs = timeNs;
  }
}
