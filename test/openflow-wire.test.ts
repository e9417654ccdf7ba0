import { describe, expect, it } from 'vitest';
import {
  type Dialect,
  decodeMessage,
  encodeMessage,
  formatFlowMod,
  formatFlowRemoved,
  formatRoleStatus,
  type Message,
  parseFlow,
  readHeader,
} from '../src/openflow/index.ts';
import type { OpenflowVersion } from '../src/packet/index.ts';
import { runOvsOfctl } from './support/fake-switch.ts';
import { FLOW_TEXTS, FLOW_TEXTS_13 } from './support/flow-texts.ts';
import { hasOvsOfctl, ovsPrint } from './support/ovs-ofctl.ts';

/** The flow_mods of what ovs-ofctl sent. */
const flowMods = (sent: readonly Uint8Array[], dialect: Dialect): { bytes: Uint8Array; message: Message }[] =>
  sent.flatMap((bytes) => {
    const message = decodeMessage(bytes, dialect);
    return message.type === 'flow_mod' ? [{ bytes, message }] : [];
  });

const VERSIONS: readonly (readonly [string, OpenflowVersion, readonly string[], Dialect])[] = [
  ['OpenFlow10 with NXM', 1, ['-F', 'nxm'], { version: 1, nxm: true, tableId: true }],
  ['OpenFlow13', 4, ['-O', 'OpenFlow13'], { version: 4 }],
  ['OpenFlow14', 5, ['-O', 'OpenFlow14'], { version: 5 }],
  ['OpenFlow15', 6, ['-O', 'OpenFlow15'], { version: 6 }],
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.skipIf(!hasOvsOfctl)('flow_mods, compared with ovs-ofctl (needs openvswitch-common)', () => {
  it.each(VERSIONS)('has the bytes of ovs-ofctl in %s', async (_name, version, args, dialect) => {
    const texts = version === 1 ? FLOW_TEXTS : [...FLOW_TEXTS, ...FLOW_TEXTS_13];
    const run = await runOvsOfctl([...args, 'add-flows', 'SWITCH', 'FILE'], version, texts);
    expect(run.stderr).toBe('');
    const theirs = flowMods(run.sent, dialect);
    expect(theirs.length).toBe(texts.length);
    const printed = ovsPrint(theirs.map(({ bytes }) => bytes));
    const differences = texts.flatMap((text, i) => {
      const { bytes, message } = theirs[i];
      const { xid } = readHeader(bytes);
      const [again] = encodeMessage(message, dialect);
      const [ours] = encodeMessage({ type: 'flow_mod', xid, ...parseFlow(text) }, dialect);
      const wrong: Record<string, string> = {};
      // The length to send of a packet that goes to a port, which enqueue leaves behind, is not kept.
      if (hex(again) !== hex(bytes) && !text.includes('enqueue')) wrong.again = hex(again);
      const text13 = message.type === 'flow_mod' ? formatFlowMod(message) : '';
      if (text13 !== printed[i]) Object.assign(wrong, { printed: text13, theirPrinted: printed[i] });
      if (hex(ours) !== hex(bytes)) wrong.ours = hex(ours);
      return Object.keys(wrong).length === 0 ? [] : [{ text, theirs: hex(bytes), ...wrong }];
    });
    expect(differences.slice(0, 5)).toEqual([]);
  });
});

describe.skipIf(!hasOvsOfctl)('announcements, compared with ovs-ofctl (needs openvswitch-common)', () => {
  const flow = (text: string, dialect: Dialect): Message => ({
    type: 'flow_removed',
    xid: 3,
    ...parseFlow(`${text},actions=drop`),
    reason: 1,
    table: dialect.version === 1 && !dialect.nxm ? 255 : 4,
    durationSec: 5,
    durationNsec: 7_000_000,
    packetCount: 9n,
    byteCount: 10n,
  });
  const texts = [
    'priority=7,tcp,tp_dst=80,cookie=0x77,idle_timeout=3',
    'hard_timeout=5,arp',
    'in_port=2',
    'cookie=0x1',
  ];

  it.each([{ version: 1 }, { version: 1, nxm: true }, { version: 4 }, { version: 5 }, { version: 6 }] as Dialect[])(
    'flow_removed and role_status are printed alike: %o',
    (dialect) => {
      const role: Message = {
        type: 'role_status',
        xid: 3,
        role: 'secondary',
        reason: 'primary_request',
        generationId: 7n,
      };
      const sent = [
        ...texts.map((text) => encodeMessage(flow(text, dialect), dialect)[0]),
        ...(dialect.version >= 5 ? [encodeMessage(role, dialect)[0]] : []),
      ];
      const printed = sent.map((bytes) => {
        const message = decodeMessage(bytes, dialect);
        if (message.type === 'role_status') return formatRoleStatus(message);
        return message.type === 'flow_removed' ? formatFlowRemoved(message) : message.type;
      });
      expect(printed).toEqual(ovsPrint(sent));
    },
  );
});
