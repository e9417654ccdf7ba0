import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Why Debian's ovs-appctl cannot be used here, `undefined` when it can. */
export function appctlMissing(): string | undefined {
  return existsSync('/usr/bin/ovs-appctl') ? undefined : 'needs openvswitch-common';
}

export interface AppctlResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Debian's ovs-appctl, without keeping this process from answering it. */
export function ovsAppctl(runDirectory: string, ...args: readonly string[]): Promise<AppctlResult> {
  const env = { ...process.env, OVS_RUNDIR: runDirectory };
  return new Promise((resolve) => {
    execFile('ovs-appctl', args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ status, stdout, stderr });
    });
  });
}
