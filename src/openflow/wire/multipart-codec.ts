import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { NICIRA_EXPERIMENTER, ONF_EXPERIMENTER } from '../../packet/index.ts';
import { ANY_GROUP } from '../flow.ts';
import type {
  Dialect,
  FlowSelection,
  MultipartReplyBody,
  MultipartRequestBody,
  PortStats,
  QueueDescription,
  QueueStats,
  TableDescription,
  TableFeatures,
  TableStats,
} from '../message.ts';
import { OFPP } from '../port.ts';
import { readFlowStats, writeFlowStats } from './flow-codec.ts';
import {
  OFP10_MATCH_BYTES,
  readMatch10,
  readNxmMatch,
  readOxmMatch,
  writeMatch10,
  writeMatchFields,
  writeOxmMatch,
} from './match.ts';
import { readFlowMonitors, readFlowUpdates, writeFlowMonitor, writeFlowUpdate } from './monitor-codec.ts';
import { readOxs, writeAggregateOxs } from './oxs.ts';
import { readPort, readPortNumber, writePort, writePortNumber } from './port.ts';
import { readProperties, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { readText, requireEights, subReader, writeText } from './reader.ts';

/** ofp_multipart_type (OpenFlow 1.5, 7.3.5); 1.0 has the first six. */
export const OFPMP = {
  desc: 0,
  flow: 1,
  aggregate: 2,
  table: 3,
  port: 4,
  queue: 5,
  group: 6,
  group_desc: 7,
  group_features: 8,
  meter: 9,
  meter_config: 10,
  meter_features: 11,
  table_features: 12,
  port_desc: 13,
  table_desc: 14,
  queue_desc: 15,
  flow_monitor: 16,
} as const;

export const OFPMP_EXPERIMENTER = 0xffff;
/** Nicira's forms of some of them, in OpenFlow 1.0. */
const NXST = { flow: 0, aggregate: 1, flow_monitor: 2, group: 7, group_desc: 8, group_features: 9 } as const;
/** The ONF's extension of OpenFlow 1.3 (EXT-187). */
const ONFST_FLOW_MONITOR = 1870;

type Kind = keyof typeof OFPMP;

/** The kinds that a version has. */
function hasKind(kind: Kind, version: OpenflowVersion): boolean {
  const type = OFPMP[kind];
  if (version === 1) return type <= OFPMP.queue || kind === 'port_desc';
  if (type >= OFPMP.table_desc) return version >= 5;
  return type >= OFPMP.meter && kind !== 'port_desc' ? version >= 4 : true;
}

function kindOf(type: number, version: OpenflowVersion): Kind | undefined {
  const kind = (Object.keys(OFPMP) as Kind[]).find((name) => OFPMP[name] === type);
  return kind && hasKind(kind, version) ? kind : undefined;
}

/** Writes what follows the flags of a multipart message: padding, the experimenter's numbers, the body. */
export interface MultipartHeader {
  readonly type: number;
  readonly experimenter?: number;
  readonly subtype?: number;
}

/** The numbers that name a body. */
export function multipartHeader(
  body: MultipartRequestBody | MultipartReplyBody,
  version: OpenflowVersion,
): MultipartHeader {
  if (body.kind === 'unknown')
    return { type: body.multipartType, experimenter: body.experimenter, subtype: body.subtype };
  if (version === 1 && (body.kind === 'flow' || body.kind === 'aggregate') && body.nxm)
    return { type: OFPMP_EXPERIMENTER, experimenter: NICIRA_EXPERIMENTER, subtype: NXST[body.kind] };
  if (version === 1 && isExtended(body.kind) && body.kind !== 'flow' && body.kind !== 'aggregate')
    return { type: OFPMP_EXPERIMENTER, experimenter: NICIRA_EXPERIMENTER, subtype: NXST[body.kind] };
  if (body.kind === 'flow_monitor' && version < 5)
    return { type: OFPMP_EXPERIMENTER, experimenter: ONF_EXPERIMENTER, subtype: ONFST_FLOW_MONITOR };
  return { type: OFPMP[body.kind] };
}

export function writeMultipartRequest(writer: ByteWriter, body: MultipartRequestBody, dialect: Dialect): void {
  const { version } = dialect;
  switch (body.kind) {
    case 'flow':
    case 'aggregate':
      writeSelection(writer, body, dialect);
      return;
    case 'port':
      writePortNumber(writer, body.port, version);
      writer.zeros(version === 1 ? 6 : 4);
      return;
    case 'port_desc':
      if (version < 6) return;
      writer.u32(body.port).u32(0);
      return;
    case 'queue':
    case 'queue_desc':
      writePortNumber(writer, body.port, version);
      if (version === 1) writer.u16(0);
      writer.u32(body.queue);
      return;
    case 'group':
      writer.u32(body.group).u32(0);
      return;
    case 'meter':
    case 'meter_config':
      writer.u32(body.meter).u32(0);
      return;
    case 'table_features':
      for (const table of body.tables) writeTableFeatures(writer, table, version);
      return;
    case 'flow_monitor':
      for (const monitor of body.monitors) writeFlowMonitor(writer, monitor, dialect);
      return;
    case 'group_desc':
      if (version >= 6 || version === 1) writer.u32(ANY_GROUP).u32(0);
      return;
    case 'unknown':
      writer.put(body.data);
      return;
    case 'desc':
    case 'table':
    case 'group_features':
    case 'meter_features':
    case 'table_desc':
      return;
  }
}

function writeSelection(writer: ByteWriter, selection: FlowSelection, dialect: Dialect): void {
  const { version } = dialect;
  const { table, outPort, outGroup, match } = selection;
  const cookie = { cookie: selection.cookie, mask: selection.cookieMask };
  if (version > 1) {
    writer.u8(table).zeros(3).u32(outPort).u32(outGroup).u32(0).u64(selection.cookie).u64(selection.cookieMask);
    writeOxmMatch(writer, match, version, true);
    return;
  }
  if (!selection.nxm) {
    writeMatch10(writer, match);
    writer.u8(table).u8(0);
    writePortNumber(writer, outPort, version);
    return;
  }
  writePortNumber(writer, outPort, version);
  const lengthAt = writer.length;
  writer.u16(0).u8(table).zeros(3);
  const start = writer.length;
  writeMatchFields(writer, match, version, { cookie });
  writer.patchU16(lengthAt, writer.length - start);
  writer.align(8, start);
}

function readSelection(reader: ByteReader, version: OpenflowVersion, nxm: boolean): FlowSelection {
  if (version > 1) {
    const table = reader.u8();
    reader.skip(3);
    const outPort = readPortNumber(reader, version);
    const outGroup = reader.u32();
    reader.skip(4);
    const cookie = reader.u64();
    const cookieMask = reader.u64();
    return { table, outPort, outGroup, cookie, cookieMask, match: readOxmMatch(reader), nxm: false };
  }
  if (!nxm) {
    const match = readMatch10(subReader(reader, OFP10_MATCH_BYTES, 'OFPBRC_BAD_LEN'));
    const table = reader.u8();
    reader.skip(1);
    const outPort = readPortNumber(reader, version);
    return { table, outPort, outGroup: ANY_GROUP, cookie: 0n, cookieMask: 0n, match, nxm };
  }
  const outPort = readPortNumber(reader, version);
  const length = reader.u16();
  const table = reader.u8();
  reader.skip(3);
  let cookie = { cookie: 0n, mask: 0n };
  const match = readNxmMatch(reader, length, {
    onCookie: (found) => {
      cookie = found;
    },
  });
  return { table, outPort, outGroup: ANY_GROUP, cookie: cookie.cookie, cookieMask: cookie.mask, match, nxm };
}

export function readMultipartRequest(
  reader: ByteReader,
  header: MultipartHeader,
  dialect: Dialect,
): MultipartRequestBody {
  const { version } = dialect;
  const extended = extendedKind(header, version);
  if (extended === 'flow' || extended === 'aggregate') {
    requireEights(reader);
    return { kind: extended, ...readSelection(reader, version, true) };
  }
  const kind = extended ?? (header.experimenter === undefined ? kindOf(header.type, version) : undefined);
  switch (kind) {
    case undefined:
      return unknown(header, reader);
    case 'flow_monitor':
      return { kind, monitors: readFlowMonitors(reader, version) };
    case 'flow':
    case 'aggregate':
      return { kind, ...readSelection(reader, version, false) };
    case 'port': {
      const port = readPortNumber(reader, version);
      reader.skip(version === 1 ? 6 : 4);
      return { kind, port };
    }
    case 'port_desc': {
      if (version < 6) return { kind, port: OFPP.none };
      const port = readPortNumber(reader, version);
      reader.skip(4);
      return { kind, port };
    }
    case 'queue':
    case 'queue_desc': {
      const port = readPortNumber(reader, version);
      if (version === 1) reader.skip(2);
      return { kind, port, queue: reader.u32() };
    }
    case 'group': {
      const group = reader.u32();
      reader.skip(4);
      return { kind, group };
    }
    case 'meter':
    case 'meter_config': {
      const meter = reader.u32();
      reader.skip(4);
      return { kind, meter };
    }
    case 'table_features': {
      const tables: TableFeatures[] = [];
      while (reader.remaining > 0) tables.push(readTableFeatures(reader, version));
      return { kind, tables };
    }
    case 'group_desc':
      if (version >= 6 || version === 1) reader.skip(8);
      return { kind };
    case 'desc':
    case 'table':
    case 'group_features':
    case 'meter_features':
    case 'table_desc':
      return { kind };
  }
}

function unknown(header: MultipartHeader, reader: ByteReader): MultipartRequestBody & MultipartReplyBody {
  return {
    kind: 'unknown',
    multipartType: header.type,
    ...(header.experimenter === undefined ? {} : { experimenter: header.experimenter, subtype: header.subtype ?? 0 }),
    data: reader.take(reader.remaining).slice(),
  };
}

/** The kind that an experimenter's numbers stand for where a version has no own for it. */
function extendedKind({ experimenter, subtype }: MultipartHeader, version: OpenflowVersion): ExtendedKind | undefined {
  if (version === 4 && experimenter === ONF_EXPERIMENTER)
    return subtype === ONFST_FLOW_MONITOR ? 'flow_monitor' : undefined;
  if (version > 1 || experimenter !== NICIRA_EXPERIMENTER) return undefined;
  return (Object.keys(NXST) as ExtendedKind[]).find((kind) => NXST[kind] === subtype);
}

function isExtended(kind: string): kind is ExtendedKind {
  return Object.hasOwn(NXST, kind);
}

type ExtendedKind = keyof typeof NXST;

/** What writes each element of a reply, so that they can be spread over several messages. */
export function* replyElements(body: MultipartReplyBody, dialect: Dialect): Generator<(writer: ByteWriter) => void> {
  const { version } = dialect;
  switch (body.kind) {
    case 'desc':
      yield (writer) => {
        for (const text of [body.manufacturer, body.hardware, body.software]) writeText(writer, text, 256);
        writeText(writer, body.serial, 32);
        writeText(writer, body.datapath, 256);
      };
      return;
    case 'flow':
      for (const flow of body.flows) yield (writer) => writeFlowStats(writer, flow, dialect, body.nxm);
      return;
    case 'aggregate':
      yield (writer) => {
        if (version >= 6) writeAggregateOxs(writer, body);
        else writer.u64(body.packetCount).u64(body.byteCount).u32(body.flowCount).u32(0);
      };
      return;
    case 'table':
      for (const table of body.tables) yield (writer) => writeTableStats(writer, table, version);
      return;
    case 'port':
      for (const port of body.ports) yield (writer) => writePortStats(writer, port, version);
      return;
    case 'queue':
      for (const queue of body.queues) yield (writer) => writeQueueStats(writer, queue, version);
      return;
    case 'queue_desc':
      for (const queue of body.queues) yield (writer) => writeQueueDescription(writer, queue);
      return;
    case 'port_desc':
      for (const port of body.ports) yield (writer) => writePort(writer, port, version);
      return;
    case 'table_features':
      for (const table of body.tables) yield (writer) => writeTableFeatures(writer, table, version);
      return;
    case 'table_desc':
      for (const table of body.tables) yield (writer) => writeTableDescription(writer, table);
      return;
    case 'flow_monitor':
      for (const update of body.updates) yield (writer) => writeFlowUpdate(writer, update, dialect);
      return;
    case 'group_features':
      yield (writer) => {
        writer.u32(body.types).u32(body.capabilities);
        for (const max of body.maxGroups) writer.u32(max);
        for (const actions of body.actions) writer.u32(actions);
      };
      return;
    case 'meter_features':
      yield (writer) => {
        writer.u32(body.maxMeter).u32(body.bandTypes).u32(body.capabilities).u8(body.maxBands).u8(body.maxColor).u16(0);
      };
      return;
    case 'unknown':
      yield (writer) => {
        writer.put(body.data);
      };
      return;
    case 'group':
    case 'group_desc':
    case 'meter':
    case 'meter_config':
      return;
  }
}

export function readMultipartReply(reader: ByteReader, header: MultipartHeader, dialect: Dialect): MultipartReplyBody {
  const { version } = dialect;
  const extended = extendedKind(header, version);
  const kind = extended ?? (header.experimenter === undefined ? kindOf(header.type, version) : undefined);
  const nxm = extended !== undefined;
  const list = <T>(read: () => T): T[] => {
    const found: T[] = [];
    while (reader.remaining > 0) found.push(read());
    return found;
  };
  switch (kind) {
    case undefined:
      return unknown(header, reader);
    case 'desc': {
      const [manufacturer, hardware, software] = [256, 256, 256].map((bytes) => readText(reader, bytes));
      return { kind, manufacturer, hardware, software, serial: readText(reader, 32), datapath: readText(reader, 256) };
    }
    case 'flow':
      return { kind, nxm, flows: list(() => readFlowStats(reader, version, nxm)) };
    case 'aggregate': {
      if (version >= 6) {
        const { packetCount, byteCount, flowCount } = readOxs(reader);
        return { kind, nxm, packetCount, byteCount, flowCount };
      }
      const packetCount = reader.u64();
      const byteCount = reader.u64();
      const flowCount = reader.u32();
      reader.skip(4);
      return { kind, nxm, packetCount, byteCount, flowCount };
    }
    case 'table':
      return { kind, tables: list(() => readTableStats(reader, version)) };
    case 'port':
      return { kind, ports: list(() => readPortStats(reader, version)) };
    case 'queue':
      return { kind, queues: list(() => readQueueStats(reader, version)) };
    case 'queue_desc':
      return { kind, queues: list(() => readQueueDescription(reader)) };
    case 'port_desc':
      return { kind, ports: list(() => readPort(reader, version)) };
    case 'table_features':
      return { kind, tables: list(() => readTableFeatures(reader, version)) };
    case 'table_desc':
      return { kind, tables: list(() => readTableDescription(reader)) };
    case 'flow_monitor':
      return { kind, updates: readFlowUpdates(reader, version) };
    case 'group_features': {
      const types = reader.u32();
      const capabilities = reader.u32();
      const four = (): number[] => [0, 0, 0, 0].map(() => reader.u32());
      return { kind, types, capabilities, maxGroups: four(), actions: four() };
    }
    case 'meter_features': {
      const maxMeter = reader.u32();
      const bandTypes = reader.u32();
      const capabilities = reader.u32();
      const maxBands = reader.u8();
      const maxColor = reader.u8();
      reader.skip(2);
      return { kind, maxMeter, bandTypes, capabilities, maxBands, maxColor };
    }
    case 'group':
    case 'group_desc':
    case 'meter':
    case 'meter_config':
      if (reader.remaining === 0) return { kind };
      return unknown(header, reader);
  }
}

const TABLE_NAME_BYTES = 32;

function writeTableStats(writer: ByteWriter, stats: TableStats, version: OpenflowVersion): void {
  writer.u8(stats.table).zeros(3);
  if (version === 1) {
    writeText(writer, stats.name, TABLE_NAME_BYTES);
    writer.u32(stats.wildcards).u32(stats.maxEntries);
  }
  writer.u32(stats.active).u64(stats.lookups).u64(stats.matched);
}

function readTableStats(reader: ByteReader, version: OpenflowVersion): TableStats {
  const table = reader.u8();
  reader.skip(3);
  const name = version === 1 ? readText(reader, TABLE_NAME_BYTES) : '';
  const wildcards = version === 1 ? reader.u32() : 0;
  const maxEntries = version === 1 ? reader.u32() : 0;
  return { table, name, wildcards, maxEntries, active: reader.u32(), lookups: reader.u64(), matched: reader.u64() };
}

const COMMON_COUNTERS = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
] as const;
const ETHERNET_COUNTERS = ['rxFrameErrors', 'rxOverErrors', 'rxCrcErrors', 'collisions'] as const;
/** What a counter reads that is not kept. */
const UNKNOWN_COUNTER = 2n ** 64n - 1n;

