import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import {
  type Field,
  type FieldValue,
  NICIRA_EXPERIMENTER,
  type OpenflowVersion,
  portFrom16,
  portTo16,
} from '../../packet/index.ts';
import {
  type ActionOf,
  BUNDLE_ALGORITHMS,
  type EncapProperty,
  HASH_FIELDS,
  type LearnSpec,
  MULTIPATH_ALGORITHMS,
  type SetFieldAction,
} from '../action.ts';
import { CURRENT_TABLE, PACKET_TYPE, padNote } from '../actions/control.ts';
import { loadAction, loadSegments } from '../actions/fields.ts';
import { OFPP } from '../port.ts';
import type { Subfield } from '../subfield.ts';
import type { ActionDecoder, ActionEncoding } from './action-context.ts';
import { checkValue } from './match.ts';
import {
  fieldHeaderBytes,
  readFieldHeader,
  readOxmHeader,
  readOxmValue,
  wireIdFor,
  writeFieldHeader,
  writeOxm,
} from './oxm.ts';
import { readProperty, writeProperty } from './property.ts';
import { ProtocolError } from './protocol-error.ts';
import { padded8, subReader } from './reader.ts';

/*
 * Nicira's extension actions, as Open vSwitch speaks them: vendor action, vendor 0x2320, then a 16-bit subtype and a body
 * of its own; the whole a multiple of 8 bytes.
 */
export const NXAST = {
  resubmit: 1,
  setTunnel: 2,
  setQueue: 4,
  popQueue: 5,
  regMove: 6,
  regLoad: 7,
  note: 8,
  setTunnel64: 9,
  multipath: 10,
  bundle: 12,
  bundleLoad: 13,
  resubmitTable: 14,
  outputReg: 15,
  learn: 16,
  exit: 17,
  decTtl: 18,
  finTimeout: 19,
  controller: 20,
  decTtlCntIds: 21,
  writeMetadata: 22,
  pushMpls: 23,
  popMpls: 24,
  setMplsTtl: 25,
  decMplsTtl: 26,
  stackPush: 27,
  stackPop: 28,
  sample: 29,
  setMplsLabel: 30,
  setMplsTc: 31,
  outputReg2: 32,
  regLoad2: 33,
  conjunction: 34,
  ct: 35,
  nat: 36,
  controller2: 37,
  sample2: 38,
  outputTrunc: 39,
  group: 40,
  sample3: 41,
  clone: 42,
  ctClear: 43,
  resubmitTableCt: 44,
  learn2: 45,
  encap: 46,
  decap: 47,
  decNshTtl: 48,
  checkPktLarger: 49,
  deleteField: 50,
} as const;

/** Nicira's actions name fields by NXM, in every version. */
const NXM = 1;

/** Bytes before an action's body: type, length, vendor, subtype. */
export const NICIRA_ACTION_HEADER = 10;

/** Writes a Nicira action: `body` writes what follows the subtype; zeros fill up to 8 bytes. */
export function writeNicira(writer: ByteWriter, subtype: number, body: (writer: ByteWriter) => void): void {
  const start = writer.length;
  writer.u16(0xffff).u16(0).u32(NICIRA_EXPERIMENTER).u16(subtype);
  body(writer);
  writer.align(8, start);
  writer.patchU16(start + 2, writer.length - start);
}

const port16 = (port: number): number => portTo16(port) ?? 0xffff;
const ofsNbits = (part: Subfield): number => (part.start << 6) | (part.bits - 1);

function bad(
  name: 'OFPBAC_BAD_ARGUMENT' | 'OFPBAC_BAD_SET_LEN' | 'OFPBAC_BAD_SET_ARGUMENT',
  what: string,
): ProtocolError {
  return new ProtocolError(name, what);
}

function partOf(target: Field, start: number, bits: number): Subfield {
  if (bits === 0 || start + bits > target.width)
    throw bad('OFPBAC_BAD_SET_LEN', `bits ${start} to ${start + bits - 1} of ${target.name}`);
  return { field: target, start, bits };
}

function partOfNbits(target: Field, packed: number): Subfield {
  return partOf(target, packed >> 6, (packed & 0x3f) + 1);
}

function writable(part: Subfield): Subfield {
  if (!part.field.writable) throw bad('OFPBAC_BAD_SET_ARGUMENT', `${part.field.name} is read-only`);
  return part;
}

function requireZeros(reader: ByteReader, count = reader.remaining): void {
  if (reader.take(count).some((byte) => byte !== 0))
    throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'padding of an action is not zero');
}

/** Reads an action that has nothing but padding after `count` bytes. */
function exactly(body: ByteReader, count: number): ByteReader {
  if (body.remaining !== count)
    throw new ProtocolError('OFPBAC_BAD_LEN', `an action with ${body.remaining + NICIRA_ACTION_HEADER} bytes`);
  return body;
}

export type NiciraType =
  | 'output_reg'
  | 'output_trunc'
  | 'controller'
  | 'bundle'
  | 'multipath'
  | 'resubmit'
  | 'clone'
  | 'conjunction'
  | 'note'
  | 'sample'
  | 'fin_timeout'
  | 'encap'
  | 'decap'
  | 'ct'
  | 'nat'
  | 'learn'
  | 'check_pkt_larger'
  | 'delete_field'
  | 'push'
  | 'pop'
  | 'dec_nsh_ttl'
  | 'pop_queue'
  | 'ct_clear'
  | 'exit';

type Writers = { readonly [T in NiciraType]: (action: ActionOf<T>, encoding: ActionEncoding) => void };

