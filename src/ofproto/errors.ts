import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const OFPROTO_ERRORS = {
  OFPROTO_BAD_PROGRAM_ID: {
    meaning: 'A filter program was given a number outside 1 to 65535.',
    remedy: 'Choose a number from 1 to 65535.',
  },
  OFPROTO_NO_SUCH_PROGRAM: {
    meaning: 'A filter program was named that is not loaded.',
    remedy: 'Load it first, or correct the number.',
  },
  OFPROTO_NO_SUCH_MAP: {
    meaning: 'A map was named that the filter program does not have.',
    remedy: 'The message lists the maps of the program; name one of them by number or name.',
  },
  OFPROTO_BAD_TABLE: {
    meaning: 'A flow was put into a table that the bridge does not have.',
    remedy: 'Leave the table out, or choose one that exists.',
  },
  OFPROTO_TABLE_FULL: {
    meaning: 'A flow table has no room for another flow.',
    remedy: 'Remove flows that are no longer needed.',
  },
  OFPROTO_ACTION_NOT_SUPPORTED: {
    meaning: 'A flow has an action that this version of the switch does not carry out.',
    remedy: 'Leave the action out; the README lists what is supported.',
  },
} as const satisfies ErrorTable;

export class OfprotoError extends OkoError<keyof typeof OFPROTO_ERRORS> {}
