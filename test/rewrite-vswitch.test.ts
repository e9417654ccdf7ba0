import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../src/bytes/index.ts';
import {
  decMplsTtl,
  decTtl,
  extractKey,
  field,
  isMplsType,
  isVlanType,
  KEY,
  mplsLseToPush,
  ND,
  newKey,
  PacketLayout,
  popMpls,
  popVlan,
  pushMpls,
  pushVlan,
  setField,
} from '../src/packet/index.ts';
import { DummyVswitch, PACKETS_PER_BATCH, vswitchMissing } from './support/dummy-vswitch.ts';
import { packetFor } from './support/packet-arbitrary.ts';

const missing = vswitchMissing();
const PACKETS_PER_CASE = 150;

/** The packet as it leaves, `undefined` if it does not. */
type Rewrite = (packet: Uint8Array) => Uint8Array | undefined;
type Change = (packet: Uint8Array) => Uint8Array;

interface Case {
  /** The prerequisite that draws packets which mostly have the header. */
  readonly draw: keyof typeof packetFor;
  readonly match: string;
  readonly actions: string;
  readonly ours: Rewrite;
  /** OpenFlow13 unless said otherwise; in that, ovs-ofctl turns mod_vlan_vid into push_vlan and set_field. */
  readonly version?: string;
}

const set =
  (name: string, ...bytes: number[]): Change =>
  (packet) =>
    setField(packet, field(name), Uint8Array.from(bytes));
const masked =
  (name: string, value: number[], mask: number[]): Change =>
  (packet) =>
    setField(packet, field(name), Uint8Array.from(value), Uint8Array.from(mask));
const keyOf = (packet: Uint8Array): Uint8Array => {
  const key = newKey();
  extractKey(packet, key);
  return key;
};
const countedDown: Rewrite = (packet) => (decTtl(packet) ? packet : undefined);
const mplsCountedDown: Rewrite = (packet) => (decMplsTtl(packet) ? packet : undefined);
const ip6 = Array.from({ length: 16 }, (_, i) => (i < 2 ? 0xfd : i));
const ip6Text = 'fdfd:203:405:607:809:a0b:c0d:e0f';
const mac = [10, 11, 12, 13, 14, 15];
const macText = '0a:0b:0c:0d:0e:0f';

const NAMES: Record<string, [ethType: number, ipProto?: number]> = {
  ip: [0x0800],
  icmp: [0x0800, 1],
  tcp: [0x0800, 6],
  udp: [0x0800, 17],
  sctp: [0x0800, 132],
  ipv6: [0x86dd],
  tcp6: [0x86dd, 6],
  udp6: [0x86dd, 17],
  icmp6: [0x86dd, 58],
  sctp6: [0x86dd, 132],
  arp: [0x0806],
  mpls: [0x8847],
};

/** As much of the syntax of matches as the cases use. */
function matches(text: string, key: Uint8Array): boolean {
  const view = new DataView(key.buffer);
  return text.split(',').every((part) => {
    const [name, value] = part.split('=');
    switch (name) {
      case '':
        return true;
      case 'vlan_tci':
        return (view.getUint16(KEY.vlanTci) !== 0) === (value !== '0');
      case 'nw_ttl':
        return key[KEY.ipTtl] === Number(value);
      case 'icmp_type':
        // Fragments have no ports and types, as far as flow tables are concerned.
        return (key[KEY.ipFrag] === 0 ? key[KEY.l4Src + 1] : 0) === Number(value);
      case 'icmp_code':
        return key[KEY.l4Dst + 1] === Number(value);
      case 'mpls_bos':
        return ((key[KEY.mplsLse + 2] & 1) !== 0) === (value === '1');
      case 'mpls_ttl':
        return key[KEY.mplsLse + 3] === Number(value);
      default: {
        const [ethType, ipProto] = NAMES[name];
        return view.getUint16(KEY.ethType) === ethType && (ipProto === undefined || key[KEY.ipProto] === ipProto);
      }
    }
  });
}

