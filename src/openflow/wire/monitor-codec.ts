import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { ANY_GROUP } from '../flow.ts';
import {
  type FlowMonitor,
  type FlowUpdate,
  type FlowUpdateFull,
  MONITOR_COMMANDS,
  MONITOR_FLAGS,
} from '../flow-monitor.ts';
import type { Dialect } from '../message.ts';
import { actionsForPeer } from './flow-codec.ts';
import { readFlowActions, writeFlowActions } from './instructions.ts';
import { readNxmMatch, readOxmMatch, writeMatchFields, writeOxmMatch } from './match.ts';
import { readPortNumber, writePortNumber } from './port.ts';
import { ProtocolError } from './protocol-error.ts';
import { requireEights, subReader } from './reader.ts';

/** The first version with flow monitors of its own; 1.0 has Nicira's, 1.3 the ONF's. */
const NATIVE = 5;

const CHANGES = MONITOR_FLAGS.add | MONITOR_FLAGS.delete | MONITOR_FLAGS.modify;
const KNOWN_FLAGS = Object.values(MONITOR_FLAGS).reduce((all, bit) => all | bit, 0);
/**
 * Bits 5 and 6 of OpenFlow 1.4: no abbreviation, and only the peer's own changes. Open vSwitch and its clients mean by the
 * second what the first says, and so it is here: the peer's own changes are told in full.
 */
const NO_ABBREV14 = 1 << 5;
const ONLY_OWN14 = 1 << 6;
const SHARED_FLAGS = KNOWN_FLAGS & ~MONITOR_FLAGS.own;

/** Events of OpenFlow 1.4; those before have no `initial`, `paused` and `resumed`. */
const EVENTS14: readonly FlowUpdate['event'][] = [
  'initial',
  'added',
  'removed',
  'modified',
  'abbrev',
  'paused',
  'resumed',
];
const EVENTS: readonly FlowUpdate['event'][] = ['added', 'removed', 'modified', 'abbrev'];
const BRIEF_BYTES = 8;

export function writeFlowMonitor(writer: ByteWriter, monitor: FlowMonitor, dialect: Dialect): void {
  const { version } = dialect;
  const { id, flags, outPort, outGroup, table, match } = monitor;
  writer.u32(id);
  if (version >= NATIVE) {
    const wireFlags = (flags & SHARED_FLAGS) | (flags & MONITOR_FLAGS.own ? ONLY_OWN14 : 0);
    writer.u32(outPort).u32(outGroup).u16(wireFlags).u8(table).u8(MONITOR_COMMANDS.indexOf(monitor.command));
    writeOxmMatch(writer, match, version, dialect.oko === true);
    return;
  }
  writer.u16(flags);
  if (version === 1) writePortNumber(writer, outPort, version);
  const lengthAt = writer.length;
  writer.u16(0);
  if (version > 1) writePortNumber(writer, outPort, version);
  writer.u8(table).zeros(version === 1 ? 5 : 3);
  writer.patchU16(lengthAt, writeMonitorMatch(writer, match, dialect));
}

/** Answers the match's length without its padding. */
function writeMonitorMatch(writer: ByteWriter, match: FlowMonitor['match'], dialect: Dialect): number {
  const start = writer.length;
  if (dialect.version > 1) {
    writeOxmMatch(writer, match, dialect.version, dialect.oko === true);
    // The length in the match's own header, which leaves the padding out.
    const bytes = writer.finish(start + 2);
    return (bytes[0] << 8) | bytes[1];
  }
  writeMatchFields(writer, match, 1, { filterProg: dialect.oko === true });
  const length = writer.length - start;
  writer.align(8, start);
  return length;
}

/** All monitors of a request. @throws ProtocolError OFPMOFC_BAD_FLAGS, OFPMOFC_BAD_COMMAND, and what matches may have */
export function readFlowMonitors(reader: ByteReader, version: OpenflowVersion): FlowMonitor[] {
  requireEights(reader);
  const monitors: FlowMonitor[] = [];
  while (reader.remaining > 0)
    monitors.push(version >= NATIVE ? readMonitor14(reader, version) : readMonitor(reader, version));
  return monitors;
}

function readMonitor(reader: ByteReader, version: OpenflowVersion): FlowMonitor {
  const id = reader.u32();
  const flags = reader.u16();
  const port10 = version === 1 ? readPortNumber(reader, version) : 0;
  const matchLength = reader.u16();
  checkFlags(flags, KNOWN_FLAGS);
  // Zeros are looked at before the port, as Open vSwitch does.
  const wide = version > 1 ? subReader(reader, 4, 'OFPBRC_BAD_LEN') : undefined;
  const table = reader.u8();
  if (reader.take(version === 1 ? 5 : 3).some((byte) => byte !== 0))
    throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'a flow monitor with padding not zero');
  const outPort = wide ? readPortNumber(wide, version) : port10;
  const match = version === 1 ? readNxmMatch(reader, matchLength) : readOxmMatch(reader);
  return { id, command: 'add', flags, outPort, outGroup: ANY_GROUP, table, match };
}

