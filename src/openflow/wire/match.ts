import { ByteWriter } from '../../bytes/index.ts';
import {
  ETH_TYPE,
  type Field,
  type FieldMatch,
  field,
  fieldValue,
  isExact,
  KEY,
  type Match,
  MatchBuilder,
  type OpenflowVersion,
  placeMask,
  portFrom16,
  portTo16,
  prerequisiteHolds,
  valueToNumber,
} from '../../packet/index.ts';
import { OFPP } from '../port.ts';
import type { ErrorName } from './error-codes.ts';
import {
  describeHeader,
  type OxmField,
  readOxmHeader,
  readOxmValue,
  wireIdFor,
  writeOxm,
  writeOxmHeader,
} from './oxm.ts';
import { ProtocolError } from './protocol-error.ts';
import { type ByteReader, padded8, subReader, wireReader } from './reader.ts';

/** What a flow_mod or a request for flows says of cookies in an NXM match. */
export interface CookieMatch {
  readonly cookie: bigint;
  readonly mask: bigint;
}

const COOKIE_CLASS = 1;
const COOKIE_NUMBER = 30;

const F = {
  packetType: field('packet_type'),
  filterProg: field('filter_prog'),
  inPort: field('in_port'),
  inPortOxm: field('in_port_oxm'),
  vlanTci: field('vlan_tci'),
  vlanVid: field('vlan_vid'),
  vlanPcp: field('vlan_pcp'),
  nwTos: field('nw_tos'),
  ipDscp: field('ip_dscp'),
};
const XREGS = Array.from({ length: 8 }, (_, i) => field(`xreg${i}`));
const REG_PLACES = new Map(XREGS.flatMap((xreg) => [0, 4].map((half) => [xreg.place.offset + half, xreg] as const)));

/** Writes the fields of a match without any wrapping or padding; NXM in OpenFlow 1.0, OXM later. */
export function writeMatchFields(
  writer: ByteWriter,
  match: Match,
  version: OpenflowVersion,
  options: { readonly filterProg?: boolean; readonly cookie?: CookieMatch } = {},
): void {
  let lastXreg: Field | undefined;
  for (const part of match.fields()) {
    if (part.field === F.filterProg && options.filterProg === false) continue;
    if (part.field === F.vlanTci && version > 1) {
      writeVlan(writer, match, part, version);
      continue;
    }
    const xreg = version >= 6 ? REG_PLACES.get(part.field.place.offset) : undefined;
    if (xreg) {
      // OpenFlow 1.5 has registers of 64 bits; each holds two of ours.
      if (xreg === lastXreg) continue;
      lastXreg = xreg;
      const whole = match.get(xreg);
      if (whole) writePart(writer, whole, version);
      continue;
    }
    writePart(writer, part, version);
  }
  if (options.cookie && options.cookie.mask !== 0n) {
    const exact = options.cookie.mask === 2n ** 64n - 1n;
    const id = { name: 'NXM_NX_COOKIE', oxmClass: COOKIE_CLASS, number: COOKIE_NUMBER, since: 1 } as const;
    writeOxmHeader(writer, id, exact ? 8 : 16, !exact);
    writer.u64(options.cookie.cookie & options.cookie.mask);
    if (!exact) writer.u64(options.cookie.mask);
  }
}

function writePart(writer: ByteWriter, part: FieldMatch, version: OpenflowVersion): void {
  if (version === 1) {
    if (part.field === F.inPortOxm) {
      const port = portTo16(valueToNumber(part.value)) ?? 0xffff;
      writeField(writer, F.inPort, fieldValue(F.inPort, port), F.inPort.ones, version);
      return;
    }
    if (part.field === F.ipDscp) {
      writeField(writer, F.nwTos, fieldValue(F.nwTos, part.value[0] << 2), F.nwTos.ones, version);
      return;
    }
  }
  writeField(writer, part.field, part.value, part.mask, version);
}

