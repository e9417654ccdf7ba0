import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oko, REPOSITORY } from './support/oko.ts';

describe('oko demo', () => {
  it('plays the capture once, limits the flood, and ends', () => {
    const run = oko(['demo', '--once'], { timeoutMs: 60_000 });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    // Plain lines while it runs, since this is no terminal.
    expect(run.stdout).toMatch(/^5\.\d s: p1 rx \d+ tx 0, p2 rx 0 tx \d+, program 1 ran \d+ matched \d+$/m);
    expect(run.stdout).not.toContain('\x1b');
    const count = (flow: string): number =>
      Number(new RegExp(`n_packets=(\\d+), .*${flow}$`, 'm').exec(run.stdout)?.[1]);
    expect(count('filter_prog=1,in_port=1 actions=output:2')).toBeGreaterThan(500);
    expect(count('in_port=1 actions=drop')).toBeGreaterThan(500);
    expect(run.stdout).toContain('Map budgets (lru-hash) of filter program 1');
    expect(run.stdout).toMatch(/The capture is done\..*Try next:/s);
  });

  it('stops at once when it is interrupted, and says what has come of it', async () => {
    const child = spawn(process.execPath, [join(REPOSITORY, 'dist/cli/main.js'), 'demo'], { cwd: REPOSITORY });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    await waitFor(child, () => output.includes('1.0 s:'));
    child.kill('SIGINT');
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status).toBe(0);
    expect(output).toMatch(/Oko bridge br0, [\d.]+ s of traffic.*Stopped\..*Try next:/s);
  });
});

async function waitFor(child: ChildProcess, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition() && child.exitCode === null; i++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(condition()).toBe(true);
}
