import { formatIpv4, formatIpv6, formatMac } from '../../bytes/index.ts';
import {
  ETH_TYPE,
  FIELDS,
  type Field,
  FRAG_LATER,
  field,
  IP_PROTO,
  KEY,
  type Match,
  MatchBuilder,
  PREREQUISITE_TEXT,
  REG_COUNT,
  SHORTHANDS,
  TUN_METADATA_COUNT,
  tunMetadataPresence,
} from '../../packet/index.ts';
import { OpenflowError } from '../errors.ts';
import { fieldOfAnyName } from '../subfield.ts';
import { formatFieldValue, hex, parseFieldValue, prefixLength } from './field-value.ts';
import { formatFlags, TCP_FLAGS } from './flags.ts';
import { formatPort, type TextNames } from './names.ts';
import type { KeyValue } from './tokens.ts';

/** Is it a shorthand for a protocol, such as `tcp`? */
export function isShorthand(key: string): boolean {
  return Object.hasOwn(SHORTHANDS, key);
}

/**
 * Collects the match of a text, piece by piece. Prerequisites are checked at the end, since a text may name its fields in
 * any order.
 */
export class MatchText {
  readonly #builder = new MatchBuilder();
  readonly #names: TextNames;
  readonly #fields: { field: Field; text: string }[] = [];

  constructor(names: TextNames = {}) {
    this.#names = names;
  }

  /** Takes a shorthand or a field; false when the piece is neither. */
  take(piece: KeyValue): boolean {
    if (piece.value === '' && isShorthand(piece.key)) {
      for (const [name, value] of SHORTHANDS[piece.key]) {
        this.#builder.setNumber(field(name), value);
        this.#fields.push({ field: field(name), text: piece.text });
      }
      return true;
    }
    const target = fieldOfAnyName(piece.key);
    if (!target) return false;
    // A tunnel option by itself matches its presence.
    if (piece.value === '' && target.special === 'tunMetadata') {
      this.#builder.setNumber(target, 0, 0);
      return true;
    }
    if (piece.value === '')
      throw new OpenflowError('OPENFLOW_MISSING_VALUE', `${piece.key}: the value is missing; write ${piece.key}=…`);
    const { value, mask } = parseFieldValue(target, piece.value, this.#names, piece.key);
    this.#fields.push({ field: target, text: piece.text });
    if (mask.some((byte) => byte !== 0) || target.special === 'tunMetadata') this.#builder.set(target, value, mask);
    else this.#builder.clear(target);
    return true;
  }

  /** The match; throws when a field lacks its prerequisite. */
  build(): Match {
    for (const { field: target, text } of this.#fields) {
      // A priority brings its tag along.
      const needed = target.special === 'vlanPcp' ? field('dl_vlan_pcp') : target;
      if (this.#builder.holds(needed) || this.#standsForAnother(target)) continue;
      throw new OpenflowError(
        'OPENFLOW_MISSING_PREREQUISITE',
        `"${text}" has no meaning without ${PREREQUISITE_TEXT[target.prerequisite]} in the match`,
      );
    }
    return this.#builder.build();
  }

  /**
   * By old habit a name may stand for the field that other protocols have in its place: nw_src for arp_spa, tp_src for
   * any protocol's source port, and for the type of ICMP.
   */
  #standsForAnother(target: Field): boolean {
    const { offset, bits, shift } = target.place;
    const twin = FIELDS.find(
      (other) =>
        other.place.offset === offset &&
        other.place.bits === bits &&
        other.place.shift === shift &&
        this.#builder.holds(other),
    );
    if (twin) return true;
    const icmp = FIELDS.find(
      (other) => other.place.offset === offset + 1 && other.bytes === 1 && this.#builder.holds(other),
    );
    if (!icmp || target.bytes !== 2) return false;
    const { value, mask } = this.#builder.bits(offset, 2);
    if (value > 0xff || mask !== 0xffff) return false;
    this.#builder.clear(target).setNumber(icmp, value);
    return true;
  }
}

/** Writes a match as the original prints it: protocol names for Ethertype and IP protocol, then fields in a fixed order. */
class MatchWriter {
  readonly #match: Match;
  readonly #names: TextNames;
  readonly parts: string[] = [];

