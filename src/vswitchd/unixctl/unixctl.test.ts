import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeSwitchView } from '../../../test/support/fake-switch-view.ts';
import { type AppctlResult, appctlMissing, ovsAppctl } from '../../../test/support/ovs-appctl.ts';
import { command } from './command.ts';
import { unixctlCommands } from './commands.ts';
import { UnixctlError } from './errors.ts';
import { Pidfile, readPidfile } from './pidfile.ts';
import { UnixctlServer } from './server.ts';

const missing = appctlMissing();
const folder = mkdtempSync(join(tmpdir(), 'oko-unixctl-'));
const pidfilePath = join(folder, 'ovs-vswitchd.pid');
const view = new FakeSwitchView();
const registry = unixctlCommands(view);
let pidfile: Pidfile;
let server: UnixctlServer;

beforeAll(async () => {
  pidfile = await Pidfile.create(pidfilePath);
  server = await UnixctlServer.open(join(folder, `ovs-vswitchd.${process.pid}.ctl`), registry);
});

afterAll(async () => {
  await server?.close();
  pidfile?.remove();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

const appctl = (...args: readonly string[]): Promise<AppctlResult> => ovsAppctl(folder, ...args);

/** What the socket says to bytes, until it closes or as many replies have come. */
function exchange(bytes: string | Uint8Array, replies = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.path);
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.split('}').length > replies) socket.end();
    });
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

describe('the pidfile', () => {
  it('is refused while somebody holds it, and replaced when nobody does', async () => {
    await expect(Pidfile.create(pidfilePath)).rejects.toThrow(/already running as pid \d+/);
    const stale = join(folder, 'stale.pid');
    writeFileSync(stale, '1\n');
    expect(await readPidfile(stale)).toBeUndefined();
    const taken = await Pidfile.create(stale);
    expect(readFileSync(stale, 'utf8')).toBe(`${process.pid}\n`);
    taken.remove();
    await expect(readPidfile(stale)).rejects.toThrow(UnixctlError);
  });

  it('that holds no number is no pidfile', async () => {
    const path = join(folder, 'odd.pid');
    writeFileSync(path, 'what\n');
    await expect(readPidfile(path)).rejects.toThrow('holds no process number');
    rmSync(path);
  });
});

