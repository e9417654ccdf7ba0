import type { Timed } from './link.ts';

/** What a limit has done so far (ovs-vswitchd.conf.db(5), Controller status:packet-in-TYPE-…). */
export interface LimiterCounters {
  /** Packets that went at once. */
  bypassed: number;
  /** Packets that had to wait. */
  queued: number;
  /** Of those, packets dropped since too many waited. */
  dropped: number;
  /** Packets that wait now. */
  backlog: number;
}

const MS_PER_SECOND = 1000;
/** How long what waits is left alone, so that a high rate does not mean a timer for each packet. */
const MIN_PAUSE_MS = 5;

/**
 * Lets so many packets a second through; those over it wait, in a queue for each port that take turns, and when too many
 * wait, the longest queue loses one.
 */
export class PacketLimiter implements Timed {
  readonly counters: LimiterCounters = { bypassed: 0, queued: 0, dropped: 0, backlog: 0 };
  readonly #send: (bytes: Uint8Array) => void;
  readonly #queues = new Map<number, Uint8Array[]>();
  #ratePerSecond: number;
  #burst: number;
  #tokens: number;
  #filledMs: number;

  constructor(send: (bytes: Uint8Array) => void, ratePerSecond: number, burst: number | undefined, nowMs: number) {
    this.#send = send;
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst ?? defaultBurst(ratePerSecond);
    this.#tokens = this.#burst;
    this.#filledMs = nowMs;
  }

  configure(ratePerSecond: number, burst: number | undefined): void {
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst ?? defaultBurst(ratePerSecond);
    this.#tokens = Math.min(this.#tokens, this.#burst);
    while (this.counters.backlog > this.#burst) this.#dropLongest();
  }

  /** True when it is the first that has to wait. */
  packet(port: number, bytes: Uint8Array, nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.counters.backlog === 0 && this.#tokens >= 1) {
      this.#tokens--;
      this.counters.bypassed++;
      this.#send(bytes);
      return false;
    }
    if (this.counters.backlog >= this.#burst) this.#dropLongest();
    const queue = this.#queues.get(port);
    if (queue === undefined) this.#queues.set(port, [bytes]);
    else queue.push(bytes);
    this.counters.queued++;
    return ++this.counters.backlog === 1;
  }

  get deadlineMs(): number {
    if (this.counters.backlog === 0) return Number.POSITIVE_INFINITY;
    const missing = Math.max(0, 1 - this.#tokens);
    return this.#filledMs + Math.max(MIN_PAUSE_MS, Math.ceil((missing * MS_PER_SECOND) / this.#ratePerSecond));
  }

  run(nowMs: number): void {
    this.#fill(nowMs);
    while (this.counters.backlog > 0 && this.#tokens >= 1) {
      this.#tokens--;
      this.#sendNext();
    }
  }

  /** From the port that has waited longest for its turn. */
  #sendNext(): void {
    for (const [port, queue] of this.#queues) {
      this.#queues.delete(port);
      const bytes = queue.shift();
      if (queue.length > 0) this.#queues.set(port, queue);
      if (bytes === undefined) continue;
      this.counters.backlog--;
      this.#send(bytes);
      return;
    }
  }

  #dropLongest(): void {
    let longest: readonly [number, Uint8Array[]] | undefined;
    for (const entry of this.#queues) if (longest === undefined || entry[1].length > longest[1].length) longest = entry;
    if (longest === undefined) return;
    const [port, queue] = longest;
    queue.shift();
    if (queue.length === 0) this.#queues.delete(port);
    this.counters.backlog--;
    this.counters.dropped++;
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#ratePerSecond) / MS_PER_SECOND);
    this.#filledMs = Math.max(this.#filledMs, nowMs);
  }
}

function defaultBurst(ratePerSecond: number): number {
  return Math.max(1, Math.floor(ratePerSecond / 4));
}
