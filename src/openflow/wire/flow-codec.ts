import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { field, type Match, type OpenflowVersion } from '../../packet/index.ts';
import type { Action } from '../action.ts';
import { padNote } from '../actions/control.ts';
import { requireConsistent } from '../check.ts';
import { ALL_TABLES, ANY_GROUP, FLOW_COMMANDS, FLOW_FLAGS, type FlowMod, type FlowStats } from '../flow.ts';
import type { Dialect, FlowModMessage, FlowRemoved } from '../message.ts';
import { OFPP } from '../port.ts';
import { readFlowActions, writeFlowActions } from './instructions.ts';
import {
  OFP10_MATCH_BYTES,
  readMatch10,
  readNxmMatch,
  readOxmMatch,
  writeMatch10,
  writeMatchFields,
  writeOxmMatch,
} from './match.ts';
import { writeLegacyFlowStats } from './oko-legacy.ts';
import { readOxs, writeOxs } from './oxs.ts';
import { readPortNumber, writePortNumber } from './port.ts';
import { ProtocolError } from './protocol-error.ts';
import { subReader } from './reader.ts';

const FILTER_PROG = field('filter_prog');
const FLAGS10 = FLOW_FLAGS.sendFlowRem | FLOW_FLAGS.checkOverlap;
const EMERGENCY_FLAG10 = 1 << 2;
const FLAGS13 = 0x1f;
const FLAGS12 = 0x07;

/** The flags of a flow that a version has. */
function flagsFor(version: OpenflowVersion): number {
  return version === 1 ? FLAGS10 : version < 4 ? FLAGS12 : FLAGS13;
}

/**
 * What a peer that does not know filter_prog is told of a flow that has it: a note before the actions, which clients
 * print.
 */
export function actionsForPeer(actions: readonly Action[], match: Match, dialect: Dialect): readonly Action[] {
  const program = dialect.oko ? undefined : match.number(FILTER_PROG);
  if (program === undefined) return actions;
  const text = `filter_prog=${program}`;
  return [{ type: 'note', data: padNote(Uint8Array.from(text, (char) => char.charCodeAt(0))) }, ...actions];
}

function writeNxm(
  writer: ByteWriter,
  match: Match,
  dialect: Dialect,
  cookie?: { cookie: bigint; mask: bigint },
): number {
  const start = writer.length;
  writeMatchFields(writer, match, 1, { filterProg: dialect.oko === true, cookie });
  const length = writer.length - start;
  writer.align(8, start);
  return length;
}

/** Body of OFPT_FLOW_MOD or, in OpenFlow 1.0 with `nxm`, NXT_FLOW_MOD. */
export function writeFlowMod(writer: ByteWriter, flow: FlowMod, dialect: Dialect): void {
  const { version } = dialect;
  const command = FLOW_COMMANDS.indexOf(flow.command);
  const table = flow.table;
  if (version === 1) {
    const cookie = flow.cookie;
    const packed = dialect.tableId ? (table << 8) | command : command;
    const flags = flow.flags & FLAGS10;
    const matchesCookie = flow.cookieMask !== 0n && flow.command !== 'add';
    if (dialect.nxm) {
      writer.u64(cookie).u16(packed).u16(flow.idleTimeout).u16(flow.hardTimeout).u16(flow.priority).u32(flow.bufferId);
      writePortNumber(writer, flow.outPort, version);
      writer.u16(flags);
      const lengthAt = writer.length;
      writer.u16(0).zeros(6);
      const selection = matchesCookie ? { cookie: flow.matchCookie, mask: flow.cookieMask } : undefined;
      writer.patchU16(lengthAt, writeNxm(writer, flow.match, dialect, selection));
    } else {
      writeMatch10(writer, flow.match);
      writer.u64(cookie).u16(packed).u16(flow.idleTimeout).u16(flow.hardTimeout).u16(flow.priority).u32(flow.bufferId);
      writePortNumber(writer, flow.outPort, version);
      writer.u16(flags);
    }
    writeFlowActions(writer, actionsForPeer(flow.actions, flow.match, dialect), version, flow.match);
    return;
  }
  writer.u64(flow.command === 'add' ? flow.cookie : flow.matchCookie).u64(flow.cookieMask);
  // "All tables" is for deletions only; what is added without a table goes to the first.
  writer.u8(table === ALL_TABLES && !flow.command.startsWith('delete') ? 0 : table).u8(command);
  writer.u16(flow.idleTimeout).u16(flow.hardTimeout).u16(flow.priority).u32(flow.bufferId);
  writer
    .u32(flow.outPort)
    .u32(flow.outGroup)
    .u16(flow.flags & flagsFor(version))
    .u16(version >= 5 ? flow.importance : 0);
  writeOxmMatch(writer, flow.match, version, dialect.oko === true);
  writeFlowActions(writer, actionsForPeer(flow.actions, flow.match, dialect), version, flow.match);
}

