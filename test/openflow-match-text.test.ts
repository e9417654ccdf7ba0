import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFieldValue, formatMatch, parseFlow } from '../src/openflow/index.ts';
import {
  allOnes,
  FIELDS,
  type Field,
  field,
  fieldValue,
  MatchBuilder,
  type Prerequisite,
} from '../src/packet/index.ts';
import { hasOvsOfctl, ovsParseFlows } from './support/ovs-ofctl.ts';

/*
 * Differential test of match texts against Debian's ovs-ofctl: what we parse and print is what it prints. Known
 * differences, each on purpose:
 *
 * - a field without its prerequisite is an error here, while ovs-ofctl drops it and says so in its log;
 * - values with bits that the field does not have (nw_ecn=4, arp_op=256) are errors here, while ovs-ofctl cuts them;
 * - in_port=0xffffff00 and above are taken;
 * - tun_gtpu_flags and tun_gtpu_msgtype are printed with the names that can be parsed again;
 * - IPv6 masks may begin with a decimal digit;
 * - tun_erspan_* and nsh_c1 to nsh_c4 are printed whatever tun_erspan_ver and nsh_mdtype are;
 * - the mask of tun_gbp_flags is printed;
 * - a match on recirc_id or dp_hash does not add "eth".
 */

/** A text that satisfies each prerequisite. */
const PREREQUISITES: Record<Prerequisite, readonly string[]> = {
  none: [''],
  ethernet: [''],
  vlan: ['dl_vlan=5'],
  mpls: ['mpls', 'mplsm'],
  arp: ['arp', 'rarp'],
  ipv4: ['ip'],
  ipv6: ['ipv6'],
  ip: ['ip', 'ipv6'],
  nsh: ['dl_type=0x894f'],
  ct: ['ct_state=+trk+est'],
  ctIpv4: ['ct_state=+trk+new,ip'],
  ctIpv6: ['ct_state=+trk-inv,ipv6'],
  ctL4: ['ct_state=+trk+rel,ct_nw_proto=6'],
  tcp: ['tcp', 'tcp6'],
  udp: ['udp', 'udp6'],
  sctp: ['sctp', 'sctp6'],
  icmpv4: ['icmp'],
  icmpv6: ['icmp6'],
  nd: ['icmp6,icmp_type=135,icmp_code=0', 'icmp6,icmpv6_type=136,icmpv6_code=0'],
  ndSolicit: ['icmp6,icmpv6_type=135,icmpv6_code=0'],
  ndAdvert: ['icmp6,icmpv6_type=136,icmpv6_code=0'],
};

/** What ovs-ofctl has no text or no wire form for. */
const OURS_ONLY = ['filter_prog', 'tun_ttl', 'tun_tos', 'skb_priority'];
/** Printed by ovs-ofctl only together with others, or under other names. */
const PRINTED_OTHERWISE = /^tun_(erspan|gtpu|gbp_flags)|nsh_c|recirc_id|dp_hash/;

const compared = FIELDS.filter((f) => !OURS_ONLY.includes(f.name) && !PRINTED_OTHERWISE.test(f.name));

const bytesOf = (f: Field): fc.Arbitrary<Uint8Array> => {
  const ones = allOnes(f);
  return fc
    .uint8Array({ minLength: f.bytes, maxLength: f.bytes })
    .map((bytes) => bytes.map((byte, i) => byte & ones[i] & (f.special === 'tos' ? 0xfc : 0xff)));
};

