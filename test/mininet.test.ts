import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacesMissing, stop } from './support/namespaces.ts';
import { OKO_MAIN, REPOSITORY } from './support/oko.ts';

/** Debian's own, for which its packages of Mininet and os-ken are. */
const PYTHON = '/usr/bin/python3';
const has = (module: string): boolean => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
const missing =
  namespacesMissing() ??
  (has('mininet.net') ? undefined : 'needs mininet') ??
  (existsSync('/usr/bin/ovs-vsctl') ? undefined : 'needs openvswitch-switch');
const hasTestcontroller = existsSync('/usr/bin/ovs-testcontroller');

describe.skipIf(missing !== undefined)(`Debian's Mininet on oko run (${missing ?? 'mininet is here'})`, () => {
  const namespace = `oko-mn-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'oko-mininet-'));
  const env = { ...process.env, OVS_RUNDIR: folder, OVS_DBDIR: folder, OVS_LOGDIR: folder, PYTHONUNBUFFERED: '1' };
  const children: ChildProcess[] = [];

  /** Starts a command in the namespace and waits until it has said `ready`. */
  function start(command: readonly string[], ready: RegExp): Promise<void> {
    const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
      cwd: REPOSITORY,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return new Promise((resolve, reject) => {
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => {
          said += chunk;
          if (ready.test(said)) resolve();
        });
      child.once('exit', (status) => reject(new Error(`${command.join(' ')} ended with ${status}: ${said}`)));
    });
  }

  /** What Mininet says, from network to pingall to the end. */
  function mininet(...args: string[]): string {
    const command = ['netns', 'exec', namespace, PYTHON, 'test/peers/mininet_pingall.py', ...args];
    const { stdout, stderr } = spawnSync('ip', command, { cwd: REPOSITORY, env, encoding: 'utf8', timeout: 100_000 });
    return stdout + stderr;
  }

  beforeAll(async () => {
    spawnSync('ip', ['netns', 'add', namespace]);
    spawnSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    await start([process.execPath, OKO_MAIN, 'run', '--pidfile'], /is running/);
  });

  afterAll(async () => {
    for (const child of children.reverse()) await stop(child);
    spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['user', 'kernel'])(
    'OVSBridge, which learns by itself (datapath=%s)',
    (datapath) => {
      const said = mininet('bridge', datapath);
      expect(said).toMatch(/^loss 0%$/m);
      expect(said).toMatch(/Bridge s1\s+fail_mode: standalone/);
    },
    120_000,
  );

  it.skipIf(!hasTestcontroller)(
    'OVSSwitch with ovs-testcontroller (needs openvswitch-testcontroller)',
    () => {
      const said = mininet('ovs', 'user');
      expect(said).toMatch(/^loss 0%$/m);
      expect(said).toMatch(/Controller "tcp:127.0.0.1:6653"\s+is_connected: true\s+fail_mode: secure/);
    },
    120_000,
  );

  it.skipIf(!has('os_ken'))(
    'OVSSwitch with a learning switch on os-ken, in OpenFlow 1.3 (needs python3-os-ken)',
    async () => {
      const run = 'import sys; from os_ken.cmd.manager import main; main()';
      const listen = ['--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', '6654', '--verbose'];
      await start([PYTHON, '-c', run, ...listen, 'test/peers/simple_switch_13.py'], /instantiating|loading|BRICK/i);
      const said = mininet('6654', 'user');
      expect(said).toMatch(/^loss 0%$/m);
      expect(said).toMatch(/Controller "tcp:127.0.0.1:6654"\s+is_connected: true/);
    },
    120_000,
  );

  it("the same by Oko's own ovs-vsctl, in oko shell", () => {
    const command = `ip netns exec ${namespace} ${PYTHON} test/peers/mininet_pingall.py bridge user`;
    const { stdout, stderr } = spawnSync(process.execPath, [OKO_MAIN, 'shell', command], {
      cwd: REPOSITORY,
      env: { ...env, SHELL: '/bin/sh' },
      encoding: 'utf8',
      timeout: 100_000,
    });
    const said = stdout + stderr;
    expect(said).toMatch(/^loss 0%$/m);
    expect(said).toMatch(/Port s1-eth3\s+Interface s1-eth3/);
  }, 120_000);

  it("leaves nothing on the switch, by Debian's ovs-vsctl", () => {
    const { stdout } = spawnSync('ovs-vsctl', ['list-br'], { env, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