const plain =
  (subtype: number) =>
  (_action: unknown, { writer }: ActionEncoding): void =>
    writeNicira(writer, subtype, () => {});

/** The actions that are Nicira's in every version. */
export const niciraWriters: Writers = {
  output_reg({ source, maxLen }, { writer }) {
    if (fieldHeaderBytes(source.field, NXM) === 4)
      writeNicira(writer, NXAST.outputReg, (body) => {
        body.u16(ofsNbits(source));
        writeFieldHeader(body, source.field, NXM);
        body.u16(maxLen).zeros(6);
      });
    else
      writeNicira(writer, NXAST.outputReg2, (body) => {
        body.u16(ofsNbits(source)).u16(maxLen);
        writeFieldHeader(body, source.field, NXM);
        body.zeros(2);
      });
  },
  output_trunc: ({ port, maxLen }, { writer }) =>
    writeNicira(writer, NXAST.outputTrunc, (body) => body.u16(port16(port)).u32(maxLen)),
  controller({ maxLen, controllerId, reason, userdata, pause, meterId }, { writer }) {
    if (userdata === undefined && !pause && meterId === undefined) {
      writeNicira(writer, NXAST.controller, (body) => body.u16(maxLen).u16(controllerId).u8(reason).u8(0));
      return;
    }
    writeNicira(writer, NXAST.controller2, (body) => {
      body.zeros(6);
      const property = (type: number, content: (body: ByteWriter) => void): void => writeProperty(body, type, content);
      if (maxLen !== 0xffff) property(0, (p) => p.u16(maxLen).u16(0));
      if (controllerId !== 0) property(1, (p) => p.u16(controllerId).u16(0));
      if (reason !== 1) property(2, (p) => p.u8(reason));
      if (userdata !== undefined) property(3, (p) => p.put(userdata));
      if (pause) property(4, () => {});
      if (meterId !== undefined) property(5, (p) => p.u32(meterId));
    });
  },
  bundle({ fields, basis, algorithm, members, destination }, { writer }) {
    writeNicira(writer, destination ? NXAST.bundleLoad : NXAST.bundle, (body) => {
      body.u16(BUNDLE_ALGORITHMS.indexOf(algorithm)).u16(hashFieldsNumber(fields)).u16(basis);
      // The type of members: ports, named by NXM_OF_IN_PORT's header.
      body
        .u32(0x00000002)
        .u16(members.length)
        .u16(destination ? ofsNbits(destination) : 0);
      if (destination) writeFieldHeader(body, destination.field, NXM);
      else body.u32(0);
      if (!destination || fieldHeaderBytes(destination.field, NXM) === 4) body.u32(0);
      for (const member of members) body.u16(port16(member));
    });
  },
  multipath(action, { writer }) {
    writeNicira(writer, NXAST.multipath, (body) => {
      body.u16(hashFieldsNumber(action.fields)).u16(action.basis).u16(0);
      body
        .u16(MULTIPATH_ALGORITHMS.indexOf(action.algorithm))
        .u16(action.links - 1)
        .u32(action.arg)
        .u16(0);
      body.u16(ofsNbits(action.destination));
      writeFieldHeader(body, action.destination.field, NXM);
    });
  },
  resubmit({ port, table, ct }, { writer }) {
    if (table === CURRENT_TABLE && !ct) {
      // What Open vSwitch itself sends: the form with a table, even when it is the current one.
      writeNicira(writer, NXAST.resubmitTable, (body) => body.u16(port16(port)).u8(CURRENT_TABLE).zeros(3));
      return;
    }
    writeNicira(writer, ct ? NXAST.resubmitTableCt : NXAST.resubmitTable, (body) =>
      body.u16(port16(port)).u8(table).zeros(3),
    );
  },
  clone({ actions }, { writer, write }) {
    writeNicira(writer, NXAST.clone, (body) => {
      body.zeros(6);
      write(actions);
    });
  },
  conjunction: ({ id, clause, clauses }, { writer }) =>
    writeNicira(writer, NXAST.conjunction, (body) =>
      body
        .u8(clause - 1)
        .u8(clauses)
        .u32(id),
    ),
  note: ({ data }, { writer }) => writeNicira(writer, NXAST.note, (body) => body.put(data)),
  sample({ probability, collectorSetId, obsDomainId, obsPointId, samplingPort, direction }, { writer }) {
    const short = samplingPort === OFPP.none && direction === 'default';
    const subtype = short ? NXAST.sample : direction === 'default' ? NXAST.sample2 : NXAST.sample3;
    writeNicira(writer, subtype, (body) => {
      body.u16(probability).u32(collectorSetId).u32(obsDomainId).u32(obsPointId);
      if (short) return;
      body
        .u16(port16(samplingPort))
        .u8(direction === 'ingress' ? 1 : direction === 'egress' ? 2 : 0)
        .zeros(5);
    });
  },
  fin_timeout: ({ idleTimeout, hardTimeout }, { writer }) =>
    writeNicira(writer, NXAST.finTimeout, (body) => body.u16(idleTimeout).u16(hardTimeout)),
  encap({ packetType, properties }, { writer }) {
    writeNicira(writer, NXAST.encap, (body) => {
      body.u16(0).u32(packetType);
      for (const property of properties) writeEncapProperty(body, property);
    });
  },
  decap: ({ packetType }, { writer }) => writeNicira(writer, NXAST.decap, (body) => body.u16(0).u32(packetType)),
  ct({ commit, force, zone, table, alg, actions }, { writer, write }) {
    writeNicira(writer, NXAST.ct, (body) => {
      body.u16((commit ? 1 : 0) | (force ? 2 : 0));
      if (typeof zone === 'number') body.u32(0).u16(zone);
      else {
        writeFieldHeader(body, zone.field, NXM);
        body.u16(ofsNbits(zone));
      }
      body
        .u8(table ?? 255)
        .zeros(3)
        .u16(alg);
      write(actions);
    });
  },
  nat(action, { writer }) {
    writeNicira(writer, NXAST.nat, (body) => {
      const { addresses, ports } = action;
      const ipv6 = addresses?.[0].length === 16;
      let flags = action.direction === 'src' ? 1 : action.direction === 'dst' ? 2 : 0;
      if (action.persistent) flags |= 4;
      if (action.hash) flags |= 8;
      if (action.random) flags |= 16;
      let present = 0;
      if (addresses) present |= (ipv6 ? 4 : 1) | (addresses[1] ? (ipv6 ? 8 : 2) : 0);
      if (ports) present |= 16 | (ports[1] !== undefined ? 32 : 0);
      body.u16(0).u16(flags).u16(present);
      for (const address of addresses ?? []) if (address) body.put(address);
      for (const port of ports ?? []) if (port !== undefined) body.u16(port);
    });
  },
  learn: writeLearn,
  check_pkt_larger({ length, destination }, { writer }) {
    writeNicira(writer, NXAST.checkPktLarger, (body) => {
      body.u16(length).u16(destination.start);
      writeFieldHeader(body, destination.field, NXM);
      body.zeros(destination.field.wire[0]?.experimenter === undefined ? 6 : 2);
    });
  },
  delete_field({ field }, { writer }) {
    writeNicira(writer, NXAST.deleteField, (body) => {
      writeFieldHeader(body, field, NXM);
      body.zeros(14 - fieldHeaderBytes(field, NXM));
    });
  },
  push: ({ subfield }, { writer }) => writeStack(writer, NXAST.stackPush, subfield),
  pop: ({ subfield }, { writer }) => writeStack(writer, NXAST.stackPop, subfield),
  dec_nsh_ttl: plain(NXAST.decNshTtl),
  pop_queue: plain(NXAST.popQueue),
  ct_clear: plain(NXAST.ctClear),
  exit: plain(NXAST.exit),
};

