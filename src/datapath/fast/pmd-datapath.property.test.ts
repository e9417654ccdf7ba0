import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import {
  lengthPrograms,
  type Pipeline,
  PORTS,
  packet,
  pipeline,
  Subject,
} from '../../../test/support/random-pipeline.ts';
import { toHex } from '../../bytes/index.ts';
import { ethernet, ipv4, KEY, KEY_BYTES, tcp } from '../../packet/index.ts';
import { PlainDatapath } from '../plain/plain-datapath.ts';
import { PmdDatapath } from './pmd-datapath.ts';
import { PmdMemory } from './pmd-memory.ts';

/*
 * Packet threads against the plain twin: the packets of a flow leave by the same ports in the same order with the same bytes, and
 * everything is counted alike.
 */

const limits = {
  ...{
    windowBits: 23,
    smallBuffers: 256,
    largeBuffers: 4,
    cacheBytes: 1 << 22,
    outcomeBytes: 1 << 20,
    ringBytes: 1 << 18,
  },
};
const nothing: Pipeline = { union: new Uint8Array(KEY_BYTES), questions: [], outcomes: [[]] };
const memory = new PmdMemory(1, limits);
const programs = lengthPrograms(memory.datapath.memory);
const thread = new URL('../../../dist/datapath/fast/pmd-thread.js', import.meta.url);
const opened: PmdDatapath[] = [];
const plain = new Subject((options) => new PlainDatapath(options), nothing, undefined, programs);
const pmd = new Subject(
  (options) => {
    const datapath = new PmdDatapath({ ...options, memory, thread });
    opened.push(datapath);
    return datapath;
  },
  nothing,
  undefined,
  programs,
);

afterAll(() => Promise.all(opened.map((datapath) => datapath.close())));

/** Until the packets given so far have been dealt with. */
async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const before = JSON.stringify(pmd.counters());
    await new Promise((resolve) => setTimeout(resolve, 2));
    const isQuiet = opened.every((datapath) => datapath.isQuiet);
    const after = JSON.stringify(pmd.counters());
    quiet = isQuiet && before === after ? quiet + 1 : 0;
  }
}

const batch = fc.record({
  port: fc.constantFrom(...PORTS),
  packets: fc.array(packet, { minLength: 1, maxLength: 4 }),
  repeat: fc.integer({ min: 1, max: 8 }),
});

it('does to the packets of each flow what the plain datapath does', async () => {
  let clock = 0n;
  await fc.assert(
    fc.asyncProperty(pipeline, fc.array(batch, { minLength: 1, maxLength: 4 }), async (tables, batches) => {
      for (const subject of [plain, pmd]) {
        subject.usePipeline(tables);
        subject.countAnew();
        subject.seen.length = 0;
      }
      const flows = new Map<string, string>();
      for (const { port, packets, repeat } of batches) {
        // Each packet carries its own time, which tells equal ones apart.
        for (let i = 0; i < repeat; i++)
          for (const each of packets) {
            clock += 1_000n;
            flows.set(`${clock}`, `${port} ${toHex(each)}`);
            for (const subject of [plain, pmd]) subject.datapath.receive(port, each, clock);
          }
      }
      await settled();
      /** The port that a packet has left by, and the flow that came in at its time. */
      const flowOf = (line: string): string => {
        const [, port, time = ''] = /^(main \d+|\d+) (\d+)/.exec(line) ?? [];
        return `${port}: ${flows.get(time)}`;
      };
      const grouped = (lines: readonly string[]): Record<string, string[]> => {
        const groups: Record<string, string[]> = {};
        for (const line of lines) {
          groups[flowOf(line)] ??= [];
          groups[flowOf(line)].push(line);
        }
        // A packet that waits for the verdict on a further pass is overtaken by those that have no such pass to wait for.
        if (JSON.stringify(tables.outcomes).includes('recirculate'))
          for (const group of Object.values(groups)) group.sort();
        return groups;
      };
      expect(grouped(pmd.seen)).toEqual(grouped(plain.seen));
      expect(pmd.counters()).toEqual(plain.counters());
    }),
    { numRuns: runs(40) },
  );
});

it('tells main the port of a packet whose key was packed straight from its bytes', async () => {
  const ports: number[] = [];
  const subject = new Subject(
    (options) => {
      const datapath = new PmdDatapath({ ...options, memory: new PmdMemory(1, limits), thread });
      opened.push(datapath);
      return datapath;
    },
    nothing,
    ({ key }) => {
      ports.push(new DataView(key.buffer).getUint32(KEY.inPort));
      return { results: [], outcome: { actions: [], packets: 0, bytes: 0, lastUsedNs: 0n } };
    },
  );
  const union = new Uint8Array(KEY_BYTES).fill(0xff, 0, 48);
  subject.datapath.setUnion(union);
  const ends = { src: '10.0.0.1', dst: '10.0.0.2' };
  const macs = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };
  const bytes = ethernet(macs, ipv4(ends, tcp({ src: 1, dst: 2 }, new Uint8Array(6))));
  for (const port of [2, 1, 3]) subject.datapath.receive(port, bytes, 1n);
  await expect.poll(() => ports, { timeout: 20_000 }).toEqual([2, 1, 3]);
});
