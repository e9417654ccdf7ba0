import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { OKO_MAIN } from '../support/oko.ts';
import { clientsMissing, eventually, TestVswitchd } from '../support/vswitchd.ts';

const missing = clientsMissing();

describe.skipIf(missing !== undefined)(`oko run as a process${missing ? ` (${missing})` : ''}`, () => {
  // Only its folders and clients: the daemon is another process here.
  const oko = new TestVswitchd();
  const children: ChildProcess[] = [];
  const inBackground: number[] = [];
  const pidfile = join(oko.folder, 'ovs-vswitchd.pid');

  afterEach(async () => {
    for (const child of children.splice(0)) await ended(child, 'SIGKILL');
    for (const pid of inBackground.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  afterAll(() => oko.remove());

  /** A daemon in the foreground, when it is up. */
  const start = (...args: readonly string[]): Promise<ChildProcess> => startIn(oko.env, ...args);

  async function startIn(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, [OKO_MAIN, 'run', '--enable-dummy', ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += chunk;
        if (text.includes('is running')) resolve();
      });
      child.once('exit', () => reject(new Error(text)));
    });
    return child;
  }

  const pidOf = (): number => Number(readFileSync(pidfile, 'utf8'));

  it('goes into the background when it is up, writes its log, and ends at SIGTERM without leaving anything', async () => {
    const args = ['--detach', '--pidfile', '--log-file', '--no-chdir', '-vconsole:off', '--mlockall', '--enable-dummy'];
    expect(await oko.run(process.execPath, OKO_MAIN, 'run', ...args)).toMatchObject({ status: 0 });
    const pid = pidOf();
    inBackground.push(pid);
    await oko.vsctl('add-br br0 -- set bridge br0 datapath_type=dummy');
    expect(await oko.output('ovs-appctl', 'version')).toMatch(/^ovs-vswitchd \(Oko\) /);
    process.kill(pid, 'SIGTERM');
    await eventually(() => !isAlive(pid), 'the end of the daemon');
    for (const name of ['ovs-vswitchd.pid', `ovs-vswitchd.${pid}.ctl`, 'db.sock', 'br0.mgmt', 'br0.snoop'])
      expect(existsSync(join(oko.folder, name))).toBe(false);
    const log = readFileSync(join(oko.folder, 'ovs-vswitchd.log'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: 'info',
        module: 'bridge',
        msg: 'bridge br0: added interface br0 on port LOCAL',
      }),
    );
  });

  it('does not run twice on the same files', async () => {
    const first = await start('--pidfile');
    const again = (...args: readonly string[]) => oko.run(process.execPath, OKO_MAIN, 'run', '--enable-dummy', ...args);
    const second = await again('--pidfile', '--detach');
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`already running as pid ${first.pid}`);
    const third = await again();
    expect(third.status).toBe(1);
    expect(third.stderr).toContain(`conf.db is in use by process ${first.pid} (OVSDB_FILE_LOCKED)`);
    // The first has not suffered.
    expect(await oko.vsctl('show')).toContain('ovs_version');
  });

  it('survives kill -9: what was acknowledged is there again', async () => {
    const first = await start('--pidfile');
    await oko.vsctl('add-port br0 p1 -- set interface p1 type=null');
    await ended(first, 'SIGKILL');
    const second = await start('--pidfile');
    expect(await oko.vsctl('list-ports br0')).toBe('p1');
    expect(await oko.output('ovs-ofctl', 'show', 'br0')).toMatch(/^ 1\(p1\):/m);
    expect(pidOf()).toBe(second.pid);
    expect(await oko.output('ovs-appctl', 'exit')).toBe('');
    await eventually(() => second.exitCode === 0, 'the end of the daemon that was asked to exit');
  });

  it('starts anew after a crash when it is monitored', async () => {
    const args = ['--detach', '--monitor', '--pidfile', '--no-chdir', '--enable-dummy'];
    expect(await oko.run(process.execPath, OKO_MAIN, 'run', ...args)).toMatchObject({ status: 0 });
    const crashed = pidOf();
    inBackground.push(crashed);
    const monitor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${crashed}/status`, 'utf8'))?.[1]);
    inBackground.push(monitor);
    process.kill(crashed, 'SIGSEGV');
    await eventually(() => existsSync(pidfile) && isAlive(pidOf()) && pidOf() !== crashed, 'another daemon');
    inBackground.push(pidOf());
    await eventually(async () => (await oko.run('ovs-vsctl', '--timeout=9', 'show')).status === 0, 'a database again');
    process.kill(monitor, 'SIGTERM');
    await eventually(() => !isAlive(monitor), 'the end of the monitor');
    expect(existsSync(pidfile)).toBe(false);
  });

  it('works on another database server, and waits until it can be reached', async () => {
    const socket = join(oko.folder, 'debian.sock');
    const database = join(oko.folder, 'debian.db');
    await oko.output('ovsdb-tool', 'create', database, '/usr/share/openvswitch/vswitch.ovsschema');
    const daemon = start(`unix:${socket}`);
    const serve = [
      '-vconsole:off',
      `--remote=punix:${socket}`,
      `--unixctl=${join(oko.folder, 'debian.ctl')}`,
      database,
    ];
    const server = spawn('ovsdb-server', ['--no-chdir', ...serve], { env: oko.env, stdio: 'ignore' });
    children.push(server);
    await eventually(() => existsSync(socket), 'the socket of ovsdb-server');
    const vsctl = (...args: readonly string[]) =>
      oko.output('ovs-vsctl', `--db=unix:${socket}`, '--timeout=60', ...args);
    await vsctl('--no-wait', 'init');
    await daemon;
    await vsctl('add-br', 'br9', '--', 'set', 'bridge', 'br9', 'datapath_type=dummy');
    expect(await vsctl('get', 'interface', 'br9', 'ofport')).toBe('65534');
    expect(await oko.output('ovs-ofctl', 'show', 'br9')).toContain('LOCAL(br9)');
  });

  it.skipIf(process.getuid?.() !== 0)('runs as another user (needs root)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oko-vswitchd-'));
    try {
      const entry = readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((line) => line.startsWith('nobody:'));
      const [, , uid, gid] = (entry ?? '').split(':');
      chownSync(folder, Number(uid), Number(gid));
      const env = { ...oko.env, OVS_RUNDIR: folder, OVS_DBDIR: folder, OVS_SYSCONFDIR: folder };
      const child = await startIn(env, '--user=nobody', '--pidfile');
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}`, 'm'));
      // Raw sockets and changes to devices are still allowed.
      expect(BigInt(`0x${/^CapEff:\s+(\w+)/m.exec(status)?.[1]}`) & 0x3000n).toBe(0x3000n);
      expect(statSync(join(folder, 'conf.db')).uid).toBe(Number(uid));
      await ended(child, 'SIGTERM');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('keeps the database to its owner and group', () => {
    expect(statSync(join(oko.folder, 'conf.db')).mode & 0o007).toBe(0);
  });

  it('refuses what it cannot do in one line with a code', async () => {
    const refused = async (...args: readonly string[]) =>
      (await oko.run(process.execPath, OKO_MAIN, 'run', ...args)).stderr;
    expect(await refused('-vnonsense')).toContain('no destination, level, or module "nonsense" (UNIXCTL_REFUSED)');
    expect(await refused('--db=tcp:1.2.3.4', 'unix:/x')).toContain('there can be only one database (CLI_BAD_ARGUMENT)');
    expect(await refused('--db=ptcp:1234')).toContain('(OVSDB_REMOTE)');
    expect(await refused('/dev/null/conf.db')).toContain('(VSWITCHD_FOLDER)');
    expect(await refused('--certificate=/x')).toContain('are needed together (CLI_BAD_ARGUMENT)');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}