/** A random text for a field: its value, perhaps masked, and a prerequisite that suits it. */
const fieldText = (f: Field): fc.Arbitrary<string> =>
  fc.record({ value: bytesOf(f), mask: bytesOf(f), masked: fc.boolean(), pre: fc.nat(9) }).map((random) => {
    const { value, masked } = random;
    const frag = f.form === 'frag';
    if (f.values) value[0] = f.values[value[0] % f.values.length];
    // ovs-ofctl leaves out ct_nw_proto=0.
    if (f.name === 'ct_nw_proto') value[0] |= 1;
    // Options of tunnels keep to 4 bytes: longer ones together exceed what ovs-ofctl can hold.
    const wide = f.special === 'tunMetadata' ? 120 : 0;
    const mask = masked && f.maskable && !frag ? random.mask.fill(0, 0, wide) : allOnes(f);
    if (wide > 0) value.fill(0, 0, wide);
    // A mask of zeros is no match, but for tunnel options: leave that to cases of its own.
    if (mask.every((byte) => byte === 0)) mask[mask.length - 1] = 1;
    // ovs-ofctl takes a mask that begins with a decimal digit for the length of a prefix.
    if (f.form === 'ipv6') mask[0] |= 0xf0;
    const text = frag
      ? ['no', 'yes', 'first', 'later', 'not_later'][value[0] % 5]
      : f.form === 'port'
        ? formatFieldValue(f, new Uint8Array(f.bytes).fill(value[f.bytes - 1] & 0x7f, f.bytes - 1))
        : formatFieldValue(
            f,
            value.map((byte, i) => byte & mask[i]),
            mask,
          );
    const before = PREREQUISITES[f.prerequisite];
    const prerequisite = before[random.pre % before.length];
    return [prerequisite, `${f.name}=${text}`].filter((part) => part !== '').join(',');
  });

const matchOf = (text: string): string => formatMatch(parseFlow(`${text},actions=drop`).match);
const ovsMatches = (texts: readonly string[]): string[] =>
  ovsParseFlows(
    texts.map((text) => `${text},actions=drop`),
    ['-F', 'nxm'],
  ).map((line) => line.replace(/ ?actions=drop$/, ''));

