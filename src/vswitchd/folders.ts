import { mkdirSync } from 'node:fs';
import { VswitchdError } from './errors.ts';

/** Where Open vSwitch's daemons and clients expect each other's files. */
export interface Folders {
  /** Sockets and pidfiles. */
  readonly rundir: string;
  /** The database. */
  readonly dbdir: string;
  readonly logdir: string;
  /** Under it openvswitch/system-id.conf. */
  readonly sysconfdir: string;
}

/** From OVS_RUNDIR, OVS_DBDIR, OVS_LOGDIR and OVS_SYSCONFDIR, else those of Debian's packages. */
export function foldersFrom(env: Readonly<Record<string, string | undefined>>): Folders {
  const sysconfdir = env.OVS_SYSCONFDIR || '/etc';
  return {
    rundir: env.OVS_RUNDIR || '/var/run/openvswitch',
    dbdir: env.OVS_DBDIR || `${sysconfdir}/openvswitch`,
    logdir: env.OVS_LOGDIR || '/var/log/openvswitch',
    sysconfdir,
  };
}

/** @throws VswitchdError VSWITCHD_FOLDER */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new VswitchdError('VSWITCHD_FOLDER', `${path}: ${(cause as Error).message}`, { cause });
  }
}
