import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hosts } from '../support/hosts.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { clientsMissing, eventually, TestVswitchd } from '../support/vswitchd.ts';

const missing = namespacesMissing() ?? clientsMissing();

const NAME = `bridges on devices, made with ovs-vsctl${missing ? ` (${missing})` : ''}`;

describe.skipIf(missing !== undefined).each([0, 1])(`${NAME}, packet threads: %d`, (threads) => {
  const oko = new TestVswitchd();
  const hosts = new Hosts();
  const bridge = hosts.port('br');
  const [a, b] = [hosts.port('a'), hosts.port('b')];

  beforeAll(async () => {
    hosts.add('a', '10.9.8.1/24');
    hosts.add('b', '10.9.8.2/24');
    await oko.start({ threads });
    await oko.vsctl(`add-br ${bridge} -- add-port ${bridge} ${a} -- add-port ${bridge} ${b}`);
  });

  afterAll(async () => {
    await oko.remove();
    hosts.remove();
  });

  const pings = async (from: string, to: string): Promise<boolean> =>
    (await oko.run(...hosts.command(from, 'ping', '-c1', '-W2', to))).status === 0;

  it('lets hosts talk', async () => {
    await eventually(() => pings('a', '10.9.8.2'), 'a ping through the bridge');
    expect(
      await oko.output('ovs-appctl', `-t${oko.folder}/ovs-vswitchd.${process.pid}.ctl`, 'fdb/show', bridge),
    ).toMatch(/^ +[12] +0 /m);
  });

  it('knows what the kernel says of the devices', async () => {
    await oko.vsctl(`wait-until interface ${a} link_state=up`);
    const state = await oko.columns(
      'Interface',
      a,
      'admin_state',
      'mtu',
      'duplex',
      'link_speed',
      'status',
      'mac_in_use',
    );
    expect(state).toMatchObject({ admin_state: 'up', mtu: '1500', duplex: 'full', link_speed: '10000000000' });
    expect(state.status).toContain('driver_name=veth');
    const { ifindex } = await oko.columns('Interface', a, 'ifindex');
    expect(await oko.output('cat', `/sys/class/net/${a}/ifindex`)).toBe(ifindex);
    expect(`"${await oko.output('cat', `/sys/class/net/${a}/address`)}"`).toBe(state.mac_in_use);
  });

  it('gives its own port the lowest address, and has its datapath ID from it', async () => {
    const macs = await Promise.all([a, b].map((name) => oko.columns('Interface', name, 'mac_in_use')));
    const [lowest] = macs.map(({ mac_in_use }) => mac_in_use).sort();
    expect(await oko.output('cat', `/sys/class/net/${bridge}/address`)).toBe(lowest.replaceAll('"', ''));
    const { datapath_id } = await oko.columns('Bridge', bridge, 'datapath_id');
    expect(datapath_id).toBe(`"0000${lowest.replaceAll(/[":]/g, '')}"`);
  });

  it('follows a link that goes and comes', async () => {
    const { link_resets } = await oko.columns('Interface', b, 'link_resets');
    await oko.output(...hosts.command('b', 'ip', 'link', 'set', 'eth0', 'down'));
    await oko.vsctl(`wait-until interface ${b} link_state=down`);
    expect(await oko.output('ovs-ofctl', 'show', bridge)).toContain('LINK_DOWN');
    await oko.output(...hosts.command('b', 'ip', 'link', 'set', 'eth0', 'up'));
    await oko.vsctl(`wait-until interface ${b} link_state=up`);
    const after = await oko.columns('Interface', b, 'link_resets');
    expect(Number(after.link_resets)).toBe(Number(link_resets) + 2);
  });

  it('changes MTUs as asked for', async () => {
    await oko.vsctl(`set interface ${a} mtu_request=1400`);
    expect(await oko.output('cat', `/sys/class/net/${a}/mtu`)).toBe('1400');
    await oko.vsctl(`wait-until interface ${a} mtu=1400`);
  });

  it('makes internal ports as devices of the host, with the address asked for', async () => {
    const name = hosts.port('i');
    await oko.vsctl(`add-port ${bridge} ${name} -- set interface ${name} type=internal mac="02:00:00:00:12:34"`);
    expect(await oko.output('cat', `/sys/class/net/${name}/address`)).toBe('02:00:00:00:12:34');
    expect(await oko.columns('Interface', name, 'status', 'ofport')).toMatchObject({ ofport: '3' });
    await oko.vsctl(`del-port ${name}`);
    expect((await oko.run('ip', 'link', 'show', name)).status).not.toBe(0);
  });

  it('notices that a device has gone, and takes it up again under its number when it is back', async () => {
    const { ofport } = await oko.columns('Interface', b, 'ofport');
    hosts.pull('b');
    await oko.vsctl(`wait-until interface ${b} ofport=-1`);
    expect((await oko.columns('Interface', b, 'error')).error).toContain(
      `could not open network device ${b} (No such device)`,
    );
    expect(await oko.output('ovs-ofctl', 'show', bridge)).not.toContain(`(${b})`);
    hosts.plug('b', '10.9.8.2/24');
    await oko.vsctl(`wait-until interface ${b} ofport=${ofport} error=[]`);
    await eventually(() => pings('a', '10.9.8.2'), 'a ping after the device came back');
  });

  it.skipIf(!existsSync('/usr/bin/ovs-tcpdump') || !existsSync('/usr/bin/tcpdump'))(
    'lets ovs-tcpdump look on, and cleans up after it (needs openvswitch-test and tcpdump)',
    async () => {
      const args = ['-i', b, '--db-sock', `unix:${join(oko.folder, 'db.sock')}`, '-l', '-n', '-c', '2', 'icmp'];
      const capture = oko.run('ovs-tcpdump', ...args);
      let isOver = false;
      void capture.finally(() => {
        isOver = true;
      });
      await eventually(async () => {
        await pings('a', '10.9.8.2');
        return isOver;
      }, 'two packets seen by ovs-tcpdump');
      expect((await capture).stdout).toMatch(/10\.9\.8\.1 > 10\.9\.8\.2: ICMP echo request/);
      expect(await oko.vsctl('list mirror')).toBe('');
    },
  );

  it('keeps VLANs apart', async () => {
    await oko.vsctl(`set port ${a} tag=10 -- set port ${b} tag=20`);
    expect(await pings('a', '10.9.8.2')).toBe(false);
    await oko.vsctl(`set port ${b} tag=10`);
    await eventually(() => pings('a', '10.9.8.2'), 'a ping within a VLAN');
    await oko.vsctl(`clear port ${a} tag -- clear port ${b} tag`);
  });

  it('takes its devices away when a bridge goes, and leaves those of others', async () => {
    await oko.vsctl(`del-br ${bridge}`);
    expect((await oko.run('ip', 'link', 'show', bridge)).status).not.toBe(0);
    expect((await oko.run('ip', 'link', 'show', a)).status).toBe(0);
  });
});
