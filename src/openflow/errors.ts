import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const OPENFLOW_ERRORS = {
  OPENFLOW_BAD_ACTION: {
    meaning: 'An action is known, but its arguments are not of the form it takes.',
    remedy: 'Write the action as ovs-actions(7) shows it; the message quotes what was wrong.',
  },
  OPENFLOW_BAD_NUMBER: {
    meaning: 'A number was expected, and the text is none.',
    remedy: 'Write it in decimal, or in hexadecimal with 0x before it.',
  },
  OPENFLOW_BAD_ORDER: {
    meaning: 'Instructions stand in an order that OpenFlow does not have.',
    remedy: 'Order them: meter, actions, clear_actions, write_actions, write_metadata, goto_table.',
  },
  OPENFLOW_BAD_VALUE: {
    meaning: 'A value is not of the form that its field or keyword takes.',
    remedy: 'Look the form up in ovs-fields(7); the message names the field and what it takes.',
  },
  OPENFLOW_INCONSISTENT: {
    meaning: 'An action needs a header that the flow’s match does not guarantee.',
    remedy: 'Add the missing protocol to the match, as "ip" before set_field:…->ip_src.',
  },
  OPENFLOW_MISSING_PREREQUISITE: {
    meaning: 'A field is matched without the protocol that gives it a meaning.',
    remedy: 'Add the protocol before it, as "tcp" before tp_dst=80.',
  },
  OPENFLOW_MISSING_VALUE: {
    meaning: 'A field or keyword stands without its value.',
    remedy: 'Write it as name=value.',
  },
  OPENFLOW_NO_ACTIONS: {
    meaning: 'A flow that needs actions has none.',
    remedy: 'End it in actions=…; "actions=drop" drops the packet.',
  },
  OPENFLOW_NOT_MASKABLE: {
    meaning: 'A mask was given for a field that is matched as a whole or not at all.',
    remedy: 'Leave the mask out.',
  },
  OPENFLOW_OUT_OF_RANGE: {
    meaning: 'A number is too large for its place.',
    remedy: 'Use a value in the range that the message names.',
  },
  OPENFLOW_PROTOCOL: {
    meaning: 'A message on an OpenFlow connection is malformed, or asks for what the switch refuses.',
    remedy: 'The name at the start is the OpenFlow error that the peer is told; mend the sender.',
  },
  OPENFLOW_READ_ONLY_FIELD: {
    meaning: 'An action would write a field that cannot be written.',
    remedy: 'Choose another field; ovs-fields(7) says which are read/write.',
  },
  OPENFLOW_UNKNOWN_ACTION: {
    meaning: 'No action has this name.',
    remedy: 'Check the spelling against ovs-actions(7).',
  },
  OPENFLOW_UNKNOWN_FIELD: {
    meaning: 'No match field and no keyword of a flow has this name.',
    remedy: 'Check the spelling against ovs-fields(7).',
  },
  OPENFLOW_UNKNOWN_PORT: {
    meaning: 'The text is neither a port number nor the name of a port.',
    remedy: 'Use a number below 65280, a reserved name such as LOCAL, or a name that the switch shows.',
  },
  OPENFLOW_UNKNOWN_TABLE: {
    meaning: 'The text is neither a table number nor the name of a table.',
    remedy: 'Use a number from 0 to 254.',
  },
  OPENFLOW_UNSUPPORTED: {
    meaning: 'What was asked for cannot be said in the OpenFlow version of this connection.',
    remedy: 'Use a later version, as with -O OpenFlow13, or leave out what the message names.',
  },
} as const satisfies ErrorTable;

export type OpenflowErrorCode = keyof typeof OPENFLOW_ERRORS;

/** A text or a request that OpenFlow cannot take. */
export class OpenflowError extends OkoError<OpenflowErrorCode> {}
