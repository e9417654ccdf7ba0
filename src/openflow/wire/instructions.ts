import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { Match, OpenflowVersion } from '../../packet/index.ts';
import type { Action, ActionOf } from '../action.ts';
import { instructionRank, isInstruction } from '../actions/index.ts';
import { isActionSetAction } from '../text/actions.ts';
import { readActions, writeActions } from './actions.ts';
import { ProtocolError } from './protocol-error.ts';
import { subReader } from './reader.ts';

/** ofp_instruction_type (OpenFlow 1.5, 7.2.5). */
const OFPIT = {
  gotoTable: 1,
  writeMetadata: 2,
  writeActions: 3,
  applyActions: 4,
  clearActions: 5,
  meter: 6,
  statTrigger: 7,
};

/** Writes what a flow does: in OpenFlow 1.0 a list of actions, later instructions around it. */
export function writeFlowActions(
  writer: ByteWriter,
  actions: readonly Action[],
  version: OpenflowVersion,
  match: Match,
): void {
  if (version === 1) {
    writeActions(writer, actions, version, match);
    return;
  }
  const find = <T extends Action['type']>(type: T): ActionOf<T> | undefined =>
    actions.find((action): action is ActionOf<T> => action.type === type);
  const meter = find('meter');
  if (meter && version < 6) writer.u16(OFPIT.meter).u16(8).u32(meter.meter);
  // From 1.5 on a meter is an action, the first one.
  const applied = actions.filter((action) => !isInstruction(action.type) || (action.type === 'meter' && version >= 6));
  if (applied.length > 0) writeActionList(writer, OFPIT.applyActions, applied, version, match);
  if (find('clear_actions')) writer.u16(OFPIT.clearActions).u16(8).u32(0);
  const written = find('write_actions');
  if (written) writeActionList(writer, OFPIT.writeActions, written.actions, version, match);
  const metadata = find('write_metadata');
  if (metadata) writer.u16(OFPIT.writeMetadata).u16(24).u32(0).u64(metadata.value).u64(metadata.mask);
  const jump = find('goto_table');
  if (jump) writer.u16(OFPIT.gotoTable).u16(8).u8(jump.table).zeros(3);
}

function writeActionList(
  writer: ByteWriter,
  type: number,
  actions: readonly Action[],
  version: OpenflowVersion,
  match: Match,
): void {
  const start = writer.length;
  writer.u16(type).u16(0).u32(0);
  writeActions(writer, actions, version, match);
  writer.patchU16(start + 2, writer.length - start);
}

/** Reads what a flow does, up to the end of `reader`. */
export function readFlowActions(reader: ByteReader, version: OpenflowVersion): Action[] {
  if (version === 1) {
    const actions = readActions(reader, version);
    checkActionOrder(actions);
    return actions;
  }
  const bodies = new Map<number, ByteReader>();
  while (reader.remaining > 0) {
    const available = reader.remaining;
    if (available < 8) throw new ProtocolError('OFPBIC_BAD_LEN', `${available} bytes are no instruction`);
    const type = reader.u16();
    const length = reader.u16();
    if (length < 8 || length % 8 !== 0 || length > available)
      throw new ProtocolError('OFPBIC_BAD_LEN', `an instruction of ${length} bytes`);
    const body = subReader(reader, length - 4, 'OFPBIC_BAD_LEN');
    checkKnown(type, body, version);
    if (bodies.has(type)) throw new ProtocolError('OFPBIC_DUP_INST', `instruction ${type} stands twice`);
    bodies.set(type, body);
  }
  // Only when the whole list is sound does it matter what is in it.
  const found: Action[][] = [[], [], [], [], [], []];
  for (const [type, body] of bodies)
    for (const action of readInstruction(type, body, version)) found[instructionRank(action.type)].push(action);
  return found.flat();
}

function checkKnown(type: number, body: ByteReader, version: OpenflowVersion): void {
  if (type === 0xffff) {
    const experimenter = body.u32();
    throw new ProtocolError('OFPBIC_BAD_EXPERIMENTER', `instructions of experimenter 0x${experimenter.toString(16)}`);
  }
  const last = version >= 6 ? OFPIT.statTrigger : OFPIT.meter;
  if (type === 0 || type > last || (type === OFPIT.meter && (version < 4 || version >= 6)))
    throw new ProtocolError('OFPBIC_UNKNOWN_INST', `instruction type ${type}`);
  if (type === OFPIT.statTrigger) throw new ProtocolError('OFPBIC_UNSUP_INST', 'stat_trigger');
}

function readInstruction(type: number, body: ByteReader, version: OpenflowVersion): Action[] {
  const need = (bytes: number): void => {
    if (body.remaining !== bytes)
      throw new ProtocolError('OFPBIC_BAD_LEN', `instruction ${type} of ${body.remaining + 4} bytes`);
  };
  switch (type) {
    case OFPIT.gotoTable:
      need(4);
      return [{ type: 'goto_table', table: body.u8() }];
    case OFPIT.writeMetadata:
      need(20);
      body.skip(4);
      return [{ type: 'write_metadata', value: body.u64(), mask: body.u64() }];
    case OFPIT.clearActions:
      need(4);
      return [{ type: 'clear_actions' }];
    case OFPIT.meter:
      need(4);
      return [{ type: 'meter', meter: body.u32() }];
    default: {
      body.skip(4);
      const actions = readActions(body, version);
      if (type === OFPIT.applyActions) {
        checkApplied(actions);
        return actions;
      }
      const wrong = actions.find((action) => !isActionSetAction(action.type));
      if (wrong) throw new ProtocolError('OFPBAC_BAD_TYPE', `${wrong.type} in an action set`);
      return actions.length === 0 ? [] : [{ type: 'write_actions', actions }];
    }
  }
}

/** Among applied actions only the meter of OpenFlow 1.5 is an instruction too, and it comes first. */
function checkApplied(actions: readonly Action[]): void {
  const wrong = actions.find((action, i) => isInstruction(action.type) && !(action.type === 'meter' && i === 0));
  if (wrong) throw new ProtocolError('OFPBAC_UNSUPPORTED_ORDER', `${wrong.type} among applied actions`);
}

/** OpenFlow 1.0 has Nicira's write_metadata, which nothing may follow but a jump. */
function checkActionOrder(actions: readonly Action[]): void {
  let rank = -1;
  for (const action of actions) {
    const next = instructionRank(action.type);
    if (next < rank || (next === rank && isInstruction(action.type)))
      throw new ProtocolError('OFPBAC_UNSUPPORTED_ORDER', `${action.type} is out of order`);
    rank = next;
  }
}