  constructor(match: Match, names: TextNames) {
    this.#match = match;
    this.#names = names;
  }

  has(offset: number, bytes: number): boolean {
    return this.#match.bits(offset, bytes).mask !== 0;
  }

  /** A field in its own text form, under its own or another name. */
  put(name: string, shown = name): void {
    const found = this.#match.get(field(name));
    if (found) this.parts.push(`${shown}=${formatFieldValue(found.field, found.value, found.mask, this.#names)}`);
  }

  /** Numbers with a mask are hexadecimal, without one as the field's form says. */
  number(shown: string, offset: number, bytes: number, decimal: boolean): void {
    const { value, mask } = this.#match.bits(offset, bytes);
    if (mask === 0) return;
    const exact = mask === 256 ** bytes - 1;
    if (exact) this.parts.push(`${shown}=${decimal ? value : hex(value)}`);
    else if (bytes === 4) this.parts.push(`${shown}=${hex(value)}/${hex(mask)}`);
    else this.parts.push(`${shown}=0x${value.toString(16)}/0x${mask.toString(16)}`);
  }

  ethernet(shown: string, offset: number): void {
    const [value, mask] = this.#bytes(offset, 6);
    if (mask.every((byte) => byte === 0)) return;
    const exact = mask.every((byte) => byte === 0xff);
    this.parts.push(`${shown}=${formatMac(value)}${exact ? '' : `/${formatMac(mask)}`}`);
  }

  address(shown: string, offset: number, bytes: 4 | 16): void {
    const [value, mask] = this.#bytes(offset, bytes);
    if (mask.every((byte) => byte === 0)) return;
    const format = bytes === 4 ? formatIpv4 : formatIpv6;
    const exact = mask.every((byte) => byte === 0xff);
    this.parts.push(`${shown}=${format(value)}${exact ? '' : `/${prefixLength(mask) ?? format(mask)}`}`);
  }

