import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packetFor, wellFormedPacket } from '../../../test/support/packet-arbitrary.ts';
import { runs } from '../../../test/support/property-runs.ts';
import { toHex } from '../../bytes/index.ts';
import { KEY, KEY_BYTES, KEY_PACKET_BYTES } from '../../packet/index.ts';
import type { DatapathAction } from '../action.ts';
import type { Datapath, Upcall, Verdict } from '../datapath.ts';
import { LENGTH_QUESTION, type Outcome } from '../outcome.ts';
import { PlainDatapath } from '../plain/plain-datapath.ts';
import { CallbackPort } from '../ports/callback-port.ts';
import { CoreDatapath } from './core-datapath.ts';

/*
 * The core against its plain twin: a random pipeline (which bits decide, which questions are asked, what is done) and random
 * packets; every packet must leave by the same ports with the same bytes, and everything be counted alike.
 */

const PORTS = [1, 2, 3, 0xfffffffe];

/** Masks of bits within one field of the key, so that flows collide in some packets and differ in others. */
const union = fc
  .array(fc.tuple(fc.constantFrom(8, 14, 20, 24, 28, 30, 31, 36, 40, 44, 46, 64, 80, 96, 116), fc.nat(255)), {
    maxLength: 8,
  })
  .map((bytes) => {
    const mask = new Uint8Array(KEY_BYTES);
    mask.fill(0xff, KEY.inPort, KEY.inPort + 4);
    mask.fill(0xff, KEY.recircId, KEY.recircId + 4);
    for (const [offset, bits] of bytes) mask[offset] |= bits;
    return mask;
  });

const setAction: fc.Arbitrary<DatapathAction> = fc
  .tuple(
    fc.oneof(fc.constantFrom(8, 14, 24, 30, 31, 32, 36, 40, 44, 46), fc.integer({ min: 8, max: KEY_PACKET_BYTES - 4 })),
    fc.array(fc.tuple(fc.nat(255), fc.constantFrom(0xff, 0xff, 0x0f, 0x01)), { minLength: 1, maxLength: 4 }),
  )
  .map(([offset, bytes]) => ({
    kind: 'set' as const,
    // Whether there is a tag is not for `set` to say.
    bytes: bytes.map(([value, mask], i) => [offset + i, value & mask, mask] as const),
  }));

const output: fc.Arbitrary<DatapathAction> = fc.record(
  {
    kind: fc.constant('output' as const),
    port: fc.constantFrom(...PORTS, 77),
    maxLen: fc.integer({ min: 0, max: 80 }),
    queue: fc.nat(3),
  },
  { requiredKeys: ['kind', 'port'] },
);

const { action } = fc.letrec<{ action: DatapathAction }>((tie) => ({
  action: fc.oneof(
    { maxDepth: 2 },
    { weight: 4, arbitrary: output },
    { weight: 4, arbitrary: setAction },
    fc.record({ kind: fc.constant('pushVlan' as const), tpid: fc.constantFrom(0x8100, 0x88a8), tci: fc.nat(0xffff) }),
    fc.constant<DatapathAction>({ kind: 'popVlan' }),
    fc.record({
      kind: fc.constant('pushMpls' as const),
      ethType: fc.constantFrom(0x8847, 0x8848),
      lse: fc.nat(0xffffffff),
    }),
    fc.record({ kind: fc.constant('popMpls' as const), ethType: fc.constantFrom(0x0800, 0x86dd, 0x8847) }),
    fc.record({ kind: fc.constant('recirculate' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('toMain' as const), note: fc.nat(9) }),
    fc.record({ kind: fc.constant('clone' as const), actions: fc.array(tie('action'), { maxLength: 3 }) }),
  ),
}));

const question = fc.oneof(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 20, max: 90 }).map((n) => LENGTH_QUESTION + n),
);

interface Pipeline {
  readonly union: Uint8Array;
  readonly questions: readonly number[];
  readonly outcomes: readonly (readonly DatapathAction[])[];
}

