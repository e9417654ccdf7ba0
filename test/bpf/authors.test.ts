import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { formatRejection, loadObject, verify } from '../../src/bpf/index.ts';
import { ethernet, ipv4, ipv6, tcp, udp, type VlanTag } from '../../src/packet/index.ts';
import { compilers, exampleNames, examplesFolder, flagMatrix, Workbench } from './compilers.ts';
import { engines, FilterBench, u32s } from './filter-bench.ts';

const authorsFolder = fileURLToPath(new URL('./authors/', import.meta.url));
const authorNames = readdirSync(authorsFolder)
  .filter((name) => name.endsWith('.c'))
  .map((name) => basename(name, '.c'));
const sources = [
  ...authorNames.map((name) => `${authorsFolder}${name}.c`),
  ...exampleNames.map((name) => `${examplesFolder}${name}.c`),
];

const macs = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const hosts = { src: '10.1.2.3', dst: '192.0.2.7' };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const bytes = (...values: (number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => (typeof value === 'number' ? [value] : [...value])));
const word = (value: number): number[] => [value >> 8, value & 255];

function routed(options: Uint8Array, port = 5000, vlans: readonly VlanTag[] = []): Uint8Array {
  return ethernet({ ...macs, vlans }, ipv4({ ...hosts, options }, udp({ src: 1, dst: port }, new Uint8Array(4))));
}

/** An IPv6 packet with these extension headers, each with the number of the header type that it is. */
function extended(extensions: readonly (readonly [type: number, content: Uint8Array])[], port = 443): Uint8Array {
  const plain = ethernet(macs, ipv6({ src: 'fe80::1', dst: 'fe80::2' }, tcp({ src: 40000, dst: port, flags: 2 })));
  const types = [...extensions.map(([type]) => type), 6];
  const inserted = extensions.map(([, content], i) => bytes(types[i + 1], content.subarray(1)));
  const packet = bytes(plain.subarray(0, 54), ...inserted, plain.subarray(54));
  packet[20] = types[0];
  return packet;
}

const hopByHop: [number, Uint8Array] = [0, bytes(0, 0, new Uint8Array(6))];
const longOptions: [number, Uint8Array] = [60, bytes(0, 3, new Uint8Array(30))];
const authentication: [number, Uint8Array] = [51, bytes(0, 4, new Uint8Array(22))];
const fragment = (offset: number): [number, Uint8Array] => [44, bytes(0, 0, ...word(offset << 3), 0, 0, 0, 1)];

function query(name: string, port = 53): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...text(label)]);
  const message = bytes(new Uint8Array(12), ...labels, 0, 0, 1, 0, 1);
  return ethernet(macs, ipv4(hosts, udp({ src: 40000, dst: port }, message)));
}

const named = (name: string): Uint8Array => {
  const key = new Uint8Array(64);
  key.set(text(name));
  return key;
};

/** A ClientHello with other extensions in front of the server's name. */
function hello(name: string, options = new Uint8Array()): Uint8Array {
  const list = bytes(0, ...word(name.length), text(name));
  const extensions = bytes(
    ...[0x2b, 0x0a, 0x10].flatMap((type) => [0, type, 0, 5, 1, 2, 3, 4, 5]),
    ...[0, 0, ...word(list.length + 2), ...word(list.length)],
    list,
  );
  const body = bytes(3, 3, new Uint8Array(32), 4, 9, 9, 9, 9, ...word(6), new Uint8Array(6), 1, 0);
  const whole = bytes(body, ...word(extensions.length), extensions);
  const record = bytes(22, 3, 1, ...word(whole.length + 4), 1, 0, ...word(whole.length), whole);
  return ethernet(macs, ipv4(hosts, tcp({ src: 40000, dst: 443, flags: 24, options }, record)));
}

const from = (src: string, port = 1000): Uint8Array =>
  ethernet(macs, ipv4({ ...hosts, src }, udp({ src: port, dst: 9 }, new Uint8Array(8))));