describe.skipIf(!hasOvsOfctl)('match texts, compared with ovs-ofctl (needs openvswitch-common)', () => {
  it('prints every field as it does, alone and masked', () => {
    const texts = compared.flatMap((f) => fc.sample(fieldText(f), { numRuns: 12, seed: 20 }));
    const theirs = ovsMatches(texts);
    const differences = texts.flatMap((text, i) => {
      const ours = matchOf(text);
      return ours === theirs[i] ? [] : [{ text, ours, theirs: theirs[i] }];
    });
    expect(differences.slice(0, 20)).toEqual([]);
  });

  it('prints random matches as it does', () => {
    const several = fc
      .uniqueArray(fc.constantFrom(...compared), { minLength: 2, maxLength: 7 })
      .chain((fields) => fc.tuple(...fields.map(fieldText)))
      .map((parts) => parts.join(','))
      // Fields of different protocols do not go together; those that do are what is compared.
      .filter((text) => {
        try {
          matchOf(text);
          return true;
        } catch {
          return false;
        }
      });
    const texts = fc.sample(several, { numRuns: 2000, seed: 21 });
    const theirs = ovsMatches(texts);
    const differences = texts.flatMap((text, i) => {
      const ours = matchOf(text);
      return ours === theirs[i] ? [] : [{ text, ours, theirs: theirs[i] }];
    });
    expect(differences.slice(0, 20)).toEqual([]);
  });

  it('prints what can be parsed again, to the same match', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FIELDS.filter((f) => f.name !== 'recirc_id')).chain(fieldText), (text) => {
        const match = parseFlow(`${text},actions=drop`).match;
        const printed = formatMatch(match);
        expect(parseFlow(`${printed},actions=drop`).match.equals(match), `${text} → ${printed}`).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const cases = [
    'in_port=LOCAL',
    'in_port=any',
    'in_port=unset',
    'in_port=65534',
    'actset_output=unset',
    'reg0=010',
    'dl_vlan=0xffff',
    'dl_vlan=5',
    'dl_vlan_pcp=3',
    'dl_vlan=5,dl_vlan_pcp=3',
    'vlan_vid=0',
    'vlan_vid=5/7',
    'vlan_vid=0x1005',
    'vlan_vid=0x1005/0x1fff',
    'vlan_vid=0x1000/0x1000,vlan_pcp=3',
    'vlan_tci=0',
    'vlan_tci=0x1000/0x1000',
    'tcp,tcp_flags=+syn-ack',
    'tcp,tcp_flags=syn|ack',
    'tcp,tcp_flags=0x12/0x13',
    'tcp,tcp_flags=[200]',
    'tcp,tcp_flags=0',
    'ct_state=trk|new',
    'ct_state=0x21',
    'ct_state=0x21/0x23',
    'ct_state=+trk-new',
    'ct_state=0',
    'tun_flags=oam',
    'tun_flags=-oam',
    'tun_flags=0',
    'ip,nw_frag=NO',
    'dl_src=1:2:3:4:5:6',
    'dl_src=01:02:03:04:05:06/ff:ff:00:00:00:00',
    'ip,nw_src=1.2.3.4/24',
    'ip,nw_src=1.2.3.4/255.0.255.0',
    'ip,nw_src=01.2.3.4',
    'ipv6,ipv6_src=fe80::1/10',
    'ipv6,ipv6_src=fe80::1/ffff::1',
    'ip,nw_src=1.2.3.4/0',
    'reg0=5/0',
    'tun_id=0x5/0',
    'packet_type=(1,0x800)',
    'packet_type=(0,0)',
    'eth',
    'conj_id=5',
    'xxreg0=0x112233445566778899aabbccddeeff00',
    'reg0=1,xreg0=5',
    'ip,ip_dscp=3',
    'ip,nw_tos=3',
    'ip,nw_tos=12,nw_ecn=1',
    'ip,ip,tcp',
    'tcp,udp',
    'tp_src=5,tcp',
    ',,ip,,',
    'ip in_port=3',
    'in_port=3,in_port=4',
    'tun_metadata0',
    'tun_metadata0=0',
    'tun_metadata0=0x1234/0xff34',
    'tun_metadata0=5,tun_metadata1=0x12345678901234567890',
    'dl_type=0x05ff',
    'dl_type=0x88cc',
    'ip,nw_proto=2',
    'ip,nw_proto=2,nw_ttl=5',
    'ipv6,nw_proto=1',
    'icmp,icmp_type=3,icmp_code=0',
    'icmp,tp_src=8,tp_dst=0',
    'mpls,mpls_label=3,mpls_tc=2,mpls_bos=1,mpls_ttl=4',
    'arp,arp_op=1,nw_src=1.2.3.4',
    'icmp6,icmp_type=135',
    'udp,tcp_src=5',
    'rarp,arp_op=3',
    'arp,nw_proto=2',
    'duration=5s,n_packets=5,n_bytes=6,ip',
    'ct_state=+trk+est,ip,ct_nw_src=1.1.1.1,ct_nw_dst=1.0.0.0/8,ct_nw_proto=6,ct_tp_src=1',
    'tun_id=5/6,tun_src=1.2.3.4,tun_dst=1.1.1.1,tun_ipv6_src=::1,tun_gbp_id=3,tun_gbp_flags=1,tun_flags=oam',
  ];
  it('prints these as it does', () => {
    const theirs = ovsMatches(cases);
    expect(cases.map((text) => `${text} → ${matchOf(text)}`)).toEqual(cases.map((text, i) => `${text} → ${theirs[i]}`));
  });
});

describe('match texts', () => {
  it('knows a prerequisite for every field, and refuses the field without it', () => {
    for (const f of FIELDS) {
      if (['none', 'ethernet'].includes(f.prerequisite) || f.special === 'vlanPcp') continue;
      const value = f.form === 'frag' ? 'yes' : formatFieldValue(f, f.values ? fieldValue(f, f.values[0]) : allOnes(f));
      expect(() => parseFlow(`${f.name}=${value},actions=drop`), f.name).toThrow(
        expect.objectContaining({ code: 'OPENFLOW_MISSING_PREREQUISITE' }),
      );
      for (const before of PREREQUISITES[f.prerequisite]) parseFlow(`${before},${f.name}=${value},actions=drop`);
    }
  });

  it('takes filter_prog as part of the match and prints it before the protocol', () => {
    const flow = parseFlow('priority=1,ip,in_port=1,filter_prog=3,actions=output:2');
    expect(flow.match.number(field('filter_prog'))).toBe(3);
    expect(formatMatch(flow.match)).toBe('filter_prog=3,ip,in_port=1');
    const without = new MatchBuilder(flow.match).clear(field('filter_prog')).build();
    expect(flow.match.equals(without)).toBe(false);
    expect(without.covers(flow.match)).toBe(true);
  });

  it.each([
    ['foo=5', 'OPENFLOW_UNKNOWN_FIELD'],
    ['foo', 'OPENFLOW_UNKNOWN_FIELD'],
    ['IP', 'OPENFLOW_UNKNOWN_FIELD'],
    ['in_port=foo', 'OPENFLOW_UNKNOWN_PORT'],
    ['in_port', 'OPENFLOW_MISSING_VALUE'],
    ['reg0=08', 'OPENFLOW_BAD_NUMBER'],
    ['reg0=-1', 'OPENFLOW_BAD_NUMBER'],
    ['reg0=0x100000000', 'OPENFLOW_OUT_OF_RANGE'],
    ['reg0=1/0x1ffffffff', 'OPENFLOW_OUT_OF_RANGE'],
    ['reg0=1/2/3', 'OPENFLOW_BAD_VALUE'],
    ['nw_proto=256,ip', 'OPENFLOW_OUT_OF_RANGE'],
    ['ip,nw_ecn=4', 'OPENFLOW_OUT_OF_RANGE'],
    ['dl_vlan=4096', 'OPENFLOW_OUT_OF_RANGE'],
    ['conj_id=5/3', 'OPENFLOW_NOT_MASKABLE'],
    ['filter_prog=5/3', 'OPENFLOW_NOT_MASKABLE'],
    ['filter_prog=65536', 'OPENFLOW_OUT_OF_RANGE'],
    ['tcp,tcp_flags=0x1012', 'OPENFLOW_BAD_VALUE'],
    ['tcp,tcp_flags=+foo', 'OPENFLOW_BAD_VALUE'],
    ['ct_state=+trk+trk', 'OPENFLOW_BAD_VALUE'],
    ['ip,nw_frag=3', 'OPENFLOW_BAD_VALUE'],
    ['ip,nw_frag=toString', 'OPENFLOW_BAD_VALUE'],
    ['dl_src=010203040506', 'OPENFLOW_BAD_VALUE'],
    ['ip,nw_src=1.2.3', 'OPENFLOW_BAD_VALUE'],
    ['ip,nw_src=1.2.3.4/33', 'OPENFLOW_OUT_OF_RANGE'],
    ['ipv6,ipv6_src=fe80::1/129', 'OPENFLOW_OUT_OF_RANGE'],
    ['packet_type=1', 'OPENFLOW_BAD_VALUE'],
    ['dl_type=ip', 'OPENFLOW_BAD_NUMBER'],
    ['tp_src=5', 'OPENFLOW_MISSING_PREREQUISITE'],
    ['tcp,nw_frag=later,tp_src=5', 'OPENFLOW_MISSING_PREREQUISITE'],
    ['priority=70000', 'OPENFLOW_OUT_OF_RANGE'],
    ['table=256', 'OPENFLOW_UNKNOWN_TABLE'],
    ['cookie=5/7', 'OPENFLOW_NOT_MASKABLE'],
    ['hard_timeout=70000', 'OPENFLOW_OUT_OF_RANGE'],
    ['out_port=5', 'OPENFLOW_UNKNOWN_FIELD'],
    ['tun_metadata64=5', 'OPENFLOW_UNKNOWN_FIELD'],
    ['__proto__=5', 'OPENFLOW_UNKNOWN_FIELD'],
    ['constructor', 'OPENFLOW_UNKNOWN_FIELD'],
  ])('refuses %s with %s, in one line', (text, code) => {
    let error: unknown;
    try {
      parseFlow(`${text},actions=drop`);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('\n');
  });

  it('survives any text', () => {
    const words = fc.constantFrom(
      ...FIELDS.map((f) => f.name),
      'tcp',
      'actions=',
      'output:',
      'learn(',
      'ct(',
      'resubmit(,',
      ')',
      '(',
      '->',
      '=',
      ',',
      '/',
      '"',
      '0x',
      '1',
      '[0..3]',
      '-',
      ':',
      'nat(src=',
      'load:',
      'set_field:',
      'move:',
      'encap(nsh(tlv(',
      'controller(',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ maxLength: 4 })), { maxLength: 12 }),
        fc.boolean(),
        (parts, act) => {
          try {
            parseFlow(parts.join('') + (act ? ',actions=drop' : ''));
          } catch (error) {
            expect((error as { code?: unknown }).code).toMatch(/^OPENFLOW_/);
          }
        },
      ),
      { numRuns: process.env.OKO_LONG ? 200_000 : 10_000 },
    );
  });
});
