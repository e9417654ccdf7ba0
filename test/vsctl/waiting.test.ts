import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runVsctl } from '../../src/cli/vsctl/run-vsctl.ts';
import { compileSchema, Database, OvsdbClient, OvsdbServer, openVswitch } from '../../src/ovsdb/index.ts';

describe('oko vsctl', () => {
  const directory = mkdtempSync(join(tmpdir(), 'oko-vsctl-'));
  const socketPath = join(directory, 'db.sock');
  let server: OvsdbServer;
  let daemon: OvsdbClient<typeof openVswitch>;

  beforeAll(async () => {
    server = new OvsdbServer({ databases: [new Database(compileSchema(openVswitch))] });
    await server.addRemote(`punix:${socketPath}`);
    daemon = new OvsdbClient({ schema: openVswitch, connect: () => server.connectInProcess() });
    daemon.start();
    await daemon.whenReady();
  });

  beforeEach(async () => {
    const change = daemon.transaction();
    for (const uuid of daemon.rows('Open_vSwitch').keys()) change.delete('Open_vSwitch', uuid);
    if (!change.isEmpty) await change.commit();
  });

  afterAll(async () => {
    daemon.close();
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const status = await runVsctl([`--db=unix:${socketPath}`, ...words], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    return { status, out, err };
  }

  /** Does what a daemon does, once: gives interfaces their numbers, and then says that it is done. */
  function answerOnce(ofport: number, error: string | null): void {
    const unsubscribe = daemon.onChange(() => {
      const [root] = daemon.rows('Open_vSwitch').values();
      if (!root || root.next_cfg <= root.cur_cfg) return;
      unsubscribe();
      const change = daemon.transaction();
      for (const uuid of daemon.rows('Interface').keys()) change.update('Interface', uuid, { ofport, error });
      change.update('Open_vSwitch', root._uuid, { cur_cfg: root.next_cfg });
      void change.commit();
    });
  }

  it('waits until the daemon has done what the database says', async () => {
    answerOnce(1, null);
    expect(await run('add-br', 'br0')).toEqual({ status: 0, out: '', err: '' });
    await expect.poll(() => [...daemon.rows('Open_vSwitch').values()][0]).toMatchObject({ cur_cfg: 1, next_cfg: 1 });
    answerOnce(1, null);
    expect(await run('add-port', 'br0', 'p1', '--', 'list-ports', 'br0')).toEqual({ status: 0, out: 'p1\n', err: '' });
    await expect.poll(() => [...daemon.rows('Open_vSwitch').values()][0].next_cfg).toBe(2);
  });

  it('does not wait when nothing has changed, nor with --no-wait', async () => {
    expect((await run('--no-wait', 'add-br', 'br0')).status).toBe(0);
    expect((await run('--may-exist', 'add-br', 'br0')).status).toBe(0);
    expect((await run('list-br')).out).toBe('br0\n');
    expect([...daemon.rows('Open_vSwitch').values()][0].next_cfg).toBe(0);
  });

  it('tells of interfaces that the daemon could not open', async () => {
    answerOnce(-1, 'could not open network device p1 (No such device)');
    const { status, err } = await run('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    expect(status).toBe(0);
    expect(err.split('\n')[0]).toBe(
      "ovs-vsctl: Error detected while setting up 'br0': could not open network device p1 (No such device).  See ovs-vswitchd log for details.",
    );
  });

  it('gives up after --timeout', async () => {
    const { status, err } = await run('--timeout=1', 'add-br', 'br0');
    expect(status).toBe(142);
    expect(err).toMatch(/\|fatal_signal\|WARN\|terminating with signal 14 \(Alarm clock\)\n$/);
  });

  it('waits for rows that are not there yet', async () => {
    const waiting = run('wait-until', 'bridge', 'br7', 'fail_mode=secure', '--', 'get', 'bridge', 'br7', 'fail_mode');
    await run('--no-wait', 'add-br', 'br7');
    await run('--no-wait', 'set-fail-mode', 'br7', 'secure');
    expect(await waiting).toEqual({ status: 0, out: 'secure\n', err: '' });
  });

  it('changes nothing with --dry-run', async () => {
    expect(await run('--dry-run', 'add-br', 'br0', '--', 'list-br')).toEqual({ status: 0, out: 'br0\n', err: '' });
    expect((await run('--no-wait', 'list-br')).out).toBe('');
  });

  it('keeps what others do at the same time', async () => {
    await run('--no-wait', 'add-br', 'br0');
    const names = Array.from({ length: 40 }, (_, i) => `p${i}`);
    const results = await Promise.all(
      names.flatMap((name) => [
        run('--no-wait', 'add-port', 'br0', name),
        run('--no-wait', 'br-set-external-id', 'br0', name, 'x'),
      ]),
    );
    expect(results.filter(({ status }) => status !== 0)).toEqual([]);
    expect((await run('list-ports', 'br0')).out.trim().split('\n')).toEqual([...names].sort());
    expect((await run('br-get-external-id', 'br0')).out.trim().split('\n')).toHaveLength(names.length);
  });

  it('lets one of several win who add the same port', async () => {
    await run('--no-wait', 'add-br', 'br0');
    const results = await Promise.all(Array.from({ length: 10 }, () => run('--no-wait', 'add-port', 'br0', 'p1')));
    expect(results.filter(({ status }) => status === 0)).toHaveLength(1);
    for (const { status, err } of results)
      if (status !== 0)
        expect(err).toBe(
          'ovs-vsctl: cannot create a port named p1 because a port named p1 already exists on bridge br0\n',
        );
  });

  it('adds 1,000 ports in one transaction', async () => {
    const words = Array.from({ length: 1000 }, (_, i) => ['--', 'add-port', 'br0', `p${i}`]).flat();
    expect(await run('--no-wait', 'add-br', 'br0', ...words)).toEqual({ status: 0, out: '', err: '' });
    await expect.poll(() => daemon.rows('Port').size).toBe(1001);
  });

  it.each([
    ['unix:/nonexistent/socket', 'No such file or directory'],
    ['tcp:127.0.0.1:1', 'Connection refused'],
    ['nonsense:/x', 'Address family not supported by protocol'],
  ])('says why %s cannot be reached', async (remote, why) => {
    expect(await run(`--db=${remote}`, 'list-br')).toEqual({
      status: 1,
      out: '',
      err: `ovs-vsctl: ${remote}: database connection failed (${why})\n`,
    });
  });

  it('tries again and again with --retry', async () => {
    const late = join(directory, 'late.sock');
    const running = run('--retry', `--db=unix:${late}`, '--no-wait', '--may-exist', 'add-br', 'br0', '--', 'list-br');
    await server.addRemote(`punix:${late}`);
    expect((await running).out).toBe('br0\n');
  });

  it('lets the server connect to it', async () => {
    const running = run('--no-wait', `--db=punix:${join(directory, 'vsctl.sock')}`, 'list-br');
    const remote = await server.addRemote(`unix:${join(directory, 'vsctl.sock')}`);
    expect((await running).status).toBe(0);
    await remote.close();
  });

  it('refuses Auto Attach by name', async () => {
    expect(await run('--no-wait', 'add-br', 'br0', '--', 'add-aa-mapping', 'br0', '1', '2')).toEqual({
      status: 1,
      out: '',
      err: "ovs-vsctl: 'add-aa-mapping' is not supported: Oko does not take part in Auto Attach\n",
    });
  });
});