const cases: Case[] = [
  { draw: 'none', match: '', actions: `set_field:${macText}->eth_src`, ours: set('eth_src', ...mac) },
  {
    draw: 'none',
    match: '',
    actions: 'set_field:01:00:00:00:00:00/01:00:00:00:00:00->eth_dst',
    ours: masked('eth_dst', [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]),
  },
  { draw: 'ipv4', match: 'ip', actions: 'set_field:1.2.3.4->ip_src', ours: set('ip_src', 1, 2, 3, 4) },
  { draw: 'ipv4', match: 'ip', actions: 'set_field:255.255.3.4->ip_dst', ours: set('ip_dst', 255, 255, 3, 4) },
  { draw: 'ipv4', match: 'ip', actions: 'set_field:3->nw_ecn', ours: set('nw_ecn', 3) },
  { draw: 'ipv4', match: 'ip', actions: 'set_field:46->ip_dscp', ours: set('ip_dscp', 46) },
  { draw: 'ipv4', match: 'ip', actions: 'set_field:200->nw_ttl', ours: set('nw_ttl', 200) },
  { draw: 'ipv6', match: 'ipv6', actions: `set_field:${ip6Text}->ipv6_src`, ours: set('ipv6_src', ...ip6) },
  { draw: 'ipv6', match: 'ipv6', actions: `set_field:${ip6Text}->ipv6_dst`, ours: set('ipv6_dst', ...ip6) },
  { draw: 'ipv6', match: 'ipv6', actions: 'set_field:0x54321->ipv6_label', ours: set('ipv6_label', 0, 5, 0x43, 0x21) },
  { draw: 'ipv6', match: 'ipv6', actions: 'set_field:1->nw_ecn', ours: set('nw_ecn', 1) },
  { draw: 'ipv6', match: 'ipv6', actions: 'set_field:7->nw_ttl', ours: set('nw_ttl', 7) },
  { draw: 'ip', match: 'ip', actions: 'dec_ttl', ours: countedDown },
  { draw: 'tcp', match: 'tcp', actions: 'set_field:4660->tcp_src', ours: set('tcp_src', 0x12, 0x34) },
  { draw: 'tcp', match: 'tcp6', actions: 'set_field:0->tcp_dst', ours: set('tcp_dst', 0, 0) },
  { draw: 'udp', match: 'udp', actions: 'set_field:4660->udp_src', ours: set('udp_src', 0x12, 0x34) },
  { draw: 'udp', match: 'udp6', actions: 'set_field:65535->udp_dst', ours: set('udp_dst', 255, 255) },
  { draw: 'sctp', match: 'sctp', actions: 'set_field:4660->sctp_src', ours: set('sctp_src', 0x12, 0x34) },
  { draw: 'sctp', match: 'sctp6', actions: 'set_field:1->sctp_dst', ours: set('sctp_dst', 0, 1) },
  { draw: 'icmpv4', match: 'icmp', actions: 'set_field:11->icmp_type', ours: set('icmp_type', 11) },
  { draw: 'icmpv6', match: 'icmp6', actions: 'set_field:9->icmpv6_code', ours: set('icmpv6_code', 9) },
  {
    draw: 'ndSolicit',
    match: 'icmp6,icmp_type=135,icmp_code=0',
    actions: `set_field:${ip6Text}->nd_target,set_field:${macText}->nd_sll`,
    ours: (p) => set('nd_sll', ...mac)(set('nd_target', ...ip6)(p)),
  },
  {
    draw: 'ndAdvert',
    match: 'icmp6,icmp_type=136,icmp_code=0',
    actions: `set_field:${macText}->nd_tll`,
    ours: set('nd_tll', ...mac),
  },
  {
    draw: 'arp',
    match: 'arp',
    actions: `set_field:2->arp_op,set_field:1.2.3.4->arp_spa,set_field:${macText}->arp_tha`,
    ours: (p) => set('arp_tha', ...mac)(set('arp_spa', 1, 2, 3, 4)(set('arp_op', 0, 2)(p))),
  },
  { draw: 'none', match: '', actions: 'mod_vlan_vid:42', version: 'OpenFlow10', ours: set('dl_vlan', 0, 42) },
  { draw: 'none', match: '', actions: 'mod_vlan_pcp:5', version: 'OpenFlow10', ours: set('dl_vlan_pcp', 5) },
  { draw: 'none', match: '', actions: 'push_vlan:0x8100', ours: (p) => pushVlan(p, 0x8100, 0) },
  {
    draw: 'none',
    match: 'vlan_tci=0',
    actions: 'push_vlan:0x88a8,set_field:4196->vlan_vid',
    ours: (p) => set('vlan_vid', 0x10, 100)(pushVlan(p, 0x88a8, 0)),
  },
  { draw: 'vlan', match: 'vlan_tci=0x1000/0x1000', actions: 'pop_vlan', ours: popVlan },
  {
    draw: 'ip',
    match: 'ip',
    actions: 'push_mpls:0x8847',
    ours: (p) => pushMpls(p, 0x8847, mplsLseToPush(keyOf(p))),
  },
  {
    draw: 'ip',
    match: 'ipv6',
    actions: 'push_mpls:0x8848,set_field:77->mpls_label',
    ours: (p) => set('mpls_label', 0, 0, 0, 77)(pushMpls(p, 0x8848, mplsLseToPush(keyOf(p)))),
  },
  {
    draw: 'mpls',
    match: 'mpls',
    actions: 'push_mpls:0x8847',
    ours: (p) => pushMpls(p, 0x8847, mplsLseToPush(keyOf(p))),
  },
  { draw: 'mpls', match: 'mpls,mpls_bos=0', actions: 'pop_mpls:0x8847', ours: (p) => popMpls(p, 0x8847) },
  { draw: 'mpls', match: 'mpls,mpls_bos=1', actions: 'pop_mpls:0x0800', ours: (p) => popMpls(p, 0x0800) },
  {
    draw: 'mpls',
    match: 'mpls',
    actions: 'set_field:9->mpls_label,set_field:3->mpls_tc,set_mpls_ttl:9',
    ours: (p) => set('mpls_ttl', 9)(set('mpls_tc', 3)(set('mpls_label', 0, 0, 0, 9)(p))),
  },
  { draw: 'mpls', match: 'mpls', actions: 'dec_mpls_ttl', ours: mplsCountedDown },
];

