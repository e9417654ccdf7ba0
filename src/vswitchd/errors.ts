import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const VSWITCHD_ERRORS = {
  VSWITCHD_FOLDER: {
    meaning: 'A folder that the daemon needs for its sockets, its database or its log cannot be made or written.',
    remedy: 'Choose others with OVS_RUNDIR, OVS_DBDIR and OVS_LOGDIR, or mend the permissions.',
  },
  VSWITCHD_DEVICE: {
    meaning: 'The kernel refused a change to a network device.',
    remedy: 'The message has the reason of the kernel; changes need CAP_NET_ADMIN.',
  },
  VSWITCHD_PORT_TYPE: {
    meaning: 'An interface has a type that this switch does not have, or options that its type needs are missing.',
    remedy: 'Open_vSwitch.iface_types lists the types; docs/operators.md says what options each takes.',
  },
  VSWITCHD_NOT_READY: {
    meaning: 'The daemon did not come up.',
    remedy: 'The line before, or the log file, has the reason.',
  },
} as const satisfies ErrorTable;

export class VswitchdError extends OkoError<keyof typeof VSWITCHD_ERRORS> {}
