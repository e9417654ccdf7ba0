import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes/index.ts';
import { vswitchMissing } from '../support/dummy-vswitch.ts';
import { runOfctl } from '../support/openflow-switch.ts';
import { packet, packetText } from './packet-text.ts';
import { PipelineBridge } from './pipeline-bridge.ts';
import { PipelineVswitch } from './pipeline-vswitch.ts';

/** How flow tables see fragments, as `ovs-ofctl set-frags` chooses it, on our bridge and on Open vSwitch's. */

const missing = vswitchMissing();

const FLOWS = [
  'priority=9,udp,tp_dst=2000,actions=output:2',
  'priority=8,udp,tp_dst=0,actions=output:3',
  'priority=7,ip,ip_frag=yes,actions=resubmit(,1)',
  'priority=6,actions=output:4',
  'table=1,udp6,tp_src=1,actions=output:2',
  'table=1,priority=1,actions=output:3,mod_tp_dst:9,output:2',
];

/** The same packet as the first of its fragments, which still has ports. */
function firstFragment(text: string): Uint8Array {
  const bytes = packet(text);
  bytes[14 + 6] |= 0x20;
  // The header's checksum, which falls by what the word has risen.
  const sum = ((bytes[24] << 8) | bytes[25]) - 0x2000;
  const folded = sum > 0 ? sum : sum + 0xffff;
  bytes[24] = folded >> 8;
  bytes[25] = folded & 0xff;
  return bytes;
}

const PACKETS = ['udp', 'udp dport=7', 'udp frag=100', 'tcp frag=8', 'arp']
  .map((text) => packet(text))
  .concat(firstFragment('udp'), firstFragment('udp dport=7'), firstFragment('tcp'));

describe.skipIf(missing !== undefined)(`fragments (${missing ?? 'Open vSwitch is here'})`, () => {
  let vswitch: PipelineVswitch;
  beforeAll(async () => {
    vswitch = new PipelineVswitch([1, 2, 3, 4]);
    await vswitch.setFlows(FLOWS);
  });
  afterAll(() => vswitch.stop());

  it.each(['normal', 'drop', 'nx-match', 'normal'] as const)('are handled as set-frags says: %s', async (mode) => {
    const ours = new PipelineBridge(FLOWS);
    // Once before, so that what is cached is cached wrongly.
    for (const bytes of PACKETS) ours.receive(`1:hex:${toHex(bytes)}`);
    ours.bridge.fragments = mode;
    expect((await runOfctl(['set-frags', `unix:${vswitch.socket}`, mode])).status).toBe(0);
    await vswitch.settle();
    for (let tries = 1; ; tries++) {
      const theirs: string[][] = [];
      for (const bytes of PACKETS)
        theirs.push((await vswitch.forward(1, bytes)).map((sent) => `${sent.port}: ${packetText(sent.bytes)}`).sort());
      const found = PACKETS.map((bytes) => ours.receive(`1:hex:${toHex(bytes)}`));
      // It may drop a packet that misses its cache while it works on its flows.
      if (tries < 4 && JSON.stringify(found) !== JSON.stringify(theirs)) continue;
      expect(found).toEqual(theirs);
      expect(found.filter((packets) => packets.length > 0).length).toBe(mode === 'drop' ? 3 : PACKETS.length);
      return;
    }
  });
});
