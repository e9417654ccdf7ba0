import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import {
  type Field,
  field,
  fieldValue,
  type Match,
  NICIRA_EXPERIMENTER,
  OKO_EXPERIMENTER,
  ONF_EXPERIMENTER,
  type OpenflowVersion,
  portFrom16,
  portTo16,
  prerequisiteHolds,
} from '../../packet/index.ts';
import type { Action, ActionOf, SetFieldAction } from '../action.ts';
import { OFPP } from '../port.ts';
import type { ActionDecoder, ActionDecoding, ActionEncoding } from './action-context.ts';
import {
  checkSetField,
  cutMask,
  type NiciraType,
  NXAST,
  niciraDecoders,
  niciraWriters,
  writeLoads,
  writeMove,
  writeNicira,
} from './nicira-actions.ts';
import { fittingField, readFieldHeader, readOxmHeader, readOxmValue, wireIdFor, writeOxm } from './oxm.ts';
import { ProtocolError } from './protocol-error.ts';
import { subReader } from './reader.ts';

/** ofp_action_type of OpenFlow 1.0 (5.2.4). */
const OFPAT10 = {
  output: 0,
  setVlanVid: 1,
  setVlanPcp: 2,
  stripVlan: 3,
  setDlSrc: 4,
  setDlDst: 5,
  setNwSrc: 6,
  setNwDst: 7,
  setNwTos: 8,
  setTpSrc: 9,
  setTpDst: 10,
  enqueue: 11,
} as const;

/** ofp_action_type of OpenFlow 1.2 to 1.5 (OpenFlow 1.5, 7.2.6). */
const OFPAT12 = {
  output: 0,
  setMplsTtl: 15,
  decMplsTtl: 16,
  pushVlan: 17,
  popVlan: 18,
  pushMpls: 19,
  popMpls: 20,
  setQueue: 21,
  group: 22,
  setNwTtl: 23,
  decNwTtl: 24,
  setField: 25,
  copyField: 28,
  meter: 29,
} as const;

const EXPERIMENTER = 0xffff;
/** Oko's own actions, after the experimenter: a 16-bit subtype. */
const OKO_SEND_MAPS = 1;

const MAX_DEPTH = 32;
const F = {
  ethSrc: field('eth_src'),
  ethDst: field('eth_dst'),
  ipSrc: field('ip_src'),
  ipDst: field('ip_dst'),
  ipDscp: field('ip_dscp'),
  nwEcn: field('nw_ecn'),
  nwTtl: field('nw_ttl'),
  vlanVid: field('vlan_vid'),
  vlanPcp: field('vlan_pcp'),
  vlanTci: field('vlan_tci'),
  mplsLabel: field('mpls_label'),
  mplsTc: field('mpls_tc'),
  tunId: field('tun_id'),
};

/** Writes an action list. `match` is that of its flow, when it has one. */
export function writeActions(
  writer: ByteWriter,
  actions: readonly Action[],
  version: OpenflowVersion,
  match?: Match,
): void {
  const encoding: ActionEncoding = {
    version,
    match,
    hasVlan: match !== undefined && prerequisiteHolds('vlan', match),
    writer,
    write: (nested) => {
      for (const action of nested) writeAction(action, encoding);
    },
  };
  encoding.write(actions);
}

/** Writes an action of fixed length: type, length, then `body`, filled up with zeros. */
function put(writer: ByteWriter, type: number, length: number, body: (writer: ByteWriter) => void): void {
  const start = writer.length;
  writer.u16(type).u16(length);
  body(writer);
  writer.zeros(length - (writer.length - start));
}

function setField(
  writer: ByteWriter,
  target: Field,
  value: number | bigint | Uint8Array,
  version: OpenflowVersion,
): void {
  const bytes = value instanceof Uint8Array ? value : fieldValue(target, value);
  writeSetField(writer, { type: 'set_field', field: target, value: bytes, mask: target.ones, load: false }, version);
}

