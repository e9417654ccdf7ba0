import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from '../../bytes/index.ts';
import { ETH_TYPE, IP_PROTO, isMplsType, KEY } from '../../packet/index.ts';

/** How a part of an attribute is written. */
type Form = 'mac' | 'ipv4' | 'ipv6' | 'decimal' | 'hexadecimal' | 'frag';

/** A part of an attribute, and where the flow key has it. */
export interface DatapathField {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly form: Form;
  /** Bits of the place that are the part's, from the least significant on; left out: all. */
  readonly shift?: number;
  readonly bits?: number;
}

const part = (name: string, offset: number, bytes: number, form: Form): DatapathField => ({
  name,
  offset,
  bytes,
  form,
});
const ports = [part('src', KEY.l4Src, 2, 'decimal'), part('dst', KEY.l4Dst, 2, 'decimal')];
const message = [part('type', KEY.l4Src + 1, 1, 'decimal'), part('code', KEY.l4Dst + 1, 1, 'decimal')];
const lse = (name: string, shift: number, bits: number): DatapathField => ({
  ...part(name, KEY.mplsLse, 4, 'decimal'),
  shift,
  bits,
});

/** The attributes of ovs-dpctl(8) with their parts, in the order they are printed; a VLAN tag and what is in it stand apart. */
export const DATAPATH_ATTRIBUTES: Readonly<Record<string, readonly DatapathField[]>> = {
  eth: [part('src', KEY.ethSrc, 6, 'mac'), part('dst', KEY.ethDst, 6, 'mac')],
  mpls: [lse('label', 12, 20), lse('tc', 9, 3), lse('ttl', 0, 8), lse('bos', 8, 1)],
  ipv4: [
    part('src', KEY.ipSrc, 4, 'ipv4'),
    part('dst', KEY.ipDst, 4, 'ipv4'),
    part('proto', KEY.ipProto, 1, 'decimal'),
    part('tos', KEY.ipTos, 1, 'hexadecimal'),
    part('ttl', KEY.ipTtl, 1, 'decimal'),
    part('frag', KEY.ipFrag, 1, 'frag'),
  ],
  ipv6: [
    part('src', KEY.ipv6Src, 16, 'ipv6'),
    part('dst', KEY.ipv6Dst, 16, 'ipv6'),
    { ...part('label', KEY.ipv6Label, 4, 'hexadecimal'), shift: 0, bits: 20 },
    part('proto', KEY.ipProto, 1, 'decimal'),
    part('tclass', KEY.ipTos, 1, 'hexadecimal'),
    part('hlimit', KEY.ipTtl, 1, 'decimal'),
    part('frag', KEY.ipFrag, 1, 'frag'),
  ],
  arp: [
    part('sip', KEY.ipSrc, 4, 'ipv4'),
    part('tip', KEY.ipDst, 4, 'ipv4'),
    part('op', KEY.ipProto, 1, 'decimal'),
    part('sha', KEY.arpSha, 6, 'mac'),
    part('tha', KEY.arpTha, 6, 'mac'),
  ],
  tcp: ports,
  udp: ports,
  sctp: ports,
  icmp: message,
  icmpv6: message,
  nd: [part('target', KEY.ndTarget, 16, 'ipv6'), part('sll', KEY.arpSha, 6, 'mac'), part('tll', KEY.arpTha, 6, 'mac')],
};

export const VLAN_PARTS: readonly DatapathField[] = [
  { ...part('vid', KEY.vlanTci, 2, 'decimal'), shift: 0, bits: 12 },
  { ...part('pcp', KEY.vlanTci, 2, 'decimal'), shift: 13, bits: 3 },
];

const TRANSPORT_V4: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' };
const TRANSPORT_V6: Readonly<Record<number, string>> = { 58: 'icmpv6', 6: 'tcp', 17: 'udp', 132: 'sctp' };
const ND_TYPES: readonly number[] = [135, 136];