/** Reads the body of OFPT_FLOW_MOD, or NXT_FLOW_MOD when `nxm`. */
export function readFlowMod(reader: ByteReader, dialect: Dialect, nxm: boolean): FlowModMessage {
  const { version } = dialect;
  return version === 1 ? readFlowMod10(reader, dialect, nxm) : readFlowMod13(reader, version);
}

function readFlowMod10(reader: ByteReader, dialect: Dialect, nxm: boolean): FlowModMessage {
  const match10 = nxm ? undefined : readMatch10(subReader(reader, OFP10_MATCH_BYTES, 'OFPBRC_BAD_LEN'));
  const wildcarded = nxm || !isExactMatch10(reader, match10);
  const cookie = reader.u64();
  const packed = reader.u16();
  const idleTimeout = reader.u16();
  const hardTimeout = reader.u16();
  const wirePriority = reader.u16();
  const bufferId = reader.u32();
  const outPort = readPortNumber(reader, 1);
  const flags = reader.u16();
  let match = match10;
  let selection = { cookie: 0n, mask: 0n };
  const command = FLOW_COMMANDS[dialect.tableId ? packed & 0xff : packed];
  const table = dialect.tableId ? packed >> 8 : ALL_TABLES;
  if (nxm) {
    const length = reader.u16();
    reader.skip(6);
    match = readNxmMatch(reader, length, {
      onCookie: (found) => {
        selection = found;
      },
    });
  }
  if (selection.mask !== 0n && command === 'add')
    throw new ProtocolError('NXBRC_NXM_INVALID', 'an added flow selects no cookies');
  if (!command) throw new ProtocolError('OFPFMFC_BAD_COMMAND', `flow_mod command ${packed}`);
  const actions = readFlowActions(reader, 1);
  if (flags & ~(FLAGS10 | EMERGENCY_FLAG10))
    throw new ProtocolError('OFPFMFC_BAD_FLAGS', `flags 0x${flags.toString(16)}`);
  if (flags & EMERGENCY_FLAG10) throw new ProtocolError('OFPFMFC_TABLE_FULL', 'there is no emergency flow cache');
  const found = match ?? readMatch10(reader);
  requireConsistent(actions, found, table, false);
  return {
    type: 'flow_mod',
    command,
    table,
    // A match without wildcards comes before all others (OpenFlow 1.0, 3.4).
    priority: wildcarded ? wirePriority : 0xffff,
    match: found,
    cookie,
    modifyCookie: isModify(command) && cookie !== 2n ** 64n - 1n,
    matchCookie: selection.cookie,
    cookieMask: selection.mask,
    idleTimeout,
    hardTimeout,
    bufferId,
    outPort,
    outGroup: ANY_GROUP,
    flags,
    importance: 0,
    actions,
  };
}

function isModify(command: string): boolean {
  return command === 'modify' || command === 'modify_strict';
}

/** OpenFlow 1.0 takes a match that leaves nothing open for the highest priority; the wildcards are its first word. */
function isExactMatch10(reader: ByteReader, match: Match | undefined): boolean {
  if (!match) return false;
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset, reader.bytes.byteLength);
  return (view.getUint32(reader.offset - OFP10_MATCH_BYTES) & 0x3fffff) === 0;
}

function readFlowMod13(reader: ByteReader, version: OpenflowVersion): FlowModMessage {
  const cookie = reader.u64();
  const cookieMask = reader.u64();
  const table = reader.u8();
  const commandNumber = reader.u8();
  const command = FLOW_COMMANDS[commandNumber];
  const idleTimeout = reader.u16();
  const hardTimeout = reader.u16();
  const priority = reader.u16();
  const bufferId = reader.u32();
  const outPort = reader.u32();
  const outGroup = reader.u32();
  const flags = reader.u16();
  const importance = reader.u16();
  const match = readOxmMatch(reader);
  if (outPort >= 0xff00 && outPort < OFPP.max) throw new ProtocolError('OFPBAC_BAD_OUT_PORT', `port ${outPort}`);
  if (!command) throw new ProtocolError('OFPFMFC_BAD_COMMAND', `flow_mod command ${commandNumber}`);
  if (table === ALL_TABLES && !command.startsWith('delete'))
    throw new ProtocolError('OFPFMFC_BAD_TABLE_ID', `a flow ${command} for all tables`);
  const actions = readFlowActions(reader, version);
  if (flags & ~flagsFor(version)) throw new ProtocolError('OFPFMFC_BAD_FLAGS', `flags 0x${flags.toString(16)}`);
  requireConsistent(actions, match, table, true);
  const adds = command === 'add';
  return {
    type: 'flow_mod',
    command,
    table,
    priority,
    match,
    cookie: adds ? cookie : 0n,
    // A modify with a mask selects; without one OpenFlow 1.1 and later leave cookies alone.
    modifyCookie: false,
    matchCookie: adds ? 0n : cookieMask === 0n ? 0n : cookie,
    cookieMask: adds ? 0n : cookieMask,
    idleTimeout,
    hardTimeout,
    bufferId,
    outPort,
    outGroup,
    flags,
    importance: version >= 5 ? importance : 0,
    actions,
  };
}

