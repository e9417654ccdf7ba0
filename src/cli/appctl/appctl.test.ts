import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSwitchView } from '../../../test/support/fake-switch-view.ts';
import { type AppctlResult, appctlMissing, ovsAppctl } from '../../../test/support/ovs-appctl.ts';
import { Pidfile, UnixctlServer, unixctlCommands } from '../../vswitchd/unixctl/index.ts';
import { runAppctl } from './run-appctl.ts';

const missing = appctlMissing();
const folder = mkdtempSync(join(tmpdir(), 'oko-appctl-'));
const silent = join(folder, 'silent.ctl');
let server: UnixctlServer;
let pidfile: Pidfile;
let mute: Server;

beforeAll(async () => {
  vi.stubEnv('OVS_RUNDIR', folder);
  server = await UnixctlServer.open(
    join(folder, `ovs-vswitchd.${process.pid}.ctl`),
    unixctlCommands(new FakeSwitchView()),
  );
  pidfile = await Pidfile.create(join(folder, 'ovs-vswitchd.pid'));
  writeFileSync(join(folder, 'stale.pid'), '1\n');
  writeFileSync(join(folder, 'bad.pid'), 'what\n');
  mute = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => mute.listen(silent, resolve));
});

afterAll(async () => {
  await server?.close();
  pidfile?.remove();
  mute?.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function ours(...args: readonly string[]): Promise<AppctlResult> {
  const said = { out: '', err: '' };
  const status = await runAppctl(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { status, stdout: said.out, stderr: said.err };
}

/** Debian's writes lines for its own log as well. */
const withoutLog = (result: AppctlResult): AppctlResult => ({
  ...result,
  stderr: result.stderr.replace(/^\d{4}-\S+\|WARN\|.*\n/gm, ''),
});

describe.skipIf(missing !== undefined)(`beside Debian's ovs-appctl${missing ? ` (${missing})` : ''}`, () => {
  it.each([
    ['version'],
    ['--target=ovs-vswitchd', 'list-commands'],
    ['-T', '60', 'fdb/show', 'br0'],
    ['--timeout=60', 'fdb/show', 'nobr'],
    ['ofproto/list'],
    ['bogus'],
    ['fdb/show'],
    ['version', '--foo'],
    [],
    ['-x'],
    ['--foo'],
    ['-t'],
    ['-T', '0', 'version'],
    ['--timeout=x', 'version'],
    ['-t', 'stale', 'version'],
    ['-t', 'bad', 'version'],
    ['-t', 'nobody', 'version'],
    ['-t', join(folder, 'nobody.ctl'), 'version'],
    ['-t', join(folder, 'stale.pid'), 'version'],
  ])('says and returns the same: %s %s %s %s', async (...args) => {
    expect(await ours(...args)).toEqual(withoutLog(await ovsAppctl(folder, ...args)));
  });
});

it('gives up in time, with the status of a program that an alarm has ended', async () => {
  expect(await ours('-t', silent, '-T', '1', 'version')).toEqual({ status: 142, stdout: '', stderr: '' });
});

it('tells of itself', async () => {
  expect((await ours('-V')).stdout).toMatch(/^ovs-appctl \(Oko\) \d/);
  expect((await ours('--help')).stdout).toContain('usage: oko appctl');
});
