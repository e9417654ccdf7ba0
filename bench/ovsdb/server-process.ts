import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** A database server that is measured. */
export interface ServerProcess {
  readonly name: string;
  readonly socketPath: string;
  /** Milliseconds of processor time since it began. */
  cpuMs(): number;
  /** Kilobytes. */
  residentKb(): number;
  stop(): Promise<void>;
}

/** Why Debian's server cannot be measured beside ours; undefined when it can. */
export function peerMissing(): string | undefined {
  return existsSync('/usr/sbin/ovsdb-server') && existsSync(SCHEMA) ? undefined : 'needs openvswitch-switch';
}

export async function startOurs(folder: string): Promise<ServerProcess> {
  const socketPath = join(folder, 'ours.sock');
  const child = fork(fileURLToPath(new URL('serve.js', import.meta.url)), [
    join(folder, 'ours.db'),
    `punix:${socketPath}`,
  ]);
  await new Promise((resolve) => child.once('message', resolve));
  return processOf('Oko', child, socketPath);
}

export async function startTheirs(folder: string): Promise<ServerProcess> {
  const socketPath = join(folder, 'theirs.sock');
  const path = join(folder, 'theirs.db');
  mkdirSync(folder, { recursive: true });
  execFileSync('ovsdb-tool', ['create', path, SCHEMA]);
  const child = spawn(
    'ovsdb-server',
    ['--no-chdir', '-vconsole:off', `--remote=punix:${socketPath}`, `--unixctl=${join(folder, 'ctl')}`, path],
    { stdio: 'ignore' },
  );
  while (!existsSync(socketPath)) await sleep(10);
  return processOf('ovsdb-server', child, socketPath);
}

function processOf(name: string, child: ChildProcess, socketPath: string): ServerProcess {
  const read = (file: string): string => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    name,
    socketPath,
    cpuMs: () => {
      // proc(5): utime and stime are the 14th and 15th fields, in ticks of 10 ms.
      const fields = read('stat')
        .replace(/^.*\) /, '')
        .split(' ');
      return 10 * (Number(fields[11]) + Number(fields[12]));
    },
    residentKb: () => Number(/VmRSS:\s+(\d+)/.exec(read('status'))?.[1] ?? 0),
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await exited;
    },
  };
}
