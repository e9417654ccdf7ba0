import { describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../datapath/index.ts';
import { parseFlow } from '../openflow/index.ts';
import { arp, ethernet, ipv4, tcp, udp } from '../packet/build.ts';
import { Bridge } from './bridge.ts';

const SECOND = 1_000_000_000n;

function testBridge(flows: readonly string[], ports: readonly number[] = [1, 2, 3]) {
  const clock = new ManualClock(SECOND);
  const bridge = new Bridge({ name: 'br0', clock });
  const sent: number[] = [];
  for (const port of ports) bridge.addPort(port, new CallbackPort(`p${port}`, () => sent.push(port)));
  for (const flow of flows) bridge.addFlow(parseFlow(flow));
  /** The ports that a packet leaves by. */
  const receive = (port: number, packet: Uint8Array): number[] => {
    sent.length = 0;
    bridge.receive(port, packet);
    return [...sent];
  };
  return { bridge, clock, receive };
}

const mac = (host: number): string => `02:00:00:00:00:0${host}`;

function udpPacket(
  options: { from?: number; to?: number; src?: string; dst?: string; port?: number; vlan?: number } = {},
): Uint8Array {
  const { from = 1, to = 2, src = '10.0.0.1', dst = '10.0.0.2', port = 53, vlan } = options;
  const vlans = vlan === undefined ? [] : [{ vid: vlan }];
  return ethernet({ dst: mac(to), src: mac(from), vlans }, ipv4({ src, dst }, udp({ src: 1000, dst: port })));
}

const tcpPacket = ethernet(
  { dst: mac(2), src: mac(1) },
  ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, tcp({ src: 1, dst: 80 })),
);
const arpPacket = ethernet(
  { dst: 'ff:ff:ff:ff:ff:ff', src: mac(1) },
  arp({ opcode: 1, sha: mac(1), spa: '10.0.0.1', tha: '00:00:00:00:00:00', tpa: '10.0.0.2' }),
);

describe('what matches', () => {
  it.each<[string, Uint8Array, boolean]>([
    ['in_port=1', udpPacket(), true],
    ['in_port=2', udpPacket(), false],
    ['udp', udpPacket(), true],
    ['tcp', udpPacket(), false],
    ['tcp,tp_dst=80', tcpPacket, true],
    ['tcp,tp_dst=81', tcpPacket, false],
    ['udp,tp_src=1000', udpPacket(), true],
    ['ip,nw_src=10.0.0.0/8', udpPacket(), true],
    ['ip,nw_src=10.0.0.0/255.0.0.255', udpPacket(), false],
    ['ip,nw_dst=10.0.0.2', udpPacket(), true],
    ['ip,nw_proto=17', udpPacket(), true],
    ['arp', arpPacket, true],
    ['arp', udpPacket(), false],
    ['ipv6', udpPacket(), false],
    ['dl_type=0x0800', udpPacket(), true],
    [`dl_src=${mac(1)}`, udpPacket(), true],
    [`dl_dst=${mac(1)}`, udpPacket(), false],
    ['dl_vlan=10', udpPacket({ vlan: 10 }), true],
    ['dl_vlan=10', udpPacket(), false],
    ['dl_vlan=11', udpPacket({ vlan: 10 }), false],
    ['icmp', udpPacket(), false],
  ])('%s', (match, packet, matches) => {
    const { receive } = testBridge([`priority=1,${match},actions=output:2`, 'priority=0,actions=output:3']);
    // Twice: the second time from the cache.
    for (let i = 0; i < 2; i++) expect(receive(1, packet)).toEqual([matches ? 2 : 3]);
  });
});

describe('where it goes', () => {
  it.each<[string, number[]]>([
    ['output:2', [2]],
    ['2', [2]],
    ['2,3', [2, 3]],
    ['drop', []],
    ['IN_PORT', [1]],
    ['output:1', []],
    ['FLOOD', [2, 3]],
    ['ALL', [2, 3]],
    ['NORMAL', [2, 3]],
    ['output:9', []],
  ])('actions=%s', (actions, ports) => {
    const { receive } = testBridge([`actions=${actions}`]);
    for (let i = 0; i < 2; i++) expect(receive(1, udpPacket())).toEqual(ports);
  });

  it('drops what no flow matches', () => {
    const { bridge, receive } = testBridge(['tcp,actions=output:2']);
    expect(receive(1, udpPacket())).toEqual([]);
    expect(bridge.datapath.counters.misses).toBe(1);
  });

  it('counts what is meant for a port that is not there', () => {
    const { bridge, receive } = testBridge(['actions=output:9']);
    receive(1, udpPacket());
    expect(bridge.datapath.counters.dropNoPort).toBe(1);
  });
});

