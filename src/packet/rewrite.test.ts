import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutation } from '../../test/support/mutation.ts';
import { packetFor, wellFormedPacket } from '../../test/support/packet-arbitrary.ts';
import { runs } from '../../test/support/property-runs.ts';
import { toHex } from '../bytes/index.ts';
import {
  arp,
  ethernet,
  icmpv6,
  ipv4,
  ipv6,
  neighbourDiscovery,
  rawPayload,
  sctp,
  type TransportPacket,
  tcp,
  udp,
} from './build.ts';
import { checksumsVerify } from './checksum.ts';
import { extractKey } from './extract.ts';
import type { Field } from './field.ts';
import { FIELDS, field } from './fields.ts';
import { FRAG_LATER, KEY, KEY_PACKET_BYTES, newKey } from './key.ts';
import { PacketLayout } from './layout.ts';
import { prerequisiteHolds } from './prerequisite.ts';
import { applyKey, setField } from './rewrite.ts';
import { allOnes, fieldValue, readField, valueToNumber, writeField } from './value.ts';

const HOSTS = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const IPS = { src: '10.0.0.1', dst: '10.0.0.2' };
const IP6S = { src: 'fe80::1', dst: 'fe80::2' };

const WRITABLE = FIELDS.filter((f) => f.origin === 'packet' && f.writable);

function keyOf(packet: Uint8Array): Uint8Array {
  const key = newKey();
  extractKey(packet, key);
  return key;
}

function layoutOf(packet: Uint8Array): PacketLayout {
  const layout = new PacketLayout();
  layout.locate(packet, 0, packet.length);
  return layout;
}

const verifies = (packet: Uint8Array): boolean => checksumsVerify(packet, layoutOf(packet));

function holds(f: Field, key: Uint8Array): boolean {
  const exact = (offset: number, bytes: number) => valueToNumber(key.subarray(offset, offset + bytes));
  const bits = (offset: number, bytes: number) => ({ value: exact(offset, bytes), mask: 2 ** (8 * bytes) - 1 });
  return prerequisiteHolds(f.prerequisite, { exact, bits });
}

/** Fields wider in a match than in the header. */
const HEADER_MASK: Record<string, number | undefined> = { nsh_flags: 0x03, nsh_ttl: 0x3f };

const valueFor = (f: Field): fc.Arbitrary<Uint8Array> =>
  fc
    .uint8Array({ minLength: f.bytes, maxLength: f.bytes })
    .map((random) => allOnes(f).map((ones, i) => ones & random[i] & (HEADER_MASK[f.name] ?? 0xff)));

const change = fc.constantFrom(...WRITABLE).chain((f) => fc.record({ f: fc.constant(f), value: valueFor(f) }));

/** Does the packet's header hold the field, as told without the code under test? */
function isThere(f: Field, packet: Uint8Array, key: Uint8Array): boolean {
  if (!holds(f, key)) return false;
  const isTransport = ['tcp', 'udp', 'sctp', 'icmpv4', 'icmpv6', 'nd', 'ndSolicit', 'ndAdvert'].includes(
    f.prerequisite,
  );
  if (isTransport && key[KEY.ipFrag] & FRAG_LATER) return false;
  if (isTransport && !layoutOf(packet).hasTransport) return false;
  if (f.name === 'nd_sll') return key.subarray(KEY.arpSha, KEY.arpSha + 6).some((b) => b !== 0);
  if (f.name === 'nd_tll') return key.subarray(KEY.arpTha, KEY.arpTha + 6).some((b) => b !== 0);
  if (f.name === 'nd_options_type') return key[KEY.tcpFlags + 1] !== 0;
  if (f.name === 'nd_target') return key.subarray(KEY.ndTarget, KEY.ndTarget + 16).some((b) => b !== 0);
  // Headers that are not whole, in an otherwise well-formed packet.
  if (f.prerequisite === 'arp') return key[KEY.ipProto] !== 0;
  if (f.prerequisite === 'nsh')
    return key[KEY.nshMdtype] === 1 || (key[KEY.nshMdtype] === 2 && f.place.offset < KEY.nshContext);
  return layoutOf(packet).hasEthernet;
}

/** A change of these changes what other fields mean, or which headers there are. */
const STRUCTURAL = /^(icmp|nd_options_type|dl_vlan|vlan_)/;

