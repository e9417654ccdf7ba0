import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((dir) => existsSync(join(dir, name)));
}

/** Whether Open vSwitch's own database server and tools are installed here. */
export const hasOvsdbServer = ['ovsdb-server', 'ovsdb-tool', 'ovsdb-client'].every(hasTool);
export const hasOvsVsctl = hasTool('ovs-vsctl');

export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'oko-ovsdb-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function ovsdbTool(...args: string[]): string {
  return execFileSync('ovsdb-tool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Debian's ovsdb-server on database files in `directory`; the oracle of these tests. */
export class DebianServer {
  readonly socketPath: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(directory: string, databasePaths: readonly string[]) {
    this.socketPath = join(directory, 'debian.sock');
    this.#process = spawn(
      'ovsdb-server',
      [
        '--no-chdir',
        '-vconsole:off',
        `--remote=punix:${this.socketPath}`,
        `--unixctl=${join(directory, 'debian.ctl')}`,
        ...databasePaths,
      ],
      { stdio: 'ignore' },
    );
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  async started(): Promise<this> {
    for (let i = 0; i < 200 && !existsSync(this.socketPath); i++) await sleep(25);
    return this;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
    rmSync(this.socketPath, { force: true });
  }
}
