import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from '../../bytes/index.ts';
import { type Field, type FieldValue, fieldValue, portTo16, valueToBigInt, valueToNumber } from '../../packet/index.ts';
import { OpenflowError } from '../errors.ts';
import { CT_STATE_FLAGS, type FlagNames, formatFlags, parseFlags, TCP_FLAGS, TUNNEL_FLAGS } from './flags.ts';
import { formatPort, parsePort, type TextNames } from './names.ts';
import { parseBigInteger } from './number.ts';

export interface MaskedValue {
  readonly value: FieldValue;
  readonly mask: FieldValue;
}

const FRAGMENTS: Readonly<Record<string, readonly [number, number]>> = {
  no: [0, 3],
  yes: [1, 1],
  first: [1, 3],
  later: [3, 3],
  not_later: [0, 2],
};

/** Value and mask of a field's text, `value` or `value/mask`; bits outside the mask are zero in both. */
export function parseFieldValue(field: Field, text: string, names: TextNames = {}, what = field.name): MaskedValue {
  const { value, mask = field.ones } = parse(field, text, names, what);
  const ones = field.ones;
  if (!field.maskable && !mask.every((byte, i) => byte === ones[i]))
    throw new OpenflowError('OPENFLOW_NOT_MASKABLE', `${what}: "${text}": this field takes no mask`);
  // dl_vlan=0xffff, "no tag", has more bits than the field.
  if (field.special === 'dlVlan') return { value, mask };
  return { value: value.map((byte, i) => byte & mask[i]), mask };
}

function parse(field: Field, text: string, names: TextNames, what: string): { value: FieldValue; mask?: FieldValue } {
  switch (field.form) {
    case 'decimal':
    case 'hexadecimal':
      return parseNumeric(field, text, what);
    case 'ethernet':
      return parseAddress(text, what, 'an Ethernet address', parseMac);
    case 'ipv4':
      return parseAddress(text, what, 'an IPv4 address', parseIpv4WithZeros, 32);
    case 'ipv6':
      return parseAddress(text, what, 'an IPv6 address', parseIpv6, 128);
    case 'port': {
      const port = parsePort(text, names, what);
      const number = field.bytes === 2 ? portTo16(port) : port;
      if (number === undefined)
        throw new OpenflowError('OPENFLOW_OUT_OF_RANGE', `${what}: port ${text} does not fit into 16 bits`);
      return { value: fieldValue(field, number) };
    }
    case 'frag': {
      const found = FRAGMENTS[text.toLowerCase()];
      if (found === undefined || !Object.hasOwn(FRAGMENTS, text.toLowerCase()))
        throw new OpenflowError(
          'OPENFLOW_BAD_VALUE',
          `${what}: "${text}" is none of ${Object.keys(FRAGMENTS).join(', ')}`,
        );
      return { value: fieldValue(field, found[0]), mask: fieldValue(field, found[1]) };
    }
    case 'ctState':
    case 'tcpFlags':
    case 'tunnelFlags': {
      const { value, mask } = parseFlags(text, flagNames(field), what);
      return { value: fieldValue(field, value), mask: fieldValue(field, mask) };
    }
    case 'packetType': {
      const match = /^\(([^,()]+),([^,()]+)\)$/.exec(text);
      if (!match)
        throw new OpenflowError(
          'OPENFLOW_BAD_VALUE',
          `${what}: "${text}" is not of the form (namespace,type), as (1,0x0800)`,
        );
      const namespace = Number(parseBigInteger(match[1], 16, what));
      const type = Number(parseBigInteger(match[2], 16, what));
      return { value: fieldValue(field, namespace * 0x10000 + type) };
    }
  }
}

