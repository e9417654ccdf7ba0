import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../repository.ts';

const MAIN = fileURLToPath(new URL('dist/cli/main.js', repositoryRoot));

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** A switch daemon in a folder of its own, that Debian's ovs-vsctl drives. */
export abstract class BenchDaemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-bench-'));
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    OVS_RUNDIR: this.folder,
    OVS_LOGDIR: this.folder,
    OVS_DBDIR: this.folder,
    OVS_SYSCONFDIR: this.folder,
  };

  /** Starts it, and returns when it is up. */
  abstract start(): void;
  abstract stop(): void;

  /** Kilobytes of memory in use. */
  get residentKb(): number {
    const status = readFileSync(`/proc/${this.pid()}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  }

  pid(name = 'ovs-vswitchd'): number {
    return Number(readFileSync(join(this.folder, `${name}.pid`), 'utf8'));
  }

  /** Milliseconds that ovs-vsctl took, which waits for the daemon. */
  vsctl(args: readonly string[]): number {
    const begin = performance.now();
    this.run('ovs-vsctl', [`--db=unix:${join(this.folder, 'db.sock')}`, ...args]);
    return performance.now() - begin;
  }

  run(command: string, args: readonly string[]): void {
    const { status, stderr } = spawnSync(command, args, { env: this.env, encoding: 'utf8', timeout: 120_000 });
    if (status !== 0) throw new Error(`${command} ${args.slice(0, 5).join(' ')}: ${stderr}`);
  }

  remove(): void {
    this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class OkoDaemon extends BenchDaemon {
  start(): void {
    this.run(process.execPath, [MAIN, 'run', '--detach', '--pidfile', '--no-chdir', '-vconsole:off', '--enable-dummy']);
  }

  stop(): void {
    this.run('ovs-appctl', ['exit']);
  }

  /** Milliseconds from the process' start until a client is answered for the first time. */
  async startedMs(): Promise<number> {
    const begin = performance.now();
    const child = spawn(process.execPath, [MAIN, 'run', '--pidfile', '--log-format=text'], {
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.includes('is running')) resolve();
      });
    });
    const ms = performance.now() - begin;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    return ms;
  }
}

export class DebianDaemon extends BenchDaemon {
  start(): void {
    const socket = join(this.folder, 'db.sock');
    const daemon = ['--detach', '--no-chdir', '--pidfile', '-vconsole:off'];
    const database = join(this.folder, 'conf.db');
    this.run('ovsdb-tool', ['create', database, SCHEMA]);
    this.run('ovsdb-server', [...daemon, `--remote=punix:${socket}`, database]);
    this.run('ovs-vsctl', [`--db=unix:${socket}`, '--no-wait', 'init']);
    this.run('ovs-vswitchd', [...daemon, '--enable-dummy=override', '--disable-system', `unix:${socket}`]);
  }

  stop(): void {
    for (const name of ['ovs-vswitchd', 'ovsdb-server']) this.run('ovs-appctl', ['-t', name, 'exit']);
  }
}