function isNicira(action: Action): action is ActionOf<NiciraType> {
  return Object.hasOwn(niciraWriters, action.type);
}

function writeNiciraAction<T extends NiciraType>(type: T, action: ActionOf<T>, encoding: ActionEncoding): void {
  niciraWriters[type](action, encoding);
}

function writeAction(action: Action, encoding: ActionEncoding): void {
  if (isNicira(action)) {
    writeNiciraAction(action.type, action, encoding);
    return;
  }
  if (encoding.version === 1) writeAction10(action, encoding);
  else writeAction12(action, encoding);
}

const port16 = (port: number): number => portTo16(port) ?? 0xffff;

/** What is left after Nicira's own actions. */
type StandardAction = Exclude<Action, ActionOf<NiciraType>>;

function writeAction10(action: StandardAction, encoding: ActionEncoding): void {
  const { writer } = encoding;
  switch (action.type) {
    case 'output':
      put(writer, OFPAT10.output, 8, (w) => w.u16(port16(action.port)).u16(action.maxLen ?? 0));
      return;
    case 'enqueue':
      put(writer, OFPAT10.enqueue, 16, (w) => w.u16(port16(action.port)).zeros(6).u32(action.queue));
      return;
    case 'mod_vlan_vid':
      put(writer, OFPAT10.setVlanVid, 8, (w) => w.u16(action.value));
      return;
    case 'mod_vlan_pcp':
      put(writer, OFPAT10.setVlanPcp, 8, (w) => w.u8(action.value));
      return;
    case 'strip_vlan':
      put(writer, OFPAT10.stripVlan, 8, () => {});
      return;
    case 'push_vlan':
      // OpenFlow 1.0 cannot push a tag: setting its id adds one where there is none.
      if (!encoding.hasVlan) put(writer, OFPAT10.setVlanVid, 8, (w) => w.u16(0));
      encoding.hasVlan = true;
      return;
    case 'mod_dl_src':
    case 'mod_dl_dst':
      put(writer, action.type === 'mod_dl_src' ? OFPAT10.setDlSrc : OFPAT10.setDlDst, 16, (w) => w.put(action.address));
      return;
    case 'mod_nw_src':
    case 'mod_nw_dst':
      put(writer, action.type === 'mod_nw_src' ? OFPAT10.setNwSrc : OFPAT10.setNwDst, 8, (w) => w.put(action.address));
      return;
    case 'mod_nw_tos':
      put(writer, OFPAT10.setNwTos, 8, (w) => w.u8(action.value));
      return;
    case 'mod_nw_ecn':
      writeLoads(wholeLoad(F.nwEcn, action.value), writer);
      return;
    case 'mod_nw_ttl':
      writeLoads(wholeLoad(F.nwTtl, action.value), writer);
      return;
    case 'mod_tp_src':
    case 'mod_tp_dst':
      put(writer, action.type === 'mod_tp_src' ? OFPAT10.setTpSrc : OFPAT10.setTpDst, 8, (w) => w.u16(action.value));
      return;
    case 'set_queue':
      writeNicira(writer, NXAST.setQueue, (w) => w.u16(0).u32(action.value));
      return;
    case 'set_tunnel':
      if (action.wide || action.id > 0xffffffffn)
        writeNicira(writer, NXAST.setTunnel64, (w) => w.zeros(6).u64(action.id));
      else writeNicira(writer, NXAST.setTunnel, (w) => w.u16(0).u32(Number(action.id)));
      return;
    case 'dec_ttl':
      writeDecTtl(action, writer, 1);
      return;
    case 'push_mpls':
    case 'pop_mpls':
      writeNicira(writer, action.type === 'push_mpls' ? NXAST.pushMpls : NXAST.popMpls, (w) => w.u16(action.value));
      return;
    case 'set_mpls_label':
      writeNicira(writer, NXAST.setMplsLabel, (w) => w.u16(0).u32(action.value));
      return;
    case 'set_mpls_tc':
      writeNicira(writer, NXAST.setMplsTc, (w) => w.u8(action.value));
      return;
    case 'set_mpls_ttl':
      writeNicira(writer, NXAST.setMplsTtl, (w) => w.u8(action.value));
      return;
    case 'dec_mpls_ttl':
      writeNicira(writer, NXAST.decMplsTtl, () => {});
      return;
    case 'group':
      writeNicira(writer, NXAST.group, (w) => w.u16(0).u32(action.group));
      return;
    case 'set_field':
      writeSetField10(writer, action);
      return;
    case 'move':
      writeMove(action, writer, 1);
      return;
    case 'write_metadata':
      writeNicira(writer, NXAST.writeMetadata, (w) => w.zeros(6).u64(action.value).u64(action.mask));
      return;
    case 'goto_table':
      writeNicira(writer, NXAST.resubmitTable, (w) => w.u16(0xfff8).u8(action.table).zeros(3));
      return;
    case 'send_maps':
      writeSendMaps(action, writer);
      return;
    case 'meter':
    case 'clear_actions':
    case 'write_actions':
      // OpenFlow 1.0 has no action set and no meters: there is nothing to write.
      return;
  }
}