function writeField(
  writer: ByteWriter,
  target: Field,
  value: Uint8Array,
  mask: Uint8Array,
  version: OpenflowVersion,
): void {
  const id = wireIdFor(target, version);
  if (id) writeOxm(writer, id, target, value, mask);
}

/** OXM has VLAN id and priority apart; a TCI that they cannot express goes as the NXM field. */
function writeVlan(writer: ByteWriter, match: Match, part: FieldMatch, version: OpenflowVersion): void {
  const mask = valueToNumber(part.mask);
  const value = valueToNumber(part.value);
  const pcpMask = mask & 0xe000;
  // No tag at all has no priority either.
  const none = mask === 0xffff && value === 0;
  if (!none && pcpMask !== 0 && (pcpMask !== 0xe000 || (mask & value & 0x1000) === 0)) {
    writePart(writer, part, version);
    return;
  }
  const vid = match.get(F.vlanVid);
  if (vid) writePart(writer, vid, version);
  const pcp = pcpMask !== 0 && !none ? match.get(F.vlanPcp) : undefined;
  if (pcp) writePart(writer, pcp, version);
}

/** Writes `ofp_match` of OpenFlow 1.2 and later: type 1, length, fields, padded to 8 (OpenFlow 1.5, 7.2.3.1). */
export function writeOxmMatch(writer: ByteWriter, match: Match, version: OpenflowVersion, filterProg = true): void {
  const start = writer.length;
  writer.u16(1).u16(0);
  writeMatchFields(writer, match, version, { filterProg });
  writer.patchU16(start + 2, writer.length - start);
  writer.align(8, start);
}

/** How to read the fields of a match. */
export interface MatchReading {
  /** Pass over unknown fields instead of refusing them, as for what a switch tells of a packet. */
  readonly loose?: boolean;
  /** Accept a cookie among the fields (NXM flow_mods and requests). */
  readonly onCookie?: (cookie: CookieMatch) => void;
  /** Only what the pipeline knows beside the packet may be matched (packet_out of OpenFlow 1.5). */
  readonly pipelineOnly?: boolean;
}

/** Reads fields up to the end of `reader`. */
export function readMatchFields(reader: ByteReader, reading: MatchReading = {}): Match {
  const builder = new MatchBuilder();
  let cookieSeen = false;
  // Once a packet type is said, or taken to be Ethernet since a header was matched, there is no other.
  let packetTypeSeen = false;
  while (reader.remaining > 0) {
    const header = readOxmHeader(reader);
    const isCookie =
      header.oxmClass === COOKIE_CLASS &&
      header.number === COOKIE_NUMBER &&
      header.length === (header.hasMask ? 16 : 8);
    if (isCookie && reading.onCookie) {
      if (cookieSeen) throw new ProtocolError('OFPBMC_DUP_FIELD', 'two cookies');
      cookieSeen = true;
      const cookie = reader.u64();
      reading.onCookie({ cookie, mask: header.hasMask ? reader.u64() : 2n ** 64n - 1n });
      continue;
    }
    const part = readOxmValue(reader, header);
    if (part) {
      if (part.field === F.packetType && packetTypeSeen)
        throw new ProtocolError('OFPBMC_DUP_FIELD', 'packet_type comes after what it decides');
      if (addField(builder, part, reading))
        packetTypeSeen ||= part.field === F.packetType || part.field.origin === 'packet';
    } else if (!reading.loose) throw new ProtocolError('OFPBMC_BAD_FIELD', describeHeader(header));
  }
  return builder.build();
}