function writePortStats(writer: ByteWriter, stats: PortStats, version: OpenflowVersion): void {
  if (version < 5) {
    writePortNumber(writer, stats.port, version);
    writer.zeros(version === 1 ? 6 : 4);
    for (const counter of [...COMMON_COUNTERS, ...ETHERNET_COUNTERS]) writer.u64(stats[counter]);
    if (version >= 4) writer.u32(stats.durationSec ?? 0).u32(stats.durationNsec ?? 0);
    return;
  }
  const start = writer.length;
  writer
    .u16(0)
    .u16(0)
    .u32(stats.port)
    .u32(stats.durationSec ?? 0)
    .u32(stats.durationNsec ?? 0);
  for (const counter of COMMON_COUNTERS) writer.u64(stats[counter]);
  writeProperty(writer, 0, (body) => {
    body.u32(0);
    for (const counter of ETHERNET_COUNTERS) body.u64(stats[counter]);
  });
  writer.patchU16(start, writer.length - start);
}

function readPortStats(reader: ByteReader, version: OpenflowVersion): PortStats {
  const counters: Record<string, bigint> = {};
  const read = (from: ByteReader, names: readonly string[]): void => {
    for (const name of names) counters[name] = from.u64();
  };
  if (version < 5) {
    const port = readPortNumber(reader, version);
    reader.skip(version === 1 ? 6 : 4);
    read(reader, [...COMMON_COUNTERS, ...ETHERNET_COUNTERS]);
    const duration = version >= 4 ? { durationSec: reader.u32(), durationNsec: reader.u32() } : {};
    return {
      port,
      ...(counters as Record<(typeof COMMON_COUNTERS | typeof ETHERNET_COUNTERS)[number], bigint>),
      ...duration,
    };
  }
  const length = reader.u16();
  const body = subReader(reader, length - 2, 'OFPBRC_BAD_LEN');
  body.skip(2);
  const port = readPortNumber(body, version);
  const duration = { durationSec: body.u32(), durationNsec: body.u32() };
  read(body, COMMON_COUNTERS);
  for (const name of ETHERNET_COUNTERS) counters[name] = UNKNOWN_COUNTER;
  for (const { type, content } of readProperties(body)) {
    if (type !== 0) continue;
    content.skip(4);
    read(content, ETHERNET_COUNTERS);
  }
  return {
    port,
    ...(counters as Record<(typeof COMMON_COUNTERS | typeof ETHERNET_COUNTERS)[number], bigint>),
    ...duration,
  };
}