function wholeLoad(target: Field, value: number): SetFieldAction {
  return { type: 'set_field', field: target, value: fieldValue(target, value), mask: target.ones, load: true };
}

/** Whole fields that OpenFlow 1.0 has an action for are set by it, everything else by Nicira's load. */
function writeSetField10(writer: ByteWriter, action: SetFieldAction): void {
  const ones = action.field.ones;
  const whole = !action.load && action.mask.every((byte, i) => byte === ones[i]);
  const legacy = whole ? LEGACY10[action.field.name] : undefined;
  if (legacy) put(writer, legacy.type, legacy.length, (w) => w.put(legacy.body(action.value)));
  else writeLoads(action, writer);
}

interface Legacy {
  readonly type: number;
  readonly length: number;
  readonly body: (value: Uint8Array) => Uint8Array;
}

const same = (value: Uint8Array): Uint8Array => value;
const LEGACY10: Readonly<Record<string, Legacy>> = {
  eth_src: { type: OFPAT10.setDlSrc, length: 16, body: same },
  eth_dst: { type: OFPAT10.setDlDst, length: 16, body: same },
  ip_src: { type: OFPAT10.setNwSrc, length: 8, body: same },
  ip_dst: { type: OFPAT10.setNwDst, length: 8, body: same },
  ip_dscp: { type: OFPAT10.setNwTos, length: 8, body: (value) => value.map((byte) => byte << 2) },
  nw_tos: { type: OFPAT10.setNwTos, length: 8, body: same },
  tcp_src: { type: OFPAT10.setTpSrc, length: 8, body: same },
  tcp_dst: { type: OFPAT10.setTpDst, length: 8, body: same },
  udp_src: { type: OFPAT10.setTpSrc, length: 8, body: same },
  udp_dst: { type: OFPAT10.setTpDst, length: 8, body: same },
  vlan_vid: { type: OFPAT10.setVlanVid, length: 8, body: (value) => new Uint8Array([value[0] & 0x0f, value[1]]) },
  vlan_pcp: { type: OFPAT10.setVlanPcp, length: 8, body: same },
};

function writeDecTtl(action: ActionOf<'dec_ttl'>, writer: ByteWriter, version: OpenflowVersion): void {
  const { controllers } = action;
  if (controllers)
    writeNicira(writer, NXAST.decTtlCntIds, (w) => {
      w.u16(controllers.length).zeros(4);
      for (const id of controllers) w.u16(id);
    });
  else if (version === 1) writeNicira(writer, NXAST.decTtl, () => {});
  else put(writer, OFPAT12.decNwTtl, 8, () => {});
}

function writeSendMaps(action: ActionOf<'send_maps'>, writer: ByteWriter): void {
  const start = writer.length;
  writer.u16(EXPERIMENTER).u16(0).u32(OKO_EXPERIMENTER).u16(OKO_SEND_MAPS).u16(action.program).u16(action.maps.length);
  for (const map of action.maps) writer.u16(map);
  writer.align(8, start);
  writer.patchU16(start + 2, writer.length - start);
}

