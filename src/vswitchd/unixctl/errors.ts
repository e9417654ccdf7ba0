import { type ErrorTable, OkoError } from '../../bytes/index.ts';

export const UNIXCTL_ERRORS = {
  UNIXCTL_ALREADY_RUNNING: {
    meaning: 'Another process holds the pidfile: the daemon already runs in this folder.',
    remedy: 'Stop the other one, or give this one a folder of its own with OVS_RUNDIR.',
  },
  UNIXCTL_PIDFILE: {
    meaning: 'A pidfile could not be made or read.',
    remedy: 'Check that its folder exists and that the process may write there; the message has the system’s reason.',
  },
  UNIXCTL_REFUSED: {
    meaning: 'The daemon refused a command of ovs-appctl.',
    remedy: 'The message says why; `ovs-appctl list-commands` shows what commands take.',
  },
  UNIXCTL_TIMEOUT: {
    meaning: 'A command of ovs-appctl did not end in time.',
    remedy: 'Try again when the daemon has less to do.',
  },
} as const satisfies ErrorTable;

export class UnixctlError extends OkoError<keyof typeof UNIXCTL_ERRORS> {}

/** What a command says to whoever gave it when it cannot be done. */
export function refusal(text: string): UnixctlError {
  return new UnixctlError('UNIXCTL_REFUSED', text);
}
