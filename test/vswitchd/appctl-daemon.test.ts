import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DummyVswitch, vswitchMissing } from '../support/dummy-vswitch.ts';
import { clientsMissing, eventually, TestVswitchd } from '../support/vswitchd.ts';

const missing = clientsMissing() ?? vswitchMissing();

const BRIDGE = 'add-br br0 -- set Bridge br0 datapath_type=dummy fail-mode=secure';
const PORTS = [1, 2].map((n) => `-- add-port br0 p${n} -- set Interface p${n} type=dummy ofport_request=${n}`);
const SECOND_BRIDGE = [
  'add-br br1 -- set Bridge br1 datapath_type=dummy fail-mode=secure',
  '-- add-port br1 q4 -- set Interface q4 type=dummy ofport_request=4',
  '-- add-port br0 pa -- set Interface pa type=patch options:peer=pb ofport_request=5',
  '-- add-port br1 pb -- set Interface pb type=patch options:peer=pa ofport_request=6',
].join(' ');

const FLOWS: readonly (readonly [string, string])[] = [
  ['br0', 'in_port=1,ip,actions=2,5,2'],
  ['br0', 'in_port=2,ip,actions=5'],
  ['br0', 'in_port=1,arp,idle_timeout=60,actions=normal'],
  ['br1', 'ip,actions=resubmit(,1),4'],
  ['br1', 'table=1,actions=4'],
];

const UDP =
  'in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),' +
  'ipv4(src=1.1.1.1,dst=10.0.0.1,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
const ARP =
  'in_port(1),eth(src=50:54:00:00:00:05,dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),' +
  'arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=50:54:00:00:00:05,tha=00:00:00:00:00:00)';

// Open vSwitch's own tests work like this: dummy ports, packets by ovs-appctl, time by ovs-appctl.
describe.skipIf(missing !== undefined)(`the daemon under ovs-appctl${missing ? ` (${missing})` : ''}`, () => {
  const oko = new TestVswitchd();
  let vswitch: DummyVswitch;
  const ours = (...args: readonly string[]): Promise<string> => oko.output('ovs-appctl', ...args);

  beforeAll(async () => {
    await oko.start({ dummy: 'override', pidfile: join(oko.folder, 'ovs-vswitchd.pid') });
    vswitch = new DummyVswitch();
    await oko.vsctl([BRIDGE, ...PORTS].join(' '));
    await oko.vsctl(SECOND_BRIDGE);
    vswitch.vsctl(SECOND_BRIDGE);
    for (const [bridge, flow] of FLOWS) {
      await oko.output('ovs-ofctl', 'add-flow', bridge, flow);
      vswitch.addFlow(bridge, flow);
    }
  });
  afterAll(async () => {
    vswitch?.stop();
    await oko.remove();
  });

  it('names itself', async () => {
    expect(await ours('version')).toBe('ovs-vswitchd (Oko) 1.2.3');
  });

  it('shows bridges and ports as Open vSwitch', async () => {
    const words = (text: string): string => text.trimEnd().replace(/hit:\d+ missed:\d+/, '');
    expect(words(await ours('dpif/show'))).toBe(words(vswitch.appctl('dpif/show')));
    expect(await ours('ofproto/list')).toBe('br0\nbr1');
  });

  it.each(['in_port=1,ip', 'in_port=2,ip'])('traces through patch ports as Open vSwitch: %s', async (flow) => {
    const lines = (text: string): string[] =>
      text
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('Megaflow:'))
        .map((line) => (/^Datapath actions: [\d,]+$/.test(line) ? line.split(/[ ,]/).sort().join() : line));
    expect(lines(await ours('ofproto/trace', 'br0', flow))).toEqual(
      lines(vswitch.appctl('ofproto/trace', 'br0', flow)),
    );
  });

  it('takes packets, counts them and lets time pass when it is told', async () => {
    await ours('time/stop');
    // An address learnt makes an end of cached flows.
    await ours('netdev-dummy/receive', 'p1', ARP, UDP, UDP);
    expect(await ours('bridge/dump-flows', 'br0')).toContain('n_packets=2, n_bytes=212, ip,in_port=1,');
    expect(await ours('fdb/show', 'br0')).toMatch(/\n {4}1 {5}0 {2}50:54:00:00:00:05 {4}0$/);
    expect(await ours('dpctl/dump-flows', 'filter=in_port=1,ip')).toMatch(
      /, packets:2, bytes:212, used:0.000s, actions:2,5,2$/,
    );
    expect(await ours('time/warp', '61000', '1000')).toBe('warped');
    expect(await ours('bridge/dump-flows', 'br0')).not.toContain('arp');
    expect(await ours('time/warp', '240000', '10000')).toBe('warped');
    expect(await ours('fdb/show', 'br0')).toBe(' port  VLAN  MAC                Age');
    expect(await ours('coverage/read-counter', 'netdev_received')).toBe('6');
  });

  it('takes a dummy’s link away, which the database tells', async () => {
    expect(await ours('netdev-dummy/set-admin-state', 'p2', 'down')).toBe('OK');
    await eventually(
      async () => (await oko.columns('Interface', 'p2', 'admin_state')).admin_state === 'down',
      'Interface p2 is down in the database',
    );
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).toMatch(
      /2\(p2\).*\n +config: +PORT_DOWN\n +state: +LINK_DOWN/,
    );
  });

  it('ends when it is told', async () => {
    await ours('exit', '--cleanup');
    await oko.daemon.exitAsked;
  });
});