/** False when none of the field's bits counts. */
function addField(builder: MatchBuilder, { field: target, value, mask }: OxmField, reading: MatchReading): boolean {
  const ones = target.ones;
  if (!target.maskable && !mask.every((byte) => byte === 0xff) && !mask.every((byte) => byte === 0))
    throw new ProtocolError('OFPBMC_BAD_MASK', `${target.name} takes no mask`);
  checkValue(target, value, 'OFPBMC_BAD_VALUE');
  if (reading.pipelineOnly && target.origin === 'packet')
    throw new ProtocolError('OFPBRC_PIPELINE_FIELDS_ONLY', `${target.name} is part of the packet`);
  if (!reading.loose && !builder.holds(target))
    throw new ProtocolError('OFPBMC_BAD_PREREQ', `${target.name} without its prerequisite`);
  if (overlapsEarlier(builder, target)) throw new ProtocolError('OFPBMC_DUP_FIELD', `${target.name} is matched twice`);
  const cut = mask.map((byte, i) => byte & ones[i]);
  // An option's length is not part of what is matched: bytes it does not have are zero.
  const counts = target.special === 'tunMetadata' || cut.some((byte) => byte !== 0);
  if (counts) builder.set(target, value, cut);
  return counts;
}

/** Refuses values with bits that the field does not have, and those that mean nothing. */
export function checkValue(target: Field, value: Uint8Array, error: ErrorName): void {
  const ones = target.ones;
  const limit = target.special === 'tos' ? [0xfc] : ones;
  if (value.some((byte, i) => (byte & ~limit[i]) !== 0))
    throw new ProtocolError(error, `${target.name} has bits set that it does not have`);
  if (target.values && !target.values.includes(valueToNumber(value)))
    throw new ProtocolError(error, `${target.name} cannot be ${valueToNumber(value)}`);
  if (target.form === 'port' && target.bytes === 4) {
    const port = valueToNumber(value);
    if (port >= 0xff00 && port < OFPP.max)
      throw new ProtocolError(error, `${target.name}: port ${port} is beyond what a switch numbers`);
  }
}

/** Are any bits of the field matched already, by whatever field? */
function overlapsEarlier(builder: MatchBuilder, target: Field): boolean {
  const { offset } = target.place;
  const bits = placeMask(target, target.special === 'vlanPcp' ? undefined : target.ones);
  for (let i = 0; i < bits.length; i++) if ((builder.bits(offset + i, 1).mask & bits[i]) !== 0) return true;
  return false;
}

/** Bytes of the fixed match of OpenFlow 1.1, type 0. */
const STANDARD_MATCH_BYTES = 88;

/** Reads `ofp_match` with its padding. */
export function readOxmMatch(reader: ByteReader, reading: MatchReading = {}): Match {
  const available = reader.remaining;
  if (available < 4) throw new ProtocolError('OFPBMC_BAD_LEN', 'no room for a match');
  const type = reader.u16();
  const length = reader.u16();
  if (type > 1) throw new ProtocolError('OFPBMC_BAD_TYPE', `match type ${type}`);
  if (length < 4 || length > available || (type === 0 && length !== STANDARD_MATCH_BYTES))
    throw new ProtocolError('OFPBMC_BAD_LEN', `a match of ${length} bytes where ${available} are left`);
  if (type === 0) throw new ProtocolError('OFPBMC_BAD_TYPE', 'a match of OpenFlow 1.1');
  if (padded8(length) > available) throw new ProtocolError('OFPBMC_BAD_LEN', 'a match without its padding');
  const match = readMatchFields(subReader(reader, length - 4, 'OFPBMC_BAD_LEN'), reading);
  reader.skip(padded8(length) - length);
  return match;
}

/** Reads an NXM match of `length` bytes and its padding to 8. */
export function readNxmMatch(reader: ByteReader, length: number, reading: MatchReading = {}): Match {
  if (padded8(length) > reader.remaining)
    throw new ProtocolError('OFPBMC_BAD_LEN', `a match of ${length} bytes where ${reader.remaining} are left`);
  const match = readMatchFields(subReader(reader, length, 'OFPBMC_BAD_LEN'), reading);
  reader.skip(padded8(length) - length);
  return match;
}

