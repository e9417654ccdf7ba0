import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import {
  field,
  fieldValue,
  Match,
  MatchBuilder,
  type OpenflowVersion,
  portFrom16,
  portTo16,
} from '../../packet/index.ts';
import type { Dialect, PacketIn, PacketOut } from '../message.ts';
import { OFPP } from '../port.ts';
import { readActions, writeActions } from './actions.ts';
import { readMatchFields, readNxmMatch, readOxmMatch, writeMatchFields, writeOxmMatch } from './match.ts';
import { readPortNumber, writePortNumber } from './port.ts';
import { readProperties, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { subReader } from './reader.ts';

const IN_PORT = field('in_port_oxm');

function inPortOf(metadata: Match): number {
  return metadata.number(IN_PORT) ?? OFPP.none;
}

function matchInPort(port: number): Match {
  return new MatchBuilder().set(IN_PORT, fieldValue(IN_PORT, port)).build();
}

/** NXPINT_* properties of NXT_PACKET_IN2. */
const NXPINT = {
  packet: 0,
  fullLength: 1,
  bufferId: 2,
  tableId: 3,
  cookie: 4,
  reason: 5,
  metadata: 6,
  userdata: 7,
  continuation: 8,
} as const;

const NO_BUFFER = 0xffffffff;
const LOOSE = { loose: true };

/** Reasons that OpenFlow 1.0 to 1.3 do not have are told as "action". */
function reasonFor(reason: number, version: OpenflowVersion): number {
  const last = version >= 5 ? 5 : 2;
  return reason <= last ? reason : 1;
}

export function writePacketIn(writer: ByteWriter, packet: PacketIn, dialect: Dialect): void {
  const { version } = dialect;
  if (packet.format === 'nxt_packet_in2') {
    writePacketIn2(writer, packet, version);
    return;
  }
  const reason = reasonFor(packet.reason, version);
  if (packet.format === 'nxt_packet_in') {
    writer.u32(packet.bufferId).u16(packet.totalLength).u8(reason).u8(packet.table);
    writer.u64(packet.cookie ?? 2n ** 64n - 1n);
    const lengthAt = writer.length;
    writer.u16(0).zeros(6);
    const start = writer.length;
    writeMatchFields(writer, packet.metadata, 1);
    writer.patchU16(lengthAt, writer.length - start);
    writer.align(8, start).zeros(2).put(packet.data);
    return;
  }
  if (version === 1) {
    writer
      .u32(packet.bufferId)
      .u16(packet.totalLength)
      .u16(portTo16(inPortOf(packet.metadata)) ?? 0xffff);
    writer.u8(reason).u8(0).put(packet.data);
    return;
  }
  writer.u32(packet.bufferId).u16(packet.totalLength).u8(reason).u8(packet.table);
  if (version >= 4) writer.u64(packet.cookie ?? 2n ** 64n - 1n);
  writeOxmMatch(writer, packet.metadata, version);
  writer.zeros(2).put(packet.data);
}

function writePacketIn2(writer: ByteWriter, packet: PacketIn, version: OpenflowVersion): void {
  writeProperty(writer, NXPINT.packet, (body) => body.put(packet.data));
  if (packet.totalLength !== packet.data.length)
    writeProperty(writer, NXPINT.fullLength, (body) => body.u32(packet.totalLength));
  if (packet.bufferId !== NO_BUFFER) writeProperty(writer, NXPINT.bufferId, (body) => body.u32(packet.bufferId));
  writeProperty(writer, NXPINT.tableId, (body) => body.u8(packet.table));
  const { cookie, userdata, continuation } = packet;
  if (cookie !== undefined) writeProperty(writer, NXPINT.cookie, (body) => body.u32(0).u64(cookie));
  writeProperty(writer, NXPINT.reason, (body) => body.u8(packet.reason));
  writeProperty(writer, NXPINT.metadata, (body) => writeMatchFields(body, packet.metadata, version));
  if (userdata !== undefined) writeProperty(writer, NXPINT.userdata, (body) => body.put(userdata));
  if (continuation !== undefined) writeProperty(writer, NXPINT.continuation, (body) => body.put(continuation));
}

/** A cookie of all ones is none. */
function cookieFrom(cookie: bigint): { cookie?: bigint } {
  return cookie === 2n ** 64n - 1n ? {} : { cookie };
}

export function readPacketIn(reader: ByteReader, version: OpenflowVersion, format: PacketIn['format']): PacketIn {
  if (format === 'nxt_packet_in2') return readPacketIn2(reader);
  const bufferId = reader.u32();
  const totalLength = reader.u16();
  if (format === 'standard' && version === 1) {
    const metadata = matchInPort(portFrom16(reader.u16()));
    const reason = reader.u8();
    reader.skip(1);
    const data = reader.take(reader.remaining).slice();
    return { type: 'packet_in', format, bufferId, totalLength, reason, table: 0, metadata, data };
  }
  const reason = reader.u8();
  const table = reader.u8();
  let cookie = {};
  let metadata: Match;
  if (format === 'nxt_packet_in') {
    cookie = cookieFrom(reader.u64());
    const length = reader.u16();
    reader.skip(6);
    metadata = readNxmMatch(reader, length, LOOSE);
  } else {
    if (version >= 4) cookie = cookieFrom(reader.u64());
    metadata = readOxmMatch(reader, LOOSE);
  }
  reader.skip(2);
  const data = reader.take(reader.remaining).slice();
  return { type: 'packet_in', format, bufferId, totalLength, reason, table, ...cookie, metadata, data };
}

function readPacketIn2(reader: ByteReader): PacketIn {
  type Mutable<T> = { -readonly [K in keyof T]: T[K] };
  const packet: Mutable<PacketIn> = {
    type: 'packet_in',
    format: 'nxt_packet_in2',
    bufferId: NO_BUFFER,
    totalLength: 0,
    reason: 1,
    table: 0,
    metadata: Match.ALL,
    data: new Uint8Array(0),
  };
  let fullLength: number | undefined;
  for (const { type, content } of readProperties(reader)) {
    if (type === NXPINT.packet) packet.data = content.take(content.remaining).slice();
    else if (type === NXPINT.fullLength) fullLength = content.u32();
    else if (type === NXPINT.bufferId) packet.bufferId = content.u32();
    else if (type === NXPINT.tableId) packet.table = content.u8();
    else if (type === NXPINT.cookie) {
      content.skip(4);
      packet.cookie = content.u64();
    } else if (type === NXPINT.reason) packet.reason = content.u8();
    else if (type === NXPINT.metadata) packet.metadata = readMatchFields(content, LOOSE);
    else if (type === NXPINT.userdata) packet.userdata = content.take(content.remaining).slice();
    else if (type === NXPINT.continuation) packet.continuation = content.take(content.remaining).slice();
    else throw new ProtocolError('OFPBPC_BAD_TYPE', `packet-in property ${type}`);
  }
  packet.totalLength = fullLength ?? packet.data.length;
  return packet;
}

export function writePacketOut(writer: ByteWriter, packet: PacketOut, dialect: Dialect): void {
  const { version } = dialect;
  writer.u32(packet.bufferId);
  if (version < 6) writePortNumber(writer, inPortOf(packet.metadata), version);
  const lengthAt = writer.length;
  writer.u16(0);
  if (version >= 6) {
    writer.zeros(2);
    writeOxmMatch(writer, packet.metadata, version);
  } else if (version > 1) writer.zeros(6);
  const start = writer.length;
  writeActions(writer, packet.actions, version);
  writer.patchU16(lengthAt, writer.length - start);
  if (packet.bufferId === NO_BUFFER) writer.put(packet.data);
}

/** Ports that a packet may be said to come from. */
function checkInPort(port: number): void {
  const special: readonly number[] = [OFPP.local, OFPP.none, OFPP.controller];
  if (port >= OFPP.max && !special.includes(port))
    throw new ProtocolError('OFPBRC_BAD_PORT', `a packet cannot come from port ${port}`);
}

export function readPacketOut(reader: ByteReader, dialect: Dialect): PacketOut {
  const { version } = dialect;
  const bufferId = reader.u32();
  const inPort = version < 6 ? readPortNumber(reader, version) : OFPP.none;
  const actionsLength = reader.u16();
  let metadata: Match;
  if (version >= 6) {
    reader.skip(2);
    metadata = readOxmMatch(reader, { pipelineOnly: true });
  } else {
    if (version > 1) reader.skip(6);
    metadata = matchInPort(inPort);
  }
  checkInPort(inPortOf(metadata));
  if (actionsLength > reader.remaining || actionsLength % 8 !== 0)
    throw new ProtocolError('OFPBRC_BAD_LEN', `${actionsLength} bytes of actions where ${reader.remaining} are left`);
  const actions = readActions(subReader(reader, actionsLength, 'OFPBAC_BAD_LEN'), version);
  // A packet that the switch has does not come with the message; what does is passed over.
  const rest = reader.take(reader.remaining);
  const data = bufferId === NO_BUFFER ? rest.slice() : new Uint8Array(0);
  return { type: 'packet_out', bufferId, metadata, actions, data };
}