/** What each program must make of packets; the whole frame matters, so each is tried cut short too. */
const expected: Readonly<Record<string, (filter: FilterBench) => void>> = {
  'vlan-ip-options': (filter) => {
    const alert = bytes(148, 4, 0, 0);
    const others = bytes(1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0);
    const packets: [Uint8Array, boolean][] = [
      [routed(alert), true],
      [routed(others), true],
      [routed(others, 5000, [{ vid: 7 }]), true],
      [routed(alert, 5000, [{ vid: 7, tpid: 0x88a8 }, { vid: 8 }]), true],
      [routed(alert, 5001), false],
      [routed(bytes(0, 148, 4, 0)), false],
      [routed(bytes(1, 1, 1, 7)), false],
      [routed(new Uint8Array()), false],
      [routed(alert).subarray(0, 45), false],
    ];
    for (const [packet, matches] of packets) expect(filter.matches(packet)).toBe(matches);
  },
  'ipv6-extensions': (filter) => {
    const all = [hopByHop, longOptions, authentication, fragment(0)];
    const packets: [Uint8Array, boolean][] = [
      [extended([]), true],
      [extended([hopByHop]), true],
      [extended(all), true],
      [extended(all, 80), false],
      [extended([hopByHop, fragment(8)]), false],
      [extended(Array.from({ length: 7 }, () => longOptions)), true],
      [extended(Array.from({ length: 8 }, () => longOptions)), false],
      [extended([[59, new Uint8Array(8)]]), false],
      [extended(all).subarray(0, 120), false],
      [from('10.0.0.1'), false],
    ];
    for (const [packet, matches] of packets) expect(filter.matches(packet)).toBe(matches);
  },
  'dns-name': (filter) => {
    filter.map('blocked').update(named('ads.example.com'), u32s(1));
    const packets: [Uint8Array, boolean][] = [
      [query('ads.example.com'), true],
      [query('ADS.Example.COM'), true],
      [query('ads.example.org'), false],
      [query('example.com'), false],
      [query('ads.example.com', 54), false],
      [query(`${'a'.repeat(60)}.com`), false],
      [query('ads.example.com').subarray(0, 70), false],
    ];
    for (const [packet, matches] of packets) expect(filter.matches(packet)).toBe(matches);
  },
  'tls-sni': (filter) => {
    filter.map('blocked').update(named('blocked.example'), u32s(1));
    const packets: [Uint8Array, boolean][] = [
      [hello('blocked.example'), true],
      [hello('blocked.example', new Uint8Array(12).fill(1)), true],
      [hello('allowed.example'), false],
      [hello('blocked.example').subarray(0, 150), false],
      [hello('b'.repeat(80)), false],
      [from('10.0.0.1'), false],
    ];
    for (const [packet, matches] of packets) expect(filter.matches(packet)).toBe(matches);
  },
  'token-bucket': (filter) => {
    const granted = (packet: Uint8Array, times: number): number =>
      Array.from({ length: times }, () => filter.matches(packet)).filter(Boolean).length;
    expect(granted(from('10.0.0.1'), 15)).toBe(10);
    expect(granted(from('10.0.0.1', 1001), 15)).toBe(10);
    filter.seconds += 2;
    expect(granted(from('10.0.0.1'), 15)).toBe(4);
    expect(granted(from('10.0.0.1').subarray(0, 41), 1)).toBe(0);
  },
  'lpm-lookup': (filter) => {
    const network = (bits: number, ...address: number[]): Uint8Array => bytes(u32s(bits), ...address);
    const verdict = (allowed: number): Uint8Array => bytes(allowed, new Uint8Array(15));
    filter.map('networks').update(network(8, 10, 0, 0, 0), verdict(1));
    filter.map('networks').update(network(24, 10, 1, 2, 0), verdict(0));
    filter.map('networks').update(network(32, 10, 1, 2, 3), verdict(1));
    const sources = ['10.0.0.1', '10.1.2.4', '10.1.2.3', '192.0.2.1'];
    expect(sources.map((source) => filter.matches(from(source)))).toEqual([true, false, true, false]);
  },
  'heavy-hitter': (filter) => {
    const matches = (packet: Uint8Array, times: number): number =>
      Array.from({ length: times }, () => filter.matches(packet)).filter(Boolean).length;
    expect(matches(from('10.0.0.1'), 105)).toBe(5);
    expect(matches(from('10.0.0.2'), 100)).toBe(0);
    expect(matches(extended([]), 101)).toBe(1);
  },
};

const bench = new Workbench();
afterAll(() => bench.remove());

it('every program of authors is tried on packets', () => {
  expect(Object.keys(expected).sort()).toEqual(authorNames.sort());
});

for (const compiler of compilers)
  describe.skipIf(!compiler.isHere)(`by ${compiler.name} (needs ${compiler.name})`, () => {
    for (const [cpu, level] of flagMatrix(compiler))
      it(`${level} ${cpu}: the programs of authors and the examples are accepted, and decide as they should`, () => {
        const objects = bench.compileAll(compiler, sources, ['-I', examplesFolder, '-g', cpu, level]);
        for (const name of [...authorNames, ...exampleNames]) {
          const object = new Uint8Array(readFileSync(objects(name)));
          const result = verify(loadObject(object).select());
          expect(`${name}: ${result.accepted ? 'accepted' : formatRejection(result.rejection)}`).toBe(
            `${name}: accepted`,
          );
          for (const { make } of engines) expected[name]?.(new FilterBench(object, make()));
        }
      });
  });
