/** A copy of some of a bridge's packets (ovs-vswitchd.conf.db(5), table Mirror). */
export interface MirrorSettings {
  readonly name: string;
  /** The ports whose incoming packets are copied. */
  readonly sources: PortSet;
  /** The ports whose outgoing packets are copied. */
  readonly destinations: PortSet;
  /** Only packets of these VLANs; left out: of all. */
  readonly vlans?: ReadonlySet<number>;
  /** Where the copies go: to a port, which then serves for nothing else, or to every port in a VLAN. */
  readonly output: { readonly port: number } | { readonly vlan: number };
  /** Copies are cut to so many bytes. */
  readonly snaplen?: number;
}

export type PortSet = 'all' | ReadonlySet<number>;

/** A mirror at work. */
export interface Mirror extends MirrorSettings {
  /** Copies made so far. */
  readonly counters: { packets: number; bytes: number };
}

export function hasPort(set: PortSet, port: number): boolean {
  return set === 'all' || set.has(port);
}

/** The mirrors of a bridge. */
export class MirrorTable {
  #mirrors: readonly Mirror[] = [];
  #outputs: ReadonlySet<number> = new Set();

  /** Those of the same name go on counting. */
  set(settings: readonly MirrorSettings[]): void {
    const known = new Map(this.#mirrors.map((mirror) => [mirror.name, mirror.counters]));
    this.#mirrors = settings.map((each) => ({ ...each, counters: known.get(each.name) ?? { packets: 0, bytes: 0 } }));
    this.#outputs = new Set(this.#mirrors.flatMap(({ output }) => ('port' in output ? [output.port] : [])));
  }

  list(): readonly Mirror[] {
    return this.#mirrors;
  }

  /** Does the port serve a mirror, and nothing else? */
  isOutput(port: number): boolean {
    return this.#outputs.has(port);
  }
}
