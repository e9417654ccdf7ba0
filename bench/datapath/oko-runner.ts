import { type DatapathLimits, PmdDatapath, PmdMemory, WallClock } from '../../src/datapath/index.ts';
import { Bridge, FilterPrograms } from '../../src/ofproto/index.ts';
import { parseFlow } from '../../src/openflow/index.ts';
import { ethernet, rawPayload } from '../../src/packet/index.ts';
import { median } from '../stopwatch.ts';
import type { Scenario } from './scenarios.ts';
import { threadTimes, used } from './thread-time.ts';
import { TARGET_MAC } from './traffic.ts';

export interface Rate {
  /** Packets received, in a second of processor time of the packet thread. */
  readonly perCpuSecond: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A bridge with one packet thread, port 1 to play packets and port 2 to drop them. */
class OkoBridge {
  readonly bridge: Bridge;
  readonly datapath: PmdDatapath;

  constructor(limits: Partial<DatapathLimits> = {}) {
    const memory = new PmdMemory(1, { flows: 1 << 21, ...limits });
    let datapath: PmdDatapath | undefined;
    this.bridge = new Bridge({
      name: 'br0',
      clock: new WallClock(),
      programs: new FilterPrograms({ surroundings: memory.surroundings }),
      datapath: (given) => {
        datapath = new PmdDatapath({ ...given, memory });
        return datapath;
      },
    });
    if (datapath === undefined) throw new Error('the bridge has made no datapath');
    this.datapath = datapath;
    for (const [number, name] of [
      [1, 'p1'],
      [2, 'p2'],
    ] as const)
      this.bridge.addPort(number, { name, isSink: true, send: () => true });
  }

  get received(): number {
    return this.datapath.portCounters(1)?.rxPackets ?? 0;
  }

  setUp(rules: readonly string[], knowsTarget: boolean): void {
    for (const rule of rules) this.bridge.addFlow(parseFlow(rule));
    if (knowsTarget)
      this.bridge.receive(
        2,
        ethernet({ src: TARGET_MAC, dst: '02:00:00:00:99:99' }, rawPayload(0x9000, new Uint8Array(50))),
      );
    this.bridge.takeEffect();
  }
}

export async function runOko(scenario: Scenario, repeats: number, seconds: number): Promise<Rate> {
  const oko = new OkoBridge();
  try {
    oko.setUp(scenario.rules, scenario.knowsTarget === true);
    const packets = scenario.packets();
    oko.datapath.play(1, packets);
    // Until every flow is cached, but for a few that the cache has no place for.
    for (let last = 0, lastReceived = 0; ; ) {
      await pause(500);
      const { misses } = oko.datapath.counters;
      const { received } = oko;
      if (received > 4 * packets.length && misses - last < (received - lastReceived) / 10_000) break;
      last = misses;
      lastReceived = received;
    }
    const rates: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const before = threadTimes('self');
      const received = oko.received;
      await pause(1000 * seconds);
      const count = oko.received - received;
      const { busiest } = used(before, threadTimes('self'), process.pid);
      rates.push(count / (busiest / 1e9));
    }
    return { perCpuSecond: median(rates) };
  } finally {
    await oko.datapath.close();
  }
}

/** Packets that are each the first of their flow, in a second of processor time of all threads together. */
export async function runOkoMisses(packets: readonly Uint8Array[], rules: readonly string[]): Promise<Rate> {
  // Nothing is to be dropped for coming too fast.
  const oko = new OkoBridge({
    ...{ windowBits: 29, smallBuffers: packets.length, ringBytes: 1 << 25 },
    ...{ waitingFlows: packets.length, waitingPackets: packets.length },
  });
  try {
    oko.setUp(rules, false);
    // First some others, so that what runs is compiled.
    oko.datapath.play(1, packets.slice(0, packets.length / 2), 1);
    await settled(oko);
    const before = threadTimes('self');
    const handled = oko.datapath.portCounters(2)?.txPackets ?? 0;
    oko.datapath.play(1, packets.slice(packets.length / 2), 1);
    await settled(oko);
    const { all } = used(before, threadTimes('self'), process.pid);
    return { perCpuSecond: ((oko.datapath.portCounters(2)?.txPackets ?? 0) - handled) / (all / 1e9) };
  } finally {
    await oko.datapath.close();
  }
}

async function settled(oko: OkoBridge): Promise<void> {
  for (let last = -1; ; ) {
    await pause(20);
    const done = oko.datapath.portCounters(2)?.txPackets ?? 0;
    if (done === last && oko.datapath.isQuiet) return;
    last = done;
  }
}