function parseNumeric(field: Field, text: string, what: string): { value: FieldValue; mask?: FieldValue } {
  const [valueText, maskText, more] = text.split('/');
  // 0xffff asks for packets without a VLAN tag.
  const bits = field.special === 'dlVlan' && /^(0xffff|65535)$/i.test(valueText) ? 16 : field.bits;
  const value = parseBigInteger(valueText, bits, what);
  if (field.values && !field.values.includes(Number(value)))
    throw new OpenflowError('OPENFLOW_OUT_OF_RANGE', `${what}: ${valueText} is none of ${field.values.join(', ')}`);
  if (maskText === undefined) return { value: fieldValue(field, value) };
  if (more !== undefined) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${what}: "${text}" has more than one mask`);
  return { value: fieldValue(field, value), mask: fieldValue(field, parseMaskNumber(field, maskText, what)) };
}

/** A mask may set the bits that the field does not have, as 0xffffffff does for 20 bits: they are dropped. */
function parseMaskNumber(field: Field, text: string, what: string): bigint {
  const mask = parseBigInteger(text, 8 * field.bytes, `${what} mask`, field.bytes === 8);
  return mask & valueToBigInt(field.ones);
}

function parseAddress(
  text: string,
  what: string,
  kind: string,
  parseOne: (text: string) => Uint8Array | undefined,
  prefixBits?: number,
): { value: FieldValue; mask?: FieldValue } {
  const [valueText, maskText, more] = text.split('/');
  const value = parseOne(valueText);
  if (!value || more !== undefined) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${what}: "${text}" is not ${kind}`);
  if (maskText === undefined) return { value };
  if (prefixBits !== undefined && /^[0-9]+$/.test(maskText)) {
    const prefix = Number(maskText);
    if (prefix > prefixBits)
      throw new OpenflowError('OPENFLOW_OUT_OF_RANGE', `${what}: "${text}": a prefix has at most ${prefixBits} bits`);
    return { value, mask: prefixMask(prefix, prefixBits / 8) };
  }
  const mask = parseOne(maskText);
  if (!mask) throw new OpenflowError('OPENFLOW_BAD_VALUE', `${what}: the mask of "${text}" is not ${kind}`);
  return { value, mask };
}

/** Octets may have leading zeros, as the original's scanner takes them (in decimal all the same). */
function parseIpv4WithZeros(text: string): Uint8Array | undefined {
  return parseIpv4(text.replace(/(^|\.)0+(?=[0-9])/g, '$1'));
}

function prefixMask(prefix: number, bytes: number): Uint8Array {
  const mask = new Uint8Array(bytes);
  for (let bit = 0; bit < prefix; bit++) mask[bit >> 3] |= 0x80 >> (bit & 7);
  return mask;
}

/** Length of a mask that is all ones and then all zeros, `undefined` for others. */
export function prefixLength(mask: Uint8Array): number | undefined {
  let length = 0;
  while (length < 8 * mask.length && mask[length >> 3] & (0x80 >> (length & 7))) length++;
  return prefixMask(length, mask.length).every((byte, i) => byte === mask[i]) ? length : undefined;
}

export function flagNames(field: Field): FlagNames {
  return field.form === 'ctState' ? CT_STATE_FLAGS : field.form === 'tcpFlags' ? TCP_FLAGS : TUNNEL_FLAGS;
}

/** Hexadecimal without leading zeros; plain 0 for zero, as printf's %#x has it. */
export function hex(number: number | bigint): string {
  return number === 0 || number === 0n ? '0' : `0x${number.toString(16)}`;
}

/** A field's value and mask as text; parses back to the same. */
export function formatFieldValue(
  field: Field,
  value: FieldValue,
  mask: FieldValue = field.ones,
  names: TextNames = {},
): string {
  const ones = field.ones;
  const exact = mask.every((byte, i) => byte === ones[i]);
  switch (field.form) {
    case 'decimal':
      if (exact) return String(valueToBigInt(value));
      return `${valueToBigInt(value)}/${hex(valueToBigInt(mask))}`;
    case 'hexadecimal':
      return exact ? hex(valueToBigInt(value)) : `${hex(valueToBigInt(value))}/${hex(valueToBigInt(mask))}`;
    case 'ethernet':
      return exact ? formatMac(value) : `${formatMac(value)}/${formatMac(mask)}`;
    case 'ipv4':
    case 'ipv6': {
      const format = field.form === 'ipv4' ? formatIpv4 : formatIpv6;
      return exact ? format(value) : `${format(value)}/${prefixLength(mask) ?? format(mask)}`;
    }
    case 'port': {
      const port = valueToNumber(value);
      if (!exact) return `${port}/${hex(valueToBigInt(mask))}`;
      return formatPort(field.bytes === 2 && port >= 0xff00 ? port + 0xffff0000 : port, names);
    }
    case 'frag': {
      const [v, m] = [valueToNumber(value), valueToNumber(mask)];
      const found = Object.entries(FRAGMENTS).find(([, [fv, fm]]) => fv === v && fm === m);
      // "later" without asking for "any" means the same: no packet has one bit without the other.
      return found?.[0] ?? (v & 2 ? 'later' : '<error>');
    }
    case 'ctState':
    case 'tcpFlags':
      return formatFlags(valueToNumber(value), valueToNumber(mask), flagNames(field), true);
    case 'tunnelFlags':
      return formatFlags(valueToNumber(value), valueToNumber(mask), flagNames(field), false);
    case 'packetType': {
      const number = valueToNumber(value);
      const namespace = number >>> 16;
      return `(${namespace < 10 ? namespace : hex(namespace)},${hex(number & 0xffff)})`;
    }
  }
}