/** Bits of ofp_match's wildcards in OpenFlow 1.0 (5.2.3). */
const OFPFW10 = {
  inPort: 1 << 0,
  dlVlan: 1 << 1,
  dlSrc: 1 << 2,
  dlDst: 1 << 3,
  dlType: 1 << 4,
  nwProto: 1 << 5,
  tpSrc: 1 << 6,
  tpDst: 1 << 7,
  nwSrcShift: 8,
  nwDstShift: 14,
  dlVlanPcp: 1 << 20,
  nwTos: 1 << 21,
} as const;
const OFPFW10_ALL = 0x3fffff;
const OFP10_VLAN_NONE = 0xffff;
export const OFP10_MATCH_BYTES = 40;

const ethSrc = field('eth_src');
const ethDst = field('eth_dst');

/** Writes the match of OpenFlow 1.0, 40 bytes; what it cannot express is left out. See `fitsOpenflow10`. */
export function writeMatch10(writer: ByteWriter, match: Match): void {
  let wildcards: number = OFPFW10_ALL;
  const number = (offset: number, bytes: number): number | undefined => match.exact(offset, bytes);
  const inPort = number(KEY.inPort, 4);
  const src = match.get(ethSrc);
  const dst = match.get(ethDst);
  const tci = match.bits(KEY.vlanTci, 2);
  const dlType = number(KEY.ethType, 2);
  const proto = number(KEY.ipProto, 1);
  const tos = match.bits(KEY.ipTos, 1);
  if (inPort !== undefined) wildcards &= ~OFPFW10.inPort;
  if (src && isExact(src)) wildcards &= ~OFPFW10.dlSrc;
  if (dst && isExact(dst)) wildcards &= ~OFPFW10.dlDst;
  let vlan = 0;
  let pcp = 0;
  if (tci.mask & 0x1000) {
    if ((tci.value & 0x1000) === 0) {
      vlan = OFP10_VLAN_NONE;
      wildcards &= ~(OFPFW10.dlVlan | OFPFW10.dlVlanPcp);
    } else {
      if ((tci.mask & 0xfff) === 0xfff) {
        vlan = tci.value & 0xfff;
        wildcards &= ~OFPFW10.dlVlan;
      }
      if ((tci.mask & 0xe000) === 0xe000) {
        pcp = tci.value >> 13;
        wildcards &= ~OFPFW10.dlVlanPcp;
      }
    }
  }
  if (dlType !== undefined) wildcards &= ~OFPFW10.dlType;
  if (proto !== undefined) wildcards &= ~OFPFW10.nwProto;
  if ((tos.mask & 0xfc) === 0xfc) wildcards &= ~OFPFW10.nwTos;
  const ports = [KEY.l4Src, KEY.l4Dst].map((offset, i) => {
    const icmp = prerequisiteHolds('icmpv4', match) || prerequisiteHolds('icmpv6', match);
    const value = icmp ? number(offset + 1, 1) : number(offset, 2);
    if (value !== undefined) wildcards &= ~(i === 0 ? OFPFW10.tpSrc : OFPFW10.tpDst);
    return value ?? 0;
  });
  const addresses = [KEY.ipSrc, KEY.ipDst].map((offset, i) => {
    const { value, mask } = match.bits(offset, 4);
    const prefix = prefixBits(mask) ?? 0;
    const shift = i === 0 ? OFPFW10.nwSrcShift : OFPFW10.nwDstShift;
    wildcards = (wildcards & ~(0x3f << shift)) | ((32 - prefix) << shift);
    return prefix === 0 ? 0 : value;
  });
  writer.u32(wildcards >>> 0).u16(inPort === undefined ? 0 : (portTo16(inPort) ?? 0xffff));
  writer.put(src && isExact(src) ? src.value : new Uint8Array(6));
  writer.put(dst && isExact(dst) ? dst.value : new Uint8Array(6));
  writer
    .u16(vlan)
    .u8(pcp)
    .u8(0)
    .u16(dlType ?? 0);
  writer
    .u8(tos.mask & 0xfc ? tos.value & 0xfc : 0)
    .u8(proto ?? 0)
    .u16(0);
  writer.u32(addresses[0]).u32(addresses[1]).u16(ports[0]).u16(ports[1]);
}

