import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbClient, openVswitch } from '../../src/ovsdb/index.ts';
import { OKO_MAIN, REPOSITORY } from '../support/oko.ts';
import { clientsMissing, eventually, TestVswitchd } from '../support/vswitchd.ts';

const missing = clientsMissing();

// What Open vSwitch's daemon writes back, one exchange after the other as they were recorded with it; ports without devices.
describe.skipIf(missing !== undefined)(`the daemon and ovs-vsctl${missing ? ` (${missing})` : ''}`, () => {
  const oko = new TestVswitchd();

  beforeAll(() => oko.start());
  afterAll(() => oko.remove());

  it('01: says what it is in the root row', async () => {
    const root = await oko.columns('Open_vSwitch', '.', 'cur_cfg', 'next_cfg', 'datapath_types', 'ovs_version');
    expect(root).toEqual({
      cur_cfg: '0',
      next_cfg: '0',
      datapath_types: '[dummy, netdev, system]',
      ovs_version: '"1.2.3"',
    });
    const { iface_types } = await oko.columns('Open_vSwitch', '.', 'iface_types');
    for (const type of ['system', 'internal', 'tap', 'patch', 'null', 'dummy']) expect(iface_types).toContain(type);
  });

  it('02: add-br returns when the bridge is there', async () => {
    await oko.vsctl('add-br br0 -- set bridge br0 datapath_type=dummy');
    const { cur_cfg } = await oko.columns('Open_vSwitch', '.', 'cur_cfg');
    expect(cur_cfg).toBe('1');
    const local = await oko.columns('Interface', 'br0', 'ofport', 'error', 'mac_in_use', 'link_state', 'admin_state');
    expect(local).toMatchObject({ ofport: '65534', error: '[]' });
    const bridge = await oko.columns('Bridge', 'br0', 'datapath_id', 'datapath_version', '_uuid');
    expect(bridge.datapath_version).toBe('"<built-in>"');
    // The address of a bridge without other ports is made of its UUID.
    expect(bridge.datapath_id).toBe(`"0000${local.mac_in_use.replaceAll(/[":]/g, '')}"`);
    const [word0, word1, word2] = bridge._uuid.split('-');
    const bytes = `${word0.match(/../g)?.reverse().join('')}${(word1 + word2).match(/../g)?.reverse().join('').slice(0, 4)}`;
    const marked = (Number.parseInt(bytes.slice(0, 2), 16) & 0xfe) | 2;
    expect(bridge.datapath_id).toBe(`"0000${marked.toString(16).padStart(2, '0')}${bytes.slice(2)}"`);
  });

  it('03: add-port writes number and state no later than cur_cfg', async () => {
    const client = new OvsdbClient({ schema: openVswitch, connect: `unix:${join(oko.folder, 'db.sock')}` });
    const seen: { readonly cur: number; readonly next: number; readonly ofport: number | null | undefined }[] = [];
    client.onChange(() => {
      const [root] = client.rows('Open_vSwitch').values();
      const port = [...client.rows('Interface').values()].find(({ name }) => name === 'p1');
      seen.push({ cur: root.cur_cfg, next: root.next_cfg, ofport: port?.ofport });
    });
    client.start();
    await client.whenReady();
    await oko.vsctl('add-port br0 p1 -- set interface p1 type=null');
    client.close();
    expect(seen).toContainEqual({ cur: 1, next: 2, ofport: null });
    expect(seen.find(({ cur }) => cur === 2)?.ofport).toBe(1);
    const port = await oko.columns('Interface', 'p1', 'ofport', 'error', 'link_state', 'admin_state', 'statistics');
    expect(port).toMatchObject({ ofport: '1', error: '[]', link_state: 'up', admin_state: 'up' });
    expect(port.statistics).toContain('rx_packets=0');
  });

  it('03: gives the number that is asked for', async () => {
    await oko.vsctl('add-port br0 p2 -- set interface p2 type=null ofport_request=7');
    expect(await oko.columns('Interface', 'p2', 'ofport')).toEqual({ ofport: '7' });
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).toMatch(/^ 7\(p2\):/m);
  });

  it('05: a device that is missing leaves the rows, and is told of', async () => {
    const { status, stderr } = await oko.run('ovs-vsctl', 'add-port', 'br0', 'oko-none');
    expect(status).toBe(0);
    expect(stderr).toContain(
      "Error detected while setting up 'oko-none': could not open network device oko-none (No such device).",
    );
    expect(await oko.columns('Interface', 'oko-none', 'ofport', 'error', 'link_state', 'mac_in_use')).toEqual({
      ofport: '-1',
      error: '"could not open network device oko-none (No such device)"',
      link_state: '[]',
      mac_in_use: '[]',
    });
  });

  it('06: del-port takes the port away', async () => {
    await oko.vsctl('del-port oko-none -- del-port p2');
    expect(await oko.vsctl('list-ports br0')).toBe('p1');
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).not.toContain('p2');
  });

  it('07, 16: set-controller and del-controller, with the state of a connection that is refused', async () => {
    await oko.vsctl('set-controller br0 tcp:127.0.0.1:1');
    const status = () => oko.vsctl('get controller br0 is_connected status');
    await eventually(async () => (await status()).includes('last_error="Connection refused"'), 'a refused connection');
    expect(await status()).toContain('state=BACKOFF');
    await oko.vsctl('del-controller br0');
    expect(await oko.vsctl('list controller')).toBe('');
    expect(await oko.output('ovs-ofctl', 'dump-flows', 'br0')).toContain('actions=NORMAL');
  });

  it('17: tells when a controller is connected, and in which role', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      // HELLO of OpenFlow 1.0, then nothing.
      socket.write(Uint8Array.of(1, 0, 0, 8, 0, 0, 0, 1));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await oko.vsctl(`set-controller br0 tcp:127.0.0.1:${port}`);
    await oko.vsctl('wait-until controller br0 is_connected=true role=other status:state=ACTIVE');
    await oko.vsctl('del-controller br0');
    server.close();
  });

  it('08: writes counters every five seconds', async () => {
    await oko.output('ovs-ofctl', 'packet-out', 'br0', 'none', 'output:1', '010203040506aabbccddeeff0800');
    await oko.vsctl('wait-until interface p1 statistics:tx_packets=1 statistics:tx_bytes=14');
  });

  it('09: wait-until is satisfied by what is there', async () => {
    await oko.vsctl('wait-until interface p1 link_state=up');
  });

  it('14: a tag makes an access port', async () => {
    await oko.vsctl('set port p1 tag=100');
    const [bridge] = oko.daemon.bridges.values();
    expect(bridge.bridge.ports.peek(1)?.vlan).toMatchObject({ mode: 'access', tag: 100 });
    await oko.vsctl('clear port p1 tag');
    expect(bridge.bridge.ports.peek(1)?.vlan).toMatchObject({ mode: 'trunk' });
  });

  it('15: protocols restrict the versions', async () => {
    await oko.vsctl('set bridge br0 protocols=OpenFlow13,OpenFlow14');
    expect((await oko.run('ovs-ofctl', 'show', 'br0')).stderr).toContain('version negotiation failed');
    expect(await oko.output('ovs-ofctl', '-O', 'OpenFlow14', 'show', 'br0')).toContain('OF1.4');
    await oko.vsctl('clear bridge br0 protocols');
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).toContain('dpid');
  });

  it('keeps flows while ports, controllers and the datapath ID change', async () => {
    await oko.output('ovs-ofctl', 'add-flow', 'br0', 'priority=7,in_port=1,actions=drop');
    await oko.vsctl(
      'set bridge br0 other_config:datapath-id=00000000000000ff -- add-port br0 p3 -- set interface p3 type=null',
    );
    expect(await oko.columns('Bridge', 'br0', 'datapath_id')).toEqual({ datapath_id: '"00000000000000ff"' });
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).toContain('dpid:00000000000000ff');
    expect(await oko.output('ovs-ofctl', 'dump-flows', 'br0')).toContain('priority=7,in_port=1 actions=drop');
  });

  it('a secure bridge has no flows of its own', async () => {
    await oko.vsctl('add-br br1 -- set bridge br1 datapath_type=dummy fail_mode=secure');
    expect(await oko.output('ovs-ofctl', 'dump-flows', 'br1')).not.toContain('actions');
    await oko.vsctl('set-fail-mode br1 standalone');
    await oko.vsctl('del-br br1');
    expect((await oko.run('ovs-ofctl', 'show', 'br1')).stderr).toContain('br1 is not a bridge or a socket');
  });

  it('passes packets over a patch to another bridge', async () => {
    await oko.vsctl(
      'add-br br2 -- set bridge br2 datapath_type=dummy -- add-port br0 to2 -- set interface to2 type=patch options:peer=to0 -- add-port br2 to0 -- set interface to0 type=patch options:peer=to2',
    );
    const [before] = [oko.daemon.bridges.get('br2')?.bridge.datapath.portCounters(1)?.rxPackets];
    const { ofport } = await oko.columns('Interface', 'to2', 'ofport');
    await oko.output('ovs-ofctl', 'packet-out', 'br0', 'none', `output:${ofport}`, 'ffffffffffffaabbccddeeff0800');
    expect(oko.daemon.bridges.get('br2')?.bridge.datapath.portCounters(1)?.rxPackets).toBe((before ?? 0) + 1);
    await oko.vsctl('del-br br2');
  });

  it('mirrors packets, and counts them', async () => {
    await oko.vsctl(
      'add-port br0 m1 -- set interface m1 type=null -- --id=@out get port m1 -- --id=@m create mirror name=all select_all=true output_port=@out -- set bridge br0 mirrors=@m',
    );
    const { ofport } = await oko.columns('Interface', 'm1', 'ofport');
    await oko.output('ovs-ofctl', 'packet-out', 'br0', '1', 'output:1', '010203040506aabbccddeeff0800');
    const counters = oko.daemon.bridges.get('br0')?.bridge.datapath.portCounters(Number(ofport));
    expect(counters?.txPackets).toBe(1);
    await oko.vsctl('wait-until mirror all statistics:tx_packets=1');
    await oko.vsctl('clear bridge br0 mirrors -- del-port m1');
  });

  it('names tables and limits them', async () => {
    await oko.vsctl('--id=@t create flow_table name=first flow_limit=1 -- set bridge br0 flow_tables:3=@t');
    await oko.output('ovs-ofctl', 'add-flow', 'br0', 'table=3,priority=1,actions=drop');
    expect((await oko.run('ovs-ofctl', 'add-flow', 'br0', 'table=3,priority=2,actions=drop')).stderr).toContain(
      'OFPFMFC_TABLE_FULL',
    );
    await oko.vsctl('clear bridge br0 flow_tables');
    await oko.output('ovs-ofctl', 'add-flow', 'br0', 'table=3,priority=2,actions=drop');
  });

  it('learns as many addresses as it may', async () => {
    const capacity = () => oko.daemon.bridges.get('br0')?.bridge.macs.capacity;
    await oko.vsctl('set bridge br0 other_config:mac-table-size=100 other_config:mac-aging-time=60');
    expect(capacity()).toBe(100);
    await oko.vsctl('set bridge br0 other_config:mac-table-size=many');
    expect(capacity()).toBe(8192);
    await oko.vsctl('remove bridge br0 other_config mac-table-size -- remove bridge br0 other_config mac-aging-time');
  });

  it('says what it does not do', async () => {
    await oko.vsctl(
      'set bridge br0 stp_enable=true -- --id=@s create sflow targets="1.2.3.4" -- set bridge br0 sflow=@s -- --id=@q create qos type=linux-htb -- set port p1 qos=@q',
    );
    expect(await oko.columns('Bridge', 'br0', 'status')).toEqual({ status: '{unsupported="stp_enable, sflow"}' });
    expect(await oko.columns('Port', 'p1', 'status')).toEqual({ status: '{unsupported=qos}' });
    await oko.vsctl('set bridge br0 stp_enable=false -- clear bridge br0 sflow -- clear port p1 qos');
    expect(await oko.columns('Bridge', 'br0', 'status')).toEqual({ status: '{}' });
  });

  it('refuses types that it does not have, and says so', async () => {
    const { stderr } = await oko.run('ovs-vsctl', ...'add-port br0 x1 -- set interface x1 type=lisp'.split(' '));
    expect(stderr).toContain('could not open network device x1 (type "lisp" is not supported)');
    await oko.vsctl('del-port x1');
  });

  it('serves managers', async () => {
    await oko.vsctl('set-manager ptcp:0:127.0.0.1 punix:manager.sock');
    expect(await oko.output('ovs-vsctl', `--db=unix:${join(oko.folder, 'manager.sock')}`, 'br-exists', 'br0')).toBe('');
    await oko.vsctl('del-manager');
    const { status } = await oko.run(
      'ovs-vsctl',
      '--timeout=1',
      `--db=unix:${join(oko.folder, 'manager.sock')}`,
      'show',
    );
    expect(status).not.toBe(0);
  });
});