/**
 * Where we differ on purpose. Open vSwitch
 * - clears the drop eligible indicator of every tag when any tag changes;
 * - forgets the second tag of a packet when it pushes a third;
 * - drops packets of more than three label stack entries when one is pushed or popped;
 * - sets only the first link-layer address option, whichever it is;
 * - writes transport headers and checksums into later IPv4 fragments, where there is payload;
 * - forgets the checksum behind an IPv6 fragment header, so that the packet is broken when it has been put together again,
 *   and behind a routing header also when the source changes.
 */
function isComparable(packet: Uint8Array, actions: string): boolean {
  const layout = new PacketLayout();
  layout.locate(packet, 0, packet.length);
  for (let i = 0; i < 3; i++) {
    const at = 12 + 4 * i;
    if (isVlanType((packet[at] << 8) | packet[at + 1]) && packet[at + 2] & 0x10) return false;
  }
  if (actions.startsWith('push_vlan')) return layout.vlanTags < 2;
  if (isMplsType(layout.ethType)) return [2, 6].some((at) => packet[layout.l3 + at] & 1);
  if (/nd_[st]ll/.test(actions)) return layout.l4End - layout.l4 <= ND.options + ND.optionUnitBytes;
  if (actions.includes('ipv6_')) return !layout.isSourceRouted && !hasFragmentHeader(packet, layout.l3);
  return layout.frag === 0 || !/ip_src|ip_dst|icmp_type/.test(actions);
}

function hasFragmentHeader(packet: Uint8Array, ipAt: number): boolean {
  let next = packet[ipAt + 6];
  for (let at = ipAt + 40; [0, 43, 51, 60].includes(next); ) {
    const length = packet[at + 1];
    const bytes = next === 51 ? 4 * (length + 2) : 8 * (length + 1);
    next = packet[at];
    at += bytes;
  }
  return next === 44;
}

describe.skipIf(missing !== undefined)(`rewriting, with Open vSwitch as judge${missing ? ` (${missing})` : ''}`, () => {
  let vswitch: DummyVswitch;
  beforeAll(() => {
    vswitch = new DummyVswitch();
  });
  afterAll(() => vswitch?.stop());

  it.each(cases)('$match $actions', async ({ draw, match, actions, ours, version }) => {
    vswitch.setFlows(version ?? 'OpenFlow13', [
      `priority=2,in_port=1,${match},actions=${actions},output:2`,
      'priority=1,in_port=1,actions=output:2',
    ]);
    const drawn = fc.sample(packetFor[draw], { numRuns: PACKETS_PER_CASE, seed: 33 });
    const packets = drawn.filter((packet) => isComparable(packet, actions));
    let changed = 0;
    for (let from = 0; from < packets.length; from += PACKETS_PER_BATCH) {
      const batch = packets.slice(from, from + PACKETS_PER_BATCH);
      const outcomes = batch.map((packet) => (matches(match, keyOf(packet)) ? ours(packet.slice()) : packet));
      const left = batch.filter((_, i) => outcomes[i] !== undefined);
      const results = outcomes.filter((packet) => packet !== undefined);
      const theirs = await vswitch.forward(batch, results.length);
      const tell = (packet: Uint8Array, i: number) => `${toHex(packet)} <- ${i < left.length ? toHex(left[i]) : '?'}`;
      expect(results.map(tell)).toEqual(theirs.map(tell));
      changed += results.filter((packet, i) => toHex(packet) !== toHex(left[i])).length;
    }
    expect(changed).toBeGreaterThan(2);
  });
});
