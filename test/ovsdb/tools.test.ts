import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compileSchema, Database, OvsdbServer, openVswitch, printSchema } from '../../src/ovsdb/index.ts';
import { hasOvsdbServer, hasOvsVsctl, temporaryDirectory } from './debian-server.ts';

const run = promisify(execFile);

describe.skipIf(!hasOvsdbServer || !hasOvsVsctl)("Open vSwitch's own clients (needs openvswitch-switch)", () => {
  const place = temporaryDirectory();
  const remote = `unix:${place.path}/db.sock`;
  const running = new Set<ChildProcess>();
  let server: OvsdbServer;

  beforeAll(async () => {
    server = new OvsdbServer({ databases: [new Database(compileSchema(openVswitch))] });
    await server.addRemote(`p${remote}`);
  });

  afterEach(() => {
    for (const child of running) child.kill();
    running.clear();
  });

  afterAll(async () => {
    await server.close();
    place.remove();
  });

  async function client(...args: string[]): Promise<string> {
    return (await run('ovsdb-client', args, { timeout: 20_000 })).stdout;
  }

  async function vsctl(...args: string[]): Promise<string> {
    return (await run('ovs-vsctl', [`--db=${remote}`, '--no-wait', '--timeout=20', ...args])).stdout;
  }

  /** A command that goes on until it is ended; `until` waits for a text in what it says. */
  function start(
    command: string,
    ...args: string[]
  ): { until(text: string): Promise<void>; output(): string; end(): Promise<number | null> } {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk;
      });
    return {
      output: () => said,
      until: async (text) => {
        while (!said.includes(text)) {
          if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`);
          await once(child.stdout, 'data', { signal: AbortSignal.timeout(15_000) });
        }
      },
      end: async () => {
        if (child.exitCode === null) {
          child.kill();
          await once(child, 'exit');
        }
        running.delete(child);
        return child.exitCode;
      },
    };
  }

  it('ovsdb-client lists databases, tables and columns, and takes the schema for its own', async () => {
    expect(await client('list-dbs', remote)).toBe('Open_vSwitch\n_Server\n');
    expect(JSON.parse(await client('get-schema', remote, 'Open_vSwitch'))).toEqual(
      JSON.parse(JSON.stringify(printSchema(compileSchema(openVswitch)))),
    );
    expect(await client('get-schema-version', remote)).toBe('8.3.1\n');
    expect(await client('get-schema-cksum', remote)).toBe('3012963480 26720\n');
    expect((await client('list-tables', remote)).split('\n').slice(2).sort().slice(1)).toEqual(
      Object.keys(openVswitch.tables).sort(),
    );
    expect(await client('list-columns', remote, 'Open_vSwitch', 'Bridge')).toMatch(/^protocols .*OpenFlow15/m);
    expect(await client('needs-conversion', remote, '/usr/share/openvswitch/vswitch.ovsschema')).toBe('no\n');
  });

  it('ovs-vsctl --no-wait does its work', async () => {
    await vsctl('init');
    await vsctl(
      'add-br',
      'br0',
      '--',
      'set',
      'bridge',
      'br0',
      'datapath_type=netdev',
      'other_config:a=b',
      'protocols=OpenFlow13,OpenFlow15',
    );
    await vsctl(
      'add-port',
      'br0',
      'p1',
      'tag=5',
      '--',
      'add-bond',
      'br0',
      'bond0',
      'e0',
      'e1',
      'bond_mode=balance-slb',
    );
    await vsctl('add-br', 'br0.7', 'br0', '7');
    await vsctl(
      '--',
      '--id=@q',
      'create',
      'queue',
      'other_config:max-rate=1000',
      '--',
      '--id=@s',
      'create',
      'qos',
      'type=linux-htb',
      'queues:0=@q',
      '--',
      'set',
      'port',
      'p1',
      'qos=@s',
    );
    await vsctl(
      '--',
      '--id=@m',
      'create',
      'mirror',
      'name=m0',
      'select_all=true',
      '--',
      'set',
      'bridge',
      'br0',
      'mirrors=@m',
    );
    await vsctl(
      'set-controller',
      'br0',
      'tcp:127.0.0.1:6653',
      'ptcp:6654',
      '--',
      'set-manager',
      'ptcp:6640',
      '--',
      'set-fail-mode',
      'br0',
      'secure',
    );
    await vsctl('set-ssl', '/k', '/c', '/ca');
    expect(await vsctl('list-br')).toBe('br0\nbr0.7\n');
    expect(await vsctl('list-ports', 'br0')).toBe('bond0\np1\n');
    expect(await vsctl('list-ifaces', 'br0')).toBe('e0\ne1\np1\n');
    expect(await vsctl('br-to-vlan', 'br0.7')).toBe('7\n');
    expect(await vsctl('get', 'port', 'p1', 'tag')).toBe('5\n');
    expect(await vsctl('get', 'bridge', 'br0', 'protocols')).toBe('[OpenFlow13, OpenFlow15]\n');
    expect(await vsctl('--bare', '--columns=other_config', 'find', 'queue')).toBe('max-rate=1000\n');
    expect(await vsctl('get-controller', 'br0')).toBe('ptcp:6654\ntcp:127.0.0.1:6653\n');
    expect(await vsctl('show')).toMatch(/Bridge br0\n.*Port bond0\n.*Interface e0\n/s);
    await vsctl('wait-until', 'bridge', 'br0', 'fail_mode=secure');
    await vsctl('remove', 'bridge', 'br0', 'other_config', 'a', '--', 'clear', 'port', 'p1', 'qos');
    await expect(vsctl('set', 'port', 'p1', 'tag=5000')).rejects.toThrow(/5000 is not in the valid range|constraint/);
    await expect(vsctl('add-br', 'br0')).rejects.toThrow(/already exists/);
    await vsctl('emer-reset');
    await vsctl('del-port', 'bond0', '--', 'del-br', 'br0');
    expect(await vsctl('list-br')).toBe('');
    expect(await vsctl('--bare', '--columns=name', 'list', 'interface')).toBe('');
    expect(await vsctl('--bare', '--columns=name', 'list', 'mirror')).toBe('');
  });

  it('ovsdb-client transacts, queries, dumps, backs up and restores', async () => {
    await vsctl('--if-exists', 'del-br', 'br1', '--', 'add-br', 'br1');
    const select = JSON.stringify(['Open_vSwitch', { op: 'select', table: 'Bridge', where: [], columns: ['name'] }]);
    expect(await client('transact', remote, select)).toBe('[{"rows":[{"name":"br1"}]}]\n');
    expect(await client('query', remote, select)).toBe('[{"rows":[{"name":"br1"}]}]\n');
    expect(await client('dump', remote, 'Open_vSwitch', 'Bridge', 'name')).toBe('Bridge table\nname\n----\nbr1\n');
    const backup = await client('backup', remote);
    expect(backup).toMatch(/^OVSDB JSON /);
    await vsctl('del-br', 'br1');
    // It seeks in its input, which so must be a file.
    writeFileSync(`${place.path}/backup`, backup);
    await run('sh', ['-c', 'ovsdb-client restore "$1" < "$2"', 'sh', remote, `${place.path}/backup`]);
    expect(await vsctl('list-br')).toBe('br1\n');
    expect(
      await client('convert', remote, '/usr/share/openvswitch/vswitch.ovsschema').catch((error) => error.stderr),
    ).toMatch(/not supported/);
  });

  it.each([
    ['monitor', ['monitor', remote, 'Bridge', 'name']],
    ['monitor-cond', ['monitor-cond', remote, '[["name","==","br2"]]', 'Bridge', 'name']],
    [
      'monitor-cond-since',
      ['monitor-cond-since', remote, '00000000-0000-0000-0000-000000000000', '[["name","==","br2"]]', 'Bridge', 'name'],
    ],
  ])('ovsdb-client %s sees rows come and go', async (_name, args) => {
    await vsctl('--may-exist', 'add-br', 'br2');
    const watch = start('ovsdb-client', ...args);
    await watch.until('br2');
    expect(watch.output()).toMatch(/initial br2/);
    await vsctl('del-br', 'br2');
    await watch.until('delete');
    await vsctl('add-br', 'br2');
    await watch.until('insert');
    await watch.end();
    await vsctl('del-br', 'br2');
  });

  it('ovsdb-client waits for the database, and gets and loses locks', async () => {
    await client('--timeout=10', 'wait', remote, 'Open_vSwitch', 'connected');
    const first = start('ovsdb-client', 'lock', remote, 'mine');
    await first.until('{"locked":true}');
    const second = start('ovsdb-client', 'lock', remote, 'mine');
    await second.until('{"locked":false}');
    const thief = start('ovsdb-client', 'steal', remote, 'mine');
    await thief.until('{"locked":true}');
    await first.until('stolen');
    await thief.end();
    await first.until('locked\n["mine"]').catch(() => first.until('locked'));
    await first.end();
    await second.until('locked');
  });
});
