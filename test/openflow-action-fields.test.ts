import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Dialect,
  decodeMessage,
  encodeMessage,
  formatFieldValue,
  formatFlowMod,
  parseFlow,
} from '../src/openflow/index.ts';
import { FIELDS, type Field, type OpenflowVersion, type Prerequisite } from '../src/packet/index.ts';
import { runOvsOfctl } from './support/fake-switch.ts';
import { hasOvsOfctl, ovsPrint } from './support/ovs-ofctl.ts';

/*
 * Every field in every action that takes one, against Debian's ovs-ofctl: the same bytes, and the same text of them.
 * Left out: fields that it has no number for, those that it encodes in ways of its own (vlan_tci as a tag), and those with
 * fewer bits than bytes, which it writes with a mask now and without one then.
 */

const MATCHES: Record<Prerequisite, string> = {
  none: '',
  ethernet: '',
  vlan: 'dl_vlan=5',
  mpls: 'mpls',
  arp: 'arp',
  ipv4: 'ip',
  ipv6: 'ipv6',
  ip: 'ip',
  nsh: 'dl_type=0x894f',
  ct: 'ct_state=+trk+est',
  ctIpv4: 'ct_state=+trk+est,ip',
  ctIpv6: 'ct_state=+trk+est,ipv6',
  ctL4: 'ct_state=+trk+est,ct_nw_proto=6',
  tcp: 'tcp',
  udp: 'udp',
  sctp: 'sctp',
  icmpv4: 'icmp',
  icmpv6: 'icmp6',
  nd: 'icmp6,icmp_type=135,icmp_code=0',
  ndSolicit: 'icmp6,icmp_type=135,icmp_code=0',
  ndAdvert: 'icmp6,icmp_type=136,icmp_code=0',
};

const OTHERWISE = ['vlan_tci', 'filter_prog', 'ct_mark', 'ct_label', 'in_port_oxm', 'nsh_mdtype'];
const NARROW = /^(tun_flags|tun_erspan_\w+|nsh_ttl|nsh_spi|vlan_pcp|arp_op)$/;
const fields = FIELDS.filter((f) => f.wire.length > 0 && !OTHERWISE.includes(f.name) && !NARROW.test(f.name));

/** Random texts of actions on a field. */
function actionsOn(f: Field, seed: number): string[] {
  const [value, bits, start] = fc
    .sample(fc.tuple(fc.uint8Array({ minLength: f.bytes, maxLength: f.bytes }), fc.nat(63), fc.nat(991)), {
      numRuns: 1,
      seed,
    })
    .flat() as [Uint8Array, number, number];
  const option = f.special === 'tunMetadata';
  const literal = value.map(
    (byte, i) => byte & f.ones[i] & (f.special === 'tos' ? 0xfc : 0xff) & (option && i < 120 ? 0 : 0xff),
  );
  if (f.name === 'vlan_vid') literal[0] |= 0x10;
  if (f.form === 'port') literal.fill(0, 0, f.bytes - 1);
  const whole = formatFieldValue(f, literal);
  // A part of at most 32 bits, as a register has.
  const width = f.width;
  const first = start % Math.min(width, option ? 32 : width);
  const count = Math.min(1 + (bits % 32), width - first, 32);
  const part = `${f.name}[${first}..${first + count - 1}]`;
  const register = `reg0[0..${count - 1}]`;
  const reads = [`move:${part}->${register}`, `push:${part}`, `output:${count >= 16 ? part : f.name}`];
  if (!f.writable) return reads;
  // Parts of options go by set_field with a mask, of a length that only the switch's table knows.
  // In OpenFlow 1.5 ovs-ofctl loads VLAN ids in a form that it refuses itself.
  const wholeNarrow = count === width && f.bits < 8 * f.bytes;
  const loads = option || wholeNarrow || f.name === 'vlan_vid' ? [] : [`load:0x${(bits & 1).toString(16)}->${part}`];
  return [...reads, `set_field:${whole}->${f.name}`, ...loads, `move:${register}->${part}`, `pop:${part}`];
}

const DIALECTS: readonly (readonly [string, OpenflowVersion, readonly string[], Dialect])[] = [
  ['OpenFlow 1.0 with NXM', 1, ['-F', 'nxm'], { version: 1, nxm: true }],
  ['OpenFlow 1.3', 4, ['-O', 'OpenFlow13'], { version: 4 }],
  ['OpenFlow 1.5', 6, ['-O', 'OpenFlow15'], { version: 6 }],
];

describe.skipIf(!hasOvsOfctl)('fields in actions, compared with ovs-ofctl (needs openvswitch-common)', () => {
  it.each(DIALECTS)('have its bytes and its texts in %s', async (_name, version, args, dialect) => {
    const texts = fields.flatMap((f, i) =>
      actionsOn(f, i).map((action) =>
        [f.name === 'vlan_vid' ? MATCHES.vlan : MATCHES[f.prerequisite], `actions=${action}`]
          .filter((part) => part !== '')
          .join(','),
      ),
    );
    const run = await runOvsOfctl([...args, 'add-flows', 'SWITCH', 'FILE'], version, texts);
    const theirs = run.sent.filter((bytes) => decodeName(bytes, dialect) === 'flow_mod');
    expect(`${run.stderr} ${theirs.length}`).toBe(` ${texts.length}`);
    const printed = ovsPrint(theirs);
    const differences = texts.flatMap((text, i) => {
      const bytes = theirs[i];
      const xid = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
      const [ours] = encodeMessage({ type: 'flow_mod', xid, ...parseFlow(text) }, dialect);
      const message = decodeMessage(bytes, { ...dialect, tableId: true });
      const print = message.type === 'flow_mod' ? formatFlowMod(message) : '';
      if (Buffer.from(ours).equals(bytes) && print === printed[i]) return [];
      return [
        {
          text,
          ours: Buffer.from(ours).toString('hex'),
          theirs: Buffer.from(bytes).toString('hex'),
          print,
          printed: printed[i],
        },
      ];
    });
    expect(differences.slice(0, 8)).toEqual([]);
  });
});

function decodeName(bytes: Uint8Array, dialect: Dialect): string {
  return decodeMessage(bytes, dialect).type;
}
