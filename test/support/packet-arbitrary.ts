import fc from 'fast-check';
import * as build from '../../src/packet/index.ts';

// Well-formed packets of every kind that the key knows, with their odd but legal variants: few values, so that equal
// addresses and colliding options happen.

const mac = fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01');
const ip4 = fc.constantFrom('10.0.0.1', '10.0.0.2', '192.168.255.254', '224.0.0.1', '0.0.0.0');
const ip6 = fc.constantFrom('fe80::1', '2001:db8::ffff:1', 'ff02::1', '::');
const u8 = fc.nat(0xff);
const u16 = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xffff, 80));
const payload = fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 40 }));
const tag = fc.record({
  tpid: fc.constantFrom(0x8100, 0x88a8),
  vid: fc.nat(4095),
  pcp: fc.nat(7),
  cfi: fc.constantFrom(0, 1),
});
const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const ports = fc.record({ src: u16, dst: u16 });
const tcp = fc
  .record({
    src: u16,
    dst: u16,
    seq: fc.nat(),
    flags: fc.nat(0xfff),
    options: sometimes(fc.uint8Array({ maxLength: 40 })),
    payload,
  })
  .map((f) => build.tcp(f, f.payload));
const udp = fc.tuple(ports, payload).map(([f, data]) => build.udp(f, data));
const sctp = fc.tuple(ports, payload).map(([f, data]) => build.sctp(f, data));
const icmpFields = fc.record({ type: u8, code: fc.oneof(fc.constant(0), u8), rest: fc.nat() });
const icmp = fc.tuple(icmpFields, payload).map(([f, data]) => build.icmp(f, data));
const igmp = fc.tuple(icmpFields, payload).map(([f, data]) => build.igmp(f, data));
const icmpv6 = fc.tuple(icmpFields, payload).map(([f, data]) => build.icmpv6(f, data));
const neighbourDiscovery = fc
  .record({
    type: fc.constantFrom(135, 136),
    rest: fc.nat(),
    target: ip6,
    options: fc.array(fc.record({ type: fc.integer({ min: 1, max: 3 }), mac }), { maxLength: 3 }),
  })
  .map((f) => build.icmpv6(f, build.neighbourDiscovery(f.target, f.options)));
const other = fc.tuple(fc.constantFrom(2, 4, 47, 59, 89, 255), payload).map(([p, data]) => build.rawTransport(p, data));

const transport = fc.oneof(tcp, udp, sctp, icmp, igmp, icmpv6, neighbourDiscovery, other);

const extension = fc.oneof(
  fc
    .record({ header: fc.constantFrom(0, 43, 60), words: fc.nat(2), third: fc.nat(4), left: fc.nat(2) })
    .map(({ header, words, third, left }) => {
      const bytes = new Uint8Array(8 * (words + 1));
      bytes.set([0, words, third, left]);
      return { header, bytes };
    }),
  fc.nat(3).map((words) => {
    const bytes = new Uint8Array(4 * (words + 2));
    bytes[1] = words;
    return { header: 51, bytes };
  }),
  fc
    .record({ offset: fc.constantFrom(0, 0, 0, 1, 8191), more: fc.boolean(), id: fc.nat() })
    .map((f) => build.fragmentExtension(f.offset, f.more, f.id)),
);

const ipv4Over = (inner: fc.Arbitrary<build.TransportPacket>) =>
  fc
    .record({
      src: ip4,
      dst: ip4,
      ttl: u8,
      tos: u8,
      id: u16,
      dontFragment: fc.boolean(),
      moreFragments: fc.constantFrom(false, false, true),
      fragmentOffset: fc.constantFrom(0, 0, 0, 1, 8191),
      options: sometimes(fc.uint8Array({ maxLength: 40 })),
      payload: inner,
    })
    .map((f) => build.ipv4(f, f.payload));

const ipv6Over = (inner: fc.Arbitrary<build.TransportPacket>) =>
  fc
    .record({
      src: ip6,
      dst: ip6,
      hopLimit: u8,
      trafficClass: u8,
      label: fc.nat(0xfffff),
      extensions: fc.oneof(fc.constant([]), fc.array(extension, { maxLength: 3 })),
      payload: inner,
    })
    .map((f) => build.ipv6(f, f.payload));

const ipv4 = ipv4Over(transport);
const ipv6 = ipv6Over(transport);

const arp = fc
  .record({
    opcode: fc.constantFrom(1, 2, 3, 255, 256, 0x101),
    sha: mac,
    spa: ip4,
    tha: mac,
    tpa: ip4,
    ethType: fc.constantFrom(0x0806, 0x8035),
  })
  .map(build.arp);