const pipeline: fc.Arbitrary<Pipeline> = fc.record({
  union,
  questions: fc.uniqueArray(question, { maxLength: 4 }),
  outcomes: fc.array(fc.array(action, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
});

const packet = fc.oneof(wellFormedPacket, packetFor.ip, packetFor.tcp, packetFor.udp, fc.uint8Array({ maxLength: 40 }));
const batch = fc.record({
  port: fc.constantFrom(...PORTS, 9),
  packets: fc.array(packet, { minLength: 1, maxLength: 5 }),
  repeat: fc.integer({ min: 1, max: 12 }),
  invalidates: fc.constantFrom(false, false, false, true),
});

const PASSES = 4;

/** The actions with recirculation to passes after `pass` only; once in a list, for its cost doubles with each. */
function onwards(actions: readonly DatapathAction[], pass: number): readonly DatapathAction[] {
  let hasGone = false;
  return actions.flatMap((each): readonly DatapathAction[] => {
    if (each.kind === 'clone') return [{ ...each, actions: onwards(each.actions, pass) }];
    if (each.kind !== 'recirculate') return [each];
    if (hasGone || pass === PASSES) return [];
    hasGone = true;
    return [{ ...each, id: Math.max(each.id, pass + 1) }];
  });
}

/** A datapath and all that can be seen of it. */
class Subject {
  readonly datapath: Datapath;
  readonly seen: string[] = [];
  readonly runs: string[] = [];
  readonly #pipeline: Pipeline;
  /** By pass: each only leads to later ones, so that there is an end. */
  #outcomes: Outcome[][] = [];

  constructor(
    create: (options: ConstructorParameters<typeof PlainDatapath>[0]) => Datapath,
    pipelineOf: Pipeline,
    answer?: (upcall: Upcall) => Verdict,
  ) {
    this.#pipeline = pipelineOf;
    this.datapath = create({
      keyBytes: KEY_BYTES,
      upcall: answer ?? ((upcall) => this.#answer(upcall)),
      programs: { matches: (program, bytes) => this.#ask(program, bytes) },
      toMain: (note, bytes, timeNs) => this.seen.push(`main ${note} ${timeNs} ${toHex(bytes)}`),
    });
    for (const port of PORTS)
      this.datapath.addPort(
        port,
        new CallbackPort(`p${port}`, (bytes, timeNs) => this.seen.push(`${port} ${timeNs} ${toHex(bytes)}`)),
      );
    this.newOutcomes();
    this.datapath.setUnion(pipelineOf.union);
  }

  newOutcomes(): void {
    this.#outcomes = Array.from({ length: PASSES + 1 }, (_, pass) =>
      this.#pipeline.outcomes.map((actions) => ({
        actions: onwards(actions, pass),
        ...{ packets: 0, bytes: 0, lastUsedNs: 0n },
      })),
    );
  }

  /** A program with a memory: that it runs for the same packets in the same order shows. */
  #ask(program: number, bytes: Uint8Array): boolean {
    this.runs.push(`${program} ${toHex(bytes)}`);
    return (bytes.length + this.runs.length + (bytes[bytes.length - 1] ?? 0)) % (program + 1) === 0;
  }

  /** Depends on nothing but the union's bits and the answers. */
  #answer(upcall: Upcall): Verdict {
    const { union: mask, questions } = this.#pipeline;
    let sum = upcall.recircId;
    for (const [i, bits] of mask.entries()) sum = (Math.imul(sum, 31) + (upcall.key[i] & bits)) >>> 0;
    const results = [...upcall.results];
    for (const program of questions.slice(0, sum % (questions.length + 1))) {
      const known = results.find((result) => result.program === program);
      const matched =
        known?.matched ??
        (program >= LENGTH_QUESTION
          ? upcall.packet.length > program - LENGTH_QUESTION
          : this.#ask(program, upcall.packet));
      if (known === undefined) results.push({ program, matched });
      sum = (Math.imul(sum, 31) + (matched ? 1 : 0)) >>> 0;
    }
    return { results, outcome: this.#outcomes[upcall.recircId][sum % this.#pipeline.outcomes.length] };
  }

  counters(): unknown {
    this.datapath.readCounters();
    const { hits, misses, dropNoPort, dropPortFull, dropTooDeep } = this.datapath.counters;
    return {
      ...{ hits, misses, dropNoPort, dropPortFull, dropTooDeep },
      ports: PORTS.map((port) => ({ ...this.datapath.portCounters(port) })),
      outcomes: this.#outcomes.flat().map(({ packets, bytes, lastUsedNs }) => ({ packets, bytes, lastUsedNs })),
      flows: [...this.datapath.flows()].map(({ key }) => toHex(key)).sort(),
    };
  }
}

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
  expect(counts[1]).toMatchObject({ dropTooDeep: 1 });
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
