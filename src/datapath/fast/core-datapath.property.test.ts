import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { type Pipeline, PORTS, packet, pipeline, Subject } from '../../../test/support/random-pipeline.ts';
import { KEY_BYTES } from '../../packet/index.ts';
import type { Outcome } from '../outcome.ts';
import { PlainDatapath } from '../plain/plain-datapath.ts';
import { CoreDatapath } from './core-datapath.ts';

/*
 * The core against its plain twin: a random pipeline and random packets; every packet must leave by the same ports with the same
 * bytes, and everything be counted alike.
 */

const batch = fc.record({
  port: fc.constantFrom(...PORTS, 9),
  packets: fc.array(packet, { minLength: 1, maxLength: 5 }),
  repeat: fc.integer({ min: 1, max: 12 }),
  invalidates: fc.constantFrom(false, false, false, true),
});

const limits = {
  windowBits: 23,
  smallBuffers: 256,
  largeBuffers: 4,
  cacheBytes: 1 << 22,
  outcomeBytes: 1 << 20,
  ringBytes: 4096,
};

it('ends a packet that goes round for ever', () => {
  const round: Pipeline = { union: new Uint8Array(KEY_BYTES).fill(0xff, 0, 4), questions: [], outcomes: [[]] };
  const outcome: Outcome = {
    actions: [
      { kind: 'output', port: 1 },
      { kind: 'recirculate', id: 1 },
    ],
    ...{ packets: 0, bytes: 0, lastUsedNs: 0n },
  };
  const counts = [PlainDatapath, undefined].map((plain) => {
    const subject = new Subject(
      (options) => (plain ? new PlainDatapath(options) : new CoreDatapath({ ...options, limits })),
      round,
      () => ({ results: [], outcome }),
    );
    subject.datapath.receive(1, new Uint8Array(60), 1n);
    return subject.counters();
  });
  expect(counts[1]).toEqual(counts[0]);
  expect(counts[1]).toMatchObject({ totals: expect.arrayContaining(['dropTooDeep: 1']) });
});

it('does to every packet what the plain datapath does', () => {
  fc.assert(
    fc.property(pipeline, fc.array(batch, { minLength: 1, maxLength: 6 }), (tables, batches) => {
      const plain = new Subject((options) => new PlainDatapath(options), tables);
      const core = new Subject((options) => new CoreDatapath({ ...options, limits }), tables);
      for (const [i, { port, packets, repeat, invalidates }] of batches.entries()) {
        const timeNs = 1_000_000n * BigInt(i + 1);
        const all = Array.from({ length: repeat * packets.length }, (_, n) => packets[n % packets.length]);
        if (invalidates) {
          for (const { datapath } of [plain, core]) datapath.invalidate();
          expect(core.counters()).toEqual(plain.counters());
          for (const subject of [plain, core]) subject.newOutcomes();
        }
        for (const each of all) plain.datapath.receive(port, each, timeNs);
        (core.datapath as CoreDatapath).receiveBatch(port, all, timeNs);
      }
      expect(core.seen).toEqual(plain.seen);
      expect(core.runs).toEqual(plain.runs);
      expect(core.counters()).toEqual(plain.counters());
    }),
    { numRuns: runs(300) },
  );
});
