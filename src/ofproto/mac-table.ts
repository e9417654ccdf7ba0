/** A learnt address. */
interface MacEntry {
  readonly vlan: number;
  readonly mac: string;
  port: number;
  lastSeenNs: bigint;
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
  readonly #agingNs: bigint;
  readonly #capacity: number;
  /** Least recently seen first. */
  readonly #entries = new Map<string, MacEntry>();
  evictions = 0;

  constructor(options: { agingNs?: bigint; capacity?: number } = {}) {
    this.#agingNs = options.agingNs ?? DEFAULT_AGING_NS;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Notes that `mac` was seen; true when that changes where its packets go. */
  learn(vlan: number, mac: string, port: number, nowNs: bigint): boolean {
    const id = `${vlan}/${mac}`;
    const known = this.#entries.get(id);
    if (known !== undefined) {
      const moved = known.port !== port;
      known.port = port;
      known.lastSeenNs = nowNs;
      this.#entries.delete(id);
      this.#entries.set(id, known);
      return moved;
    }
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
      this.evictions++;
    }
    this.#entries.set(id, { vlan, mac, port, lastSeenNs: nowNs });
    return true;
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
      if (nowNs - entry.lastSeenNs < this.#agingNs) break; // the rest was seen later
      this.#entries.delete(id);
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

  flush(): void {
    this.#entries.clear();
  }

  *entries(): Iterable<Readonly<MacEntry>> {
    yield* this.#entries.values();
  }
}