function writeStack(writer: ByteWriter, subtype: number, part: Subfield): void {
  writeNicira(writer, subtype, (body) => {
    body.u16(part.start);
    writeFieldHeader(body, part.field, NXM);
    body.u16(part.bits).zeros(fieldHeaderBytes(part.field, NXM) === 4 ? 6 : 2);
  });
}

/** NX_HASH_FIELDS numbers: the order of `HASH_FIELDS` is that of the wire. */
function hashFieldsNumber(fields: (typeof HASH_FIELDS)[number]): number {
  return HASH_FIELDS.indexOf(fields);
}

/** NSH's class of properties (0x0004), then type and length. */
function writeEncapProperty(writer: ByteWriter, property: EncapProperty): void {
  const start = writer.length;
  writer.u16(4);
  if (property.kind === 'nshMdType') writer.u8(1).u8(5).u8(property.mdType);
  else {
    writer.u8(2).u8(0x10).u16(property.tlvClass).u8(property.tlvType).u8(property.data.length).put(property.data);
  }
  writer.align(8, start);
}

/** `load` in the versions that have no masked set_field: one action for each run of bits, or one with value and mask. */
export function writeLoads(action: SetFieldAction, writer: ByteWriter): void {
  const id = wireIdFor(action.field, NXM);
  if (id?.experimenter !== undefined || action.field.special === 'tunMetadata') {
    writeNicira(writer, NXAST.regLoad2, (body) => {
      // The field stands at offset 10 of the action, right after the subtype.
      if (id) writeOxm(body, id, action.field, action.value, action.mask);
    });
    return;
  }
  for (const { destination, value } of loadSegments(action)) {
    writeNicira(writer, NXAST.regLoad, (body) => {
      body.u16(ofsNbits(destination));
      writeFieldHeader(body, destination.field, NXM);
      body.u64(value);
    });
  }
}

export function writeMove(action: ActionOf<'move'>, writer: ByteWriter, version: OpenflowVersion): void {
  const { source, destination } = action;
  if (version >= 6) {
    const start = writer.length;
    writer.u16(28).u16(0).u16(source.bits).u16(source.start).u16(destination.start).u16(0);
    writeFieldHeader(writer, source.field, version);
    writeFieldHeader(writer, destination.field, version);
    writer.align(8, start);
    writer.patchU16(start + 2, writer.length - start);
    return;
  }
  writeNicira(writer, NXAST.regMove, (body) => {
    body.u16(source.bits).u16(source.start).u16(destination.start);
    writeFieldHeader(body, source.field, NXM);
    writeFieldHeader(body, destination.field, NXM);
  });
}

/** Bits of a learn spec's header: 10 bits of length, destination kind, source kind. */
const LEARN = { immediate: 1 << 13, load: 1 << 11, output: 1 << 12 } as const;