/** One flow of a statistics reply; `nxm` is Nicira's form in OpenFlow 1.0. */
export function writeFlowStats(writer: ByteWriter, flow: FlowStats, dialect: Dialect, nxm: boolean): void {
  const { version } = dialect;
  if (dialect.legacy && version < 6) {
    writeLegacyFlowStats(writer, flow, dialect, nxm, writeFlowStats);
    return;
  }
  const start = writer.length;
  const actions = actionsForPeer(flow.actions, flow.match, dialect);
  if (version >= 6) {
    writer.u16(0).u16(0).u8(flow.table).u8(0).u16(flow.priority).u16(flow.idleTimeout).u16(flow.hardTimeout);
    writer
      .u16(flow.flags & FLAGS13)
      .u16(flow.importance)
      .u64(flow.cookie);
    writeOxmMatch(writer, flow.match, version, dialect.oko === true);
    writeOxs(writer, flow);
    writeFlowActions(writer, actions, version, flow.match);
    writer.patchU16(start, writer.length - start);
    return;
  }
  writer.u16(0).u8(flow.table).u8(0);
  if (version === 1 && !nxm) {
    writeMatch10(writer, flow.match);
    writer.u32(flow.durationSec).u32(flow.durationNsec).u16(flow.priority).u16(flow.idleTimeout).u16(flow.hardTimeout);
    writer.zeros(6).u64(flow.cookie).u64(flow.packetCount).u64(flow.byteCount);
  } else if (version === 1) {
    writer.u32(flow.durationSec).u32(flow.durationNsec).u16(flow.priority).u16(flow.idleTimeout).u16(flow.hardTimeout);
    const lengthAt = writer.length;
    // Ages are counted from 1; 0 is unknown.
    writer.u16(0).u16(age(flow.idleAge)).u16(age(flow.hardAge));
    writer.u64(flow.cookie).u64(flow.packetCount).u64(flow.byteCount);
    writer.patchU16(lengthAt, writeNxm(writer, flow.match, dialect));
  } else {
    writer.u32(flow.durationSec).u32(flow.durationNsec).u16(flow.priority).u16(flow.idleTimeout).u16(flow.hardTimeout);
    writer
      .u16(version >= 4 ? flow.flags & FLAGS13 : 0)
      .u16(version >= 5 ? flow.importance : 0)
      .u16(0);
    writer.u64(flow.cookie).u64(flow.packetCount).u64(flow.byteCount);
    writeOxmMatch(writer, flow.match, version, dialect.oko === true);
  }
  writeFlowActions(writer, actions, version, flow.match);
  writer.patchU16(start, writer.length - start);
}

function age(seconds: number | undefined): number {
  return seconds === undefined ? 0 : Math.min(seconds, 0xfffe) + 1;
}

function ageFrom(wire: number): number | undefined {
  return wire === 0 ? undefined : wire - 1;
}

export function readFlowStats(reader: ByteReader, version: OpenflowVersion, nxm: boolean): FlowStats {
  const available = reader.remaining;
  const length = reader.u16();
  if (length < 2 || length > available) throw new ProtocolError('OFPBRC_BAD_LEN', `a flow of ${length} bytes`);
  const body = subReader(reader, length - 2, 'OFPBRC_BAD_LEN');
  if (version >= 6) return readFlowDescription(body, version);
  const table = body.u8();
  body.skip(1);
  const match10 = version === 1 && !nxm ? readMatch10(body) : undefined;
  const durationSec = body.u32();
  const durationNsec = body.u32();
  const priority = body.u16();
  const idleTimeout = body.u16();
  const hardTimeout = body.u16();
  const words = [body.u16(), body.u16(), body.u16()];
  const cookie = body.u64();
  const packetCount = body.u64();
  const byteCount = body.u64();
  const match = match10 ?? (version === 1 ? readNxmMatch(body, words[0]) : readOxmMatch(body));
  const ages =
    version === 1 && nxm
      ? Object.fromEntries(
          [
            ['idleAge', ageFrom(words[1])],
            ['hardAge', ageFrom(words[2])],
          ].filter(([, seconds]) => seconds !== undefined),
        )
      : {};
  return {
    table,
    priority,
    match,
    cookie,
    durationSec,
    durationNsec,
    idleTimeout,
    hardTimeout,
    ...ages,
    packetCount,
    byteCount,
    flags: version >= 4 ? words[0] : 0,
    importance: version >= 5 ? words[1] : 0,
    actions: readFlowActions(body, version),
  };
}