/** OFPAT_SET_FIELD, with a mask from 1.5 on; before, what is not a whole field is loaded. */
function writeSetField(writer: ByteWriter, action: SetFieldAction, version: OpenflowVersion): void {
  const ones = action.field.ones;
  const whole = action.mask.every((byte, i) => byte === ones[i]);
  const id = wireIdFor(action.field, version);
  if (version < 6 && (action.load || !whole)) {
    writeLoads(action, writer);
    return;
  }
  if (!id) throw new ProtocolError('OFPBAC_BAD_SET_TYPE', `${action.field.name} has no number on the wire`);
  let { value, mask } = action;
  if (action.field === F.vlanVid && action.load) {
    // A VLAN id can only be set together with the bit that says it is there.
    value = value.map((byte, i) => (i === 0 ? byte | 0x10 : byte));
    mask = mask.map((byte, i) => (i === 0 ? byte | 0x10 : byte));
  }
  const start = writer.length;
  writer.u16(OFPAT12.setField).u16(0);
  writeOxm(writer, id, action.field, value, mask);
  writer.align(8, start);
  writer.patchU16(start + 2, writer.length - start);
}

function pushVlanIfNeeded(encoding: ActionEncoding): void {
  if (encoding.hasVlan) return;
  put(encoding.writer, OFPAT12.pushVlan, 8, (w) => w.u16(0x8100));
  encoding.hasVlan = true;
}

/** The transport protocol whose ports a flow's actions set; TCP when its match does not say. */
function transportField(encoding: ActionEncoding, side: 'src' | 'dst'): Field {
  const { match } = encoding;
  const protocol = (['udp', 'sctp'] as const).find((name) => match && prerequisiteHolds(name, match)) ?? 'tcp';
  return field(`${protocol}_${side}`);
}

function writeAction12(action: StandardAction, encoding: ActionEncoding): void {
  const { writer, version } = encoding;
  switch (action.type) {
    case 'output':
      put(writer, OFPAT12.output, 16, (w) => w.u32(action.port).u16(action.maxLen ?? 0));
      return;
    case 'enqueue':
      // Later versions set the queue and output; pop_queue restores it.
      put(writer, OFPAT12.setQueue, 8, (w) => w.u32(action.queue));
      put(writer, OFPAT12.output, 16, (w) => w.u32(action.port).u16(0xffff));
      writeNicira(writer, NXAST.popQueue, () => {});
      return;
    case 'mod_vlan_vid':
      pushVlanIfNeeded(encoding);
      setField(writer, F.vlanVid, action.value | 0x1000, version);
      return;
    case 'mod_vlan_pcp':
      pushVlanIfNeeded(encoding);
      setField(writer, F.vlanPcp, action.value, version);
      return;
    case 'strip_vlan':
      put(writer, OFPAT12.popVlan, 8, () => {});
      encoding.hasVlan = false;
      return;
    case 'push_vlan':
      put(writer, OFPAT12.pushVlan, 8, (w) => w.u16(action.value));
      encoding.hasVlan = true;
      return;
    case 'mod_dl_src':
    case 'mod_dl_dst':
      setField(writer, action.type === 'mod_dl_src' ? F.ethSrc : F.ethDst, action.address, version);
      return;
    case 'mod_nw_src':
    case 'mod_nw_dst':
      setField(writer, action.type === 'mod_nw_src' ? F.ipSrc : F.ipDst, action.address, version);
      return;
    case 'mod_nw_tos':
      setField(writer, F.ipDscp, action.value >> 2, version);
      return;
    case 'mod_nw_ecn':
      setField(writer, F.nwEcn, action.value, version);
      return;
    case 'mod_nw_ttl':
      put(writer, OFPAT12.setNwTtl, 8, (w) => w.u8(action.value));
      return;
    case 'mod_tp_src':
      setField(writer, transportField(encoding, 'src'), action.value, version);
      return;
    case 'mod_tp_dst':
      setField(writer, transportField(encoding, 'dst'), action.value, version);
      return;
    case 'set_queue':
      put(writer, OFPAT12.setQueue, 8, (w) => w.u32(action.value));
      return;
    case 'set_tunnel':
      setField(writer, F.tunId, action.id, version);
      return;
    case 'dec_ttl':
      writeDecTtl(action, writer, version);
      return;
    case 'push_mpls':
    case 'pop_mpls':
      put(writer, action.type === 'push_mpls' ? OFPAT12.pushMpls : OFPAT12.popMpls, 8, (w) => w.u16(action.value));
      return;
    case 'set_mpls_label':
      setField(writer, F.mplsLabel, action.value, version);
      return;
    case 'set_mpls_tc':
      setField(writer, F.mplsTc, action.value, version);
      return;
    case 'set_mpls_ttl':
      put(writer, OFPAT12.setMplsTtl, 8, (w) => w.u8(action.value));
      return;
    case 'dec_mpls_ttl':
      put(writer, OFPAT12.decMplsTtl, 8, () => {});
      return;
    case 'group':
      put(writer, OFPAT12.group, 8, (w) => w.u32(action.group));
      return;
    case 'set_field':
      writeSetField(writer, action, version);
      return;
    case 'move':
      writeMove(action, writer, version);
      return;
    case 'meter':
      if (version >= 6) put(writer, OFPAT12.meter, 8, (w) => w.u32(action.meter));
      return;
    case 'send_maps':
      writeSendMaps(action, writer);
      return;
    case 'write_metadata':
    case 'clear_actions':
    case 'write_actions':
    case 'goto_table':
      // Instructions, which are written around the actions.
      return;
  }
}