function writeLearn(action: ActionOf<'learn'>, { writer }: ActionEncoding): void {
  const extended = action.limit !== 0 || action.resultDestination !== undefined;
  writeNicira(writer, extended ? NXAST.learn2 : NXAST.learn, (body) => {
    body.u16(action.idleTimeout).u16(action.hardTimeout).u16(action.priority).u64(action.cookie);
    const flags = (action.sendFlowRem ? 1 : 0) | (action.deleteLearned ? 2 : 0) | (action.resultDestination ? 4 : 0);
    body.u16(flags).u8(action.table).u8(0).u16(action.finIdleTimeout).u16(action.finHardTimeout);
    if (extended) {
      body
        .u32(action.limit)
        .u16(action.resultDestination?.start ?? 0)
        .u16(0);
      if (action.resultDestination) writeFieldHeader(body, action.resultDestination.field, NXM);
    }
    for (const spec of action.specs) writeLearnSpec(body, spec);
  });
}

function writeLearnSpec(writer: ByteWriter, spec: LearnSpec): void {
  const bits = spec.kind === 'output' ? spec.source.bits : spec.destination.bits;
  const immediate = spec.source instanceof Uint8Array;
  const kind = spec.kind === 'output' ? LEARN.output : spec.kind === 'load' ? LEARN.load : 0;
  writer.u16(bits | kind | (immediate ? LEARN.immediate : 0));
  if (spec.source instanceof Uint8Array) {
    const bytes = 2 * Math.ceil(bits / 16);
    const value = new Uint8Array(bytes);
    const from = spec.source;
    for (let i = 0; i < Math.min(bytes, from.length); i++) value[bytes - 1 - i] = from[from.length - 1 - i];
    writer.put(value);
  } else {
    writeFieldHeader(writer, spec.source.field, NXM);
    writer.u16(spec.source.start);
  }
  if (spec.kind !== 'output') {
    writeFieldHeader(writer, spec.destination.field, NXM);
    writer.u16(spec.destination.start);
  }
}

function readLearn(body: ByteReader, extended: boolean): ActionOf<'learn'> {
  if (body.remaining < (extended ? 30 : 22)) throw new ProtocolError('OFPBAC_BAD_LEN', 'a learn that is cut');
  const idleTimeout = body.u16();
  const hardTimeout = body.u16();
  const priority = body.u16();
  const cookie = body.u64();
  const flags = body.u16();
  const table = body.u8();
  const pad = body.u8();
  if (pad !== 0 || table === 255) throw bad('OFPBAC_BAD_ARGUMENT', 'learn into table 255 or with padding not zero');
  const finIdleTimeout = body.u16();
  const finHardTimeout = body.u16();
  if (flags & ~(extended ? 7 : 3)) throw bad('OFPBAC_BAD_ARGUMENT', `learn with flags 0x${flags.toString(16)}`);
  let limit = 0;
  let resultDestination: Subfield | undefined;
  if (extended) {
    limit = body.u32();
    const start = body.u16();
    if (body.u16() !== 0 || (start !== 0 && (flags & 4) === 0))
      throw bad('OFPBAC_BAD_ARGUMENT', 'learn with padding not zero');
    if (flags & 4) resultDestination = partOf(readFieldHeader(body), start, 1);
  }
  const specs: LearnSpec[] = [];
  while (body.remaining >= 2) {
    const header = body.u16();
    if (header === 0) break;
    specs.push(readLearnSpec(body, header));
  }
  requireLearnPadding(body);
  return {
    type: 'learn',
    idleTimeout,
    hardTimeout,
    priority,
    cookie,
    sendFlowRem: (flags & 1) !== 0,
    deleteLearned: (flags & 2) !== 0,
    table,
    finIdleTimeout,
    finHardTimeout,
    limit,
    ...(resultDestination ? { resultDestination } : {}),
    specs,
  };
}

function requireLearnPadding(body: ByteReader): void {
  if (body.take(body.remaining).some((byte) => byte !== 0))
    throw bad('OFPBAC_BAD_ARGUMENT', 'learn with padding that is not zero');
}

function readLearnSpec(body: ByteReader, header: number): LearnSpec {
  const bits = header & 0x3ff;
  const kind = header & 0x1800;
  if (header & 0xc000 || kind === 0x1800 || (kind === LEARN.output && header & LEARN.immediate) || bits === 0)
    throw bad('OFPBAC_BAD_ARGUMENT', `learn spec 0x${header.toString(16)}`);
  const short = (need: number): void => {
    if (body.remaining < need) throw new ProtocolError('OFPBAC_BAD_LEN', 'a learn spec that is cut');
  };
  const part = (): Subfield => {
    short(6);
    const target = readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE');
    return partOf(target, body.u16(), bits);
  };
  let literal: FieldValue | undefined;
  let source: Subfield | undefined;
  if (header & LEARN.immediate) {
    short(2 * Math.ceil(bits / 16));
    literal = body.take(2 * Math.ceil(bits / 16)).slice();
  } else source = part();
  if (kind === LEARN.output) {
    if (!source) throw bad('OFPBAC_BAD_ARGUMENT', 'learn output without a field');
    return { kind: 'output', source };
  }
  const destination = part();
  const from = source ?? rightAligned(literal ?? new Uint8Array(0), destination.field.bytes);
  return { kind: kind === LEARN.load ? 'load' : 'match', destination, source: from };
}

function rightAligned(value: Uint8Array, bytes: number): Uint8Array {
  const aligned = new Uint8Array(bytes);
  for (let i = 0; i < Math.min(bytes, value.length); i++) aligned[bytes - 1 - i] = value[value.length - 1 - i];
  return aligned;
}

function oneOf<T>(choices: readonly T[], index: number, what: string): T {
  const found = choices[index];
  if (found === undefined) throw bad('OFPBAC_BAD_ARGUMENT', `${what} ${index}`);
  return found;
}