describe.skipIf(missing !== undefined)('a daemon that starts again', () => {
  const oko = new TestVswitchd();

  afterAll(() => oko.remove());

  it('has the bridges, ports and numbers that it had, and catches up with what came meanwhile', async () => {
    await oko.start();
    await oko.vsctl('add-br br0 -- set bridge br0 datapath_type=dummy');
    for (const name of ['a', 'b']) await oko.vsctl(`add-port br0 ${name} -- set interface ${name} type=null`);
    await oko.vsctl('del-port a');
    const object = join(REPOSITORY, 'examples/rate-limiter.o');
    await oko.output(process.execPath, OKO_MAIN, 'ofctl', 'load-filter-prog', 'br0', '1', object);
    const id = await oko.columns('Bridge', 'br0', 'datapath_id');
    await oko.stop();
    await oko.output(
      'ovsdb-tool',
      'query',
      join(oko.folder, 'conf.db'),
      '["Open_vSwitch",{"op":"select","table":"Bridge","where":[]}]',
    );
    const mutate =
      '["Open_vSwitch",{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["next_cfg","+=",5]]}]';
    await oko.output('ovsdb-tool', 'transact', join(oko.folder, 'conf.db'), mutate);
    await oko.start();
    expect(await oko.columns('Interface', 'b', 'ofport')).toEqual({ ofport: '2' });
    expect(await oko.columns('Bridge', 'br0', 'datapath_id')).toEqual(id);
    const { cur_cfg, next_cfg } = await oko.columns('Open_vSwitch', '.', 'cur_cfg', 'next_cfg');
    expect(cur_cfg).toBe(next_cfg);
    // Filter programs are there again too, as long as their bridge is.
    expect(oko.daemon.bridges.get('br0')?.bridge.programs.has(1)).toBe(true);
    await oko.vsctl('del-br br0 -- add-br br0 -- set bridge br0 datapath_type=dummy');
    await oko.vsctl('del-br br0');
    expect(readdirSync(join(oko.folder, 'oko-programs'))).toEqual([]);
  });
});
