import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Interpreter } from '../../src/bpf/index.ts';
import { arp, ethernet, icmp, ipv4, type TransportPacket, tcp, udp } from '../../src/packet/index.ts';
import { compilers, exampleNames, examplesFolder, flagMatrix, Workbench } from './compilers.ts';
import { FilterBench, u32s, u64s } from './filter-bench.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

const addresses = ['10.0.0.1', '10.0.0.2', '192.0.2.1', '192.0.2.2'];
const ports = [22, 53, 80, 7000, 8000, 9000, 40000];
const macs = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };

const transport: fc.Arbitrary<TransportPacket> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        src: fc.constantFrom(...ports),
        dst: fc.constantFrom(...ports),
        flags: fc.oneof(fc.constantFrom(2, 18, 16, 17, 20, 4), fc.nat(63)),
        seq: fc.oneof(fc.nat(300), fc.constantFrom(0xfffffff0, 0xffffffff)),
        window: fc.constantFrom(0, 1000, 65535),
        options: fc.constantFrom(
          new Uint8Array(),
          Uint8Array.of(2, 4, 5, 0xb4),
          Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0),
          Uint8Array.of(3, 60, 0, 0),
          new Uint8Array(40).fill(1),
        ),
      })
      .map((fields) => tcp(fields, new Uint8Array(fields.seq % 50))),
  },
  {
    weight: 2,
    arbitrary: fc.record({ src: fc.constantFrom(...ports), dst: fc.constantFrom(...ports) }).map((f) => udp(f)),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.nat(12), code: fc.nat(1) }).map((f) => icmp(f, new Uint8Array(4))) },
);

const whole = fc
  .record({
    src: fc.constantFrom(...addresses),
    dst: fc.constantFrom(...addresses),
    ttl: fc.constantFrom(1, 60, 128, 255),
    fragmentOffset: fc.constantFrom(0, 0, 0, 0, 1, 100),
    options: fc.constantFrom(new Uint8Array(), new Uint8Array(), new Uint8Array(8).fill(1)),
    vlans: fc.constantFrom([], [], [{ vid: 7 }]),
    payload: transport,
  })
  .map(({ vlans, payload, ...fields }) => ethernet({ ...macs, vlans }, ipv4(fields, payload)));

/** Packets, cut or with a byte changed now and then, and how long after the one before each comes. */
const traffic = fc.array(
  fc.record({
    packet: fc.oneof(
      { weight: 6, arbitrary: whole },
      {
        weight: 1,
        arbitrary: fc.constant(
          ethernet(macs, arp({ opcode: 1, sha: macs.src, spa: addresses[0], tha: macs.dst, tpa: addresses[1] })),
        ),
      },
      { weight: 1, arbitrary: fc.tuple(whole, fc.nat(80)).map(([packet, length]) => packet.subarray(0, length)) },
      {
        weight: 1,
        arbitrary: fc.tuple(whole, fc.nat(60), fc.nat(255)).map(([packet, at, value]) => {
          const copy = packet.slice();
          if (at < copy.length) copy[at] = value;
          return copy;
        }),
      },
    ),
    pauseMs: fc.constantFrom(0, 0, 0, 1, 400, 12_000),
  }),
  { minLength: 1500, maxLength: 1500 },
);

/** What the operator would have set, so that the filters have something to decide. */
function configure(filter: FilterBench, name: string): void {
  if (name === 'rate-limiter') filter.map('limits').update(u32s(6), u64s(3, 2));
  if (name === 'heavy-hitters') filter.map('settings').update(u32s(0), u64s(5, 60));
  if (name === 'block-list') {
    filter.map('blocked').add(Uint8Array.of(192, 0, 2, 2));
    filter.map('blocked').add(Uint8Array.of(10, 0, 0, 2));
    filter.map('excepted').update(Uint8Array.of(10, 0, 0, 2), u32s(1));
  }
}

/** The results and, at the end, the maps. */
function behaviour(
  object: Uint8Array,
  name: string,
  packets: readonly { packet: Uint8Array; pauseMs: number }[],
): string[] {
  const filter = new FilterBench(object, new Interpreter());
  configure(filter, name);
  const results = packets.map(({ packet, pauseMs }) => {
    filter.seconds += pauseMs / 1000;
    return filter.run(packet).toString();
  });
  return [results.join(''), ...filter.contents()];
}

/** Who knows the knocks, and comes in between. */
const knocks = [7000, 8000, 9000, 22, 22, 53, 22].map((dst) => ({
  packet: ethernet(macs, ipv4({ src: addresses[0], dst: addresses[2] }, tcp({ src: 40000, dst, flags: 2 }))),
  pauseMs: 1000,
}));

const [sampled] = fc.sample(traffic, { numRuns: 1, seed: 1848 });
const packets = [...sampled.slice(0, 700), ...knocks, ...sampled.slice(700)];

describe.each(exampleNames)('%s compiled anew behaves as the committed object', (name) => {
  const committed = behaviour(new Uint8Array(readFileSync(`${examplesFolder}${name}.o`)), name, packets);

  it('and decides both ways', () => {
    // The fingerprints that match are listed by what was seen: not in this traffic.
    expect(committed[0]).toContain('0');
    if (name !== 'tcp-fingerprint') expect(committed[0]).toContain('1');
  });

  for (const compiler of compilers)
    it.skipIf(!compiler.isHere).each(flagMatrix(compiler))(
      `by ${compiler.name} %s %s (needs ${compiler.name})`,
      (cpu, level) => {
        const object = bench.compileExample(compiler, name, ['-g', cpu, level]);
        expect(behaviour(new Uint8Array(readFileSync(object)), name, packets)).toEqual(committed);
      },
    );
});