describe.skipIf(missing !== undefined)(`Debian's ovs-appctl${missing ? ` (${missing})` : ''}`, () => {
  it('finds the daemon by its pidfile', async () => {
    expect(await appctl('version')).toEqual({ status: 0, stdout: 'ovs-vswitchd (Oko) 1.2.3\n', stderr: '' });
  });

  it.each([
    ['bogus', [], '"bogus" is not a valid command (use "list-commands" to see a list of valid commands)'],
    ['fdb/show', [], '"fdb/show" command requires at least 1 arguments'],
    ['fdb/show', ['br0', 'x'], '"fdb/show" command takes at most 1 arguments'],
    ['fdb/show', ['nobr'], 'no such bridge'],
    ['fdb/add', ['br0', 'p1', '0', '505400000005'], 'bad MAC address'],
    ['fdb/del', ['br0', '9', '50:54:00:00:00:05'], 'could not find static mac entry'],
    ['vlog/set', ['foo'], 'no destination, level, or module "foo"'],
    ['vlog/set', ['PATTERN:x'], 'unknown destination "x"'],
    ['vlog/set', ['FACILITY:xx'], 'invalid facility'],
    ['vlog/disable-rate-limit', ['foo'], 'unknown module'],
    ['time/warp', ['x'], 'invalid MSECS'],
  ])('is told what is wrong: %s %j', async (name, args, text) => {
    expect(await appctl(name, ...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: `${text}\novs-appctl: ovs-vswitchd: server returned an error\n`,
    });
  });

  it('lists commands in columns', async () => {
    const { stdout } = await appctl('list-commands');
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('The available commands are:');
    expect(lines).toContain('  fdb/show                bridge');
    expect(lines).toContain('  version                 ');
    expect(lines.slice(1, -1)).toEqual(lines.slice(1, -1).sort());
  });

  it('adds, shows, deletes and flushes addresses', async () => {
    expect((await appctl('fdb/add', 'br0', 'p1', '0', '50:54:00:00:00:05')).stdout).toBe('');
    expect((await appctl('fdb/add', 'br0', 'br0', '7', '50:54:00:00:00:06')).stdout).toBe('');
    expect((await appctl('fdb/add', 'br0', 'p2', '0', '50:54:00:00:00:05')).stdout).toBe(
      'Overriding already existing static entry on 1\n',
    );
    expect((await appctl('fdb/show', 'br0')).stdout).toBe(
      ` port  VLAN  MAC                Age\nLOCAL     7  50:54:00:00:00:06  static\n    2     0  50:54:00:00:00:05  static\n`,
    );
    expect((await appctl('fdb/flush')).stdout).toBe('table successfully flushed\n');
    expect((await appctl('fdb/stats-show', 'br0')).stdout).toContain('Current static MAC entries in the table : 2\n');
    expect((await appctl('fdb/del', 'br0', '0', '50:54:00:00:00:05')).status).toBe(0);
    expect((await appctl('fdb/del', 'br0', '7', '50:54:00:00:00:06')).status).toBe(0);
    expect((await appctl('fdb/stats-clear')).stdout).toBe('statistics successfully cleared\n');
  });

  it('sets and lists levels and patterns of the log', async () => {
    expect((await appctl('vlog/set', 'dpif:file:dbg', 'console:off')).stdout).toBe('');
    expect((await appctl('vlog/list')).stdout).toBe(
      [
        '                 console    syslog    file',
        '                 -------    ------    ------',
        'bridge             OFF       INFO       INFO',
        'dpif               OFF       INFO        DBG',
        'ofproto_dpif       OFF       INFO       INFO',
        '',
      ].join('\n'),
    );
    await appctl('vlog/set', 'PATTERN:console:%m');
    expect((await appctl('vlog/list-pattern')).stdout).toContain('CONSOLE  none                              %m\n');
  });

  it('says what takes memory', async () => {
    expect((await appctl('memory/show')).stdout).toBe('idl-cells-Open_vSwitch:12 ports:4\n');
  });

  it('stops and moves the time', async () => {
    expect((await appctl('time/stop')).stdout).toBe('');
    const before = view.clock.nowNs();
    expect((await appctl('time/warp', '5000', '100')).stdout).toBe('warped\n');
    expect(view.clock.nowNs() - before).toBe(5_000_000_000n);
  });

  it('ends the daemon after its answer', async () => {
    expect(await appctl('exit', '--cleanup')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(view.exits).toEqual([true]);
  });
});

describe('the socket', () => {
  it('answers several commands on one connection, in order', async () => {
    registry.register(
      command('test/slow', '', [0, 0], () => new Promise((resolve) => setTimeout(() => resolve('slow'), 20))),
    );
    const text = await exchange(
      '{"id":0,"method":"test/slow","params":[]}{"id":"a","method":"version","params":[]}',
      2,
    );
    expect(text).toBe(
      '{"id":0,"result":"slow\\n","error":null}{"id":"a","result":"ovs-vswitchd (Oko) 1.2.3\\n","error":null}',
    );
    registry.unregister('test/slow');
  });

  it('refuses parameters that are not strings', async () => {
    expect(await exchange('{"id":1,"method":"version","params":[7]}')).toBe(
      '{"id":1,"result":null,"error":"\\"version\\" command has a parameter that is not a string\\n"}',
    );
  });

  it.each([
    ['no JSON', 'version\n'],
    ['an array', '[1]'],
    ['a notification', '{"id":null,"method":"version","params":[]}'],
    ['nested too deep', `{"id":0,"method":"version","params":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['bytes that are no UTF-8', Buffer.from('{"id":0,"method":"\xff","params":[]}', 'latin1')],
    ['a reply', '{"id":0,"result":1,"error":null}'],
  ])('drops a client that sends %s, and serves the next', async (_, bytes) => {
    expect(await exchange(bytes)).toBe('');
    expect(await exchange('{"id":0,"method":"ofproto/list","params":[]}')).toContain('"br0\\n"');
  });
});
