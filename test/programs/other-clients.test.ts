import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { BridgeOptions } from '../../src/ofproto/index.ts';
import { filterProgFieldNamed } from '../../src/ofproto/index.ts';
import { REPOSITORY } from '../support/oko.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
const hasOfctl = existsSync('/usr/bin/ovs-ofctl');
const hasOsken = spawnSync(PYTHON, ['-c', 'import os_ken']).status === 0;
const LIMITER = 'examples/rate-limiter.o';
const NOTE = 'note:66.69.6c.74.65.72.5f.70.72.6f.67.3d.31.00';

let sw: ProgramSwitch;
afterEach(() => sw.close());

async function start(options: Partial<BridgeOptions> = {}): Promise<void> {
  sw = await ProgramSwitch.start(options);
  const { err } = await sw.ofctl('load-filter-prog', 'SW', '1', LIMITER);
  expect(err).toBe('');
}

/** Debian's ovs-ofctl; what it prints, its error output at the end. */
async function ovsOfctl(...words: readonly string[]): Promise<string> {
  const args = words.map((word) => (word === 'SW' ? sw.socket : word));
  try {
    return (await run('/usr/bin/ovs-ofctl', args, { timeout: 30_000 })).stdout;
  } catch (error) {
    return (error as { stdout: string; stderr: string }).stdout + (error as { stderr: string }).stderr;
  }
}

describe.skipIf(!hasOfctl)("Debian's ovs-ofctl, which never heard of filter programs (needs ovs-ofctl)", () => {
  it.each(['OpenFlow10', 'OpenFlow13', 'OpenFlow15'])('in %s reads a flow with one as a note', async (version) => {
    await start();
    await sw.ofctl('-O', version, 'add-flow', 'SW', 'priority=1,filter_prog=1,ip,actions=output:2');
    expect(await ovsOfctl('-O', version, 'dump-flows', '--no-stats', 'SW')).toBe(
      ` priority=1,ip actions=${NOTE},output:2\n`,
    );
  });

  it.each(['OpenFlow10', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'])(
    'in %s writes and reads filtering flows by the field that stands for filter_prog',
    async (version) => {
      const filterProgField = filterProgFieldNamed('reg15');
      await start({ ...(filterProgField === undefined ? {} : { filterProgField }) });
      const ofctl = (...words: readonly string[]) => ovsOfctl('-O', version, ...words);
      expect(await ofctl('add-flow', 'SW', 'priority=1,ip,reg15=1,in_port=1,actions=output:2')).toBe('');
      expect(await ofctl('add-flow', 'SW', 'priority=1,ip,in_port=1,actions=drop')).toBe('');
      const shown = ' priority=1,ip,reg15=0x1,in_port=1 actions=output:2\n';
      expect(await ofctl('dump-flows', '--no-stats', 'SW', 'reg15=1')).toBe(shown);
      expect((await ofctl('dump-flows', '--no-stats', 'SW')).split('\n')).toContain(shown.trimEnd());
      expect((await sw.ofctl('--no-stats', 'dump-flows', 'SW')).out).toContain(
        ' priority=1,filter_prog=1,ip,in_port=1 actions=output:2\n',
      );
      expect(await ofctl('add-flow', 'SW', 'reg15=2,actions=drop')).toContain('OFPBMC_BAD_VALUE');
      expect(await ofctl('add-flow', 'SW', 'reg15=65536,actions=drop')).toContain('OFPBMC_BAD_VALUE');
      // A part of the register is just that.
      expect(await ofctl('add-flow', 'SW', 'priority=9,reg15=0x1/0xf,actions=drop')).toBe('');
      expect((await sw.ofctl('--no-stats', 'dump-flows', 'SW')).out).toContain(
        ' priority=9,reg15=0x1/0xf actions=drop\n',
      );
      expect(await ofctl('dump-aggregate', 'SW', 'reg15=1')).toContain('flow_count=1');
      expect(await ofctl('--strict', 'del-flows', 'SW', 'priority=1,ip,reg15=1,in_port=1')).toBe('');
      expect((await sw.ofctl('--no-stats', 'dump-flows', 'SW')).out).not.toContain('filter_prog');
      expect(await ofctl('dump-flows', '--no-stats', 'SW')).toContain(' priority=1,ip,in_port=1 actions=drop\n');
    },
  );
});

describe.skipIf(!hasOsken)('examples/controller/filter_programs.py on os-ken (needs python3-os-ken)', () => {
  it('loads a program, uses it in flows by a register, and reads and writes its maps', async () => {
    const filterProgField = filterProgFieldNamed('reg15');
    sw = await ProgramSwitch.start({ ...(filterProgField === undefined ? {} : { filterProgField }) });
    const port = 20_000 + (process.pid % 20_000);
    const code = 'import sys; from os_ken.cmd.manager import main; main()';
    const args = ['-c', code, '--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', `${port}`];
    const child = spawn(PYTHON, [...args, 'examples/controller/filter_programs.py'], {
      cwd: REPOSITORY,
      env: { ...process.env, OKO_PROGRAM: LIMITER },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await sw.controllers.add(`tcp:127.0.0.1:${port}`, { maxBackoffMs: 1000 });
      const lines: string[] = [];
      // The switch tries again to connect by its own clock.
      const clock = setInterval(() => {
        sw.clock.advanceTo(sw.clock.nowNs() + 200_000_000n);
        sw.controllers.run();
      }, 100);
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (lines.filter((text) => text.startsWith('flow of')).length === 2) break;
      }
      clearInterval(clock);
      expect(lines).toEqual([
        'program 1 is loaded',
        'map limits: 256 entries, 07000000 = 64000000000000000a00000000000000',
        'flow of filter program 1',
        'flow of filter program 1',
      ]);
    } finally {
      child.kill('SIGKILL');
    }
    const { out } = await sw.ofctl('--no-stats', 'dump-flows', 'SW');
    expect(out).toContain('priority=10,filter_prog=1,ip,in_port=1 actions=output:2');
  });
});