  #bytes(offset: number, bytes: number): [Uint8Array, Uint8Array] {
    const value = new Uint8Array(bytes);
    const mask = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) {
      const byte = this.#match.bits(offset + i, 1);
      value[i] = byte.value;
      mask[i] = byte.mask;
    }
    return [value, mask];
  }

  vlan(): void {
    for (const [suffix, offset] of [
      ['', KEY.vlanTci],
      ['1', KEY.innerVlanTci],
    ] as const) {
      const { value, mask } = this.#match.bits(offset, 2);
      if (mask === 0) return;
      const vid = mask & 0x0fff;
      const pcp = mask & 0xe000;
      const whole = (vid === 0 || vid === 0x0fff) && (pcp === 0 || pcp === 0xe000) && (vid | pcp) !== 0;
      const hex4 = (number: number): string => `0x${number.toString(16).padStart(4, '0')}`;
      if (mask & value & 0x1000 && whole) {
        if (vid) this.parts.push(`dl_vlan${suffix}=${value & 0xfff}`);
        if (pcp) this.parts.push(`dl_vlan_pcp${suffix}=${value >> 13}`);
      } else if (mask === 0xffff) this.parts.push(`vlan_tci${suffix}=${hex4(value)}`);
      else this.parts.push(`vlan_tci${suffix}=${hex4(value)}/${hex4(mask)}`);
    }
  }

  tunnel(): void {
    this.put('tun_id');
    this.address('tun_src', KEY.tunSrc, 4);
    this.address('tun_dst', KEY.tunDst, 4);
    this.address('tun_ipv6_src', KEY.tunIpv6Src, 16);
    this.address('tun_ipv6_dst', KEY.tunIpv6Dst, 16);
    this.number('tun_gbp_id', KEY.tunGbpId, 2, true);
    this.number('tun_gbp_flags', KEY.tunGbpFlags, 1, false);
    for (const name of ['ver', 'idx', 'dir', 'hwid']) this.put(`tun_erspan_${name}`);
    this.put('tun_gtpu_flags');
    this.put('tun_gtpu_msgtype');
    this.number('tun_tos', KEY.tunTos, 1, false);
    this.number('tun_ttl', KEY.tunTtl, 1, true);
    this.put('tun_flags');
    if (!this.has(KEY.tunMetadataPresent, 4) && !this.has(KEY.tunMetadataPresent + 4, 4)) return;
    for (let i = 0; i < TUN_METADATA_COUNT; i++) this.#tunMetadata(field(`tun_metadata${i}`));
  }

  #tunMetadata(target: Field): void {
    const found = this.#match.get(target);
    const { offset, bit } = tunMetadataPresence(target);
    const present = this.#match.bits(offset, 1);
    if (!found || (present.mask & bit) === 0) return;
    const set = found.mask.findIndex((byte) => byte !== 0);
    if (set < 0) this.parts.push(target.name);
    else this.parts.push(`${target.name}=${formatFieldValue(target, found.value, found.mask)}`);
  }

  network(type: number | undefined, protoShown: boolean): void {
    const proto = this.#match.exact(KEY.ipProto, 1);
    const arp = type === ETH_TYPE.arp || type === ETH_TYPE.rarp;
    if (type === ETH_TYPE.ipv6) {
      this.address('ipv6_src', KEY.ipv6Src, 16);
      this.address('ipv6_dst', KEY.ipv6Dst, 16);
      const { value, mask } = this.#match.bits(KEY.ipv6Label, 4);
      const hex5 = (number: number): string => `0x${number.toString(16).padStart(5, '0')}`;
      if (mask === 0xfffff) this.parts.push(`ipv6_label=${hex5(value)}`);
      else if (mask !== 0) this.parts.push(`ipv6_label=${hex5(value)}/${hex5(mask)}`);
    } else if (arp) {
      this.address('arp_spa', KEY.ipSrc, 4);
      this.address('arp_tpa', KEY.ipDst, 4);
    } else if (type === ETH_TYPE.nsh) {
      this.#nsh();
    } else {
      this.address('nw_src', KEY.ipSrc, 4);
      this.address('nw_dst', KEY.ipDst, 4);
    }
    if (proto !== undefined && !protoShown) this.parts.push(`${arp ? 'arp_op' : 'nw_proto'}=${proto}`);
    if (arp) {
      this.ethernet('arp_sha', KEY.arpSha);
      this.ethernet('arp_tha', KEY.arpTha);
    }
    const tos = this.#match.bits(KEY.ipTos, 1);
    if (tos.mask & 0xfc) this.parts.push(`nw_tos=${tos.value & 0xfc}`);
    if (tos.mask & 0x03) this.parts.push(`nw_ecn=${tos.value & 0x03}`);
    this.number('nw_ttl', KEY.ipTtl, 1, true);
    for (const part of ['label', 'tc', 'ttl', 'bos']) this.put(`mpls_${part}`);
    this.#fragment();
  }

  #nsh(): void {
    const flags = this.#match.get(field('nsh_flags'));
    if (flags) {
      const hex2 = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;
      const [value, mask] = [flags.value[0], flags.mask[0]];
      this.parts.push(`nsh_flags=${mask === 0xff ? value : `${hex2(value)}/${hex2(mask)}`}`);
    }
    for (const name of ['ttl', 'mdtype', 'np', 'spi', 'si', 'c1', 'c2', 'c3', 'c4']) this.put(`nsh_${name}`);
  }

  #fragment(): void {
    const found = this.#match.get(field('ip_frag'));
    if (!found) return;
    const [value, mask] = [found.value[0], found.mask[0]];
    if (mask === FRAG_LATER) this.parts.push(`nw_frag=${value ? 'later' : 'not_later'}`);
    else this.put('ip_frag', 'nw_frag');
  }

  transport(type: number | undefined, proto: number | undefined): void {
    if (type === ETH_TYPE.ipv4 && proto === IP_PROTO.icmp) {
      this.#typeAndCode();
    } else if (type === ETH_TYPE.ipv6 && proto === IP_PROTO.icmpv6) {
      this.#typeAndCode();
      this.address('nd_target', KEY.ndTarget, 16);
      this.ethernet('nd_sll', KEY.arpSha);
      this.ethernet('nd_tll', KEY.arpTha);
      this.put('nd_reserved');
      this.put('nd_options_type');
    } else {
      this.number('tp_src', KEY.l4Src, 2, true);
      this.number('tp_dst', KEY.l4Dst, 2, true);
    }
    const flags = this.#match.bits(KEY.tcpFlags, 2);
    if (flags.mask !== 0 && proto === IP_PROTO.tcp && (type === ETH_TYPE.ipv4 || type === ETH_TYPE.ipv6))
      this.parts.push(`tcp_flags=${formatFlags(flags.value, flags.mask, TCP_FLAGS, true)}`);
  }

  #typeAndCode(): void {
    this.put('icmp_type');
    this.put('icmp_code');
  }
}

