import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const CLI_ERRORS = {
  CLI_BAD_ARGUMENT: {
    meaning: 'An argument of a command has a form that the command does not know.',
    remedy: 'The message shows the form; `--help` after the command explains it.',
  },
  CLI_NO_SUCH_CODE: {
    meaning: '`oko explain` was asked for a code that does not exist.',
    remedy: '`oko explain` without a code lists all of them.',
  },
} as const satisfies ErrorTable;

export class CliError extends OkoError<keyof typeof CLI_ERRORS> {}