function readFlowDescription(body: ByteReader, version: OpenflowVersion): FlowStats {
  body.skip(2);
  const table = body.u8();
  body.skip(1);
  const priority = body.u16();
  const idleTimeout = body.u16();
  const hardTimeout = body.u16();
  const flags = body.u16();
  const importance = body.u16();
  const cookie = body.u64();
  const match = readOxmMatch(body);
  const { idleAge, flowCount: _flowCount, ...counters } = readOxs(body);
  const actions = readFlowActions(body, version);
  const ages = idleAge === undefined ? {} : { idleAge };
  return { table, priority, match, cookie, idleTimeout, hardTimeout, flags, importance, ...counters, ...ages, actions };
}

/** Body of OFPT_FLOW_REMOVED or, in OpenFlow 1.0 with `nxm`, NXT_FLOW_REMOVED. */
export function writeFlowRemoved(writer: ByteWriter, removed: FlowRemoved, dialect: Dialect): void {
  const { version } = dialect;
  const { cookie, priority, reason, durationSec, durationNsec, idleTimeout, hardTimeout, packetCount, byteCount } =
    removed;
  if (version >= 6) {
    writer.u8(removed.table).u8(reason).u16(priority).u16(idleTimeout).u16(hardTimeout).u64(cookie);
    writeOxmMatch(writer, removed.match, version, dialect.oko === true);
    writeOxs(writer, removed);
    return;
  }
  if (version > 1) {
    writer.u64(cookie).u16(priority).u8(reason).u8(removed.table).u32(durationSec).u32(durationNsec);
    writer.u16(idleTimeout).u16(hardTimeout).u64(packetCount).u64(byteCount);
    writeOxmMatch(writer, removed.match, version, dialect.oko === true);
    return;
  }
  if (dialect.nxm) {
    writer
      .u64(cookie)
      .u16(priority)
      .u8(reason)
      .u8(removed.table === ALL_TABLES ? 0 : removed.table + 1);
    writer.u32(durationSec).u32(durationNsec).u16(idleTimeout);
    const lengthAt = writer.length;
    writer.u16(0).u64(packetCount).u64(byteCount);
    writer.patchU16(lengthAt, writeNxm(writer, removed.match, dialect));
    return;
  }
  writeMatch10(writer, removed.match);
  writer.u64(cookie).u16(priority).u8(reason).u8(0).u32(durationSec).u32(durationNsec).u16(idleTimeout).u16(0);
  writer.u64(packetCount).u64(byteCount);
}

export function readFlowRemoved(reader: ByteReader, version: OpenflowVersion, nxm: boolean): FlowRemoved {
  if (version >= 6) {
    const table = reader.u8();
    const reason = reader.u8();
    const priority = reader.u16();
    const idleTimeout = reader.u16();
    const hardTimeout = reader.u16();
    const cookie = reader.u64();
    const match = readOxmMatch(reader);
    const { idleAge: _idleAge, flowCount: _flowCount, ...counters } = readOxs(reader);
    return { type: 'flow_removed', match, cookie, priority, reason, table, idleTimeout, hardTimeout, ...counters };
  }
  const match10 = version === 1 && !nxm ? readMatch10(reader) : undefined;
  const cookie = reader.u64();
  const priority = reader.u16();
  const reason = reader.u8();
  const tableByte = reader.u8();
  const durationSec = reader.u32();
  const durationNsec = reader.u32();
  const idleTimeout = reader.u16();
  const word = reader.u16();
  const packetCount = reader.u64();
  const byteCount = reader.u64();
  const match = match10 ?? (version === 1 ? readNxmMatch(reader, word) : readOxmMatch(reader));
  const table = version > 1 ? tableByte : nxm && tableByte > 0 ? tableByte - 1 : ALL_TABLES;
  return {
    type: 'flow_removed',
    match,
    cookie,
    priority,
    reason,
    table,
    durationSec,
    durationNsec,
    idleTimeout,
    hardTimeout: version > 1 ? word : 0,
    packetCount,
    byteCount,
  };
}
