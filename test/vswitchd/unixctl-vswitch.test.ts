import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes/index.ts';
import { CoreDatapath, type Datapath, type DatapathOptions, PlainDatapath } from '../../src/datapath/index.ts';
import { unixctlCommands } from '../../src/vswitchd/unixctl/index.ts';
import { DummyVswitch, vswitchMissing } from '../support/dummy-vswitch.ts';
import { FakeSwitchView } from '../support/fake-switch-view.ts';

const missing = vswitchMissing();

const FLOWS = [
  'priority=10,in_port=1,ip,nw_dst=10.0.0.0/8,actions=load:5->NXM_NX_REG0[],resubmit(,1)',
  'priority=9,in_port=1,actions=output:2',
  'cookie=0x5,in_port=3,tcp,tp_dst=0x100/0xff00,actions=CONTROLLER:128',
  'table=1,priority=0,actions=output:2',
  'table=2,idle_timeout=500,actions=drop',
];

const ETH = 'in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07)';
const IP = 'ipv4(src=1.1.1.1,dst=10.0.0.1,proto=';
const V6 = 'ipv6(src=fe80::1,dst=fe80::2,label=5,proto=';

/** Datapath flows of which both make the same packet. */
const PACKETS = [
  `${ETH},eth_type(0x1234)`,
  `${ETH},eth_type(0x0800),${IP}17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)`,
  `${ETH},eth_type(0x0800),${IP}6,tos=0x10,ttl=3,frag=no),tcp(src=1,dst=2),tcp_flags(0x12)`,
  `${ETH},eth_type(0x0800),${IP}6,tos=0,ttl=64,frag=later)`,
  `${ETH},eth_type(0x0800),${IP}1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)`,
  `${ETH},eth_type(0x0800),${IP}99,tos=0,ttl=64,frag=no)`,
  `${ETH},eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=50:54:00:00:00:05,tha=00:00:00:00:00:00)`,
  `${ETH},eth_type(0x86dd),${V6}58,tclass=0,hlimit=255,frag=no),icmpv6(type=135,code=0),nd(target=fe80::5,sll=50:54:00:00:00:05)`,
  `${ETH},eth_type(0x86dd),${V6}58,tclass=0,hlimit=255,frag=no),icmpv6(type=128,code=0)`,
  `${ETH},eth_type(0x8100),vlan(vid=5,pcp=3),encap(eth_type(0x0800),${IP}17,tos=0,ttl=64,frag=no),udp(src=1,dst=2))`,
  `${ETH},eth_type(0x8847),mpls(label=100,tc=7,ttl=64,bos=1)`,
];

