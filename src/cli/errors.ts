import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const CLI_ERRORS = {
  CLI_BAD_ARGUMENT: {
    meaning: 'An argument of a command has a form that the command does not know.',
    remedy: 'The message shows the form; `--help` after the command explains it.',
  },
  CLI_CANNOT_CONNECT: {
    meaning: 'A switch could not be reached.',
    remedy: 'Check that it runs, that OVS_RUNDIR is the same for both, and that you may open its socket.',
  },
  CLI_CONNECTION_CLOSED: {
    meaning: 'The switch ended the connection before it had answered.',
    remedy: "Look into the switch's log for its reason.",
  },
  CLI_NO_COMMON_VERSION: {
    meaning: 'The switch speaks none of the OpenFlow versions that the command may use.',
    remedy: 'Name others with -O, or allow more in the protocols of the bridge.',
  },
  CLI_SWITCH_REFUSED: {
    meaning: 'The switch answered a request with an OpenFlow error.',
    remedy: 'The message has the name of the error and the start of the request.',
  },
  CLI_TIMEOUT: {
    meaning: 'The switch did not answer in time.',
    remedy: 'Check that it is not overloaded; try again.',
  },
  CLI_VSCTL: {
    meaning: '`oko vsctl` refused a command, or the database did. It prints no code, as ovs-vsctl prints none.',
    remedy: 'The message says what is wrong; ovs-vsctl(8) has the commands.',
  },
  CLI_NO_SUCH_CODE: {
    meaning: '`oko explain` was asked for a code that does not exist.',
    remedy: '`oko explain` without a code lists all of them.',
  },
} as const satisfies ErrorTable;

export class CliError extends OkoError<keyof typeof CLI_ERRORS> {}
