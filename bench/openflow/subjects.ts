import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DummyVswitch } from '../../test/support/dummy-vswitch.ts';

/** A switch that ovs-ofctl can talk to. */
export interface Subject {
  readonly name: string;
  readonly socket: string;
  readonly pid: number;
  /** Begins to measure how long its main thread is held. */
  startMeter(): Promise<void>;
  /** Milliseconds at most; undefined where nobody can tell. */
  stopMeter(): Promise<number | undefined>;
  close(): void;
}

export async function ownSwitch(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'oko-bench-'));
  const socket = join(folder, 'br0.mgmt');
  const child = fork(fileURLToPath(new URL('./switch-process.js', import.meta.url)), [socket]);
  await answer(child);
  return {
    name: 'Oko',
    socket,
    pid: child.pid ?? 0,
    startMeter: async () => {
      child.send('start');
      await answer(child);
    },
    stopMeter: async () => {
      child.send('stop');
      return (await answer(child)).longestMs;
    },
    close: () => {
      child.disconnect();
      rmSync(folder, { recursive: true });
    },
  };
}

export function debianSwitch(): Subject {
  const vswitch = new DummyVswitch();
  return {
    name: 'Open vSwitch',
    socket: vswitch.socket,
    pid: Number(readFileSync(join(vswitch.runDirectory, 'ovs-vswitchd.pid'), 'utf8')),
    startMeter: () => Promise.resolve(),
    stopMeter: () => Promise.resolve(undefined),
    close: () => vswitch.stop(),
  };
}

function answer(child: ChildProcess): Promise<{ longestMs?: number }> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the switch ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as { longestMs?: number });
    });
  });
}

/** Memory that a process has in use, bytes (proc(5)). */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return 1024 * Number(kilobytes);
}

const TICKS_PER_SECOND = 100;

/** Processor time of all threads of a process so far, seconds. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