/** Reads actions up to the end of `reader`. */
export function readActions(reader: ByteReader, version: OpenflowVersion, depth = 0, inside?: 'ct'): Action[] {
  if (depth > MAX_DEPTH) throw new ProtocolError('OFPBAC_TOO_MANY', `actions nest more than ${MAX_DEPTH} deep`);
  const decoding: ActionDecoding = {
    version,
    depth,
    nested: (inner, place) => readActions(inner, version, depth + 1, place),
  };
  const actions: Action[] = [];
  while (reader.remaining > 0) {
    const read = readAction(reader, decoding);
    if (isList(read)) actions.push(...read);
    else actions.push(read);
  }
  const misplaced = actions.find((action) => isCtAction(action) !== (inside === 'ct'));
  if (misplaced)
    throw new ProtocolError(
      'OFPBAC_BAD_SET_ARGUMENT',
      `${misplaced.type} cannot stand ${inside ? 'in' : 'outside'} ct`,
    );
  return actions;
}

/** What stands inside ct and nowhere else: nat, and what sets the connection's mark and label. */
function isCtAction(action: Action): boolean {
  if (action.type === 'nat') return true;
  const written =
    action.type === 'set_field' ? action.field : action.type === 'move' ? action.destination.field : undefined;
  return written?.name === 'ct_mark' || written?.name === 'ct_label';
}

/** What an action is, is looked at before how long it says it is, as Open vSwitch does. */
function readAction(reader: ByteReader, decoding: ActionDecoding): Action | readonly Action[] {
  const available = reader.remaining;
  if (available < 8) throw new ProtocolError('OFPBAC_BAD_LEN', `${available} bytes are no action`);
  const type = reader.u16();
  const length = reader.u16();
  const { decoder, headerBytes } = findDecoder(type, length, reader, decoding.version);
  if (length > available || length < 8 || length % 8 !== 0)
    throw new ProtocolError('OFPBAC_BAD_LEN', `an action of ${length} bytes where ${available} are left`);
  return decoder(subReader(reader, length - 4 - headerBytes, 'OFPBAC_BAD_LEN'), decoding);
}

function isList(read: Action | readonly Action[]): read is readonly Action[] {
  return Array.isArray(read);
}

