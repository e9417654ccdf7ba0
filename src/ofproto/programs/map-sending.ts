const NS_PER_SECOND = 1_000_000_000n;
/** How often a second the action send_maps may send maps of one program, and how often in a row. */
const RATE_PER_SECOND = 10;
const BURST = 10;

interface Bucket {
  tokens: number;
  filledNs: bigint;
}

/** Bounds how often the action `send_maps` sends: packets may come much faster than anybody can read maps. */
export class MapSending {
  /** Times that maps were sent, and that they were not since it was too often. */
  sent = 0;
  suppressed = 0;
  readonly #buckets = new Map<number, Bucket>();

  isAllowed(program: number, nowNs: bigint): boolean {
    const bucket = this.#filled(program, nowNs);
    if (bucket.tokens < 1) {
      this.suppressed++;
      return false;
    }
    bucket.tokens--;
    this.sent++;
    return true;
  }

  #filled(program: number, nowNs: bigint): Bucket {
    const bucket = this.#buckets.get(program) ?? { tokens: BURST, filledNs: nowNs };
    this.#buckets.set(program, bucket);
    if (nowNs > bucket.filledNs) {
      const elapsed = Number(nowNs - bucket.filledNs) / Number(NS_PER_SECOND);
      bucket.tokens = Math.min(BURST, bucket.tokens + elapsed * RATE_PER_SECOND);
      bucket.filledNs = nowNs;
    }
    return bucket;
  }
}
