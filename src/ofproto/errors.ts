import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const OFPROTO_ERRORS = {
  OFPROTO_BAD_PROGRAM_FILE: {
    meaning: 'A filter program that was stored when the switch last ran could not be loaded again.',
    remedy: 'Load the program again from its object file; the message names the stored file and what is wrong with it.',
  },
  OFPROTO_BAD_SNAPSHOT: {
    meaning: 'What the maps of a program held when the switch last ran could not be put back; they start empty.',
    remedy: 'The message names the file; remove it, or put back one that is whole before the switch starts.',
  },
  OFPROTO_BAD_TARGET: {
    meaning: 'A controller was named in a form that is none.',
    remedy: 'Write tcp:HOST[:PORT], ssl:HOST[:PORT], unix:FILE, ptcp:[PORT][:HOST], pssl:[PORT][:HOST] or punix:FILE.',
  },
  OFPROTO_CANNOT_LISTEN: {
    meaning: 'The switch could not wait for controllers on a socket.',
    remedy: 'Check that the address or the folder exists, that nobody else uses it, and that the process may.',
  },
  OFPROTO_BAD_TABLE: {
    meaning: 'A flow was put into a table that the bridge does not have.',
    remedy: 'Leave the table out, or choose one from 0 to 253.',
  },
  OFPROTO_BAD_GOTO: {
    meaning: 'A flow goes on to a table that does not come after its own.',
    remedy: 'Choose a table with a greater number, up to 253; resubmit can go back.',
  },
  OFPROTO_BAD_OUT_PORT: {
    meaning: 'An action sends to a port number that no port can have.',
    remedy: 'Use a number below 65280 or a reserved port that makes sense here.',
  },
  OFPROTO_BAD_IN_PORT: {
    meaning: 'A packet to be sent was said to have come in by a port number that no port can have.',
    remedy: 'Use the number of a port, LOCAL, CONTROLLER or NONE.',
  },
  OFPROTO_BAD_HARDWARE_ADDRESS: {
    meaning: 'A port was to be changed, but the hardware address given is not its own.',
    remedy: 'Ask for the ports again and use the address that the switch reports.',
  },
  OFPROTO_INCONSISTENT: {
    meaning: 'An action needs a header that the flow’s match does not guarantee.',
    remedy: 'Add the missing protocol to the match, as "ip" before set_field:…->ip_src.',
  },
  OFPROTO_NO_SUCH_GROUP: {
    meaning: 'An action names a group that does not exist.',
    remedy: 'Add the group first.',
  },
  OFPROTO_NO_SUCH_METER: {
    meaning: 'A flow names a meter that does not exist.',
    remedy: 'Add the meter first.',
  },
  OFPROTO_NO_SUCH_PORT: {
    meaning: 'A port was named that the bridge does not have.',
    remedy: 'Use a number that the list of ports shows.',
  },
  OFPROTO_OVERLAP: {
    meaning: 'A flow that must not overlap another of its priority does.',
    remedy: 'Change its priority or match, or leave out check_overlap.',
  },
  OFPROTO_TABLE_FULL: {
    meaning: 'A flow table has no room for another flow.',
    remedy: 'Remove flows that are no longer needed.',
  },
  OFPROTO_ACTION_NOT_SUPPORTED: {
    meaning: 'A flow has an action that this version of the switch does not carry out.',
    remedy: 'Leave the action out; the README lists what is supported.',
  },
  OFPROTO_NOT_IN_ACTION_SET: {
    meaning: 'write_actions holds an action that an action set cannot hold.',
    remedy: 'Apply the action at once instead, outside write_actions.',
  },
} as const satisfies ErrorTable;

export type OfprotoErrorCode = keyof typeof OFPROTO_ERRORS;

/** The OpenFlow error, by the name that ovs-ofctl prints, that a controller is told. */
const OPENFLOW_ERROR_NAMES: Readonly<Partial<Record<OfprotoErrorCode, string>>> = {
  OFPROTO_BAD_TABLE: 'OFPBRC_BAD_TABLE_ID',
  OFPROTO_BAD_GOTO: 'OFPBIC_BAD_TABLE_ID',
  OFPROTO_BAD_OUT_PORT: 'OFPBAC_BAD_OUT_PORT',
  OFPROTO_BAD_IN_PORT: 'OFPBRC_BAD_PORT',
  OFPROTO_BAD_HARDWARE_ADDRESS: 'OFPPMFC_BAD_HW_ADDR',
  OFPROTO_INCONSISTENT: 'OFPBAC_MATCH_INCONSISTENT',
  OFPROTO_NO_SUCH_GROUP: 'OFPBAC_BAD_OUT_GROUP',
  OFPROTO_NO_SUCH_METER: 'OFPMMFC_INVALID_METER',
  OFPROTO_NO_SUCH_PORT: 'OFPPMFC_BAD_PORT',
  OFPROTO_OVERLAP: 'OFPFMFC_OVERLAP',
  OFPROTO_TABLE_FULL: 'OFPFMFC_TABLE_FULL',
  OFPROTO_ACTION_NOT_SUPPORTED: 'OFPBAC_BAD_TYPE',
  OFPROTO_NOT_IN_ACTION_SET: 'OFPBAC_BAD_TYPE',
};

export class OfprotoError extends OkoError<OfprotoErrorCode> {
  /** As `OFPFMFC_TABLE_FULL`; undefined for errors that OpenFlow has no name for. */
  get openflowError(): string | undefined {
    return OPENFLOW_ERROR_NAMES[this.code];
  }
}