/** The attributes that packets of a key have, in the order they are printed. */
export function attributesOf(key: Uint8Array): readonly string[] {
  const type = (key[KEY.ethType] << 8) | key[KEY.ethType + 1];
  const proto = key[KEY.ipProto];
  const isLater = (key[KEY.ipFrag] & 2) !== 0;
  if (type === ETH_TYPE.arp || type === ETH_TYPE.rarp) return ['eth', 'arp'];
  if (isMplsType(type)) return ['eth', 'mpls'];
  if (type === ETH_TYPE.ipv4) return ['eth', 'ipv4', ...optional(isLater ? undefined : TRANSPORT_V4[proto])];
  if (type !== ETH_TYPE.ipv6) return ['eth'];
  const isNeighbour = proto === IP_PROTO.icmpv6 && ND_TYPES.includes(key[KEY.l4Src + 1]) && key[KEY.l4Dst + 1] === 0;
  return ['eth', 'ipv6', ...optional(isLater ? undefined : TRANSPORT_V6[proto]), ...(isNeighbour ? ['nd'] : [])];
}

const optional = (name: string | undefined): readonly string[] => (name === undefined ? [] : [name]);

const FRAGMENTS = ['no', 'first', 'later', 'later'] as const;
const FRAGMENT_VALUES: Readonly<Record<string, number>> = { no: 0, first: 1, later: 3 };

/** `name=value`, with `/mask` unless every bit counts; undefined when none does. */
export function formatPart(field: DatapathField, key: Uint8Array, mask: Uint8Array): string | undefined {
  const value = key.subarray(field.offset, field.offset + field.bytes);
  const bits = mask.subarray(field.offset, field.offset + field.bytes);
  switch (field.form) {
    case 'mac':
      return withMask(field.name, formatMac(value), bits, formatMac);
    case 'ipv4':
      return withMask(field.name, formatIpv4(value), bits, formatIpv4);
    case 'ipv6':
      return withMask(field.name, formatIpv6(value), bits, formatIpv6);
    case 'frag':
      return bits[0] === 0 ? undefined : `frag=${FRAGMENTS[value[0] & 3]}`;
    default: {
      const all = onesOf(field);
      const known = numberOf(field, mask);
      if (known === 0) return undefined;
      const text = field.form === 'decimal' ? String(numberOf(field, key)) : hexadecimal(numberOf(field, key));
      return `${field.name}=${text}${known === all ? '' : `/${hexadecimal(known)}`}`;
    }
  }
}

function withMask(
  name: string,
  text: string,
  bits: Uint8Array,
  format: (bytes: Uint8Array) => string,
): string | undefined {
  if (bits.every((byte) => byte === 0)) return undefined;
  return `${name}=${text}${bits.every((byte) => byte === 0xff) ? '' : `/${format(bits)}`}`;
}

function onesOf({ bytes, bits }: DatapathField): number {
  return 2 ** (bits ?? 8 * bytes) - 1;
}

export function numberOf(field: DatapathField, key: Uint8Array): number {
  let number = 0;
  for (let i = 0; i < field.bytes; i++) number = number * 256 + key[field.offset + i];
  return Math.floor(number / 2 ** (field.shift ?? 0)) % (onesOf(field) + 1);
}

const hexadecimal = (number: number): string => (number === 0 ? '0' : `0x${number.toString(16)}`);

/** Writes what a text gives a part; false when it is no value of the part. */
export function readPart(field: DatapathField, text: string, key: Uint8Array): boolean {
  const bytes = bytesOf(field, text);
  if (bytes !== undefined) {
    key.set(bytes, field.offset);
    return true;
  }
  if (!['decimal', 'hexadecimal', 'frag'].includes(field.form)) return false;
  const number = field.form === 'frag' ? FRAGMENT_VALUES[text] : readNumber(text);
  if (number === undefined || number > onesOf(field)) return false;
  putNumber(field, number, key);
  return true;
}

function bytesOf({ form }: DatapathField, text: string): Uint8Array | undefined {
  if (form === 'mac') return parseMac(text);
  if (form === 'ipv4') return parseIpv4(text);
  return form === 'ipv6' ? parseIpv6(text) : undefined;
}

export function putNumber(field: DatapathField, number: number, key: Uint8Array): void {
  const shift = field.shift ?? 0;
  for (let i = 0; i < field.bytes; i++) {
    const low = 8 * (field.bytes - 1 - i);
    const ones = Math.floor((onesOf(field) * 2 ** shift) / 2 ** low) & 0xff;
    const value = Math.floor((number * 2 ** shift) / 2 ** low) & 0xff;
    key[field.offset + i] = (key[field.offset + i] & ~ones) | value;
  }
}

/** Decimal, or hexadecimal after 0x. */
export function readNumber(text: string): number | undefined {
  return /^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : undefined;
}
