import { type ChildProcess, spawn } from 'node:child_process';
import { VswitchdError } from '../../vswitchd/index.ts';

/** Set in a daemon that runs in the background. */
const DETACHED = 'OKO_DETACHED';
const READY = 'ready';

export const isDetached = process.env[DETACHED] !== undefined;

/** This command line again, without some of its options. */
function again(without: string): readonly string[] {
  return [...process.execArgv, ...process.argv.slice(1).filter((arg) => arg !== without)];
}

/** Tells whoever started this process that it is up, and lets go of it. */
export function tellReady(): void {
  if (process.send === undefined || !process.connected) return;
  process.send(READY, () => process.disconnect?.());
}

function whenReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => message === READY && resolve());
    child.once('error', reject);
    child.once('exit', (status, signal) =>
      reject(
        new VswitchdError(
          'VSWITCHD_NOT_READY',
          `the daemon ended with ${signal ?? `status ${status}`} before it was up`,
        ),
      ),
    );
  });
}

/** Starts this command line in the background; returns when it is up. Rejects with VswitchdError VSWITCHD_NOT_READY. */
export async function detach(): Promise<void> {
  const child = spawn(process.execPath, again('--detach'), {
    detached: true,
    env: { ...process.env, [DETACHED]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.pipe(process.stderr);
  await whenReady(child);
  child.stderr?.destroy();
  child.unref();
}

/** A daemon that dies again this soon is started again only after as long a wait. */
const RESTART_INTERVAL_MS = 10_000;

/** Runs this command line in a child, and again whenever a signal has killed it that nobody sends on purpose. */
export async function monitor(onCrash: (signal: string) => void): Promise<void> {
  const isCrash = (signal: NodeJS.Signals | null): signal is NodeJS.Signals =>
    signal !== null && !['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL', 'SIGPIPE', 'SIGALRM'].includes(signal);
  let startedMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const waitMs = startedMs + RESTART_INTERVAL_MS - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    startedMs = performance.now();
    const child = spawn(process.execPath, again('--monitor'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, forward);
    child.once('message', () => tellReady());
    const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('exit', (...end) => resolve(end)),
    );
    for (const each of signals) process.off(each, forward);
    if (!isCrash(signal)) {
      process.exitCode = status ?? 1;
      return;
    }
    onCrash(signal);
  }
}
