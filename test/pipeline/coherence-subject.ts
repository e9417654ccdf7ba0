import { readFileSync } from 'node:fs';
import { type BpfMap, loadObject } from '../../src/bpf/index.ts';
import { toHex } from '../../src/bytes/index.ts';
import {
  CallbackPort,
  CoreDatapath,
  type Datapath,
  type DatapathOptions,
  ManualClock,
  PlainDatapath,
} from '../../src/datapath/index.ts';
import { Bridge, type FilterPrograms, OfprotoError } from '../../src/ofproto/index.ts';
import { OpenflowError, parseFlow } from '../../src/openflow/index.ts';
import { packetOf, type RandomFlow, type Step, textOf } from './random-pipeline.ts';

const SECOND = 1_000_000_000n;
/** Filter programs with side effects, numbered from 1. */
export const PROGRAMS = ['rate-limiter', 'heavy-hitters', 'port-knocking', 'block-list', 'stateful-firewall'].map(
  (name) => loadObject(readFileSync(new URL(`../../examples/${name}.o`, import.meta.url))).select(),
);

export const plain = (options: DatapathOptions): Datapath => new PlainDatapath(options);
const limits = {
  windowBits: 23,
  smallBuffers: 64,
  largeBuffers: 4,
  cacheBytes: 1 << 22,
  outcomeBytes: 1 << 20,
  ringBytes: 4096,
};
export const core = (options: DatapathOptions): Datapath => new CoreDatapath({ ...options, limits });

/** A bridge, and everything that can be seen of it. */
export class Subject {
  readonly #clock = new ManualClock(SECOND);
  readonly #bridge: Bridge;
  readonly #programs: FilterPrograms;
  readonly #sent: string[] = [];
  /** The programs that flows name, loaded anew; others are left over from earlier runs. */
  readonly #named: readonly number[];

  constructor(
    programs: FilterPrograms,
    named: readonly number[],
    datapath: (options: DatapathOptions) => Datapath = plain,
  ) {
    this.#programs = programs;
    this.#named = named;
    for (const i of named) programs.load(i, `p${i}`, PROGRAMS[i - 1], 0n);
    this.#bridge = new Bridge({ name: 'br0', clock: this.#clock, programs, datapath });
    for (const port of [1, 2, 3])
      this.#bridge.addPort(port, new CallbackPort(`p${port}`, (bytes) => this.#sent.push(`${port} ${toHex(bytes)}`)));
    this.#bridge.setSendsMisses(true);
    this.#bridge.listen({
      packetIn: ({ packet: bytes, metadata, ...rest }) => {
        const cookie = rest.cookie.toString(16);
        this.#sent.push(JSON.stringify({ ...rest, cookie, metadata: metadata.identity, bytes: toHex(bytes) }));
      },
      flowRemoved: ({ rule, reason }) => this.#sent.push(`removed ${rule.table} ${reason} ${rule.packets}`),
    });
  }

  /** Does a step, and says what could be seen of it. */
  step(step: Step, isCached: boolean): readonly string[] {
    this.#sent.length = 0;
    switch (step.kind) {
      case 'packet':
        if (!isCached) this.#bridge.datapath.invalidate();
        this.#bridge.receive(step.port, packetOf(step.packet));
        break;
      case 'add':
      case 'modify':
      case 'delete':
        this.#flowMod(step.flow, step.kind);
        break;
      case 'wait':
        this.#clock.advanceTo(this.#clock.nowNs() + BigInt(step.seconds) * SECOND);
        break;
      case 'port':
        this.#bridge.portMod({ port: step.port, config: step.config, mask: 0xff });
        break;
    }
    return [...this.#sent];
  }

  #flowMod(flow: RandomFlow, command: 'add' | 'modify' | 'delete'): void {
    try {
      const mod = parseFlow(textOf(flow, command), command);
      this.#bridge.flowMod(mod);
    } catch (error) {
      if (!(error instanceof OpenflowError) && !(error instanceof OfprotoError)) throw error;
      this.#sent.push(error.code);
    }
  }

  /** Counters, learnt addresses and the contents of all maps. */
  state(): unknown {
    const flows = this.#bridge.flows();
    return {
      flows: flows.map(({ packets, bytes, usedNs, sequence }) => [sequence, packets, bytes, `${usedNs}`]),
      tables: this.#bridge
        .tableStats()
        .slice(0, 4)
        .map(({ lookupCount, matchedCount }) => `${matchedCount}/${lookupCount}`),
      macs: [...this.#bridge.macs.entries()]
        .map(({ vlan, mac, port, lastSeenNs }) => `${vlan} ${mac} ${port} ${lastSeenNs}`)
        .sort(),
      maps: this.#named
        .map((id) => this.#programs.get(id))
        .map(({ runs: asked, matches, maps }) => [asked, matches, maps.map(contents)]),
    };
  }
}

function contents(map: BpfMap): string[] {
  const { entries } = map.entries(0, 10_000);
  return entries.map(({ key, value }) => `${toHex(key)}=${toHex(value)}`).sort();
}
