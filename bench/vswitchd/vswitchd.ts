import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_MODULES, Log, LogLevels, Vswitchd } from '../../src/vswitchd/index.ts';
import { median, threadCpuNs } from '../stopwatch.ts';
import { type BenchDaemon, DebianDaemon, OkoDaemon } from './daemon-pair.ts';

const STARTS = 5;
const PORTS_ONE_BY_ONE = 30;
const PORTS_AT_ONCE = 1000;
const PORTS = Array.from({ length: PORTS_AT_ONCE }, (_, i) => `n${i}`);

/** The daemon beside Debian's ovs-vswitchd with its ovsdb-server, both with ports that no device stands behind. */
export async function benchVswitchd(): Promise<void> {
  const empty = new OkoDaemon();
  const starts: number[] = [];
  for (let i = 0; i < STARTS; i++) starts.push(await empty.startedMs());
  empty.start();
  console.log(
    `ready after ${median(starts).toFixed(0)} ms; empty: ${(empty.residentKb / 1024).toFixed(0)} MB resident`,
  );
  empty.remove();

  const daemons: readonly (readonly [string, BenchDaemon])[] = [
    ['Oko', new OkoDaemon()],
    ['Debian', new DebianDaemon()],
  ];
  for (const [, daemon] of daemons) {
    daemon.start();
    daemon.vsctl(['add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy']);
  }
  const times = new Map<string, number[]>(daemons.map(([name]) => [name, []]));
  for (let i = 0; i < PORTS_ONE_BY_ONE; i++)
    for (const [name, daemon] of daemons) times.get(name)?.push(daemon.vsctl(addPort(`p${i}`)));
  for (const [name, daemon] of daemons) {
    const one = median(times.get(name) ?? []);
    const many = daemon.vsctl(PORTS.flatMap((port) => ['--', ...addPort(port)]));
    const later = daemon.vsctl(addPort('last'));
    const after = (daemon.residentKb / 1024).toFixed(0);
    console.log(
      `${name}: add-port ${one.toFixed(1)} ms; ${PORTS_AT_ONCE} at once ${many.toFixed(0)} ms; one more ${later.toFixed(1)} ms; then ${after} MB resident`,
    );
    daemon.remove();
  }
  await longestHold();
}

function addPort(name: string): string[] {
  return ['add-port', 'br0', name, '--', 'set', 'interface', name, 'type=dummy'];
}

/** Time for the counters to be written once. */
const IDLE_MS = 5500;

/** The most processor time between two turns of the event loop while something goes on. */
async function longestTurnMs(work: () => Promise<void>): Promise<number> {
  let longestNs = 0;
  let isOver = false;
  let lastNs = threadCpuNs();
  const look = (): void => {
    const nowNs = threadCpuNs();
    longestNs = Math.max(longestNs, nowNs - lastNs);
    lastNs = nowNs;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isOver = true;
  return longestNs / 1e6;
}

/** How long the main thread is away at most. */
async function longestHold(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oko-bench-'));
  const levels = new LogLevels(LOG_MODULES);
  const daemon = new Vswitchd({
    folders: { rundir: folder, dbdir: folder, logdir: folder, sysconfdir: folder },
    log: new Log({ form: 'text', levels }),
    levels,
    version: '0',
    dummy: 'on',
  });
  await daemon.start();
  const vsctl = (args: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const db = `--db=unix:${join(folder, 'db.sock')}`;
      spawn('ovs-vsctl', [db, ...args], { stdio: 'inherit' }).once('exit', () => resolve());
    });
  await vsctl(['add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy']);
  const many = await longestTurnMs(() => vsctl(PORTS.flatMap((port) => ['--', ...addPort(port)])));
  const one = await longestTurnMs(() => vsctl(addPort('last')));
  const idle = await longestTurnMs(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  console.log(
    `longest turn of the main thread: ${many.toFixed(1)} ms while ${PORTS_AT_ONCE} ports are added, ${one.toFixed(1)} ms for one more, ${idle.toFixed(1)} ms while counters are written`,
  );
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
}
