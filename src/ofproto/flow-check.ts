import {
  type Action,
  type ActionType,
  ALL_TABLES,
  actionsRead,
  actionsWrite,
  checkActions,
  type FieldUse,
  type FlowMod,
  OFPP,
  OpenflowError,
} from '../openflow/index.ts';
import { KEY_BYTES, type Match } from '../packet/index.ts';
import { OfprotoError } from './errors.ts';
import { TABLE_COUNT } from './flow-tables.ts';
import { MAX_PORT } from './port-table.ts';
import { isInActionSets } from './translate/action-set.ts';
import { isTranslated } from './translate/actions.ts';

/** Actions that work whatever the match is, so that there is nothing to check but their own arguments. */
const INDEPENDENT: ReadonlySet<ActionType> = new Set<ActionType>([
  'output',
  'output_trunc',
  'controller',
  'goto_table',
  'write_metadata',
  'clear_actions',
  'exit',
  'note',
  'send_maps',
]);

/**
 * Is it a flow that this switch can carry out? Whether the match guarantees the headers that actions need has been
 * checked where the flow was read, from the wire or from a text.
 *
 * @throws OfprotoError for what is wrong with its actions
 */
export function checkFlow({ actions }: FlowMod, table: number): void {
  for (const action of actions) checkAction(action, table);
  if (actions.every(({ type }) => INDEPENDENT.has(type))) return;
  actionsRead(actions, FIELDS_WITHIN_KEY);
  actionsWrite(actions, FIELDS_WITHIN_KEY);
}

/** The same for actions of a packet that a controller sends; `match` is what is known of the packet. */
export function checkPacketOut(actions: readonly Action[], match: Match): void {
  for (const action of actions) checkAction(action, -1);
  actionsRead(actions, FIELDS_WITHIN_KEY);
  actionsWrite(actions, FIELDS_WITHIN_KEY);
  try {
    checkActions(actions, match, ALL_TABLES);
  } catch (error) {
    if (error instanceof OpenflowError) throw new OfprotoError('OFPROTO_INCONSISTENT', error.message, { cause: error });
    throw error;
  }
}

function checkAction(action: Action, table: number): void {
  switch (action.type) {
    case 'group':
      throw new OfprotoError('OFPROTO_NO_SUCH_GROUP', `there is no group ${action.group}`);
    case 'meter':
      throw new OfprotoError('OFPROTO_NO_SUCH_METER', `there is no meter ${action.meter}`);
    case 'output':
    case 'output_trunc':
      checkOutPort(action.port, action.port === OFPP.none || action.port === OFPP.unset);
      return;
    case 'enqueue':
      checkOutPort(action.port, ![OFPP.inPort, OFPP.local].some((port) => port === action.port));
      return;
    case 'goto_table':
      if (action.table <= table || action.table >= TABLE_COUNT)
        throw new OfprotoError(
          'OFPROTO_BAD_GOTO',
          `goto_table: table ${action.table} does not lie after table ${table} and before ${TABLE_COUNT}`,
        );
      return;
    case 'write_actions':
      for (const inner of action.actions) {
        checkAction(inner, table);
        if (!isInActionSets(inner.type))
          throw new OfprotoError(
            'OFPROTO_NOT_IN_ACTION_SET',
            `write_actions: ${inner.type} cannot be in an action set`,
          );
      }
      return;
    case 'clone':
      for (const inner of action.actions) checkAction(inner, table);
      return;
    case 'controller':
      if (action.pause) throw notSupported('controller(pause)');
      return;
    case 'resubmit':
      if (action.ct) throw notSupported('resubmit(…,ct)');
      return;
    default:
      if (!isTranslated(action.type)) throw notSupported(action.type);
  }
}

function checkOutPort(port: number, isWrongReserved: boolean): void {
  if (port < MAX_PORT || (port >= OFPP.unset && !isWrongReserved)) return;
  throw new OfprotoError('OFPROTO_BAD_OUT_PORT', `nothing can be sent to port ${port}`);
}

function notSupported(what: string): OfprotoError {
  return new OfprotoError('OFPROTO_ACTION_NOT_SUPPORTED', `action ${what} is not supported`);
}

/** Tunnel options lie beyond the keys that packets have here. */
const FIELDS_WITHIN_KEY: FieldUse = {
  field(field) {
    if (field.place.offset >= KEY_BYTES) throw notSupported(`with ${field.name}`);
  },
  subfield({ field }) {
    if (field.place.offset >= KEY_BYTES) throw notSupported(`with ${field.name}`);
  },
};