function writeQueueStats(writer: ByteWriter, stats: QueueStats, version: OpenflowVersion): void {
  if (version >= 5) writer.u16(48).zeros(6);
  writePortNumber(writer, stats.port, version);
  if (version === 1) writer.u16(0);
  writer.u32(stats.queue).u64(stats.txBytes).u64(stats.txPackets).u64(stats.txErrors);
  if (version >= 4) writer.u32(stats.durationSec ?? 0).u32(stats.durationNsec ?? 0);
}

function readQueueStats(reader: ByteReader, version: OpenflowVersion): QueueStats {
  let body = reader;
  if (version >= 5) {
    const length = reader.u16();
    body = subReader(reader, length - 2, 'OFPBRC_BAD_LEN');
    body.skip(6);
  }
  const port = readPortNumber(body, version);
  if (version === 1) body.skip(2);
  const queue = body.u32();
  const counters = { txBytes: body.u64(), txPackets: body.u64(), txErrors: body.u64() };
  return { port, queue, ...counters, ...(version >= 4 ? { durationSec: body.u32(), durationNsec: body.u32() } : {}) };
}

const QUEUE_PROPERTY = { minRate: 1, maxRate: 2 } as const;

function writeQueueDescription(writer: ByteWriter, queue: QueueDescription): void {
  const start = writer.length;
  writer.u32(queue.port).u32(queue.queue).u16(0).zeros(6);
  const { minRate, maxRate } = queue;
  if (minRate !== undefined) writeProperty(writer, QUEUE_PROPERTY.minRate, (body) => body.u16(minRate).u16(0));
  if (maxRate !== undefined) writeProperty(writer, QUEUE_PROPERTY.maxRate, (body) => body.u16(maxRate).u16(0));
  writer.patchU16(start + 8, writer.length - start);
}

