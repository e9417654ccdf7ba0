import { type ByteReader, ByteWriter } from '../../bytes/index.ts';
import { NICIRA_EXPERIMENTER, OKO_EXPERIMENTER, ONF_EXPERIMENTER, type OpenflowVersion } from '../../packet/index.ts';
import {
  type AsyncConfig,
  BUNDLE_CONTROL_TYPES,
  type Dialect,
  type Message,
  type MessageBody,
  type PacketIn,
  PORT_STATUS_REASONS,
  type QueueDescription,
  ROLE_STATUS_REASONS,
  ROLES,
  type Role,
  type SwitchConfig,
} from '../message.ts';
import { readAsync, writeAsync } from './async-codec.ts';
import { readFlowMod, readFlowRemoved, writeFlowMod, writeFlowRemoved } from './flow-codec.ts';
import {
  type MultipartHeader,
  multipartHeader,
  OFPMP_EXPERIMENTER,
  readMultipartReply,
  readMultipartRequest,
  replyElements,
  writeMultipartRequest,
} from './multipart-codec.ts';
import { isLegacySubtype } from './oko-legacy.ts';
import { readPacketIn, readPacketOut, writePacketIn, writePacketOut } from './packet-codec.ts';
import { features10, readPort, readPortNumber, writePort, writePortNumber } from './port.ts';
import { readProperties, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { padded8, requireEights, subReader, wireReader } from './reader.ts';

export const HEADER_BYTES = 8;
export const MAX_MESSAGE_BYTES = 0xffff;

/** ofp_type: the number in OpenFlow 1.0, and in 1.1 and later; -1 where there is none. */
const OFPT: Readonly<Record<string, readonly [number, number]>> = {
  hello: [0, 0],
  error: [1, 1],
  echo_request: [2, 2],
  echo_reply: [3, 3],
  experimenter: [4, 4],
  features_request: [5, 5],
  features_reply: [6, 6],
  get_config_request: [7, 7],
  get_config_reply: [8, 8],
  set_config: [9, 9],
  packet_in: [10, 10],
  flow_removed: [11, 11],
  port_status: [12, 12],
  packet_out: [13, 13],
  flow_mod: [14, 14],
  port_mod: [15, 16],
  table_mod: [-1, 17],
  multipart_request: [16, 18],
  multipart_reply: [17, 19],
  barrier_request: [18, 20],
  barrier_reply: [19, 21],
  queue_get_config_request: [20, 22],
  queue_get_config_reply: [21, 23],
  role_request: [-1, 24],
  role_reply: [-1, 25],
  get_async_request: [-1, 26],
  get_async_reply: [-1, 27],
  set_async: [-1, 28],
  role_status: [-1, 30],
  bundle_control: [-1, 33],
  bundle_add: [-1, 34],
};

/** The first and last version that have a message, where not all from 1.1 on do. */
const OFPT_VERSIONS: Readonly<Record<string, readonly [number, number]>> = {
  queue_get_config_request: [1, 4],
  queue_get_config_reply: [1, 4],
  role_request: [3, 6],
  role_reply: [3, 6],
  get_async_request: [4, 6],
  get_async_reply: [4, 6],
  set_async: [4, 6],
  role_status: [5, 6],
  bundle_control: [5, 6],
  bundle_add: [5, 6],
};

/** Nicira's messages. */
const NXT = {
  roleRequest: 10,
  roleReply: 11,
  setFlowFormat: 12,
  flowMod: 13,
  flowRemoved: 14,
  flowModTableId: 15,
  setPacketInFormat: 16,
  packetIn: 17,
  setAsyncConfig: 19,
  setControllerId: 20,
  flowMonitorCancel: 21,
  flowMonitorPaused: 22,
  flowMonitorResumed: 23,
  setAsyncConfig2: 27,
  packetIn2: 30,
} as const;

/** The ONF's extensions of OpenFlow 1.3 (EXT-187, EXT-230). */
const ONFT = {
  flowMonitorCancel: 1870,
  flowMonitorPaused: 1871,
  flowMonitorResumed: 1872,
  bundleControl: 2300,
  bundleAdd: 2301,
} as const;

const PACKET_IN_FORMATS: readonly PacketIn['format'][] = ['standard', 'nxt_packet_in', 'nxt_packet_in2'];
const HELLO_BITMAP = 1;
/** ofp_error_type of experimenters' errors: OpenFlow 1.2 and later; before that Nicira's. */
const EXPERIMENTER_ERROR = 0xffff;
const NICIRA_ERROR = 0xb0c2;
const NX_ROLES: readonly Role['role'][] = ['equal', 'primary', 'secondary'];
const HARDWARE_ADDRESS = 6;

function typeNumber(name: string, version: OpenflowVersion): number | undefined {
  const range = OFPT_VERSIONS[name];
  if (range && (version < range[0] || version > range[1])) return undefined;
  const number = OFPT[name]?.[version === 1 ? 0 : 1];
  return number === undefined || number < 0 ? undefined : number;
}

const typeNames = ([1, 2, 3, 4, 5, 6] as const).map((version) => {
  const names = new Map<number, string>();
  for (const name of Object.keys(OFPT)) {
    const number = typeNumber(name, version);
    if (number !== undefined) names.set(number, name);
  }
  return names;
});

/** Starts a message and patches its length when `body` has written it. */
function frame(version: number, type: number, xid: number, body: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(256);
  writer.u8(version).u8(type).u16(0).u32(xid);
  body(writer);
  if (writer.length > MAX_MESSAGE_BYTES)
    throw new ProtocolError('OFPBRC_BAD_LEN', `a message of ${writer.length} bytes is longer than OpenFlow allows`);
  writer.patchU16(2, writer.length);
  return writer.finish();
}

function experimenterFrame(
  version: number,
  experimenter: number,
  subtype: number,
  xid: number,
  body: (writer: ByteWriter) => void,
): Uint8Array {
  return frame(version, 4, xid, (writer) => {
    writer.u32(experimenter).u32(subtype);
    body(writer);
  });
}

/**
 * Writes a message for a connection. Multipart messages that do not fit into one become several; everything else is one.
 * Throws ProtocolError when the version has no such message.
 */
export function encodeMessage(message: Message, dialect: Dialect): Uint8Array[] {
  if (message.type === 'multipart_reply') return [...encodeReply(message, dialect)];
  return [encodeOne(message, dialect)];
}

type OneMessage = Exclude<MessageBody, { type: 'multipart_reply' }>;

function encodeOne(message: OneMessage & { readonly xid: number }, dialect: Dialect): Uint8Array {
  const { version } = dialect;
  const { xid } = message;
  const standard = (body: (writer: ByteWriter) => void): Uint8Array => {
    const type = typeNumber(message.type, version);
    if (type === undefined)
      throw new ProtocolError('OFPBRC_BAD_TYPE', `OpenFlow version ${version} has no ${message.type}`);
    return frame(version, type, xid, body);
  };
  const nicira = (subtype: number, body: (writer: ByteWriter) => void): Uint8Array =>
    experimenterFrame(version, NICIRA_EXPERIMENTER, subtype, xid, body);

  switch (message.type) {
    case 'hello':
      return standard((writer) => {
        if (!message.versions) return;
        const words = Math.max(...message.versions, 0) >> 5;
        writer.u16(HELLO_BITMAP).u16(4 + 4 * (words + 1));
        for (let word = 0; word <= words; word++)
          writer.u32(message.versions.reduce((bits, v) => (v >> 5 === word ? bits | (1 << (v & 31)) : bits), 0) >>> 0);
        writer.align(8);
      });
    case 'error':
      return standard((writer) => {
        if (message.experimenter === 0) writer.u16(message.errorType).u16(message.code);
        else if (version >= 3) writer.u16(EXPERIMENTER_ERROR).u16(message.errorType).u32(message.experimenter);
        else writer.u16(NICIRA_ERROR).u16(0).u32(message.experimenter).u16(message.errorType).u16(message.code);
        writer.put(message.data);
      });
    case 'echo_request':
    case 'echo_reply':
      return standard((writer) => writer.put(message.data));
    case 'features_request':
    case 'get_config_request':
    case 'barrier_request':
    case 'barrier_reply':
    case 'get_async_request':
      return standard(() => {});
    case 'features_reply':
      return standard((writer) => {
        writer.u64(message.datapathId).u32(message.buffers).u8(message.tables);
        if (version === 1) {
          writer.zeros(3).u32(message.capabilities).u32(message.actions);
          for (const port of message.ports) writePort(writer, port, version);
        } else writer.u8(message.auxiliaryId).zeros(2).u32(message.capabilities).u32(0);
      });
    case 'get_config_reply':
    case 'set_config':
      return standard((writer) => writer.u16(message.flags).u16(message.missSendLen));
    case 'packet_in':
      if (message.format === 'nxt_packet_in') return nicira(NXT.packetIn, (w) => writePacketIn(w, message, dialect));
      if (message.format === 'nxt_packet_in2') return nicira(NXT.packetIn2, (w) => writePacketIn(w, message, dialect));
      return standard((writer) => writePacketIn(writer, message, dialect));
    case 'packet_out':
      return standard((writer) => writePacketOut(writer, message, dialect));
    case 'flow_mod':
      if (version === 1 && dialect.nxm) return nicira(NXT.flowMod, (w) => writeFlowMod(w, message, dialect));
      return standard((writer) => writeFlowMod(writer, message, dialect));
    case 'flow_removed':
      if (version === 1 && dialect.nxm) return nicira(NXT.flowRemoved, (w) => writeFlowRemoved(w, message, dialect));
      return standard((writer) => writeFlowRemoved(writer, message, dialect));
    case 'port_status':
      return standard((writer) => {
        writer.u8(PORT_STATUS_REASONS.indexOf(message.reason)).zeros(7);
        writePort(writer, message.port, version);
      });
    case 'port_mod':
      return standard((writer) => {
        writePortNumber(writer, message.port, version);
        if (version > 1) writer.u32(0);
        writer.put(message.hardwareAddress);
        if (version > 1) writer.u16(0);
        writer.u32(message.config).u32(message.mask);
        if (version >= 5) {
          if (message.advertise !== 0) writeProperty(writer, 0, (body) => body.u32(message.advertise));
        } else writer.u32(version === 1 ? features10.to(message.advertise) : message.advertise).u32(0);
      });
    case 'table_mod':
      return standard((writer) => {
        writer.u8(message.table).zeros(3).u32(message.config);
        const { evictionFlags, vacancy } = message;
        if (evictionFlags !== undefined) writeProperty(writer, 2, (body) => body.u32(evictionFlags));
        if (vacancy) writeProperty(writer, 3, (body) => body.u8(vacancy.down).u8(vacancy.up).u16(0));
      });
    case 'role_request':
    case 'role_reply':
      if (version < 3) {
        const subtype = message.type === 'role_request' ? NXT.roleRequest : NXT.roleReply;
        return nicira(subtype, (writer) => writer.u32(Math.max(0, NX_ROLES.indexOf(message.role))));
      }
      return standard((writer) =>
        writer
          .u32(ROLES.indexOf(message.role))
          .u32(0)
          .u64(message.generationId ?? 0n),
      );
    case 'role_status':
      return standard((writer) => {
        writer.u32(ROLES.indexOf(message.role)).u8(ROLE_STATUS_REASONS.indexOf(message.reason));
        writer.zeros(3).u64(message.generationId);
      });
    case 'get_async_reply':
    case 'set_async':
      if (version < 4) return nicira(NXT.setAsyncConfig, (writer) => writeAsync(writer, message, version));
      return standard((writer) => writeAsync(writer, message, version));
    case 'bundle_control': {
      const body = (writer: ByteWriter): void => {
        writer.u32(message.bundleId).u16(BUNDLE_CONTROL_TYPES.indexOf(message.control)).u16(message.flags);
      };
      if (version < 5) return experimenterFrame(version, ONF_EXPERIMENTER, ONFT.bundleControl, xid, body);
      return standard(body);
    }
    case 'bundle_add': {
      const body = (writer: ByteWriter): void => {
        writer.u32(message.bundleId).u16(0).u16(message.flags).put(message.message);
      };
      if (version < 5) return experimenterFrame(version, ONF_EXPERIMENTER, ONFT.bundleAdd, xid, body);
      return standard(body);
    }
    case 'nx_set_flow_format':
      return nicira(NXT.setFlowFormat, (writer) => writer.u32(message.nxm ? 2 : 0));
    case 'nx_flow_mod_table_id':
      return nicira(NXT.flowModTableId, (writer) => writer.u8(message.enable ? 1 : 0).zeros(7));
    case 'nx_set_packet_in_format':
      return nicira(NXT.setPacketInFormat, (writer) => writer.u32(PACKET_IN_FORMATS.indexOf(message.format)));
    case 'nx_set_controller_id':
      return nicira(NXT.setControllerId, (writer) => writer.zeros(6).u16(message.controllerId));
    case 'flow_monitor_cancel':
      return monitorFrame('flowMonitorCancel', version, xid, (writer) => writer.u32(message.monitor));
    case 'flow_monitor_paused':
      return monitorFrame('flowMonitorPaused', version, xid, () => {});
    case 'flow_monitor_resumed':
      return monitorFrame('flowMonitorResumed', version, xid, () => {});
    case 'oko':
      return experimenterFrame(version, OKO_EXPERIMENTER, message.subtype, xid, (writer) => writer.put(message.body));
    case 'oko_legacy':
      return nicira(message.subtype, (writer) => writer.put(message.body));
    case 'queue_get_config_request':
      return standard((writer) => {
        writePortNumber(writer, message.port, version);
        writer.zeros(version === 1 ? 2 : 4);
      });
    case 'queue_get_config_reply':
      return standard((writer) => {
        writePortNumber(writer, message.port, version);
        writer.zeros(version === 1 ? 6 : 4);
        for (const queue of message.queues) writePacketQueue(writer, queue, version);
      });
    case 'multipart_request':
      return standard((writer) => {
        writeMultipartHeader(writer, multipartHeader(message.body, version), message.flags, version);
        writeMultipartRequest(writer, message.body, dialect);
      });
  }
}

/** Messages about flow monitors, which OpenFlow 1.4 has none of. */
function monitorFrame(
  name: 'flowMonitorCancel' | 'flowMonitorPaused' | 'flowMonitorResumed',
  version: OpenflowVersion,
  xid: number,
  body: (writer: ByteWriter) => void,
): Uint8Array {
  if (version === 1) return experimenterFrame(version, NICIRA_EXPERIMENTER, NXT[name], xid, body);
  if (version === 4) return experimenterFrame(version, ONF_EXPERIMENTER, ONFT[name], xid, body);
  throw new ProtocolError('OFPBRC_BAD_TYPE', `OpenFlow version ${version} has no message ${name}`);
}

/** ofp_packet_queue of OpenFlow 1.0 to 1.3, with its properties. */
function writePacketQueue(writer: ByteWriter, queue: QueueDescription, version: OpenflowVersion): void {
  const start = writer.length;
  writer.u32(queue.queue);
  if (version > 1) writer.u32(queue.port);
  const lengthAt = writer.length;
  writer.u16(0).zeros(version === 1 ? 2 : 6);
  const rate = (property: number, value: number | undefined): void => {
    if (value !== undefined) writer.u16(property).u16(16).u32(0).u16(value).zeros(6);
  };
  rate(1, queue.minRate);
  rate(2, queue.maxRate);
  writer.patchU16(lengthAt, writer.length - start);
}

function readPacketQueue(reader: ByteReader, port: number, version: OpenflowVersion): QueueDescription {
  const queue = reader.u32();
  const queuePort = version > 1 ? readPortNumber(reader, version) : port;
  const length = reader.u16();
  reader.skip(version === 1 ? 2 : 6);
  const body = subReader(reader, length - (version === 1 ? 8 : 16), 'OFPBRC_BAD_LEN');
  const rates: { minRate?: number; maxRate?: number } = {};
  for (const { type, content } of readProperties(body)) {
    content.skip(4);
    if (type === 1) rates.minRate = content.u16();
    if (type === 2) rates.maxRate = content.u16();
  }
  return { port: queuePort, queue, ...rates };
}

function writeMultipartHeader(
  writer: ByteWriter,
  header: MultipartHeader,
  flags: number,
  version: OpenflowVersion,
): void {
  writer.u16(header.type).u16(flags);
  if (version > 1) writer.u32(0);
  if (header.experimenter === undefined) return;
  writer.u32(header.experimenter).u32(header.subtype ?? 0);
  if (version === 1 && header.experimenter === NICIRA_EXPERIMENTER) writer.u32(0);
}

/** The messages of a reply: as many elements in each as fit, all but the last flagged "more". */
function* encodeReply(message: ReplyMessage, dialect: Dialect): Generator<Uint8Array> {
  const parts = new MultipartWriter(message, dialect);
  for (const element of replyElements(message.body, dialect)) {
    const full = parts.add(element);
    if (full) yield full;
  }
  yield parts.finish();
}

type ReplyMessage = Extract<Message, { type: 'multipart_reply' }>;

/** What a `MultipartWriter` needs of a reply; the lists in its body may be empty. */
export type ReplyHead = Pick<ReplyMessage, 'xid' | 'flags' | 'body'>;

/**
 * Collects the elements of a long reply into messages of at most 64 kB, each but the last flagged "more". For replies
 * whose elements come one after the other, as a dump of many flows does.
 */
export class MultipartWriter {
  readonly #reply: ReplyHead;
  readonly #dialect: Dialect;
  readonly #type: number;
  readonly #writer = new ByteWriter(MAX_MESSAGE_BYTES + 1);
  #headerBytes = 0;

  constructor(reply: ReplyHead, dialect: Dialect) {
    const type = typeNumber('multipart_reply', dialect.version);
    if (type === undefined) throw new ProtocolError('OFPBRC_BAD_TYPE', 'no multipart replies in this version');
    this.#reply = reply;
    this.#dialect = dialect;
    this.#type = type;
    this.#start();
  }

  /** Takes an element, which `write` writes; returns the message that was full before it, if one was. */
  add(write: (writer: ByteWriter) => void): Uint8Array | undefined {
    const writer = this.#writer;
    const start = writer.length;
    write(writer);
    if (writer.length <= MAX_MESSAGE_BYTES) return undefined;
    const element = writer.finish(start);
    writer.cut(start);
    if (start === this.#headerBytes || this.#headerBytes + element.length > MAX_MESSAGE_BYTES)
      throw new ProtocolError('OFPBRC_BAD_LEN', `an element of ${element.length} bytes fits into no message`);
    const message = this.#message(1);
    this.#start();
    writer.put(element);
    return message;
  }

  /** The last message, which there always is, even of nothing. */
  finish(): Uint8Array {
    return this.#message(0);
  }

  #start(): void {
    const { version } = this.#dialect;
    const writer = this.#writer;
    writer.cut(0);
    writer.u8(version).u8(this.#type).u16(0).u32(this.#reply.xid);
    writeMultipartHeader(writer, multipartHeader(this.#reply.body, version), this.#reply.flags, version);
    this.#headerBytes = writer.length;
  }

  #message(more: number): Uint8Array {
    this.#writer.patchU16(2, this.#writer.length);
    this.#writer.patchU16(HEADER_BYTES + 2, this.#reply.flags | more);
    return this.#writer.finish();
  }
}

/** Version, type, length and transaction of a message. */
export interface Header {
  readonly version: number;
  readonly type: number;
  readonly length: number;
  readonly xid: number;
}

export function readHeader(bytes: Uint8Array): Header {
  const reader = wireReader(bytes);
  return { version: reader.u8(), type: reader.u8(), length: reader.u16(), xid: reader.u32() };
}

/**
 * Reads one whole message of a connection. Throws ProtocolError, which names the OpenFlow error to answer with, when it is
 * malformed or unknown.
 */
export function decodeMessage(bytes: Uint8Array, dialect: Dialect): Message {
  const header = readHeader(bytes);
  if (header.length !== bytes.length || header.length < HEADER_BYTES)
    throw new ProtocolError('OFPBRC_BAD_LEN', `a message that says ${header.length} bytes and has ${bytes.length}`);
  const reader = wireReader(bytes);
  reader.skip(HEADER_BYTES);
  // A hello is understood in any version: it is how one is agreed on.
  if (header.type === 0) return { ...readHello(reader), xid: header.xid };
  if (header.version !== dialect.version)
    throw new ProtocolError(
      'OFPBRC_BAD_VERSION',
      `version ${header.version} on a connection of version ${dialect.version}`,
    );
  const name = typeNames[dialect.version - 1].get(header.type);
  if (name === undefined) throw new ProtocolError('OFPBRC_BAD_TYPE', `message type ${header.type}`);
  const body = name === 'experimenter' ? readExperimenter(reader, dialect) : readStandard(name, reader, dialect);
  if (reader.remaining > 0)
    throw new ProtocolError('OFPBRC_BAD_LEN', `${reader.remaining} bytes are left over after ${body.type}`);
  return { ...body, xid: header.xid };
}

/** OpenFlow's name for the kind of a message, `experimenter` for all of theirs; undefined for none of its version. */
export function nameOfMessage(bytes: Uint8Array): string | undefined {
  const { version, type } = readHeader(bytes);
  return typeNames[version - 1]?.get(type);
}

function readHello(reader: ByteReader): MessageBody {
  let versions: number[] | undefined;
  while (reader.remaining >= 4) {
    const type = reader.u16();
    const length = reader.u16();
    // Elements that cannot be read are passed over: an unknown hello is still a hello.
    if (length < 4 || length - 4 > reader.remaining) break;
    const content = subReader(reader, length - 4, 'OFPBRC_BAD_LEN');
    reader.skip(Math.min(reader.remaining, padded8(length) - length));
    if (type !== HELLO_BITMAP) continue;
    versions = [];
    for (let word = 0; content.remaining >= 4; word++) {
      const bits = content.u32();
      for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) versions.push(32 * word + bit);
    }
  }
  reader.skip(reader.remaining);
  return versions ? { type: 'hello', versions } : { type: 'hello' };
}

function readStandard(name: string, reader: ByteReader, dialect: Dialect): MessageBody {
  const { version } = dialect;
  switch (name) {
    case 'error':
      return readError(reader, version);
    case 'echo_request':
    case 'echo_reply':
      return { type: name, data: reader.take(reader.remaining).slice() };
    case 'features_request':
    case 'get_config_request':
    case 'barrier_request':
    case 'barrier_reply':
    case 'get_async_request':
      return { type: name };
    case 'features_reply':
      return readFeatures(reader, version);
    case 'get_config_reply':
    case 'set_config':
      return readConfig(reader, name, version);
    case 'packet_in':
      return readPacketIn(reader, version, 'standard');
    case 'packet_out':
      return readPacketOut(reader, dialect);
    case 'flow_mod':
      return readFlowMod(reader, dialect, false);
    case 'flow_removed':
      return readFlowRemoved(reader, version, false);
    case 'port_status': {
      const number = reader.u8();
      reader.skip(7);
      const reason = PORT_STATUS_REASONS[number];
      if (!reason) throw new ProtocolError('NXBRC_BAD_REASON', `port status reason ${number}`);
      return { type: 'port_status', reason, port: readPort(reader, version) };
    }
    case 'port_mod':
      return readPortMod(reader, version);
    case 'table_mod':
      return readTableMod(reader, version);
    case 'role_request':
    case 'role_reply': {
      const number = reader.u32();
      const role = ROLES[number];
      if (!role) throw new ProtocolError('OFPRRFC_BAD_ROLE', `role ${number}`);
      reader.skip(4);
      return { type: name, role, generationId: reader.u64() };
    }
    case 'role_status':
      return readRoleStatus(reader);
    case 'get_async_reply':
    case 'set_async':
      return readAsync(reader, name, version);
    case 'bundle_control':
      return readBundleControl(reader);
    case 'bundle_add':
      return readBundleAdd(reader, dialect);
    case 'queue_get_config_request': {
      const port = readPortNumber(reader, version);
      reader.skip(version === 1 ? 2 : 4);
      return { type: name, port };
    }
    case 'queue_get_config_reply': {
      const port = readPortNumber(reader, version);
      reader.skip(version === 1 ? 6 : 4);
      const queues: QueueDescription[] = [];
      while (reader.remaining > 0) queues.push(readPacketQueue(reader, port, version));
      return { type: name, port, queues };
    }
    case 'multipart_request': {
      const { header, flags } = readMultipartHeader(reader, version);
      return { type: name, flags, body: readMultipartRequest(reader, header, dialect) };
    }
    case 'multipart_reply': {
      const { header, flags } = readMultipartHeader(reader, version);
      return { type: name, flags, body: readMultipartReply(reader, header, dialect) };
    }
    default:
      throw new ProtocolError('OFPBRC_BAD_TYPE', name);
  }
}

function readRoleStatus(reader: ByteReader): MessageBody {
  const number = reader.u32();
  const role = ROLES[number];
  if (!role) throw new ProtocolError('OFPRRFC_BAD_ROLE', `role ${number}`);
  const reasonNumber = reader.u8();
  const reason = ROLE_STATUS_REASONS[reasonNumber];
  if (!reason) throw new ProtocolError('NXBRC_BAD_REASON', `role status reason ${reasonNumber}`);
  reader.skip(3);
  const generationId = reader.u64();
  // Properties are experimenters' only; there is none we know.
  requireEights(reader);
  reader.skip(reader.remaining);
  return { type: 'role_status', role, reason, generationId };
}

function readMultipartHeader(reader: ByteReader, version: OpenflowVersion): { header: MultipartHeader; flags: number } {
  const type = reader.u16();
  const flags = reader.u16();
  if (version > 1) reader.skip(4);
  if (type !== OFPMP_EXPERIMENTER) return { header: { type }, flags };
  const experimenter = reader.u32();
  const subtype = reader.u32();
  if (version === 1 && experimenter === NICIRA_EXPERIMENTER) reader.skip(4);
  return { header: { type, experimenter, subtype }, flags };
}

function readError(reader: ByteReader, version: OpenflowVersion): MessageBody {
  let errorType = reader.u16();
  let code = reader.u16();
  let experimenter = 0;
  const isExperimenters = errorType === (version >= 3 ? EXPERIMENTER_ERROR : NICIRA_ERROR);
  if (isExperimenters) {
    experimenter = reader.u32();
    errorType = version >= 3 ? code : reader.u16();
    code = version >= 3 ? 0 : reader.u16();
    if (experimenter === 0) throw new ProtocolError('OFPBRC_BAD_VENDOR', 'an error of experimenter 0');
  }
  return { type: 'error', experimenter, errorType, code, data: reader.take(reader.remaining).slice() };
}

function readFeatures(reader: ByteReader, version: OpenflowVersion): MessageBody {
  const datapathId = reader.u64();
  const buffers = reader.u32();
  const tables = reader.u8();
  const auxiliaryId = version === 1 ? 0 : reader.u8();
  reader.skip(version === 1 ? 3 : 2);
  const capabilities = reader.u32();
  const actions = version === 1 ? reader.u32() : 0;
  if (version > 1) reader.skip(4);
  const ports = [];
  while (version === 1 && reader.remaining > 0) ports.push(readPort(reader, version));
  return { type: 'features_reply', datapathId, buffers, tables, auxiliaryId, capabilities, actions, ports };
}

/** Fragment handling; before OpenFlow 1.3 also whether packets with an invalid TTL go to the controller. */
function readConfig(reader: ByteReader, type: SwitchConfig['type'], version: OpenflowVersion): SwitchConfig {
  const flags = reader.u16();
  if (type === 'set_config' && (flags & ~(version < 4 ? 7 : 3)) !== 0)
    throw new ProtocolError('OFPSCFC_BAD_FLAGS', `configuration flags 0x${flags.toString(16)}`);
  return { type, flags, missSendLen: reader.u16() };
}

function readPortMod(reader: ByteReader, version: OpenflowVersion): MessageBody {
  if (version >= 5) requireEights(reader);
  const port = readPortNumber(reader, version);
  if (version > 1) reader.skip(4);
  const hardwareAddress = reader.take(HARDWARE_ADDRESS).slice();
  if (version > 1) reader.skip(2);
  const config = reader.u32();
  const mask = reader.u32();
  let advertise = 0;
  if (version < 5) {
    const bits = reader.u32();
    advertise = version === 1 ? features10.from(bits) : bits;
    reader.skip(4);
  } else {
    for (const { type, content } of readProperties(reader)) {
      if (type !== 0) throw new ProtocolError('OFPBPC_BAD_TYPE', `port_mod property ${type}`);
      if (content.remaining !== 4) throw new ProtocolError('OFPBPC_BAD_LEN', 'a port_mod property of a wrong length');
      advertise = content.u32();
    }
  }
  return { type: 'port_mod', port, hardwareAddress, config, mask, advertise };
}

function readTableMod(reader: ByteReader, version: OpenflowVersion): MessageBody {
  if (version >= 5) requireEights(reader);
  const table = reader.u8();
  reader.skip(3);
  const config = reader.u32();
  let extra = {};
  if (version >= 5) {
    for (const { type, content } of readProperties(reader)) {
      if (content.remaining !== 4) throw new ProtocolError('OFPBPC_BAD_LEN', 'a table_mod property of a wrong length');
      if (type === 2) extra = { ...extra, evictionFlags: content.u32() };
      else if (type === 3) extra = { ...extra, vacancy: readVacancy(content) };
      else throw new ProtocolError('OFPBPC_BAD_TYPE', `table_mod property ${type}`);
    }
  }
  return { type: 'table_mod', table, config, ...extra };
}

/** Percentages, and how much is free, which only a switch can say. */
function readVacancy(reader: ByteReader): { down: number; up: number } {
  const down = reader.u8();
  const up = reader.u8();
  const free = reader.u8();
  if (down > up || up > 100 || free !== 0)
    throw new ProtocolError('OFPBPC_BAD_VALUE', `vacancy down at ${down} %, up at ${up} %, now ${free} %`);
  return { down, up };
}

function readBundleControl(reader: ByteReader): MessageBody {
  requireEights(reader);
  const bundleId = reader.u32();
  const number = reader.u16();
  const flags = reader.u16();
  const control = BUNDLE_CONTROL_TYPES[number];
  if (!control) throw new ProtocolError('OFPBFC_BAD_TYPE', `bundle control ${number}`);
  // Properties are experimenters' only; there is none we know.
  reader.skip(reader.remaining);
  return { type: 'bundle_control', bundleId, control, flags };
}

function readBundleAdd(reader: ByteReader, dialect: Dialect): MessageBody {
  const bundleId = reader.u32();
  reader.skip(2);
  const flags = reader.u16();
  if (reader.remaining < HEADER_BYTES) throw new ProtocolError('OFPBFC_MSG_BAD_LEN', 'a bundled message that is cut');
  const start = reader.offset;
  const inner = readHeader(reader.bytes.subarray(start));
  if (inner.version !== dialect.version)
    throw new ProtocolError('OFPBFC_BAD_VERSION', `a bundled message of version ${inner.version}`);
  if (inner.length < HEADER_BYTES || inner.length > reader.remaining)
    throw new ProtocolError('OFPBFC_MSG_BAD_LEN', `a bundled message of ${inner.length} bytes`);
  const message = reader.take(inner.length).slice();
  reader.skip(reader.remaining);
  return { type: 'bundle_add', bundleId, flags, message };
}

function readExperimenter(reader: ByteReader, dialect: Dialect): MessageBody {
  const { version } = dialect;
  const experimenter = reader.u32();
  if (experimenter === NICIRA_EXPERIMENTER) return readNicira(reader, reader.u32(), dialect);
  if (experimenter === OKO_EXPERIMENTER) {
    const subtype = reader.u32();
    return { type: 'oko', subtype, body: reader.take(reader.remaining).slice() };
  }
  if (experimenter === ONF_EXPERIMENTER) {
    const subtype = reader.u32();
    if (version === 4 && subtype === ONFT.flowMonitorCancel)
      return { type: 'flow_monitor_cancel', monitor: reader.u32() };
    if (version === 4 && subtype === ONFT.flowMonitorPaused) return { type: 'flow_monitor_paused' };
    if (version === 4 && subtype === ONFT.flowMonitorResumed) return { type: 'flow_monitor_resumed' };
    if (version === 4 && subtype === ONFT.bundleControl) return readBundleControl(reader);
    if (version === 4 && subtype === ONFT.bundleAdd) return readBundleAdd(reader, dialect);
    throw new ProtocolError('OFPBRC_BAD_SUBTYPE', `ONF message ${subtype}`);
  }
  throw new ProtocolError('OFPBRC_BAD_VENDOR', `messages of experimenter 0x${experimenter.toString(16)}`);
}

function readNicira(reader: ByteReader, subtype: number, dialect: Dialect): MessageBody {
  const { version } = dialect;
  const badSubtype = (): ProtocolError => new ProtocolError('OFPBRC_BAD_SUBTYPE', `Nicira message ${subtype}`);
  switch (subtype) {
    case NXT.roleRequest:
    case NXT.roleReply: {
      if (version >= 3) throw badSubtype();
      const number = reader.u32();
      const role = NX_ROLES[number];
      if (!role) throw new ProtocolError('OFPRRFC_BAD_ROLE', `role ${number}`);
      return { type: subtype === NXT.roleRequest ? 'role_request' : 'role_reply', role };
    }
    case NXT.setFlowFormat: {
      const format = reader.u32();
      if (format !== 0 && format !== 2) throw new ProtocolError('OFPBRC_EPERM', `flow format ${format}`);
      return { type: 'nx_set_flow_format', nxm: format === 2 };
    }
    case NXT.flowMod:
      if (version > 1) throw badSubtype();
      return readFlowMod(reader, dialect, true);
    case NXT.flowRemoved:
      if (version > 1) throw badSubtype();
      return readFlowRemoved(reader, version, true);
    case NXT.flowModTableId: {
      const enable = reader.u8();
      reader.skip(7);
      return { type: 'nx_flow_mod_table_id', enable: enable !== 0 };
    }
    case NXT.setPacketInFormat: {
      const number = reader.u32();
      const format = PACKET_IN_FORMATS[number];
      if (!format) throw new ProtocolError('OFPBRC_EPERM', `packet-in format ${number}`);
      return { type: 'nx_set_packet_in_format', format };
    }
    case NXT.packetIn:
      return readPacketIn(reader, version, 'nxt_packet_in');
    case NXT.packetIn2:
      return readPacketIn(reader, version, 'nxt_packet_in2');
    case NXT.setAsyncConfig:
    case NXT.setAsyncConfig2:
      return readNiciraAsync(reader, subtype === NXT.setAsyncConfig2);
    case NXT.setControllerId: {
      if (reader.take(6).some((byte) => byte !== 0))
        throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'controller id with padding not zero');
      return { type: 'nx_set_controller_id', controllerId: reader.u16() };
    }
    case NXT.flowMonitorCancel:
      if (version > 1) throw badSubtype();
      return { type: 'flow_monitor_cancel', monitor: reader.u32() };
    case NXT.flowMonitorPaused:
      if (version > 1) throw badSubtype();
      return { type: 'flow_monitor_paused' };
    case NXT.flowMonitorResumed:
      if (version > 1) throw badSubtype();
      return { type: 'flow_monitor_resumed' };
    default:
      if (dialect.legacy && isLegacySubtype(subtype))
        return { type: 'oko_legacy', subtype, body: reader.take(reader.remaining).slice() };
      throw badSubtype();
  }
}

/** The first form has the layout of OpenFlow 1.3, the second that of 1.4. */
function readNiciraAsync(reader: ByteReader, asProperties: boolean): AsyncConfig {
  return readAsync(reader, 'set_async', asProperties ? 5 : 4);
}
