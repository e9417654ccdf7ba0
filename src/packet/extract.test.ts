import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutation } from '../../test/support/mutation.ts';
import { wellFormedPacket } from '../../test/support/packet-arbitrary.ts';
import { runs } from '../../test/support/property-runs.ts';
import { toHex } from '../bytes/index.ts';
import { arp, ethernet, fragmentExtension, icmpv6, ipv4, ipv6, mpls, neighbourDiscovery, tcp, udp } from './build.ts';
import { extractKey } from './extract.ts';
import { KEY, KEY_PACKET_BYTES, newKey } from './key.ts';

const HOSTS = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const IPS = { src: '10.0.0.1', dst: '10.0.0.2' };
const IP6S = { src: 'fe80::1', dst: 'fe80::2' };

function extracted(packet: Uint8Array): Uint8Array {
  const key = newKey();
  extractKey(packet, key);
  return key;
}

/** Places of the key, in hexadecimal. */
function places(packet: Uint8Array, ...wanted: [keyof typeof KEY, number][]): string[] {
  const key = extracted(packet);
  return wanted.map(([place, bytes]) => toHex(key.subarray(KEY[place], KEY[place] + bytes)));
}

// What ovs-ofctl does not print is checked here; the rest by test/extract-ofctl.test.ts.
describe('extraction', () => {
  it('fills TPID and TCI of two tags and leaves a third to be the Ethertype', () => {
    const vlans = [
      { tpid: 0x88a8, vid: 5, pcp: 7 },
      { tpid: 0x8100, vid: 6 },
    ];
    const packet = ethernet({ ...HOSTS, vlans }, ipv4(IPS, udp({ src: 1, dst: 2 })));
    expect(places(packet, ['vlanTpid', 4], ['innerVlanTpid', 4], ['ethType', 2])).toEqual([
      '88a8f005',
      '81001006',
      '0800',
    ]);
    const three = ethernet({ ...HOSTS, vlans: [...vlans, { vid: 7 }] }, ipv4(IPS, udp({ src: 1, dst: 2 })));
    expect(places(three, ['innerVlanTci', 2], ['ethType', 2], ['ipProto', 1])).toEqual(['1006', '8100', '00']);
  });

  it('reads label stack entries up to the bottom, three at most', () => {
    const labels = [16, 17, 18, 19].map((label) => ({ label, ttl: label }));
    const stack = (count: number) => ethernet(HOSTS, mpls(labels.slice(4 - count), new Uint8Array(8).fill(0xee)));
    expect(places(stack(4), ['mplsLse', 12])).toEqual(['000100100001101100012012']);
    expect(places(stack(2), ['mplsLse', 12])).toEqual(['000120120001311300000000']);
  });

  it('puts what it knows of neighbour discovery where ARP has its own', () => {
    const options = [
      { type: 2, mac: '02:00:00:00:00:0b' },
      { type: 1, mac: '02:00:00:00:00:0a' },
    ];
    const nd = icmpv6({ type: 136, rest: 0xe0000000 }, neighbourDiscovery('fe80::9', options));
    const packet = ethernet(HOSTS, ipv6(IP6S, nd));
    expect(
      places(packet, ['arpSha', 6], ['arpTha', 6], ['ndReserved', 4], ['tcpFlags', 2], ['l4Src', 4], ['ndTarget', 16]),
    ).toEqual(['02000000000a', '02000000000b', 'e0000000', '0002', '00880000', 'fe800000000000000000000000000009']);
  });

  it('reads ARP, and opcodes that fit a byte only', () => {
    const fields = { sha: HOSTS.src, spa: IPS.src, tha: HOSTS.dst, tpa: IPS.dst };
    const request = ethernet(HOSTS, arp({ ...fields, opcode: 1 }));
    expect(places(request, ['ipProto', 1], ['ipSrc', 8], ['arpSha', 12])).toEqual([
      '01',
      '0a0000010a000002',
      '020000000001020000000002',
    ]);
    expect(places(ethernet(HOSTS, arp({ ...fields, opcode: 257 })), ['ipProto', 1])).toEqual(['00']);
  });

  it('finds ports in the first fragment only', () => {
    const inner = tcp({ src: 0x1234, dst: 0x5678 });
    const v4 = (fragmentOffset: number) =>
      places(
        ethernet(HOSTS, ipv4({ ...IPS, moreFragments: true, fragmentOffset }, inner)),
        ['ipFrag', 1],
        ['l4Src', 4],
      );
    const v6 = (offset: number) =>
      places(
        ethernet(HOSTS, ipv6({ ...IP6S, extensions: [fragmentExtension(offset, true, 1)] }, inner)),
        ['ipFrag', 1],
        ['l4Src', 4],
      );
    expect([v4(0), v6(0)]).toEqual([
      ['01', '12345678'],
      ['01', '12345678'],
    ]);
    expect([v4(1), v6(1)]).toEqual([
      ['03', '00000000'],
      ['03', '00000000'],
    ]);
  });

  it('reads no byte outside the packet, writes none outside its region, and needs no clean key', () => {
    const packets = fc.oneof(
      wellFormedPacket,
      fc.tuple(wellFormedPacket, mutation).map(([p, mutate]) => mutate(p)),
    );
    fc.assert(
      fc.property(packets, fc.nat(20), fc.nat(255), (packet, margin, fill) => {
        const clean = extracted(packet);
        const around = new Uint8Array(packet.length + 2 * margin).fill(fill);
        around.set(packet, margin);
        const key = newKey().fill(fill);
        extractKey(around, key, margin, margin + packet.length);
        expect(key.subarray(KEY.ethDst, KEY_PACKET_BYTES)).toEqual(clean.subarray(KEY.ethDst, KEY_PACKET_BYTES));
        expect(key.subarray(0, KEY.ethDst).every((byte) => byte === fill)).toBe(true);
        expect(key.subarray(KEY_PACKET_BYTES).every((byte) => byte === fill)).toBe(true);
      }),
      { numRuns: runs(10_000) },
    );
  });
});
