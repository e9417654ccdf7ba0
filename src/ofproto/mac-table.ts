/** A learnt address. */
export interface MacEntry {
  readonly vlan: number;
  readonly mac: string;
  port: number;
  lastSeenNs: bigint;
  /** Given by hand: neither ages nor moves. */
  readonly isStatic: boolean;
}

/** What has happened to a table since it was made or its counters were cleared. */
export interface MacCounters {
  learned: number;
  expired: number;
  evicted: number;
  moved: number;
}

/** How long an address that is silent stays: 300 s, as in IEEE 802.1Q section 8.8.3. */
const DEFAULT_AGING_NS = 300_000_000_000n;
/** The most addresses learnt at once; the one that has been silent longest makes room. */
const DEFAULT_CAPACITY = 8192;

/**
 * Where addresses were seen: the learning table of action NORMAL, one entry for each VLAN and MAC address. An entry holds
 * until `expire` takes it: verdicts that rest on it stay true until then.
 */
export class MacTable {
  #agingNs: bigint = DEFAULT_AGING_NS;
  #capacity: number = DEFAULT_CAPACITY;
  readonly counters: MacCounters = { learned: 0, expired: 0, evicted: 0, moved: 0 };
  /** Least recently seen first. */
  readonly #entries = new Map<string, MacEntry>();

  constructor(options: { agingNs?: bigint; capacity?: number } = {}) {
    this.configure(options);
  }

  /** The most addresses learnt at once. */
  get capacity(): number {
    return this.#capacity;
  }

  /** What is left out has its default. A table that becomes too full keeps what it has until that ages. */
  configure({
    agingNs = DEFAULT_AGING_NS,
    capacity = DEFAULT_CAPACITY,
  }: {
    agingNs?: bigint;
    capacity?: number;
  }): void {
    this.#agingNs = agingNs;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Notes that `mac` was seen; true when that changes where its packets go. */
  learn(vlan: number, mac: string, port: number, nowNs: bigint): boolean {
    const id = `${vlan}/${mac}`;
    const known = this.#entries.get(id);
    if (known !== undefined) {
      if (known.isStatic) return false;
      const moved = known.port !== port;
      if (moved) this.counters.moved++;
      known.port = port;
      known.lastSeenNs = nowNs;
      this.#entries.delete(id);
      this.#entries.set(id, known);
      return moved;
    }
    if (this.#entries.size >= this.capacity && !this.#evict()) return false;
    this.#entries.set(id, { vlan, mac, port, lastSeenNs: nowNs, isStatic: false });
    this.counters.learned++;
    return true;
  }

  /** The address that has been silent longest makes room; false when every one was given by hand. */
  #evict(): boolean {
    for (const [id, entry] of this.#entries) {
      if (entry.isStatic) continue;
      this.#entries.delete(id);
      this.counters.evicted++;
      return true;
    }
    return false;
  }

  /** Gives an address a place by hand; what was known of it before, if anything was. */
  setStatic(vlan: number, mac: string, port: number, nowNs: bigint): Readonly<MacEntry> | undefined {
    const id = `${vlan}/${mac}`;
    const known = this.#entries.get(id);
    this.#entries.delete(id);
    this.#entries.set(id, { vlan, mac, port, lastSeenNs: nowNs, isStatic: true });
    return known;
  }

  /** Takes an address away that was given by hand; false when there is none. */
  removeStatic(vlan: number, mac: string): boolean {
    const id = `${vlan}/${mac}`;
    return this.#entries.get(id)?.isStatic === true && this.#entries.delete(id);
  }

  /** Notes that packets of a known address were seen up to `seenNs`; what has moved or was forgotten since stays so. */
  refresh(vlan: number, mac: string, port: number, seenNs: bigint): void {
    const known = this.#entries.get(`${vlan}/${mac}`);
    if (known?.port === port && seenNs > known.lastSeenNs) this.learn(vlan, mac, port, seenNs);
  }

  lookup(vlan: number, mac: string): number | undefined {
    return this.#entries.get(`${vlan}/${mac}`)?.port;
  }

  /** Drops what has been silent too long; true when anything was. */
  expire(nowNs: bigint): boolean {
    let dropped = false;
    for (const [id, entry] of this.#entries) {
      if (entry.isStatic) continue;
      if (nowNs - entry.lastSeenNs < this.#agingNs) break; // the rest was seen later
      this.#entries.delete(id);
      this.counters.expired++;
      dropped = true;
    }
    return dropped;
  }

  /** Forgets what was learnt on a port that went away. */
  forgetPort(port: number): boolean {
    let dropped = false;
    for (const [id, entry] of this.#entries) {
      if (entry.port !== port) continue;
      this.#entries.delete(id);
      dropped = true;
    }
    return dropped;
  }

  /** Forgets what was learnt; true when anything was. */
  flush(): boolean {
    let dropped = false;
    for (const [id, entry] of this.#entries) {
      if (entry.isStatic) continue;
      this.#entries.delete(id);
      dropped = true;
    }
    return dropped;
  }

  *entries(): Iterable<Readonly<MacEntry>> {
    yield* this.#entries.values();
  }
}
