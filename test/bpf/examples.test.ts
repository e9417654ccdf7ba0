import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadObject, verify } from '../../src/bpf/index.ts';
import {
  arp,
  ethernet,
  icmp,
  ipv4,
  ipv6,
  type NetworkPacket,
  TCP_FLAG,
  type TransportPacket,
  tcp,
  udp,
  type VlanTag,
} from '../../src/packet/index.ts';
import { exampleNames, examplesFolder } from './compilers.ts';
import { engines, entriesOf, FilterBench, u32s, u64s } from './filter-bench.ts';

const { syn, ack, fin, rst, psh } = TCP_FLAG;
const IN = '10.1.2.3';
const OUT = '192.0.2.7';

function frame(payload: NetworkPacket, vlans: readonly VlanTag[] = []): Uint8Array {
  return ethernet({ dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01', vlans }, payload);
}

const from = (src: string, dst: string, payload: TransportPacket, extra = {}) =>
  frame(ipv4({ src, dst, ...extra }, payload));
const segment = (flags: number, src = 40000, dst = 80, extra = {}) => tcp({ src, dst, flags, ...extra });
const ping = icmp({ type: 8, code: 0 }, new Uint8Array(4));
const arpRequest = frame(arp({ opcode: 1, sha: '02:00:00:00:00:01', spa: IN, tha: '00:00:00:00:00:00', tpa: OUT }));

it.each(exampleNames)('%s is accepted by the verifier', (name) => {
  const program = loadObject(new Uint8Array(readFileSync(`${examplesFolder}${name}.o`))).select();
  expect(verify(program)).toMatchObject({ accepted: true });
});

describe.each(engines)('on the $name', ({ make }) => {
  let filter: FilterBench;
  const use = (name: string) =>
    beforeEach(() => {
      filter = new FilterBench(new Uint8Array(readFileSync(`${examplesFolder}${name}.o`)), make());
    });
  const matched = (...packets: Uint8Array[]) => packets.map((packet) => filter.matches(packet));
  const times = (count: number, packet: Uint8Array) => matched(...Array.from({ length: count }, () => packet));
  const granted = (results: readonly boolean[]) => results.filter(Boolean).length;

  describe('rate-limiter', () => {
    use('rate-limiter');

    it('grants each source 100 packets a second of each protocol', () => {
      expect(granted(times(150, from(IN, OUT, ping)))).toBe(100);
      expect(granted(times(150, from(IN, OUT, udp({ src: 1, dst: 2 }))))).toBe(100);
      expect(granted(times(150, from('10.1.2.4', OUT, ping)))).toBe(100);
      filter.seconds += 0.999;
      expect(filter.matches(from(IN, OUT, ping))).toBe(false);
      filter.seconds += 0.001;
      expect(granted(times(150, from(IN, OUT, ping)))).toBe(100);
    });

    it('takes the budget that update-map 1 0 key 1 0 0 0 value 1 0 … 1 0 … sets: one ping a second', () => {
      filter.map('limits').update(u32s(1), u64s(1, 1));
      expect(times(3, from(IN, OUT, ping))).toEqual([true, false, false]);
      expect(granted(times(3, from(IN, OUT, udp({ src: 1, dst: 2 }))))).toBe(3);
      filter.seconds += 1;
      expect(times(2, from(IN, OUT, ping))).toEqual([true, false]);
    });

    it('lets none pass for a budget of 0', () => {
      filter.map('limits').update(u32s(17), u64s(0, 1));
      expect(filter.matches(from(IN, OUT, udp({ src: 1, dst: 2 })))).toBe(false);
      expect(filter.map('budgets').count).toBe(0);
    });

    it('starts over when the clock is set back', () => {
      times(150, from(IN, OUT, ping));
      filter.seconds -= 3600;
      expect(filter.matches(from(IN, OUT, ping))).toBe(true);
    });

    it('passes what is not IPv4, and no malformed IPv4', () => {
      expect(matched(arpRequest, frame(ipv6({ src: 'fe80::1', dst: 'fe80::2' }, udp({ src: 1, dst: 2 }))))).toEqual([
        true,
        true,
      ]);
      const good = from(IN, OUT, ping);
      expect(matched(good.subarray(0, 33), good.subarray(0, 15))).toEqual([false, false]);
      expect(matched(good.subarray(0, 34), good.subarray(0, 13), new Uint8Array(0))).toEqual([true, true, true]);
      const wrongVersion = good.slice();
      wrongVersion[14] = 0x65;
      const shortHeader = good.slice();
      shortHeader[14] = 0x44;
      expect(matched(wrongVersion, shortHeader)).toEqual([false, false]);
    });

    it('finds IPv4 behind a VLAN tag', () => {
      filter.map('limits').update(u32s(1), u64s(1, 1));
      const tagged = frame(ipv4({ src: IN, dst: OUT }, ping), [{ vid: 5 }]);
      expect(times(2, tagged)).toEqual([true, false]);
      expect(filter.matches(tagged.subarray(0, 37))).toBe(false);
    });
  });

  describe('stateless-firewall', () => {
    use('stateless-firewall');

    it.each<[string, Uint8Array, boolean]>([
      ['ARP', arpRequest, true],
      ['IPv6', frame(ipv6({ src: 'fe80::1', dst: 'fe80::2' }, segment(syn))), false],
      ['a connection to a service', from(OUT, IN, segment(syn)), true],
      [
        'a connection to HTTPS behind a VLAN tag',
        frame(ipv4({ src: OUT, dst: IN }, segment(syn, 1, 443)), [{ vid: 9 }]),
        true,
      ],
      ['a connection to another port', from(OUT, IN, segment(syn, 1, 8080)), false],
      ['the answer to a connection', from(OUT, IN, segment(syn | ack, 80, 40000)), true],
      ['data of a connection', from(OUT, IN, segment(ack | psh, 80, 40000)), true],
      ['a reset', from(OUT, IN, segment(rst, 80, 40000)), true],
      ['no flags', from(OUT, IN, segment(0)), false],
      ['SYN and FIN', from(OUT, IN, segment(syn | fin)), false],
      ['a bare FIN', from(OUT, IN, segment(fin)), false],
      ['a DNS query', from(OUT, IN, udp({ src: 40000, dst: 53 })), true],
      ['a DNS answer', from(OUT, IN, udp({ src: 53, dst: 40000 })), true],
      ['other UDP', from(OUT, IN, udp({ src: 40000, dst: 161 })), false],
      ['echo', from(OUT, IN, ping), true],
      ['redirect', from(OUT, IN, icmp({ type: 5, code: 1 }, new Uint8Array(4))), false],
      ['source 127.0.0.1', from('127.0.0.1', IN, segment(syn)), false],
      ['source 224.0.0.1', from('224.0.0.1', IN, segment(syn)), false],
      ['IPv4 options', from(OUT, IN, segment(syn), { options: new Uint8Array(4).fill(1) }), false],
      ['a later fragment', from(OUT, IN, segment(syn), { fragmentOffset: 185 }), true],
      ['a fragment at 8 bytes', from(OUT, IN, segment(syn), { fragmentOffset: 1 }), false],
      ['a cut TCP header', from(OUT, IN, segment(syn)).subarray(0, 53), false],
      ['a TCP header', from(OUT, IN, segment(syn)).subarray(0, 54), true],
      ['an empty frame', new Uint8Array(0), false],
    ])('%s', (_, packet, expected) => expect(filter.matches(packet)).toBe(expected));
  });

  describe('stateful-firewall', () => {
    use('stateful-firewall');
    const out = (flags: number) => from(IN, OUT, segment(flags));
    const back = (flags: number) => from(OUT, IN, segment(flags, 80, 40000));

    it('passes connections that were opened from inside, and only those', () => {
      expect(matched(back(syn | ack), out(ack), back(syn))).toEqual([false, false, false]);
      expect(matched(out(syn), back(syn | ack), out(ack), back(ack | psh))).toEqual([true, true, true, true]);
      expect(matched(from(OUT, IN, segment(ack, 81, 40000)), from('192.0.2.8', IN, segment(ack, 80, 40000)))).toEqual([
        false,
        false,
      ]);
    });

    it('forgets a connection that is silent too long, sooner before it was answered', () => {
      matched(out(syn));
      filter.seconds += 31;
      expect(filter.matches(back(syn | ack))).toBe(false);
      matched(out(syn), back(syn | ack));
      filter.seconds += 3599;
      expect(filter.matches(back(ack))).toBe(true);
      filter.seconds += 3601;
      expect(matched(back(ack), out(ack))).toEqual([false, false]);
    });

    it('ends a connection at RST, and shortly after FIN from both sides', () => {
      expect(matched(out(syn), back(syn | ack), back(rst), back(ack))).toEqual([true, true, true, false]);
      expect(matched(out(syn), back(syn | ack), out(fin | ack), back(ack), back(fin | ack), out(ack))).not.toContain(
        false,
      );
      filter.seconds += 11;
      expect(filter.matches(back(ack))).toBe(false);
      expect(matched(out(syn), back(syn | ack))).toEqual([true, true]);
    });

    it('tracks UDP', () => {
      const query = from(IN, OUT, udp({ src: 5000, dst: 53 }));
      const answer = from(OUT, IN, udp({ src: 53, dst: 5000 }));
      expect(matched(answer, query, answer)).toEqual([false, true, true]);
      filter.seconds += 61;
      expect(filter.matches(answer)).toBe(false);
    });

    it('takes the inside from its map', () => {
      filter.map('inside').update(u32s(0), Uint8Array.of(192, 0, 2, 0, 255, 255, 255, 0));
      expect(matched(out(syn), back(syn), out(syn | ack))).toEqual([false, true, true]);
    });

    it('passes ARP and traffic within the inside; no other protocols, fragments, cut packets', () => {
      expect(matched(arpRequest, from(IN, '10.9.9.9', ping))).toEqual([true, true]);
      expect(
        matched(from(IN, OUT, ping), from(IN, OUT, segment(syn), { fragmentOffset: 3 }), out(syn).subarray(0, 50)),
      ).toEqual([false, false, false]);
      expect(filter.matches(from(OUT, '198.51.100.1', segment(syn)))).toBe(false);
    });
  });

  describe('tcp-diagnosis', () => {
    use('tcp-diagnosis');
    const data = (seq: number, length: number, extra = {}) =>
      from(IN, OUT, tcp({ src: 40000, dst: 80, flags: ack, window: 1000, seq, ...extra }, new Uint8Array(length)));
    const state = () => {
      const key = Uint8Array.from([10, 1, 2, 3, 192, 0, 2, 7, 40000 >> 8, 40000 & 255, 0, 80]);
      const value = filter.map('directions').lookup(key) ?? new Uint8Array(48);
      const [bytes] = new BigUint64Array(value.slice(8, 16).buffer);
      const [packets, next, retransmissions, outOfOrder, closedWindows, resets, , silenceUs] = new Uint32Array(
        value.slice(16).buffer,
      );
      return { bytes, packets, next, retransmissions, outOfOrder, closedWindows, resets, silenceUs };
    };

    it('counts what went wrong and matches those packets', () => {
      filter.matches(from(IN, OUT, tcp({ src: 40000, dst: 80, flags: syn, window: 1000, seq: 0xfffffff0 })));
      filter.seconds += 0.25;
      expect(matched(data(0xfffffff1, 100), data(85, 100), data(85, 100), data(385, 50), data(185, 100))).toEqual([
        false,
        false,
        true,
        true,
        true,
      ]);
      expect(filter.matches(data(435, 0, { window: 0 }))).toBe(true);
      expect(filter.matches(data(435, 0))).toBe(false);
      expect(filter.matches(data(435, 0, { flags: rst }))).toBe(true);
      expect(state()).toEqual({
        bytes: 450n,
        packets: 9,
        next: 435,
        retransmissions: 2,
        outOfOrder: 1,
        closedWindows: 1,
        resets: 1,
        silenceUs: 250_000,
      });
    });

    it('measures the handshake on the side that answers', () => {
      filter.matches(from(IN, OUT, segment(syn)));
      filter.seconds += 0.042;
      filter.matches(from(OUT, IN, segment(syn | ack, 80, 40000)));
      const key = Uint8Array.from([192, 0, 2, 7, 10, 1, 2, 3, 0, 80, 40000 >> 8, 40000 & 255]);
      const value = filter.map('directions').lookup(key) ?? new Uint8Array(48);
      expect(new Uint32Array(value.slice(40, 44).buffer)[0]).toBe(42_000);
    });

    it('leaves alone what is not TCP or not whole', () => {
      expect(matched(from(IN, OUT, ping), arpRequest, data(1, 0).subarray(0, 53))).toEqual([false, false, false]);
      expect(filter.map('directions').count).toBe(0);
    });
  });

  describe('tcp-fingerprint', () => {
    use('tcp-fingerprint');
    const linux = Uint8Array.of(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7);
    const scanner = Uint8Array.of(2, 4, 5, 0xb4);
    const opening = (options: Uint8Array, extra = {}) =>
      from(IN, OUT, tcp({ src: 1, dst: 2, flags: syn, window: 64240, options }), { ttl: 61, ...extra });

    it('counts fingerprints and matches those that are listed', () => {
      expect(matched(opening(linux), opening(linux, { ttl: 55 }), opening(scanner))).toEqual([false, false, false]);
      const entries = entriesOf(filter.map('seen'));
      const counts = new Map(entries.map(({ key, value }) => [Buffer.from(value).readBigUInt64LE(), key]));
      expect([...counts.keys()].sort()).toEqual([1n, 2n]);
      filter.map('listed').update(counts.get(1n) ?? new Uint8Array(4), u32s(1));
      expect(matched(opening(linux), opening(scanner), opening(scanner, { ttl: 128 }))).toEqual([false, true, false]);
    });

    it('does not read past malformed options', () => {
      const bad = [Uint8Array.of(2, 0), Uint8Array.of(2, 1, 0, 0), Uint8Array.of(2, 4, 5), Uint8Array.of(3, 60, 0, 0)];
      expect(matched(...bad.map((options) => opening(options)))).toEqual([false, false, false, false]);
      const whole = opening(linux);
      for (let length = 0; length < whole.length; length++)
        expect(filter.matches(whole.subarray(0, length))).toBe(false);
      expect(filter.matches(from(IN, OUT, segment(syn | ack)))).toBe(false);
    });
  });

  describe('port-knocking', () => {
    use('port-knocking');
    const knock = (port: number, src = IN) => from(src, OUT, segment(syn, 40000, port));

    it('opens the port to who knocks in order', () => {
      expect(matched(knock(22), knock(7000), knock(8000), knock(22))).toEqual([false, false, false, false]);
      expect(matched(knock(9000), knock(22), knock(22, '10.1.2.4'))).toEqual([false, true, false]);
      expect(matched(knock(80), from(IN, OUT, segment(ack, 40000, 22)))).toEqual([false, true]);
      filter.seconds += 61;
      expect(filter.matches(knock(22))).toBe(false);
    });

    it.each([
      ['a wrong port between', [7000, 8000, 8001, 9000], 0],
      ['the wrong order', [7000, 9000, 8000], 0],
      ['a knock too late', [7000, 8000, 9000], 11],
    ])('stays shut after %s', (_, ports, pause) => {
      for (const port of ports) {
        filter.matches(knock(port));
        filter.seconds += pause;
      }
      expect(filter.matches(knock(22))).toBe(false);
    });

    it('starts over when the first port comes again', () => {
      for (const port of [7000, 8000, 7000, 8000, 9000]) filter.matches(knock(port));
      expect(filter.matches(knock(22))).toBe(true);
    });
  });

  describe('heavy-hitters', () => {
    use('heavy-hitters');

    it('matches a source from the packet after its threshold on, in each window anew', () => {
      filter.map('settings').update(u32s(0), u64s(20, 5));
      const results = times(25, from(IN, OUT, ping));
      expect(results.indexOf(true)).toBe(20);
      expect(granted(results)).toBe(5);
      expect(filter.matches(from('10.1.2.4', OUT, ping))).toBe(false);
      filter.seconds += 5;
      expect(granted(times(20, from(IN, OUT, ping)))).toBe(0);
      expect(filter.matches(arpRequest)).toBe(false);
    });
  });

  describe('block-list', () => {
    use('block-list');

    it('matches packets from and to blocked addresses, but not excepted ones', () => {
      const blocked = Uint8Array.of(192, 0, 2, 7);
      expect(matched(from(OUT, IN, ping), from(IN, OUT, ping))).toEqual([false, false]);
      filter.map('blocked').add(blocked);
      expect(matched(from(OUT, IN, ping), from(IN, OUT, ping), from(IN, OUT, ping))).toEqual([true, true, true]);
      expect(filter.matches(from(IN, '192.0.2.8', ping))).toBe(false);
      expect(filter.map('hits').lookup(u32s(0))).toEqual(u64s(1));
      expect(filter.map('hits').lookup(u32s(1))).toEqual(u64s(2));
      filter.map('excepted').update(blocked, u32s(1));
      expect(filter.matches(from(OUT, IN, ping))).toBe(false);
    });
  });
});