describe('setField', () => {
  it.each(WRITABLE.map((f) => [f.name, f] as const))(
    'gives the packet %s, nothing else, and right checksums',
    (_, f) => {
      let applied = 0;
      fc.assert(
        fc.property(fc.oneof(packetFor[f.prerequisite], wellFormedPacket), valueFor(f), (original, value) => {
          const before = keyOf(original);
          const result = setField(original.slice(), f, value);
          const after = keyOf(result);
          expect(verifies(result)).toBe(true);
          if (!isThere(f, original, before)) {
            if (!holds(f, before)) expect(result).toEqual(original);
            return;
          }
          applied++;
          const wanted = before.slice();
          writeField(f, wanted, value);
          if (!STRUCTURAL.test(f.name)) expect(toHex(after)).toBe(toHex(wanted));
          if (f.name === 'nd_options_type') return;
          const removesTag = f.name.startsWith('vlan_') && (wanted[KEY.vlanTci] & 0x10) === 0;
          if (!removesTag) expect(toHex(readField(f, after))).toBe(toHex(readField(f, wanted)));
          else expect(result.length).toBe(original.length - (layoutOf(original).vlanTags > 0 ? 4 : 0));
        }),
        { numRuns: runs(300) },
      );
      expect(applied).toBeGreaterThan(0);
    },
  );

  it('changes only the bits of the mask', () => {
    fc.assert(
      fc.property(
        wellFormedPacket,
        change.filter(({ f }) => f.maskable && !STRUCTURAL.test(f.name)),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (original, { f, value }, random) => {
          const before = keyOf(original);
          fc.pre(isThere(f, original, before));
          const mask = allOnes(f).map((ones, i) => ones & random[i]);
          const result = setField(original.slice(), f, value, mask);
          const old = readField(f, before);
          expect(readField(f, keyOf(result))).toEqual(value.map((v, i) => (v & mask[i]) | (old[i] & ~mask[i])));
          expect(verifies(result)).toBe(true);
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  it('never throws and never touches what it may not, however damaged the packet', () => {
    const damaged = fc.tuple(wellFormedPacket, mutation).map(([packet, mutate]) => mutate(packet));
    fc.assert(
      fc.property(damaged, change, fc.nat(255), (packet, { f, value }, fill) => {
        const margin = 64;
        const around = new Uint8Array(packet.length + 2 * margin).fill(fill);
        around.set(packet, margin);
        const inside = around.subarray(margin, margin + packet.length);
        const result = setField(inside, f, value);
        expect(Math.abs(result.length - packet.length) % 4).toBe(0);
        expect(around.subarray(0, margin).every((b) => b === fill)).toBe(true);
        expect(around.subarray(margin + packet.length).every((b) => b === fill)).toBe(true);
        if (!holds(f, keyOf(packet))) expect(result).toEqual(packet);
      }),
      { numRuns: runs(5000) },
    );
  });

  const transports: [string, TransportPacket][] = [
    ['TCP', tcp({ src: 1, dst: 2 }, new Uint8Array(11).fill(7))],
    ['UDP', udp({ src: 1, dst: 2 }, new Uint8Array(11).fill(7))],
  ];
  it.each(transports)(
    'updates the %s checksum of a first fragment as that of the whole, and no later one',
    (_, inner) => {
      const whole = ethernet(HOSTS, ipv4(IPS, inner));
      const first = whole.slice();
      first[20] = 0x20;
      const later = whole.slice();
      later[21] = 1;
      const value = Uint8Array.of(192, 0, 2, 99);
      for (const packet of [whole, first, later]) setField(packet, field('ip_src'), value);
      expect(toHex(first.subarray(34))).toBe(toHex(whole.subarray(34)));
      const untouched = ethernet(HOSTS, ipv4(IPS, inner));
      expect(toHex(later.subarray(34))).toBe(toHex(untouched.subarray(34)));
    },
  );

  it('leaves a UDP checksum alone that says there is none', () => {
    const packet = ethernet(HOSTS, ipv4(IPS, udp({ src: 1, dst: 2 })));
    packet[40] = packet[41] = 0;
    setField(packet, field('ip_dst'), Uint8Array.of(1, 2, 3, 4));
    setField(packet, field('udp_dst'), Uint8Array.of(1, 2));
    expect(toHex(packet.subarray(34))).toBe('0001010200080000');
  });

  it('writes a UDP checksum of zero as 0xffff', () => {
    const build = (port: number) => ethernet(HOSTS, ipv4(IPS, udp({ src: port, dst: 2 })));
    const plain = build(0);
    const port = (plain[40] << 8) | plain[41];
    const rewritten = setField(build(1), field('udp_src'), Uint8Array.of(port >> 8, port & 0xff));
    expect(toHex(rewritten)).toBe(toHex(build(port)));
    expect(toHex(rewritten.subarray(40, 42))).toBe('ffff');
  });

  it('leaves the checksum to the last destination of a routing header', () => {
    const routing = (left: number) => ({ header: 43, bytes: Uint8Array.of(0, 0, 4, left, 0, 0, 0, 0) });
    const build = (left: number) =>
      ethernet(HOSTS, ipv6({ ...IP6S, extensions: [routing(left)] }, tcp({ src: 1, dst: 2 })));
    const dst = new Uint8Array(16).fill(5);
    const checksum = (packet: Uint8Array) => toHex(packet.subarray(78, 80));
    expect(checksum(setField(build(1), field('ipv6_dst'), dst))).toBe(checksum(build(1)));
    expect(checksum(setField(build(0), field('ipv6_dst'), dst))).not.toBe(checksum(build(0)));
    expect(checksum(setField(build(1), field('ipv6_src'), dst))).not.toBe(checksum(build(1)));
  });

  it('keeps a wrong SCTP checksum wrong', () => {
    const packet = ethernet(HOSTS, ipv4(IPS, sctp({ src: 1, dst: 2 }, new Uint8Array(4))));
    packet[42] ^= 0x10;
    setField(packet, field('sctp_dst'), Uint8Array.of(0, 9));
    expect(verifies(packet)).toBe(false);
    packet[42] ^= 0x10;
    expect(verifies(packet)).toBe(true);
  });

  it('tags a packet without a tag, and takes the tag away with a TCI of zero', () => {
    const packet = ethernet(HOSTS, ipv4(IPS, tcp({ src: 1, dst: 2 })));
    const tagged = setField(packet, field('vlan_vid'), fieldValue(field('vlan_vid'), 0x1000 | 42));
    expect(toHex(tagged.subarray(12, 18))).toBe('8100002a0800');
    const prioritised = setField(tagged, field('vlan_pcp'), Uint8Array.of(5));
    expect(toHex(prioritised.subarray(12, 18))).toBe('8100a02a0800');
    expect(toHex(setField(prioritised, field('vlan_tci'), Uint8Array.of(0, 0)))).toBe(toHex(packet));
  });

  it('keeps the drop eligible indicator of a tag that it changes', () => {
    const packet = ethernet({ ...HOSTS, vlans: [{ vid: 1, cfi: 1 }] }, ipv4(IPS, tcp({ src: 1, dst: 2 })));
    setField(packet, field('vlan_vid'), fieldValue(field('vlan_vid'), 0x1000 | 2));
    expect(toHex(packet.subarray(12, 16))).toBe('81001002');
  });

  it('sets a whole opcode where only its low byte can be matched', () => {
    const packet = ethernet(HOSTS, arp({ opcode: 0x0101, sha: HOSTS.src, spa: IPS.src, tha: HOSTS.dst, tpa: IPS.dst }));
    setField(packet, field('arp_op'), Uint8Array.of(0, 2));
    expect(toHex(packet.subarray(20, 22))).toBe('0002');
  });

  it('cuts NSH flags and TTL to the bits that the header has', () => {
    const header = Uint8Array.of(0x0f, 0xc2, 2, 3, 0, 0, 1, 255);
    const packet = ethernet(HOSTS, rawPayload(0x894f, header));
    setField(packet, field('nsh_flags'), Uint8Array.of(0xfe));
    setField(packet, field('nsh_ttl'), Uint8Array.of(0xc1));
    expect(toHex(packet.subarray(14))).toBe('20420203000001ff');
  });

  it('leaves fields alone that are no part of packets', () => {
    const packet = ethernet(HOSTS, ipv4(IPS, tcp({ src: 1, dst: 2 })));
    const before = packet.slice();
    for (const name of ['reg0', 'metadata', 'tun_id', 'in_port_oxm'])
      setField(packet, field(name), allOnes(field(name)));
    expect(packet).toEqual(before);
  });
});

describe('applyKey', () => {
  it('carries out several changes at once', () => {
    const several = fc.array(
      change.filter(({ f }) => !STRUCTURAL.test(f.name)),
      { minLength: 2, maxLength: 5 },
    );
    fc.assert(
      fc.property(wellFormedPacket, several, (original, changes) => {
        const key = keyOf(original);
        let one: Uint8Array = original.slice();
        for (const { f, value } of changes) {
          if (!isThere(f, one, keyOf(one))) continue;
          one = setField(one, f, value);
          writeField(f, key, value);
        }
        const atOnce = applyKey(original.slice(), key);
        expect(toHex(keyOf(atOnce))).toBe(toHex(keyOf(one)));
        expect(verifies(atOnce)).toBe(true);
      }),
      { numRuns: runs(3000) },
    );
  });

  it('changes nothing for the key that a packet has', () => {
    fc.assert(
      fc.property(fc.tuple(wellFormedPacket, mutation), ([packet, mutate]) => {
        const damaged = mutate(packet);
        expect(applyKey(damaged.slice(), keyOf(damaged))).toEqual(damaged);
      }),
      { numRuns: runs(5000) },
    );
  });

  it('rewrites the link-layer addresses of neighbour discovery in the option that holds them', () => {
    const options = [
      { type: 3, mac: '02:00:00:00:00:0c' },
      { type: 2, mac: '02:00:00:00:00:0b' },
    ];
    const nd = icmpv6({ type: 136, rest: 0xe0000000 }, neighbourDiscovery('fe80::9', options));
    const packet = ethernet(HOSTS, ipv6(IP6S, nd));
    const key = keyOf(packet);
    key.fill(0xaa, KEY.arpTha, KEY.arpTha + 6);
    expect(toHex(applyKey(packet, key).subarray(packet.length - 6))).toBe('aaaaaaaaaaaa');
    expect(verifies(packet)).toBe(true);
    expect(keyOf(packet).subarray(0, KEY_PACKET_BYTES)).toEqual(key.subarray(0, KEY_PACKET_BYTES));
  });
});