function readBundle(body: ByteReader, load: boolean): ActionOf<'bundle'> {
  if (body.remaining < 22) throw new ProtocolError('OFPBAC_BAD_LEN', 'a bundle that is cut');
  const algorithm = oneOf(BUNDLE_ALGORITHMS, body.u16(), 'bundle algorithm');
  const fields = oneOf(HASH_FIELDS, body.u16(), 'bundle fields');
  const basis = body.u16();
  const memberType = body.u32();
  const count = body.u16();
  const packed = body.u16();
  if (memberType !== 2) throw bad('OFPBAC_BAD_ARGUMENT', `bundle members of type 0x${memberType.toString(16)}`);
  if (count > 2048) throw bad('OFPBAC_BAD_ARGUMENT', `a bundle of ${count} members`);
  let destination: Subfield | undefined;
  if (load) {
    const start = body.remaining;
    destination = partOfNbits(readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE'), packed);
    if (start - body.remaining === 4) body.skip(4);
    if (destination.bits < 16) throw bad('OFPBAC_BAD_ARGUMENT', 'a bundle_load into fewer than 16 bits');
    writable(destination);
  } else {
    if (packed !== 0) throw bad('OFPBAC_BAD_ARGUMENT', 'a bundle with a destination');
    if (body.take(8).some((byte) => byte !== 0)) throw bad('OFPBAC_BAD_ARGUMENT', 'a bundle with a destination');
  }
  if (2 * count > body.remaining) throw new ProtocolError('OFPBAC_BAD_LEN', 'bundle members that are cut');
  const members = Array.from({ length: count }, () => portFrom16(body.u16()));
  return { type: 'bundle', fields, basis, algorithm, members, ...(destination ? { destination } : {}) };
}

function readMultipath(body: ByteReader): ActionOf<'multipath'> {
  exactly(body, 22);
  const fields = oneOf(HASH_FIELDS, body.u16(), 'multipath fields');
  const basis = body.u16();
  body.skip(2);
  const algorithm = oneOf(MULTIPATH_ALGORITHMS, body.u16(), 'multipath algorithm');
  const links = body.u16() + 1;
  const arg = body.u32();
  body.skip(2);
  const packed = body.u16();
  const destination = writable(partOfNbits(readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE'), packed));
  if (destination.bits < 16 && links > 1 << destination.bits)
    throw bad('OFPBAC_BAD_ARGUMENT', `${links} links into ${destination.bits} bits`);
  return { type: 'multipath', fields, basis, algorithm, links, arg, destination };
}

function readResubmit(body: ByteReader, subtype: number): ActionOf<'resubmit'> {
  exactly(body, 6);
  const port = portFrom16(body.u16());
  if (subtype === NXAST.resubmit) return { type: 'resubmit', port, table: CURRENT_TABLE, ct: false };
  const table = body.u8();
  if (body.take(3).some((byte) => byte !== 0)) throw bad('OFPBAC_BAD_ARGUMENT', 'resubmit with padding not zero');
  return { type: 'resubmit', port, table, ct: subtype === NXAST.resubmitTableCt };
}

function readController2(body: ByteReader): ActionOf<'controller'> {
  if (body.remaining < 6 || body.take(6).some((byte) => byte !== 0))
    throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'a controller action with padding not zero');
  let action: ActionOf<'controller'> = { type: 'controller', maxLen: 0xffff, controllerId: 0, reason: 1, pause: false };
  while (body.remaining > 0) {
    const { type, content } = readProperty(body);
    if (type === 0) action = { ...action, maxLen: content.u16() };
    else if (type === 1) action = { ...action, controllerId: content.u16() };
    else if (type === 2) action = { ...action, reason: readReason(content.u8()) };
    else if (type === 3) action = { ...action, userdata: content.take(content.remaining).slice() };
    else if (type === 4) {
      action = { ...action, pause: true };
      content.skip(content.remaining);
    } else if (type === 5) action = { ...action, meterId: content.u32() };
    else throw new ProtocolError('OFPBPC_BAD_TYPE', `controller property ${type}`);
    // What follows in a property is padding, which senders count differently.
  }
  return action;
}

function readReason(reason: number): number {
  if (reason > 5) throw bad('OFPBAC_BAD_ARGUMENT', `packet-in reason ${reason}`);
  return reason;
}

function readSample(body: ByteReader, subtype: number): ActionOf<'sample'> {
  exactly(body, subtype === NXAST.sample ? 14 : 22);
  const probability = body.u16();
  const ids = { collectorSetId: body.u32(), obsDomainId: body.u32(), obsPointId: body.u32() };
  if (probability === 0) throw bad('OFPBAC_BAD_ARGUMENT', 'a sample of probability 0');
  if (subtype === NXAST.sample)
    return { type: 'sample', probability, ...ids, samplingPort: OFPP.none, direction: 'default' };
  const samplingPort = portFrom16(body.u16());
  const direction =
    subtype === NXAST.sample3 ? oneOf(['default', 'ingress', 'egress'] as const, body.u8(), 'direction') : 'default';
  requireZeros(body);
  return { type: 'sample', probability, ...ids, samplingPort, direction };
}

function readStack(body: ByteReader): Subfield {
  if (body.remaining !== 14)
    throw new ProtocolError('OFPBAC_BAD_LEN', `a stack action of ${body.remaining + 10} bytes`);
  const start = body.u16();
  const target = readFieldHeader(body);
  const bits = body.u16();
  requireZeros(body);
  return partOf(target, start, bits);
}

const decodeCt: ActionDecoder = (body, { nested }) => {
  if (body.remaining < 14) throw new ProtocolError('OFPBAC_BAD_LEN', 'a ct that is cut');
  const flags = body.u16();
  const zone = readZone(body);
  const table = body.u8();
  body.skip(3);
  const alg = body.u16();
  const actions = nested(body, 'ct');
  const commit = (flags & 1) !== 0;
  const force = (flags & 2) !== 0;
  if (flags & ~3 || (force && !commit)) throw bad('OFPBAC_BAD_ARGUMENT', `ct with flags ${flags}`);
  if (!commit && actions.some((action) => action.type !== 'nat' || action.direction !== undefined))
    throw bad('OFPBAC_BAD_ARGUMENT', 'ct with actions that need commit');
  return { type: 'ct', commit, force, zone, ...(table === 255 ? {} : { table }), alg, actions };
};

function readZone(body: ByteReader): number | Subfield {
  const start = body.offset;
  const header = body.u32();
  if (header === 0) return body.u16();
  body.offset = start;
  const target = readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE');
  const zone = partOfNbits(target, body.u16());
  if (zone.bits !== 16) throw bad('OFPBAC_BAD_SET_LEN', 'a ct zone that is not 16 bits wide');
  return zone;
}

function readNat(body: ByteReader): ActionOf<'nat'> {
  body.skip(2);
  const flags = body.u16();
  const present = body.u16();
  const source = (flags & 1) !== 0;
  const destination = (flags & 2) !== 0;
  if (flags & ~0x1f || present & ~0x3f) throw bad('OFPBAC_BAD_ARGUMENT', 'nat with unknown flags');
  const range = { persistent: (flags & 4) !== 0, hash: (flags & 8) !== 0, random: (flags & 16) !== 0 };
  if ((source && destination) || (range.hash && range.random))
    throw bad('OFPBAC_BAD_ARGUMENT', 'nat with flags that exclude each other');
  const address = (bit: number, bytes: number): Uint8Array | undefined =>
    present & bit ? body.take(bytes).slice() : undefined;
  const first4 = address(1, 4);
  const last4 = address(2, 4);
  const first6 = address(4, 16);
  const last6 = address(8, 16);
  const firstPort = present & 16 ? body.u16() : undefined;
  const lastPort = present & 32 ? body.u16() : undefined;
  const first = first4 ?? first6;
  const last = last4 ?? last6;
  const wrong =
    (first4 && first6) ||
    (last4 && !first4) ||
    (last6 && !first6) ||
    (lastPort !== undefined && (firstPort === undefined || lastPort < firstPort)) ||
    firstPort === 0 ||
    (firstPort !== undefined && !first) ||
    (first && !source && !destination) ||
    (first && last && compare(last, first) < 0);
  if (wrong) throw bad('OFPBAC_BAD_ARGUMENT', 'nat with a range that is none');
  const noRange = !first && (range.persistent || range.hash || range.random);
  return {
    type: 'nat',
    ...(source || destination ? { direction: source ? 'src' : 'dst' } : {}),
    ...(first ? { addresses: last ? [first, last] : [first] } : {}),
    ...(firstPort === undefined ? {} : { ports: lastPort === undefined ? [firstPort] : [firstPort, lastPort] }),
    ...(noRange ? { persistent: false, hash: false, random: false } : range),
  };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

function readEncap(body: ByteReader): ActionOf<'encap'> {
  if (body.remaining < 6) throw new ProtocolError('OFPBAC_BAD_LEN', 'an encap that is cut');
  body.skip(2);
  const packetType = body.u32();
  const known: readonly number[] = [PACKET_TYPE.ethernet, PACKET_TYPE.mpls, PACKET_TYPE.mplsMulticast, PACKET_TYPE.nsh];
  if (!known.includes(packetType))
    throw new ProtocolError('NXBAC_BAD_HEADER_TYPE', `encap to 0x${packetType.toString(16)}`);
  const properties: EncapProperty[] = [];
  while (body.remaining > 0) properties.push(readEncapProperty(body));
  return { type: 'encap', packetType, properties };
}

function readEncapProperty(body: ByteReader): EncapProperty {
  if (body.remaining < 4) throw new ProtocolError('OFPBAC_BAD_LEN', 'an encap property that is cut');
  const propertyClass = body.u16();
  const type = body.u8();
  const length = body.u8();
  if (length < 4) throw new ProtocolError('OFPBAC_BAD_LEN', `an encap property of ${length} bytes`);
  if (padded8(length) > body.remaining + 4)
    throw new ProtocolError(
      'OFPBAC_BAD_LEN',
      `an encap property of ${length} bytes where ${body.remaining + 4} are left`,
    );
  if (propertyClass !== 4 || (type !== 1 && type !== 2))
    throw new ProtocolError('NXBAC_UNKNOWN_ED_PROP', `encap property ${propertyClass}/${type}`);
  const content = subReader(body, padded8(length) - 4, 'NXBAC_BAD_ED_PROP');
  if (type === 1) {
    const mdType = content.u8();
    if (length !== 5 || (mdType !== 1 && mdType !== 2))
      throw new ProtocolError('NXBAC_BAD_ED_PROP', `md_type ${mdType}`);
    return { kind: 'nshMdType', mdType };
  }
  const tlvClass = content.u16();
  const tlvType = content.u8();
  const dataLength = content.u8();
  if (
    dataLength < 1 ||
    dataLength > 124 ||
    (padded8(8 + dataLength) !== padded8(length) && dataLength > content.remaining)
  )
    throw new ProtocolError('NXBAC_BAD_ED_PROP', `a TLV of ${dataLength} bytes`);
  if (dataLength > content.remaining) throw new ProtocolError('NXBAC_BAD_ED_PROP', `a TLV of ${dataLength} bytes`);
  return { kind: 'nshTlv', tlvClass, tlvType, data: content.take(dataLength).slice() };
}

function bareDecoder<T extends 'exit' | 'pop_queue' | 'ct_clear' | 'dec_nsh_ttl'>(type: T): ActionDecoder {
  return (body) => {
    exactly(body, 6).skip(6);
    return { type };
  };
}

/** Decoders by subtype. */
export const niciraDecoders: Readonly<Record<number, ActionDecoder>> = {
  [NXAST.resubmit]: (body) => readResubmit(body, NXAST.resubmit),
  [NXAST.resubmitTable]: (body) => readResubmit(body, NXAST.resubmitTable),
  [NXAST.resubmitTableCt]: (body) => readResubmit(body, NXAST.resubmitTableCt),
  [NXAST.setTunnel](body) {
    exactly(body, 6).skip(2);
    return { type: 'set_tunnel', id: BigInt(body.u32()), wide: false };
  },
  [NXAST.setTunnel64](body) {
    exactly(body, 14).skip(6);
    return { type: 'set_tunnel', id: body.u64(), wide: true };
  },
  [NXAST.setQueue](body) {
    exactly(body, 6).skip(2);
    return { type: 'set_queue', value: body.u32() };
  },
  [NXAST.popQueue]: bareDecoder('pop_queue'),
  [NXAST.regMove](body) {
    if (body.remaining < 14) throw new ProtocolError('OFPBAC_BAD_LEN', 'a move that is cut');
    const bits = body.u16();
    const sourceStart = body.u16();
    const destinationStart = body.u16();
    const source = partOf(readFieldHeader(body), sourceStart, bits);
    const destination = writable(partOf(readFieldHeader(body), destinationStart, bits));
    requireZeros(body);
    return { type: 'move', source, destination };
  },
  [NXAST.regLoad](body) {
    exactly(body, 14);
    const packed = body.u16();
    const destination = writable(partOfNbits(readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE'), packed));
    const value = body.u64();
    if (destination.bits < 64 && value >> BigInt(destination.bits) !== 0n)
      throw bad('OFPBAC_BAD_ARGUMENT', `a load of 0x${value.toString(16)} into ${destination.bits} bits`);
    return loadAction(destination, value);
  },
  [NXAST.regLoad2](body) {
    const header = readOxmHeader(body);
    const part = readOxmValue(body, header);
    if (!part) throw new ProtocolError('OFPBAC_BAD_SET_TYPE', 'a load of an unknown field');
    requireZeros(body);
    checkSetField(part.field, part.value);
    return {
      type: 'set_field',
      field: part.field,
      value: part.value,
      mask: cutMask(part.field, part.mask),
      load: false,
    };
  },
  [NXAST.note]: (body) => ({ type: 'note', data: padNote(body.take(body.remaining)) }),
  [NXAST.multipath]: readMultipath,
  [NXAST.bundle]: (body) => readBundle(body, false),
  [NXAST.bundleLoad]: (body) => readBundle(body, true),
  [NXAST.outputReg](body) {
    exactly(body, 14);
    const packed = body.u16();
    const start = body.offset;
    body.skip(4);
    const maxLen = body.u16();
    if (body.take(6).some((byte) => byte !== 0)) throw bad('OFPBAC_BAD_ARGUMENT', 'output with padding not zero');
    body.offset = start;
    const source = partOfNbits(readFieldHeader(body, 'OFPBAC_BAD_SET_TYPE'), packed);
    body.skip(body.remaining);
    return { type: 'output_reg', source, maxLen };
  },
  [NXAST.outputReg2](body) {
    exactly(body, 14);
    const packed = body.u16();
    const maxLen = body.u16();
    const source = partOfNbits(readFieldHeader(body), packed);
    requireZeros(body);
    return { type: 'output_reg', source, maxLen };
  },
  [NXAST.learn]: (body) => readLearn(body, false),
  [NXAST.learn2]: (body) => readLearn(body, true),
  [NXAST.exit]: bareDecoder('exit'),
  [NXAST.decTtl](body) {
    exactly(body, 6).skip(6);
    return { type: 'dec_ttl' };
  },
  [NXAST.finTimeout](body) {
    exactly(body, 6);
    const action = { type: 'fin_timeout', idleTimeout: body.u16(), hardTimeout: body.u16() } as const;
    requireZeros(body);
    return action;
  },
  [NXAST.controller](body) {
    exactly(body, 6);
    const maxLen = body.u16();
    const controllerId = body.u16();
    const reason = readReason(body.u8());
    requireZeros(body);
    return { type: 'controller', maxLen, controllerId, reason, pause: false };
  },
  [NXAST.decTtlCntIds](body) {
    if (body.remaining < 6) throw new ProtocolError('OFPBAC_BAD_LEN', 'a dec_ttl that is cut');
    const count = body.u16();
    if (body.take(4).some((byte) => byte !== 0))
      throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'dec_ttl with padding not zero');
    if (2 * count > body.remaining) throw new ProtocolError('OFPBAC_BAD_LEN', `dec_ttl of ${count} controllers`);
    return { type: 'dec_ttl', controllers: Array.from({ length: count }, () => body.u16()) };
  },
  [NXAST.writeMetadata](body) {
    if (
      exactly(body, 22)
        .take(6)
        .some((byte) => byte !== 0)
    )
      throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'write_metadata with padding not zero');
    return { type: 'write_metadata', value: body.u64(), mask: body.u64() };
  },
  [NXAST.pushMpls]: (body) => mplsTypeAction('push_mpls', exactly(body, 6)),
  [NXAST.popMpls]: (body) => mplsTypeAction('pop_mpls', exactly(body, 6)),
  [NXAST.setMplsTtl]: (body) => byteAction('set_mpls_ttl', exactly(body, 6), 0xff),
  [NXAST.setMplsTc]: (body) => byteAction('set_mpls_tc', exactly(body, 6), 7),
  [NXAST.setMplsLabel](body) {
    exactly(body, 6).skip(2);
    const value = body.u32();
    if (value > 0xfffff) throw bad('OFPBAC_BAD_ARGUMENT', `MPLS label ${value}`);
    return { type: 'set_mpls_label', value };
  },
  [NXAST.decMplsTtl](body) {
    exactly(body, 6).skip(6);
    return { type: 'dec_mpls_ttl' };
  },
  [NXAST.stackPush]: (body) => ({ type: 'push', subfield: readStack(body) }),
  [NXAST.stackPop]: (body) => ({ type: 'pop', subfield: writable(readStack(body)) }),
  [NXAST.sample]: (body) => readSample(body, NXAST.sample),
  [NXAST.sample2]: (body) => readSample(body, NXAST.sample2),
  [NXAST.sample3]: (body) => readSample(body, NXAST.sample3),
  [NXAST.conjunction](body) {
    exactly(body, 6);
    const clause = body.u8() + 1;
    const clauses = body.u8();
    if (clauses < 2 || clauses > 64 || clause > clauses)
      throw new ProtocolError('NXBAC_BAD_CONJUNCTION', `clause ${clause} of ${clauses}`);
    return { type: 'conjunction', clause, clauses, id: body.u32() };
  },
  [NXAST.ct]: decodeCt,
  [NXAST.nat]: readNat,
  [NXAST.controller2]: readController2,
  [NXAST.outputTrunc](body) {
    exactly(body, 6);
    const port = portFrom16(body.u16());
    const maxLen = body.u32();
    if (maxLen < 14) throw bad('OFPBAC_BAD_ARGUMENT', `output of ${maxLen} bytes`);
    return { type: 'output_trunc', port, maxLen };
  },
  [NXAST.group](body) {
    exactly(body, 6).skip(2);
    return { type: 'group', group: body.u32() };
  },
  [NXAST.clone](body, { nested }) {
    body.skip(6);
    return { type: 'clone', actions: nested(body) };
  },
  [NXAST.ctClear]: bareDecoder('ct_clear'),
  [NXAST.encap]: readEncap,
  [NXAST.decap](body) {
    if (body.remaining < 6) throw new ProtocolError('OFPBAC_BAD_LEN', 'a decap that is cut');
    body.skip(2);
    return { type: 'decap', packetType: body.u32() };
  },
  [NXAST.decNshTtl]: bareDecoder('dec_nsh_ttl'),
  [NXAST.checkPktLarger](body) {
    exactly(body, 14);
    const length = body.u16();
    const start = body.u16();
    const destination = writable(partOf(readFieldHeader(body), start, 1));
    requireZeros(body);
    return { type: 'check_pkt_larger', length, destination };
  },
  [NXAST.deleteField](body) {
    exactly(body, 14);
    const target = readFieldHeader(body);
    requireZeros(body);
    if (target.special !== 'tunMetadata') throw bad('OFPBAC_BAD_ARGUMENT', `${target.name} cannot be deleted`);
    return { type: 'delete_field', field: target };
  },
};

function mplsTypeAction(type: 'push_mpls' | 'pop_mpls', body: ByteReader): ActionOf<'push_mpls' | 'pop_mpls'> {
  const value = body.u16();
  if (type === 'push_mpls' && value !== 0x8847 && value !== 0x8848)
    throw bad('OFPBAC_BAD_ARGUMENT', `push_mpls of Ethertype 0x${value.toString(16)}`);
  body.skip(body.remaining);
  return { type, value };
}

function byteAction(
  type: 'set_mpls_ttl' | 'set_mpls_tc',
  body: ByteReader,
  max: number,
): ActionOf<'set_mpls_ttl' | 'set_mpls_tc'> {
  const value = body.u8();
  if (value > max) throw bad('OFPBAC_BAD_ARGUMENT', `${type} ${value}`);
  body.skip(body.remaining);
  return { type, value };
}

/** What set_field may write: writable fields, valid values; a VLAN id only with the bit that says it is there. */
export function checkSetField(target: Field, value: FieldValue): void {
  if (!target.writable || target.name === 'in_port_oxm')
    throw bad('OFPBAC_BAD_SET_ARGUMENT', `${target.name} cannot be set`);
  if (target.name === 'vlan_vid' && (value[0] & 0x10) === 0)
    throw bad('OFPBAC_BAD_SET_ARGUMENT', 'a VLAN id without its present bit');
  checkValue(target, value, 'OFPBAC_BAD_SET_ARGUMENT');
}

/** The bits of a mask that the field has. */
export function cutMask(target: Field, mask: FieldValue): FieldValue {
  const ones = target.ones;
  return mask.map((byte, i) => byte & ones[i]);
}