interface FoundDecoder {
  readonly decoder: ActionDecoder;
  /** Bytes read of the action beside type and length. */
  readonly headerBytes: number;
}

function findDecoder(type: number, length: number, reader: ByteReader, version: OpenflowVersion): FoundDecoder {
  if (type === EXPERIMENTER) return findExperimenterDecoder(length, reader, version);
  const decoder = (version === 1 ? decoders10 : decoders12)[type];
  const tooEarly = version > 1 && version < 6 && (type === OFPAT12.copyField || type === OFPAT12.meter);
  if (!decoder || tooEarly) throw new ProtocolError('OFPBAC_BAD_TYPE', `action type ${type}`);
  return { decoder, headerBytes: 0 };
}

/** Nicira's actions that only OpenFlow 1.0 needs: later versions have their own. */
const ONLY_10: readonly number[] = [
  NXAST.setQueue,
  NXAST.decTtl,
  NXAST.writeMetadata,
  NXAST.pushMpls,
  NXAST.popMpls,
  NXAST.setMplsTtl,
  NXAST.decMplsTtl,
  NXAST.setMplsLabel,
  NXAST.setMplsTc,
  NXAST.group,
];
const SINCE_13: readonly number[] = [NXAST.encap, NXAST.decap, NXAST.decNshTtl];
const ONF_COPY_FIELD = 3200;

function findExperimenterDecoder(length: number, reader: ByteReader, version: OpenflowVersion): FoundDecoder {
  if (length < 16 || reader.remaining < 6)
    throw new ProtocolError('OFPBAC_BAD_LEN', 'an experimenter action that is cut');
  const experimenter = reader.u32();
  const subtype = reader.u16();
  const headerBytes = 6;
  const badSubtype = (): ProtocolError =>
    new ProtocolError('OFPBAC_BAD_VENDOR_TYPE', `action ${subtype} of experimenter 0x${experimenter.toString(16)}`);
  if (experimenter === NICIRA_EXPERIMENTER) {
    const decoder = niciraDecoders[subtype];
    const wrongVersion = version > 1 ? ONLY_10.includes(subtype) : false;
    if (!decoder || wrongVersion || (version < 4 && SINCE_13.includes(subtype))) throw badSubtype();
    return { decoder, headerBytes };
  }
  if (experimenter === OKO_EXPERIMENTER) {
    if (subtype !== OKO_SEND_MAPS) throw badSubtype();
    return { decoder: decodeSendMaps, headerBytes };
  }
  if (experimenter === ONF_EXPERIMENTER && version >= 4) {
    // OFPAT_COPY_FIELD before OpenFlow 1.5 (ONF EXT-320).
    if (subtype !== ONF_COPY_FIELD) throw badSubtype();
    return {
      decoder: (body, decoding) => {
        body.skip(2);
        return decodeCopyField(body, decoding);
      },
      headerBytes,
    };
  }
  throw new ProtocolError('OFPBAC_BAD_VENDOR', `actions of experimenter 0x${experimenter.toString(16)}`);
}

const decodeSendMaps: ActionDecoder = (body) => {
  if (body.remaining < 4) throw new ProtocolError('OFPBAC_BAD_LEN', 'send_maps that is cut');
  const program = body.u16();
  const count = body.u16();
  if (2 * count > body.remaining) throw new ProtocolError('OFPBAC_BAD_LEN', `send_maps of ${count} maps`);
  return { type: 'send_maps', program, maps: Array.from({ length: count }, () => body.u16()) };
};

