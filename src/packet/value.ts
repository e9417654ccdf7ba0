import type { Field } from './field.ts';
import { KEY, TUN_METADATA_BYTES } from './key.ts';

/** A field's value as the wire has it: `field.bytes` bytes, right-aligned, network byte order. */
export type FieldValue = Uint8Array;

const PORT16_RESERVED = 0xff00;

/** The 32-bit form of a 16-bit OpenFlow 1.0 port number: reserved ports move to the end of the larger range. */
export function portFrom16(port: number): number {
  return port >= PORT16_RESERVED ? (port | 0xffff0000) >>> 0 : port;
}

/** The 16-bit form of a 32-bit port number, `undefined` when there is none. */
export function portTo16(port: number): number | undefined {
  if (port < PORT16_RESERVED) return port;
  return port >= 0xffffff00 ? port & 0xffff : undefined;
}

/** A value of a number, modulo the field's width. */
export function fieldValue(field: Field, number: number | bigint): FieldValue {
  const value = new Uint8Array(field.bytes);
  if (typeof number === 'number' && field.bytes <= 4) {
    for (let i = field.bytes - 1, rest = number; i >= 0; i--, rest = Math.floor(rest / 256)) value[i] = rest & 0xff;
    return value;
  }
  for (let i = field.bytes - 1, rest = BigInt(number); i >= 0 && rest !== 0n; i--, rest >>= 8n)
    value[i] = Number(rest & 0xffn);
  return value;
}

/** The number of a value of any width. */
export function valueToBigInt(value: FieldValue): bigint {
  let number = 0n;
  for (const byte of value) number = (number << 8n) | BigInt(byte);
  return number;
}

/** The number of a value of at most 6 bytes. */
export function valueToNumber(value: FieldValue): number {
  let number = 0;
  for (const byte of value) number = number * 256 + byte;
  return number;
}

/** A value with every bit set that the field has. */
export function allOnes(field: Field): FieldValue {
  return field.ones.slice();
}

function isByteAligned(field: Field): boolean {
  return field.place.shift === 0 && field.place.bits === 8 * field.place.bytes;
}

/**
 * A field's bits from an array in the key's layout, or one that has the field's place at `offset`, without regard to
 * what the field means by them.
 */
export function readPlace(field: Field, key: Uint8Array, offset = field.place.offset): FieldValue {
  const { bytes, shift, bits } = field.place;
  const value = new Uint8Array(field.bytes);
  if (isByteAligned(field)) {
    const skipped = field.bytes - bytes;
    for (let i = Math.max(0, -skipped); i < bytes; i++) value[i + skipped] = key[offset + i] ?? 0;
    return value;
  }
  let number = 0;
  for (let i = 0; i < bytes; i++) number = ((number << 8) | (key[offset + i] ?? 0)) >>> 0;
  number = (number >>> shift) & (bits === 32 ? 0xffffffff : (1 << bits) - 1);
  for (let i = field.bytes - 1; i >= 0; i--, number >>>= 8) value[i] = number & 0xff;
  return value;
}

/** Writes a field's bits into an array in the key's layout; the other bits of shared bytes stay. */
export function writePlace(field: Field, key: Uint8Array, value: FieldValue, offset = field.place.offset): void {
  const { bytes, shift, bits } = field.place;
  if (isByteAligned(field)) {
    const skipped = field.bytes - bytes;
    for (let i = 0; i < bytes; i++) key[offset + i] = i + skipped < 0 ? 0 : value[i + skipped];
    return;
  }
  const mask = (((1 << bits) - 1) << shift) >>> 0;
  const number = ((valueToNumber(value) << shift) & mask) >>> 0;
  for (let i = bytes - 1, m = mask, n = number; i >= 0; i--, m >>>= 8, n >>>= 8)
    key[offset + i] = (key[offset + i] & ~m & 0xff) | (n & 0xff);
}

/** The value that a packet's key has for a field. Fields whose prerequisites fail read as whatever their place holds. */
export function readField(field: Field, key: Uint8Array): FieldValue {
  if (field.special === 'port16') {
    const place = KEY.inPort;
    const port = ((key[place] << 24) | (key[place + 1] << 16) | (key[place + 2] << 8) | key[place + 3]) >>> 0;
    return fieldValue(field, portTo16(port) ?? 0xffff);
  }
  if (field.special === 'tos') return fieldValue(field, key[KEY.ipTos] & 0xfc);
  if (field.special === 'dlVlan' && (key[KEY.vlanTci] & 0x10) === 0) return fieldValue(field, 0xffff);
  return readPlace(field, key);
}

/** Makes a packet's key have a value for a field, and whatever goes with it, as the present bit of a VLAN tag. */
export function writeField(field: Field, key: Uint8Array, value: FieldValue): void {
  switch (field.special) {
    case 'port16': {
      const port = portFrom16(valueToNumber(value));
      for (let i = 0; i < 4; i++) key[KEY.inPort + i] = (port >>> (24 - 8 * i)) & 0xff;
      return;
    }
    case 'tos':
      key[KEY.ipTos] = (key[KEY.ipTos] & 0x03) | (value[0] & 0xfc);
      return;
    case 'dlVlan':
      if (value[0] === 0xff && value[1] === 0xff) {
        key[KEY.vlanTci] = key[KEY.vlanTci + 1] = 0;
        return;
      }
      writePlace(field, key, value);
      key[KEY.vlanTci] |= 0x10;
      return;
    case 'vlanPcp':
      writePlace(field, key, value);
      key[KEY.vlanTci] |= 0x10;
      return;
    case 'tunMetadata':
      writePlace(field, key, value);
      setTunMetadataPresent(field, key);
      return;
    default:
      writePlace(field, key, value);
  }
}

/** Marks, in a key or a mask, the tunnel option of a `tun_metadata` field as present. */
export function setTunMetadataPresent(field: Field, key: Uint8Array): void {
  const { offset, bit } = tunMetadataPresence(field);
  key[offset] |= bit;
}

/** Where a `tun_metadata` field's present bit lies: the key's byte and the bit in it. */
export function tunMetadataPresence(field: Field): { offset: number; bit: number } {
  const option = (field.place.offset - KEY.tunMetadata) / TUN_METADATA_BYTES;
  return { offset: KEY.tunMetadataPresent + 7 - (option >> 3), bit: 1 << (option & 7) };
}

/** The mask bytes, from `field.place.offset` on, of the bits of a field (all of them, or those in `bits`). */
export function placeMask(field: Field, bits: FieldValue = field.ones): Uint8Array {
  const mask = new Uint8Array(field.place.bytes);
  writePlace(field, mask, bits, 0);
  return mask;
}