describe('NORMAL', () => {
  it('learns where hosts are and forgets them after 300 seconds', () => {
    const { receive, clock } = testBridge(['actions=NORMAL']);
    expect(receive(1, udpPacket({ from: 1, to: 2 }))).toEqual([2, 3]);
    expect(receive(2, udpPacket({ from: 2, to: 1 }))).toEqual([1]);
    expect(receive(1, udpPacket({ from: 1, to: 2 }))).toEqual([2]);
    clock.advanceTo(200n * SECOND);
    expect(receive(1, udpPacket({ from: 1, to: 2 }))).toEqual([2]);
    clock.advanceTo(310n * SECOND);
    // Host 2 has been silent for 309 s; host 1 spoke at 200 s, through the cache.
    expect(receive(1, udpPacket({ from: 1, to: 2 }))).toEqual([2, 3]);
    expect(receive(3, udpPacket({ from: 3, to: 1 }))).toEqual([1]);
  });

  it('follows a host that moves', () => {
    const { receive } = testBridge(['actions=NORMAL']);
    receive(1, udpPacket({ from: 1 }));
    expect(receive(3, udpPacket({ from: 3, to: 1 }))).toEqual([1]);
    receive(2, udpPacket({ from: 1 }));
    expect(receive(3, udpPacket({ from: 3, to: 1 }))).toEqual([2]);
  });

  it('keeps VLANs apart', () => {
    const { receive } = testBridge(['actions=NORMAL']);
    receive(1, udpPacket({ from: 1, vlan: 10 }));
    expect(receive(2, udpPacket({ from: 2, to: 1, vlan: 10 }))).toEqual([1]);
    expect(receive(2, udpPacket({ from: 2, to: 1, vlan: 20 }))).toEqual([1, 3]);
  });

  it('does not forward link-local protocols', () => {
    const { receive } = testBridge(['actions=NORMAL']);
    const bpdu = udpPacket();
    bpdu.set([0x01, 0x80, 0xc2, 0x00, 0x00, 0x00]);
    expect(receive(1, bpdu)).toEqual([]);
  });

  it('forgets what was learnt on a port that is removed', () => {
    const { bridge, receive } = testBridge(['actions=NORMAL']);
    receive(2, udpPacket({ from: 2 }));
    bridge.removePort(2);
    expect(receive(1, udpPacket({ from: 1, to: 2 }))).toEqual([3]);
  });
});

describe('flows', () => {
  it('count packets and bytes, exactly, whatever the cache did', () => {
    const { bridge, receive } = testBridge(['udp,actions=output:2', 'priority=0,actions=drop']);
    const packet = udpPacket();
    for (let i = 0; i < 5; i++) receive(1, packet);
    receive(1, tcpPacket);
    expect(bridge.flows().map(({ packets, bytes }) => [packets, bytes])).toEqual([
      [5, 5 * packet.length],
      [1, tcpPacket.length],
    ]);
  });

  it('take effect for the next packet, added or removed', () => {
    const { bridge, receive } = testBridge(['priority=1,actions=output:2']);
    expect(receive(1, udpPacket())).toEqual([2]);
    const rule = bridge.addFlow(parseFlow('priority=2,udp,tp_dst=53,actions=output:3'));
    expect(receive(1, udpPacket())).toEqual([3]);
    expect(receive(1, udpPacket({ port: 54 }))).toEqual([2]);
    bridge.removeFlow(rule);
    expect(receive(1, udpPacket())).toEqual([2]);
  });

  it('start to count anew when they are added again', () => {
    const { bridge, receive } = testBridge(['udp,actions=output:2']);
    receive(1, udpPacket());
    bridge.addFlow(parseFlow('udp,actions=output:3'));
    expect(bridge.flows().map(({ packets }) => packets)).toEqual([0]);
    expect(receive(1, udpPacket())).toEqual([3]);
  });

  it('end with their timeouts', () => {
    const { bridge, clock, receive } = testBridge([
      'idle_timeout=10,udp,actions=output:2',
      'hard_timeout=30,tcp,actions=output:2',
    ]);
    clock.advanceTo(9n * SECOND);
    receive(1, udpPacket());
    clock.advanceTo(18n * SECOND);
    expect(receive(1, udpPacket())).toEqual([2]);
    clock.advanceTo(29n * SECOND);
    expect(receive(1, udpPacket())).toEqual([]);
    expect(bridge.flows()).toHaveLength(1);
    clock.advanceTo(31n * SECOND);
    expect(receive(1, tcpPacket)).toEqual([]);
    expect(bridge.flows()).toHaveLength(0);
  });

  it.each<[string, string]>([
    ['actions=group:1', 'OFPROTO_NO_SUCH_GROUP'],
    ['table=254,actions=drop', 'OFPROTO_BAD_TABLE'],
  ])('%s is refused', (flow, code) => {
    expect(() => testBridge([flow])).toThrowError(expect.objectContaining({ code }));
  });

  it('are bounded', () => {
    const bridge = new Bridge({ name: 'br0', clock: new ManualClock(), maxFlows: 1 });
    bridge.addFlow(parseFlow('udp,actions=drop'));
    bridge.addFlow(parseFlow('udp,actions=output:1'));
    expect(() => bridge.addFlow(parseFlow('tcp,actions=drop'))).toThrowError(
      expect.objectContaining({ code: 'OFPROTO_TABLE_FULL' }),
    );
  });
});
