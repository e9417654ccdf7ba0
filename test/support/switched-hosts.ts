import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './oko.ts';

/** Starts a command and waits until it has printed `ready`, on either output. */
export function startUntil(command: string, args: readonly string[], ready: RegExp): Promise<ChildProcess> {
  const child = spawn(command, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      if (ready.test(text)) resolve(child);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${text}`)));
  });
}

/**
 * Two hosts, each a network namespace whose device `wire` (10.8.0.1 and 10.8.0.2) is one end of a veth pair; the other ends, of which
 * `devices` has the names, are for a switch.
 */
export class SwitchedHosts {
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-hosts-'));
  readonly left: string;
  readonly right: string;
  readonly devices: readonly [string, string];

  constructor(name: string) {
    this.left = `oko-${name}-${process.pid}-l`;
    this.right = `oko-${name}-${process.pid}-r`;
    this.devices = [`o${process.pid % 100_000}${name}l`, `o${process.pid % 100_000}${name}r`];
    try {
      for (const [i, host] of [this.left, this.right].entries()) {
        const device = this.devices[i];
        ip(`netns add ${host}`);
        ip(`link add ${device} type veth peer name wire netns ${host}`);
        ip(`link set ${device} up`);
        ip(`-n ${host} link set lo up`);
        ip(`-n ${host} link set wire up`);
        ip(`-n ${host} address add 10.8.0.${i + 1}/24 dev wire`);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** How many of so many pings from left to right are answered, without waiting long for any. */
  ping(count: number): number {
    const args = ['netns', 'exec', this.left, 'ping', '-c', `${count}`, '-i', '0.1', '-W', '2', '10.8.0.2'];
    const { stdout } = spawnSync('ip', args, { encoding: 'utf8', timeout: 30_000 });
    return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  }

  close(): void {
    for (const host of [this.left, this.right]) spawnSync('ip', ['netns', 'delete', host]);
    for (const device of this.devices) spawnSync('ip', ['link', 'delete', device]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ip(line: string): void {
  const { status, stderr } = spawnSync('ip', line.split(' '), { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new Error(`ip ${line}: ${stderr}`);
}