const PROTOCOL_NAMES: Readonly<Record<number, readonly (readonly [number, string])[]>> = {
  [ETH_TYPE.ipv4]: [
    [IP_PROTO.icmp, 'icmp'],
    [IP_PROTO.tcp, 'tcp'],
    [IP_PROTO.udp, 'udp'],
    [IP_PROTO.sctp, 'sctp'],
  ],
  [ETH_TYPE.ipv6]: [
    [IP_PROTO.icmpv6, 'icmp6'],
    [IP_PROTO.tcp, 'tcp6'],
    [IP_PROTO.udp, 'udp6'],
    [IP_PROTO.sctp, 'sctp6'],
  ],
};

const ETH_TYPE_NAMES: Readonly<Record<number, string>> = {
  [ETH_TYPE.ipv4]: 'ip',
  [ETH_TYPE.ipv6]: 'ipv6',
  [ETH_TYPE.arp]: 'arp',
  [ETH_TYPE.rarp]: 'rarp',
  [ETH_TYPE.mpls]: 'mpls',
  [ETH_TYPE.mplsMulticast]: 'mplsm',
};

/** A match as printed, comma-separated, empty when it matches everything. */
export function formatMatch(match: Match, names: TextNames = {}): string {
  const writer = new MatchWriter(match, names);
  writer.number('pkt_mark', KEY.pktMark, 4, false);
  writer.number('recirc_id', KEY.recircId, 4, false);
  writer.number('dp_hash', KEY.dpHash, 4, false);
  writer.number('conj_id', KEY.conjId, 4, true);
  writer.number('skb_priority', KEY.skbPriority, 4, false);
  writer.put('actset_output');
  writer.put('ct_state');
  writer.number('ct_zone', KEY.ctZone, 2, true);
  writer.number('ct_mark', KEY.ctMark, 4, false);
  writer.put('ct_label');
  writer.address('ct_nw_src', KEY.ctNwSrc, 4);
  writer.address('ct_ipv6_src', KEY.ctIpv6Src, 16);
  writer.address('ct_nw_dst', KEY.ctNwDst, 4);
  writer.address('ct_ipv6_dst', KEY.ctIpv6Dst, 16);
  writer.put('ct_nw_proto');
  writer.number('ct_tp_src', KEY.ctTpSrc, 2, true);
  writer.number('ct_tp_dst', KEY.ctTpDst, 2, true);
  writer.put('packet_type');
  writer.put('filter_prog');

  const packetType = match.exact(KEY.packetType, 4);
  const ethType = match.exact(KEY.ethType, 2);
  const type = packetType !== undefined && packetType >>> 16 === 1 ? packetType & 0xffff : ethType;
  const proto = match.exact(KEY.ipProto, 1);
  const protocol = type === undefined ? undefined : PROTOCOL_NAMES[type]?.find(([number]) => number === proto)?.[1];
  const typeName = type === undefined ? undefined : ETH_TYPE_NAMES[type];
  if (ethType !== undefined) {
    if (protocol !== undefined) writer.parts.push(protocol);
    else if (typeName !== undefined) writer.parts.push(typeName);
  }
  for (let i = 0; i < REG_COUNT; i++) writer.number(`reg${i}`, KEY.regs + 4 * i, 4, false);
  writer.tunnel();
  writer.put('metadata');
  const inPort = match.exact(KEY.inPort, 4);
  if (inPort !== undefined) writer.parts.push(`in_port=${formatPort(inPort, names)}`);
  writer.vlan();
  writer.ethernet('dl_src', KEY.ethSrc);
  writer.ethernet('dl_dst', KEY.ethDst);
  if (ethType !== undefined && typeName === undefined)
    writer.parts.push(`dl_type=0x${ethType.toString(16).padStart(4, '0')}`);
  writer.network(type, protocol !== undefined && ethType !== undefined);
  writer.transport(type, proto);
  return writer.parts.join(',');
}
