import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutation } from '../../test/support/mutation.ts';
import { wellFormedPacket } from '../../test/support/packet-arbitrary.ts';
import { runs } from '../../test/support/property-runs.ts';
import { toHex } from '../bytes/index.ts';
import { ethernet, ipv4, ipv6, mpls, rawPayload, tcp } from './build.ts';
import { checksumsVerify } from './checksum.ts';
import { extractKey } from './extract.ts';
import { KEY, newKey } from './key.ts';
import { PacketLayout } from './layout.ts';
import { popMpls, popVlan, pushMpls, pushVlan } from './resize.ts';
import { decMplsTtl, decTtl } from './ttl.ts';

const HOSTS = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const ip = (ttl: number) => ipv4({ src: '10.0.0.1', dst: '10.0.0.2', ttl }, tcp({ src: 1, dst: 2 }));
const any = fc.oneof(
  wellFormedPacket,
  fc.tuple(wellFormedPacket, mutation).map(([p, mutate]) => mutate(p)),
);

function keyOf(packet: Uint8Array): Uint8Array {
  const key = newKey();
  extractKey(packet, key);
  return key;
}

function verifies(packet: Uint8Array): boolean {
  const layout = new PacketLayout();
  layout.locate(packet, 0, packet.length);
  return checksumsVerify(packet, layout);
}

describe('VLAN tags', () => {
  it('come off as they went on', () => {
    fc.assert(
      fc.property(any, fc.constantFrom(0x8100, 0x88a8), fc.nat(0xffff), (packet, tpid, tci) => {
        const tagged = pushVlan(packet, tpid, tci);
        if (packet.length < 14) expect(tagged).toBe(packet);
        else {
          expect(toHex(keyOf(tagged).subarray(KEY.vlanTpid, KEY.vlanTpid + 4))).toBe(
            toHex(Uint8Array.of(tpid >> 8, tpid, (tci >> 8) | 0x10, tci)),
          );
          expect(toHex(popVlan(tagged))).toBe(toHex(packet));
        }
      }),
      { numRuns: runs(2000) },
    );
  });

  it('are the ones of the builder', () => {
    expect(toHex(pushVlan(ethernet(HOSTS, ip(9)), 0x88a8, 0x7005))).toBe(
      toHex(ethernet({ ...HOSTS, vlans: [{ tpid: 0x88a8, vid: 5, pcp: 3 }] }, ip(9))),
    );
  });
});

describe('MPLS labels', () => {
  it('come off as they went on, behind the VLAN tags', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 0, max: 0xffffffff }), (packet, lse) => {
        const key = keyOf(packet);
        const below = (key[KEY.ethType] << 8) | key[KEY.ethType + 1];
        const pushed = pushMpls(packet, 0x8847, lse);
        if (packet.length < 14) expect(pushed).toBe(packet);
        // A frame with a length instead of an Ethertype gets one, which does not come back.
        else if (below !== 0x05ff) {
          expect(toHex(popMpls(pushed, below))).toBe(toHex(packet));
          const view = new DataView(keyOf(pushed).buffer);
          expect([view.getUint16(KEY.ethType), view.getUint32(KEY.mplsLse)]).toEqual([0x8847, lse]);
          expect(view.getUint32(KEY.vlanTci)).toBe(new DataView(key.buffer).getUint32(KEY.vlanTci));
        }
      }),
      { numRuns: runs(2000) },
    );
  });

  it('are the ones of the builder', () => {
    const inner = ip(9);
    const labels = [
      { label: 77, tc: 1, ttl: 3 },
      { label: 78, tc: 2, ttl: 4 },
    ];
    const one = pushMpls(ethernet(HOSTS, inner), 0x8848, 0x0004e504);
    const two = pushMpls(one, 0x8847, 0x0004d203);
    expect(toHex(two)).toBe(toHex(ethernet(HOSTS, mpls(labels, inner.bytes))));
    expect(toHex(popMpls(popMpls(two, 0x8848), 0x0800))).toBe(toHex(ethernet(HOSTS, inner)));
  });

  it('are pushed with MPLS Ethertypes and popped from MPLS packets only', () => {
    const packet = ethernet(HOSTS, ip(9));
    expect(pushMpls(packet, 0x0800, 0)).toBe(packet);
    expect(popMpls(packet, 0x0800)).toBe(packet);
    const empty = ethernet(HOSTS, rawPayload(0x8847, Uint8Array.of(1, 2, 3)));
    expect(popMpls(empty, 0x0800)).toBe(empty);
    expect(popVlan(packet)).toBe(packet);
  });
});

describe('TTL', () => {
  it.each([0, 1, 2, 64, 255])('%i is counted down with the checksum, or refused', (ttl) => {
    const packets = [
      ethernet(HOSTS, ip(ttl)),
      ethernet(HOSTS, ipv6({ src: 'fe80::1', dst: 'fe80::2', hopLimit: ttl }, tcp({ src: 1, dst: 2 }))),
    ];
    for (const packet of packets) {
      const before = packet.slice();
      expect(decTtl(packet)).toBe(ttl > 1);
      if (ttl > 1) {
        expect(keyOf(packet)[KEY.ipTtl]).toBe(ttl - 1);
        expect(verifies(packet)).toBe(true);
      } else expect(packet).toEqual(before);
    }
    const labelled = ethernet(HOSTS, mpls([{ label: 1, ttl }], ip(9).bytes));
    expect(decMplsTtl(labelled)).toBe(ttl > 1);
    expect(keyOf(labelled)[KEY.mplsLse + 3]).toBe(ttl > 1 ? ttl - 1 : ttl);
  });

  it('of a packet without one is no obstacle, of a malformed header it is', () => {
    const arp = ethernet(HOSTS, rawPayload(0x0806, new Uint8Array(28)));
    expect([decTtl(arp), decMplsTtl(arp)]).toEqual([true, true]);
    const broken = ethernet(HOSTS, ip(9)).subarray(0, 30);
    expect(decTtl(broken)).toBe(false);
  });

  it('keeps every checksum right, all the way down', () => {
    const packet = ethernet(HOSTS, ip(255));
    while (decTtl(packet)) expect(verifies(packet)).toBe(true);
    expect(keyOf(packet)[KEY.ipTtl]).toBe(1);
  });
});