/** Commands whose answers agree word for word, errors too; in this order, as each may change what the next finds. */
const ALIKE = [
  'bogus',
  'version x',
  'ofproto/list',
  'ofproto/list-tunnels',
  'dpif/show',
  'dpif/dump-dps',
  'dpctl/dump-dps',
  'dpctl/dump-flows what',
  'dpctl/show what',
  'dpif/dump-flows nobr',
  'fdb/add br0 p1 0 50:54:00:00:00:05',
  'fdb/add br0 p2 0 50:54:00:00:00:05',
  'fdb/add br0 br0 7 50:54:00:00:00:06',
  'fdb/show br0',
  'fdb/stats-show br0',
  'fdb/flush br0',
  'fdb/flush nobr',
  'fdb/del br0 9 50:54:00:00:00:05',
  'fdb/del br0 0 50:54:00:00:00:05',
  'fdb/del br0 0 what',
  'fdb/stats-clear',
  'mdb/show br0',
  'mdb/show nobr',
  'mdb/flush',
  'bond/list',
  'bond/show',
  'bond/show p1',
  'lacp/show',
  'lacp/show p1',
  'stp/show',
  'stp/show br0',
  'rstp/show',
  'rstp/show br0',
  'bfd/show',
  'bfd/show p1',
  'cfm/show',
  'cfm/show p1',
  'qos/show p1',
  'qos/show nop',
  'qos/show-types p1',
  'qos/show-types nop',
  'bridge/reconnect br0',
  'bridge/reconnect nobr',
  'bridge/dump-flows nobr',
  'revalidator/wait',
  'revalidator/purge',
  'coverage/read-counter what',
  'tnl/ports/show',
  'lacp/show-stats',
  'lacp/show-stats p1',
  'autoattach/status',
  'dpif-netdev/pmd-rxq-show',
  'dpctl/dump-conntrack',
  'dpctl/flush-conntrack',
  'dpctl/ct-stats-show',
  'vlog/set what',
  'vlog/set PATTERN:what',
  'vlog/set FACILITY:what',
  'vlog/enable-rate-limit what',
  'vlog/list-pattern',
  'netdev-dummy/receive nop aabb',
  'netdev-dummy/receive p1 zz',
  'netdev-dummy/receive p1 aabb',
  'netdev-dummy/receive p1',
  `netdev-dummy/receive p1 ${PACKETS[1]} --len 40`,
  'netdev-dummy/conn-state',
  'netdev-dummy/conn-state p1',
  'netdev-dummy/set-admin-state what',
  'netdev-dummy/set-admin-state nop up',
  'netdev-dummy/set-admin-state p3 down',
  'netdev-dummy/set-admin-state p3 UP',
  'time/warp',
  'time/warp x',
  'time/stop',
  'time/warp 1000 100',
];

describe.skipIf(missing !== undefined)(`commands beside Open vSwitch${missing ? ` (${missing})` : ''}`, () => {
  let vswitch: DummyVswitch;
  const view = new FakeSwitchView();
  const registry = unixctlCommands(view);
  const ask = async (line: string): Promise<string> => {
    const [name, ...args] = line.split(' ');
    try {
      return await registry.run(name, args);
    } catch (error) {
      return (error as Error).message;
    }
  };
  const theirs = (line: string): string => vswitch.appctl(...line.split(' ')).trimEnd();

  beforeAll(() => {
    vswitch = new DummyVswitch();
    vswitch.addPort(3);
    vswitch.setFlows('OpenFlow13', FLOWS);
    view.setFlows(FLOWS);
  });
  afterAll(() => {
    registry.close();
    vswitch?.stop();
  });

  it.each(PACKETS)('receive the same packet: %s', async (flow) => {
    view.sent.length = 0;
    await ask(`netdev-dummy/receive p1 ${flow}`);
    const [packet] = await vswitch.forward([flow], 1);
    expect(view.sent.map(([port, bytes]) => [port, toHex(bytes)])).toEqual([[2, toHex(packet)]]);
  });

  it('list flows alike, but for the tables that are theirs', async () => {
    const lines = (text: string): string[] =>
      text
        .replace(/duration=\d+s/g, 'duration=s')
        .split('\n')
        .filter((line) => !line.startsWith('table_id=254'))
        .sort();
    // Packets are credited to flows there when the cached flows are looked at.
    vswitch.appctl('revalidator/purge');
    for (const line of ['bridge/dump-flows br0', 'bridge/dump-flows --offload-stats br0'])
      expect(lines(await ask(line))).toEqual(lines(theirs(line)));
  });

  it.each(ALIKE)('answer alike: %s', async (line) => {
    const words = (text: string): string => text.trimEnd().replace(/hit:\d+ missed:\d+/, 'hit missed');
    expect(words(await ask(line))).toBe(words(theirs(line)));
  });

  it('show the datapath alike, but for its own port', async () => {
    const lines = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => !/ovs-dummy \(|lookups|flows/.test(line))
        .sort();
    expect(lines(await ask('dpctl/show'))).toEqual(lines(theirs('dpctl/show')));
  });
});

const DATAPATHS: readonly (readonly [string, (options: DatapathOptions) => Datapath])[] = [
  ['the plain datapath', (options) => new PlainDatapath(options)],
  ['the core', (options) => new CoreDatapath(options)],
];