const decodeCopyField: ActionDecoder = (body) => {
  if (body.remaining < 12) throw new ProtocolError('OFPBAC_BAD_LEN', 'copy_field that is cut');
  const bits = body.u16();
  const sourceStart = body.u16();
  const destinationStart = body.u16();
  body.skip(2);
  const part = (start: number): { field: Field; start: number; bits: number } => {
    const target = readFieldHeader(body);
    if (bits === 0 || start + bits > target.width)
      throw new ProtocolError('OFPBAC_BAD_SET_LEN', `bits ${start} to ${start + bits - 1} of ${target.name}`);
    return { field: target, start, bits };
  };
  const source = part(sourceStart);
  const destination = part(destinationStart);
  if (!destination.field.writable)
    throw new ProtocolError('OFPBAC_BAD_SET_ARGUMENT', `${destination.field.name} is read-only`);
  if (body.take(body.remaining).some((byte) => byte !== 0))
    throw new ProtocolError('NXBRC_MUST_BE_ZERO', 'copy_field with padding not zero');
  return { type: 'move', source, destination };
};

/** A decoder of a body of exactly `bytes`, which it reads in part; the rest is padding. */
function fixed(bytes: number, decode: (body: ByteReader, decoding: ActionDecoding) => Action): ActionDecoder {
  return (body, decoding) => {
    if (body.remaining !== bytes) throw new ProtocolError('OFPBAC_BAD_LEN', `an action of ${body.remaining + 4} bytes`);
    return decode(body, decoding);
  };
}

function checked(value: number, valid: boolean, what: string): number {
  if (!valid) throw new ProtocolError('OFPBAC_BAD_ARGUMENT', `${what} ${value}`);
  return value;
}

function outputAction(port: number, maxLen: number): Action {
  return port === OFPP.controller ? { type: 'output', port, maxLen } : { type: 'output', port };
}

const decoders10: Readonly<Record<number, ActionDecoder>> = {
  [OFPAT10.output]: fixed(4, (body) => outputAction(portFrom16(body.u16()), body.u16())),
  [OFPAT10.setVlanVid]: fixed(4, (body) => {
    const value = body.u16();
    return { type: 'mod_vlan_vid', value: checked(value, value <= 0xfff, 'VLAN id') };
  }),
  [OFPAT10.setVlanPcp]: fixed(4, (body) => {
    const value = body.u8();
    return { type: 'mod_vlan_pcp', value: checked(value, value <= 7, 'VLAN priority') };
  }),
  [OFPAT10.stripVlan]: fixed(4, () => ({ type: 'strip_vlan' })),
  [OFPAT10.setDlSrc]: fixed(12, (body) => ({ type: 'mod_dl_src', address: body.take(6).slice() })),
  [OFPAT10.setDlDst]: fixed(12, (body) => ({ type: 'mod_dl_dst', address: body.take(6).slice() })),
  [OFPAT10.setNwSrc]: fixed(4, (body) => ({ type: 'mod_nw_src', address: body.take(4).slice() })),
  [OFPAT10.setNwDst]: fixed(4, (body) => ({ type: 'mod_nw_dst', address: body.take(4).slice() })),
  [OFPAT10.setNwTos]: fixed(4, (body) => {
    const value = body.u8();
    return { type: 'mod_nw_tos', value: checked(value, (value & 3) === 0, 'ToS') };
  }),
  [OFPAT10.setTpSrc]: fixed(4, (body) => ({ type: 'mod_tp_src', value: body.u16() })),
  [OFPAT10.setTpDst]: fixed(4, (body) => ({ type: 'mod_tp_dst', value: body.u16() })),
  [OFPAT10.enqueue]: fixed(12, (body) => {
    const port = portFrom16(body.u16());
    body.skip(6);
    if (port >= OFPP.max && port !== OFPP.inPort && port !== OFPP.local)
      throw new ProtocolError('OFPBAC_BAD_OUT_PORT', `enqueue to port ${port}`);
    return { type: 'enqueue', port, queue: body.u32() };
  }),
};