function readQueueDescription(reader: ByteReader): QueueDescription {
  const port = readPortNumber(reader, 5);
  const queue = reader.u32();
  const length = reader.u16();
  reader.skip(6);
  const rates: { minRate?: number; maxRate?: number } = {};
  for (const { type, content } of readProperties(subReader(reader, length - 16, 'OFPBRC_BAD_LEN'))) {
    if (type === QUEUE_PROPERTY.minRate) rates.minRate = content.u16();
    if (type === QUEUE_PROPERTY.maxRate) rates.maxRate = content.u16();
  }
  return { port, queue, ...rates };
}

function writeTableFeatures(writer: ByteWriter, table: TableFeatures, version: OpenflowVersion): void {
  const start = writer.length;
  writer.u16(0).u8(table.table);
  if (version >= 6) writer.u8(table.command ?? 0).u32(table.features ?? 0);
  else writer.zeros(5);
  writeText(writer, table.name, TABLE_NAME_BYTES);
  writer.u64(table.metadataMatch).u64(table.metadataWrite).u32(table.config).u32(table.maxEntries);
  for (const { type, content } of table.properties) writeProperty(writer, type, (body) => body.put(content));
  writer.patchU16(start, writer.length - start);
}

function readTableFeatures(reader: ByteReader, version: OpenflowVersion): TableFeatures {
  const length = reader.u16();
  if (length < 64) throw new ProtocolError('OFPBPC_BAD_LEN', `table features of ${length} bytes`);
  const body = subReader(reader, length - 2, 'OFPBPC_BAD_LEN');
  const table = body.u8();
  const words = version >= 6 ? { command: body.u8(), features: body.u32() } : {};
  if (version < 6) body.skip(5);
  return {
    table,
    ...words,
    name: readText(body, TABLE_NAME_BYTES),
    metadataMatch: body.u64(),
    metadataWrite: body.u64(),
    config: body.u32(),
    maxEntries: body.u32(),
    properties: [...readProperties(body)].map(({ type, content }) => ({
      type,
      content: content.take(content.remaining).slice(),
    })),
  };
}

const EVICTION_PROPERTY = 2;

function writeTableDescription(writer: ByteWriter, table: TableDescription): void {
  const start = writer.length;
  writer.u16(0).u8(table.table).u8(0).u32(table.config);
  const { evictionFlags } = table;
  if (evictionFlags !== undefined) writeProperty(writer, EVICTION_PROPERTY, (body) => body.u32(evictionFlags));
  writer.patchU16(start, writer.length - start);
}

function readTableDescription(reader: ByteReader): TableDescription {
  const length = reader.u16();
  const body = subReader(reader, length - 2, 'OFPBRC_BAD_LEN');
  const table = body.u8();
  body.skip(1);
  const config = body.u32();
  let evictionFlags: number | undefined;
  for (const { type, content } of readProperties(body)) if (type === EVICTION_PROPERTY) evictionFlags = content.u32();
  return { table, config, ...(evictionFlags === undefined ? {} : { evictionFlags }) };
}
