import { describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../datapath/index.ts';
import { parseActions, parseFlow } from '../openflow/index.ts';
import { ethernet, ipv4, udp } from '../packet/build.ts';
import { Bridge } from './bridge.ts';
import type { MirrorSettings } from './mirror.ts';
import { TRUNK_ALL } from './port-table.ts';

/** Ports 1 to 4; mirrors send to port 4 if they do not say otherwise. */
function testBridge(flow: string, ...mirrors: readonly Partial<MirrorSettings>[]) {
  const bridge = new Bridge({ name: 'br0', clock: new ManualClock(1n) });
  const sent: string[] = [];
  const note = (port: number) => (packet: Uint8Array) => {
    const vlan = packet[12] === 0x81 ? `@${((packet[14] & 0xf) << 8) | packet[15]}` : '';
    sent.push(`${port}${vlan}${packet.length < PACKET_BYTES ? '…' : ''}`);
  };
  for (const port of [1, 2, 3, 4]) bridge.addPort(port, new CallbackPort(`p${port}`, note(port)));
  bridge.flowMod(parseFlow(flow));
  const setMirrors = (settings: readonly Partial<MirrorSettings>[]): void =>
    bridge.setMirrors(
      settings.map((each, i) => ({
        name: `m${i}`,
        sources: new Set(),
        destinations: new Set(),
        output: { port: 4 },
        ...each,
      })),
    );
  setMirrors(mirrors);
  /** Where a packet goes: twice, by translation and by the cache. */
  const receive = (port: number, vlan?: number): string[] => {
    const packet = ethernet(
      { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01', vlans: vlan === undefined ? [] : [{ vid: vlan }] },
      ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 1, dst: 53 })),
    );
    bridge.receive(port, packet);
    const first = sent.splice(0);
    bridge.receive(port, packet);
    expect(sent.splice(0)).toEqual(first);
    return first.sort();
  };
  return { bridge, receive, setMirrors, sent };
}

const PACKET_BYTES = 42;

describe('mirrors', () => {
  it('copy what comes in by the ports selected', () => {
    const { receive } = testBridge('actions=2', { sources: new Set([1]) });
    expect(receive(1)).toEqual(['2', '4']);
    expect(receive(3)).toEqual(['2']);
  });

  it('copy what leaves by the ports selected', () => {
    const { receive } = testBridge('actions=2', { destinations: new Set([2]) });
    expect(receive(1)).toEqual(['2', '4']);
    expect(receive(3)).toEqual(['2', '4']);
  });

  it('copy a packet once each, whatever the ports it meets', () => {
    const { receive, bridge } = testBridge(
      'actions=2,3',
      { sources: 'all', destinations: 'all' },
      { destinations: new Set([3]), output: { port: 1 } },
    );
    expect(receive(2)).toEqual(['1', '3', '4']);
    expect(bridge.mirrors().map(({ counters }) => counters)).toEqual([
      { packets: 2, bytes: 2 * PACKET_BYTES },
      { packets: 2, bytes: 2 * PACKET_BYTES },
    ]);
  });

  it('copy dropped packets too, as they came in', () => {
    const { receive } = testBridge('actions=drop', { sources: new Set([1]) });
    expect(receive(1)).toEqual(['4']);
  });

  it('copy what leaves as it leaves', () => {
    const { receive } = testBridge('actions=mod_vlan_vid:7,2', { destinations: new Set([2]) });
    expect(receive(1)).toEqual(['2@7', '4@7']);
  });

  it('copy packets of the VLANs selected only', () => {
    const { receive, bridge } = testBridge('actions=2', { sources: 'all', vlans: new Set([5]) });
    expect(receive(1)).toEqual(['2']);
    expect(receive(1, 5)).toEqual(['2@5', '4@5']);
    expect(receive(1, 6)).toEqual(['2@6']);
    bridge.setPort(3, { vlan: { ...TRUNK_ALL, mode: 'access', tag: 5 } });
    expect(receive(3)).toEqual(['2', '4@5']);
  });

  it('send copies into a VLAN', () => {
    const { receive, bridge } = testBridge('actions=2', { sources: new Set([1]), output: { vlan: 9 } });
    bridge.setPort(3, { vlan: { ...TRUNK_ALL, mode: 'access', tag: 9 } });
    expect(receive(1)).toEqual(['2', '2@9', '3', '4@9']);
    expect(receive(1, 9)).toEqual(['2@9']);
  });

  it('cut copies', () => {
    const { receive } = testBridge('actions=2', { sources: 'all', snaplen: 30 });
    expect(receive(1)).toEqual(['2', '4…']);
  });

  it('keep their output port to themselves', () => {
    const { receive, setMirrors } = testBridge('actions=NORMAL', { sources: new Set([3]) });
    expect(receive(1)).toEqual(['2', '3']);
    expect(receive(4)).toEqual([]);
    setMirrors([]);
    expect(receive(1)).toEqual(['2', '3', '4']);
  });

  it('copy packets that a controller sends', () => {
    const { bridge, sent } = testBridge('actions=drop', { sources: 'all', destinations: 'all' });
    bridge.packetOut(1, new Uint8Array(60), parseActions('output:2'));
    expect(sent.sort()).toEqual(['2', '4']);
  });
});