function prefixBits(mask: number): number | undefined {
  const zeros = Math.clz32(~mask >>> 0);
  const prefix = mask >>> 0 === 0xffffffff ? 32 : zeros;
  const expected = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return expected === mask >>> 0 ? prefix : undefined;
}

/** Can OpenFlow 1.0's own match say all of this match? */
export function fitsOpenflow10(match: Match): boolean {
  const writer = new ByteWriter(OFP10_MATCH_BYTES);
  writeMatch10(writer, match);
  return readMatch10(wireReader(writer.finish())).equals(match);
}

/**
 * Reads the match of OpenFlow 1.0. Fields that the protocol of the match does not have are passed over, as Open vSwitch
 * normalises them.
 */
export function readMatch10(reader: ByteReader): Match {
  const wildcards = reader.u32();
  const inPort = reader.u16();
  const dlSrc = reader.take(6);
  const dlDst = reader.take(6);
  const vlan = reader.u16();
  const pcp = reader.u8();
  reader.skip(1);
  const dlType = reader.u16();
  const tos = reader.u8();
  const proto = reader.u8();
  reader.skip(2);
  const addresses = [reader.u32(), reader.u32()];
  const ports = [reader.u16(), reader.u16()];

  const builder = new MatchBuilder();
  const exact = (bit: number): boolean => (wildcards & bit) === 0;
  const set = (name: string, value: number, mask?: number): void => {
    const target = field(name);
    if (builder.holds(target)) builder.setNumber(target, value, mask);
  };
  if (exact(OFPFW10.inPort)) builder.setNumber(F.inPortOxm, portFrom16(inPort));
  if (exact(OFPFW10.dlSrc)) builder.set(ethSrc, dlSrc.slice());
  if (exact(OFPFW10.dlDst)) builder.set(ethDst, dlDst.slice());
  if (exact(OFPFW10.dlVlan) && vlan === OFP10_VLAN_NONE) {
    // "No tag" makes the priority meaningless, whatever its wildcard says.
    set('dl_vlan', 0xffff);
  } else {
    if (exact(OFPFW10.dlVlan)) set('vlan_vid', (vlan & 0xfff) | 0x1000);
    if (exact(OFPFW10.dlVlanPcp)) set('dl_vlan_pcp', pcp & 7);
  }
  if (exact(OFPFW10.dlType)) set('eth_type', dlType);
  const arp = dlType === ETH_TYPE.arp || dlType === ETH_TYPE.rarp;
  if (exact(OFPFW10.nwProto)) set(arp ? 'arp_op' : 'nw_proto', proto);
  if (exact(OFPFW10.nwTos)) set('nw_tos', tos & 0xfc);
  [OFPFW10.nwSrcShift, OFPFW10.nwDstShift].forEach((shift, i) => {
    const bits = (wildcards >>> shift) & 0x3f;
    if (bits >= 32) return;
    const mask = (0xffffffff << bits) >>> 0;
    const name = arp ? ['arp_spa', 'arp_tpa'][i] : ['ip_src', 'ip_dst'][i];
    set(name, (addresses[i] & mask) >>> 0, mask);
  });
  [OFPFW10.tpSrc, OFPFW10.tpDst].forEach((bit, i) => {
    if (!exact(bit)) return;
    for (const protocol of ['tcp', 'udp', 'sctp']) set(`${protocol}_${i === 0 ? 'src' : 'dst'}`, ports[i]);
    for (const icmp of ['icmp', 'icmpv6']) set(`${icmp}_${i === 0 ? 'type' : 'code'}`, ports[i] & 0xff);
  });
  return builder.build();
}