const mpls = fc
  .record({
    labels: fc.array(fc.record({ label: fc.nat(0xfffff), tc: fc.nat(7), ttl: u8 }), { minLength: 1, maxLength: 5 }),
    ethType: fc.constantFrom(0x8847, 0x8848),
    payload,
  })
  .map((f) => build.mpls(f.labels, f.payload, f.ethType));

const nsh = fc
  .record({
    version: fc.constantFrom(0, 0, 0, 1),
    flags: fc.nat(3),
    ttl: fc.nat(63),
    words: fc.constantFrom(6, 2, 6, 0, 1, 3, 15),
    type: fc.constantFrom(1, 1, 2, 0, 3, 0x11),
    np: u8,
    rest: fc.uint8Array({ minLength: 4, maxLength: 40 }),
  })
  .map(({ version, flags, ttl, words, type, np, rest }) => {
    const word = (version << 14) | (flags << 12) | (ttl << 6) | words;
    return build.rawPayload(0x894f, Uint8Array.of(word >> 8, word, type, np, ...rest));
  });

const llc = fc
  .record({
    head: fc.constantFrom([0xaa, 0xaa, 3, 0, 0, 0], [0xaa, 0xaa, 3, 0, 0, 1], [0x42, 0x42, 3, 0, 0, 0]),
    inner: ipv4,
  })
  .map(({ head, inner }) =>
    build.rawPayload(8 + inner.bytes.length, Uint8Array.of(...head, inner.ethType >> 8, inner.ethType, ...inner.bytes)),
  );

const unknown = fc.tuple(u16, payload).map(([ethType, data]) => build.rawPayload(ethType, data));

const network = fc.oneof({ weight: 5, arbitrary: ipv4 }, { weight: 5, arbitrary: ipv6 }, arp, mpls, nsh, llc, unknown);

/** An Ethernet packet with at most three VLAN tags; some padded, some with a frame check sequence's worth of rubbish. */
function frameOf(inner: fc.Arbitrary<build.NetworkPacket>): fc.Arbitrary<Uint8Array> {
  return fc
    .record({
      dst: mac,
      src: mac,
      vlans: fc.oneof(fc.constant([]), fc.array(tag, { maxLength: 3 })),
      network: inner,
      padding: payload,
    })
    .map(({ network: packet, padding, ...fields }) => {
      const frame = build.ethernet(fields, packet);
      const padded = new Uint8Array(frame.length + padding.length);
      padded.set(frame);
      padded.set(padding, frame.length);
      return padded;
    });
}

export const wellFormedPacket = frameOf(network);

const wholeNsh = fc
  .record({ flags: fc.nat(3), ttl: fc.nat(63), np: u8, rest: fc.uint8Array({ minLength: 20, maxLength: 30 }) })
  .map(({ flags, ttl, np, rest }) => {
    const word = (flags << 12) | (ttl << 6) | 6;
    return build.rawPayload(0x894f, Uint8Array.of(word >> 8, word, 1, np, ...rest));
  });

/** Packets that mostly have the header a field belongs to, by the field's prerequisite. */
export const packetFor: Readonly<Record<build.Prerequisite, fc.Arbitrary<Uint8Array>>> = {
  none: wellFormedPacket,
  ethernet: wellFormedPacket,
  vlan: wellFormedPacket,
  mpls: frameOf(mpls),
  arp: frameOf(arp),
  ipv4: frameOf(ipv4),
  ipv6: frameOf(ipv6),
  ip: frameOf(fc.oneof(ipv4, ipv6)),
  nsh: frameOf(wholeNsh),
  ct: wellFormedPacket,
  ctIpv4: wellFormedPacket,
  ctIpv6: wellFormedPacket,
  ctL4: wellFormedPacket,
  tcp: frameOf(fc.oneof(ipv4Over(tcp), ipv6Over(tcp))),
  udp: frameOf(fc.oneof(ipv4Over(udp), ipv6Over(udp))),
  sctp: frameOf(fc.oneof(ipv4Over(sctp), ipv6Over(sctp))),
  icmpv4: frameOf(ipv4Over(icmp)),
  icmpv6: frameOf(ipv6Over(icmpv6)),
  nd: frameOf(ipv6Over(neighbourDiscovery)),
  ndSolicit: frameOf(ipv6Over(neighbourDiscovery)),
  ndAdvert: frameOf(ipv6Over(neighbourDiscovery)),
};