/** Actions of OpenFlow 1.1 that later versions say by set_field; they are still understood. */
const deprecatedDecoders: Readonly<Record<number, ActionDecoder>> = {
  1: decoders10[OFPAT10.setVlanVid],
  2: decoders10[OFPAT10.setVlanPcp],
  3: decoders10[OFPAT10.setDlSrc],
  4: decoders10[OFPAT10.setDlDst],
  5: decoders10[OFPAT10.setNwSrc],
  6: decoders10[OFPAT10.setNwDst],
  7: decoders10[OFPAT10.setNwTos],
  8: fixed(4, (body) => {
    const value = body.u8();
    return { type: 'mod_nw_ecn', value: checked(value, value <= 3, 'ECN') };
  }),
  9: decoders10[OFPAT10.setTpSrc],
  10: decoders10[OFPAT10.setTpDst],
  13: fixed(4, (body) => {
    const value = body.u32();
    return { type: 'set_mpls_label', value: checked(value, value <= 0xfffff, 'MPLS label') };
  }),
  14: fixed(4, (body) => {
    const value = body.u8();
    return { type: 'set_mpls_tc', value: checked(value, value <= 7, 'MPLS traffic class') };
  }),
};

/** Reads a 32-bit port number; those between 0xff00 and 0xffffff00 are beyond what a switch numbers. */
export function readPort32(reader: ByteReader): number {
  const port = reader.u32();
  if (port >= 0xff00 && port < OFPP.max) throw new ProtocolError('OFPBAC_BAD_OUT_PORT', `port ${port}`);
  return port;
}

const decoders12: Readonly<Record<number, ActionDecoder>> = {
  ...deprecatedDecoders,
  [OFPAT12.output]: fixed(12, (body) => outputAction(readPort32(body), body.u16())),
  [OFPAT12.setMplsTtl]: fixed(4, (body) => ({ type: 'set_mpls_ttl', value: body.u8() })),
  [OFPAT12.decMplsTtl]: fixed(4, () => ({ type: 'dec_mpls_ttl' })),
  [OFPAT12.pushVlan]: fixed(4, (body) => {
    const value = body.u16();
    return { type: 'push_vlan', value: checked(value, value === 0x8100 || value === 0x88a8, 'VLAN Ethertype') };
  }),
  [OFPAT12.popVlan]: fixed(4, () => ({ type: 'strip_vlan', pop: true })),
  [OFPAT12.pushMpls]: fixed(4, (body) => {
    const value = body.u16();
    return { type: 'push_mpls', value: checked(value, value === 0x8847 || value === 0x8848, 'MPLS Ethertype') };
  }),
  [OFPAT12.popMpls]: fixed(4, (body) => ({ type: 'pop_mpls', value: body.u16() })),
  [OFPAT12.setQueue]: fixed(4, (body) => ({ type: 'set_queue', value: body.u32() })),
  [OFPAT12.group]: fixed(4, (body) => ({ type: 'group', group: body.u32() })),
  [OFPAT12.setNwTtl]: fixed(4, (body) => ({ type: 'mod_nw_ttl', value: body.u8() })),
  [OFPAT12.decNwTtl]: fixed(4, () => ({ type: 'dec_ttl' })),
  [OFPAT12.setField]: (body, { version }) => decodeSetField(body, version),
  [OFPAT12.copyField]: decodeCopyField,
  [OFPAT12.meter]: fixed(4, (body) => ({ type: 'meter', meter: body.u32() })),
};

function decodeSetField(body: ByteReader, version: OpenflowVersion): Action {
  const header = readOxmHeader(body);
  if (header.field && !fittingField(header))
    throw new ProtocolError('OFPBAC_BAD_SET_LEN', `set_field of ${header.field.name} with ${header.length} bytes`);
  const part = readOxmValue(body, header);
  if (!part) throw new ProtocolError('OFPBAC_BAD_SET_TYPE', 'set_field of an unknown field');
  if (header.hasMask && version < 6) throw new ProtocolError('OFPBAC_BAD_SET_MASK', 'set_field with a mask');
  if (body.take(body.remaining).some((byte) => byte !== 0))
    throw new ProtocolError('OFPBAC_BAD_SET_ARGUMENT', 'set_field with padding not zero');
  checkSetField(part.field, part.value);
  return { type: 'set_field', field: part.field, value: part.value, mask: cutMask(part.field, part.mask), load: false };
}
