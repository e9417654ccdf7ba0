import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Vswitchd, VswitchdOptions } from '../../src/vswitchd/index.ts';

/** Compiled, as its threads need files that Node can load. */
const BUILT = new URL('../../dist/vswitchd/index.js', import.meta.url).href;

/** Why Debian's clients cannot be used here, `undefined` when they can. */
export function clientsMissing(): string | undefined {
  const needed = ['/usr/bin/ovs-vsctl', '/usr/bin/ovs-ofctl', '/usr/bin/ovs-appctl', '/usr/bin/ovsdb-client'];
  return needed.every((path) => existsSync(path)) ? undefined : 'needs openvswitch-switch';
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Oko's daemon in this process, in folders of its own, and Debian's clients on it. */
export class TestVswitchd {
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-vswitchd-'));
  readonly env: NodeJS.ProcessEnv;
  /** Lines of the log. */
  readonly logged: string[] = [];
  #daemon: Vswitchd | undefined;

  constructor() {
    const { folder } = this;
    this.env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder, OVS_SYSCONFDIR: folder };
  }

  get daemon(): Vswitchd {
    if (this.#daemon === undefined) throw new Error('the daemon has not been started');
    return this.#daemon;
  }

  async start(options: Partial<VswitchdOptions> = {}): Promise<this> {
    const built = (await import(BUILT)) as typeof import('../../src/vswitchd/index.ts');
    const levels = new built.LogLevels(built.LOG_MODULES);
    const log = new built.Log({ console: { write: (line) => this.logged.push(line) }, form: 'text', levels });
    const { folder } = this;
    this.#daemon = new built.Vswitchd({
      folders: { rundir: folder, dbdir: folder, logdir: folder, sysconfdir: folder },
      log,
      levels,
      version: '1.2.3',
      dummy: 'on',
      ...options,
    });
    await this.#daemon.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Stops the daemon and removes its folders. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a program without keeping this process from answering it. */
  run(command: string, ...args: readonly string[]): Promise<RunResult> {
    return new Promise((resolve) => {
      execFile(command, args, { env: this.env, timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ status, stdout, stderr });
      });
    });
  }

  /** What a program that must succeed prints, less the last newline. */
  async output(command: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(command, ...args);
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${status}: ${stderr}`);
    return stdout.trimEnd();
  }

  /** Debian's ovs-vsctl, which waits until the daemon has done what it was told. */
  vsctl(line: string): Promise<string> {
    return this.output('ovs-vsctl', '--timeout=60', ...line.split(' '));
  }

  /** Columns of one row, as ovs-vsctl prints their values. */
  async columns(table: string, row: string, ...names: readonly string[]): Promise<Record<string, string>> {
    const lines = (await this.vsctl(`get ${table} ${row} ${names.join(' ')}`)).split('\n');
    return Object.fromEntries(names.map((name, i) => [name, lines[i]]));
  }
}

/** Waits until a condition holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`did not come true: ${what}`);
}