describe.each(DATAPATHS)('what the commands say of this switch alone, on %s', (_, datapath) => {
  const view = new FakeSwitchView(datapath);
  const registry = unixctlCommands(view);
  const ask = (name: string, ...args: string[]): Promise<string> => registry.run(name, args);
  afterAll(() => registry.close());

  it('cached flows under the bits that decide, with counters and age', async () => {
    view.setFlows(['ip,nw_dst=10.0.0.0/8,actions=mod_nw_src:1.2.3.4,2', 'priority=1,in_port=3,actions=LOCAL']);
    await ask('time/stop');
    await ask('netdev-dummy/receive', 'p1', PACKETS[1], PACKETS[1]);
    await ask('netdev-dummy/receive', 'p3', PACKETS[0]);
    await ask('time/warp', '1500');
    const flows = [
      'recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(src=1.1.1.1,dst=10.0.0.0/255.0.0.0), ' +
        'packets:2, bytes:212, used:1.500s, actions:set(ipv4(src=1.2.3.4)),2',
      'recirc_id(0),in_port(3),packet_type(ns=0,id=0),eth_type(0x1234), packets:1, bytes:14, used:1.500s, actions:100',
    ];
    const dumped = (await ask('dpif/dump-flows', 'br0')).split('\n').map((line) => line.replace('src=1.1.1.1,', ''));
    expect(dumped.sort()).toEqual(flows.map((line) => line.replace('src=1.1.1.1,', '')));
    expect(await ask('dpctl/dump-flows', '--names', 'filter=in_port=3')).toBe(
      `flow-dump from the main thread:\n${flows[1].replace('in_port(3)', 'in_port(p3)').replace('100', 'br0')}`,
    );
    expect(await ask('dpctl/dump-flows', 'type=offloaded')).toBe('');
    expect(await ask('dpctl/show', '-s')).toContain('  port 1: p1 (dummy)\n    RX packets:2 errors:?');
    expect(await ask('upcall/show')).toBe('dummy@ovs-dummy:\n  flows         : (current 2)');
    expect(await ask('dpif-netdev/pmd-stats-show')).toContain('  packets received: 3\n');
    expect(await ask('coverage/read-counter', 'netdev_received')).toBe('3');
    const coverage = await ask('coverage/show');
    expect(coverage).toMatch(/^Event coverage, avg rate .*hash=[0-9a-f]{8}:\n/);
    expect(coverage).toMatch(/\nxlate_actions {14}0\.[04]\/sec {5}0\.\d{3}\/sec {8}0\.0006\/sec {3}total: 2\n/);
    expect(coverage).toMatch(/\n\d+ events never hit$/);
    await ask('revalidator/purge');
    expect(await ask('dpctl/dump-flows')).toBe('');
    expect(await ask('bridge/dump-flows', 'br0')).toContain('n_packets=2, n_bytes=212, ip,nw_dst=10.0.0.0/8,actions=');
  });

  it('a port without its link neither sends nor receives', async () => {
    view.setFlows(['in_port=1,actions=2']);
    view.sent.length = 0;
    await ask('netdev-dummy/set-admin-state', 'p2', 'down');
    await ask('netdev-dummy/receive', 'p1', PACKETS[0]);
    expect(view.sent).toEqual([]);
    await ask('netdev-dummy/set-admin-state', 'up');
    await ask('netdev-dummy/receive', 'p1', PACKETS[0]);
    expect(view.sent.length).toBe(1);
  });

  it('receives nothing when one of several packets is wrong', async () => {
    view.sent.length = 0;
    await expect(ask('netdev-dummy/receive', 'p1', PACKETS[0], 'what')).rejects.toThrow('syntax error at what');
    expect(view.sent).toEqual([]);
  });

  it('has bridges connect again', async () => {
    await ask('bridge/reconnect');
    expect(view.reconnects).toBe(1);
  });
});