function readMonitor14(reader: ByteReader, version: OpenflowVersion): FlowMonitor {
  const id = reader.u32();
  const wirePort = subReader(reader, 4, 'OFPBRC_BAD_LEN');
  const outGroup = reader.u32();
  const wireFlags = reader.u16();
  const table = reader.u8();
  const commandNumber = reader.u8();
  const command = MONITOR_COMMANDS[commandNumber];
  if (command === 'delete') {
    const match = readOxmMatch(reader);
    return { id, command, flags: 0, outPort: wirePort.u32(), outGroup, table, match };
  }
  checkFlags(wireFlags, SHARED_FLAGS | NO_ABBREV14 | ONLY_OWN14);
  if (command === undefined) throw new ProtocolError('OFPMOFC_BAD_COMMAND', `flow monitor command ${commandNumber}`);
  const outPort = readPortNumber(wirePort, version);
  const own = (wireFlags & (NO_ABBREV14 | ONLY_OWN14)) !== 0;
  const flags = (wireFlags & SHARED_FLAGS) | (own ? MONITOR_FLAGS.own : 0);
  return { id, command, flags, outPort, outGroup, table, match: readOxmMatch(reader) };
}

function checkFlags(flags: number, known: number): void {
  if ((flags & ~known) !== 0 || (flags & CHANGES) === 0)
    throw new ProtocolError('OFPMOFC_BAD_FLAGS', `flow monitor flags 0x${flags.toString(16)}`);
}

/** One update of a reply. */
export function writeFlowUpdate(writer: ByteWriter, update: FlowUpdate, dialect: Dialect): void {
  const { version } = dialect;
  const isNative = version >= NATIVE;
  const { event } = update;
  const start = writer.length;
  const number = isNative ? EVENTS14.indexOf(event) : EVENTS.indexOf(event === 'initial' ? 'added' : event);
  if (number < 0) throw new ProtocolError('NXBRC_FM_BAD_EVENT', `version ${version} has no event ${event}`);
  writer.u16(0).u16(number);
  if (update.event === 'abbrev') writer.u32(update.xid);
  else if (update.event === 'paused' || update.event === 'resumed') writer.u32(0);
  else writeFull(writer, update, dialect);
  writer.patchU16(start, writer.length - start);
}

function writeFull(writer: ByteWriter, update: FlowUpdateFull, dialect: Dialect): void {
  const { version } = dialect;
  const { reason, table, priority, idleTimeout, hardTimeout, cookie, match } = update;
  const actions = update.actions.length > 0 ? actionsForPeer(update.actions, match, dialect) : [];
  if (version >= NATIVE) {
    writer.u8(table).u8(reason).u16(idleTimeout).u16(hardTimeout).u16(priority).u32(0).u64(cookie);
    writeOxmMatch(writer, match, version, dialect.oko === true);
  } else {
    writer.u16(reason).u16(priority).u16(idleTimeout).u16(hardTimeout);
    const lengthAt = writer.length;
    writer.u16(0).u8(table).u8(0).u64(cookie);
    writer.patchU16(lengthAt, writeMonitorMatch(writer, match, dialect));
  }
  writeFlowActions(writer, actions, version, match);
}

/** All updates of a reply. */
export function readFlowUpdates(reader: ByteReader, version: OpenflowVersion): FlowUpdate[] {
  requireEights(reader);
  const updates: FlowUpdate[] = [];
  while (reader.remaining > 0) updates.push(readFlowUpdate(reader, version));
  return updates;
}

function readFlowUpdate(reader: ByteReader, version: OpenflowVersion): FlowUpdate {
  const isNative = version >= NATIVE;
  const length = reader.u16();
  const number = reader.u16();
  if (length < BRIEF_BYTES || length % 8 !== 0)
    throw new ProtocolError('OFPBRC_BAD_LEN', `a flow update of ${length} bytes`);
  const body = subReader(reader, length - 4, 'OFPBRC_BAD_LEN');
  const event = (isNative ? EVENTS14 : EVENTS)[number];
  if (event === undefined) throw new ProtocolError('NXBRC_FM_BAD_EVENT', `flow update event ${number}`);
  const update = event === 'abbrev' ? { event, xid: body.u32() } : readUpdateBody(body, event, version);
  if (body.remaining > 0)
    throw new ProtocolError('OFPBRC_BAD_LEN', `${body.remaining} bytes are left over in a flow update`);
  return update;
}

function readUpdateBody(
  body: ByteReader,
  event: Exclude<FlowUpdate['event'], 'abbrev'>,
  version: OpenflowVersion,
): FlowUpdate {
  if (event === 'paused' || event === 'resumed') {
    body.skip(4);
    return { event };
  }
  if (version >= NATIVE) {
    const table = body.u8();
    const reason = body.u8();
    const idleTimeout = body.u16();
    const hardTimeout = body.u16();
    const priority = body.u16();
    body.skip(4);
    const cookie = body.u64();
    const match = readOxmMatch(body);
    const actions = readFlowActions(body, version);
    return { event, reason, table, priority, idleTimeout, hardTimeout, cookie, match, actions };
  }
  const reason = body.u16();
  const priority = body.u16();
  const idleTimeout = body.u16();
  const hardTimeout = body.u16();
  const matchLength = body.u16();
  const table = body.u8();
  body.skip(1);
  const cookie = body.u64();
  const match = version === 1 ? readNxmMatch(body, matchLength) : readOxmMatch(body);
  const actions = readFlowActions(body, version);
  return { event, reason, table, priority, idleTimeout, hardTimeout, cookie, match, actions };
}
