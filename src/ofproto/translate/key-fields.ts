import type { Subfield } from '../../openflow/index.ts';
import {
  allOnes,
  type Field,
  type FieldValue,
  fieldValue,
  type KnownBits,
  placeMask,
  prerequisiteHolds,
  readField,
  VLAN_CFI,
  valueToBigInt,
  writeField,
} from '../../packet/index.ts';
import type { PacketRewrites } from './rewrites.ts';

/** The number of `bytes` bytes at an offset of a key. */
export function keyNumber(key: Uint8Array, offset: number, bytes: number): number {
  let number = 0;
  for (let i = 0; i < bytes; i++) number = number * 256 + key[offset + i];
  return number;
}

export function putKeyNumber(key: Uint8Array, offset: number, bytes: number, number: number): void {
  for (let i = bytes - 1, rest = number; i >= 0; i--, rest = Math.floor(rest / 256)) key[offset + i] = rest & 0xff;
}

/** Does a packet of this key have the field? */
export function hasField(key: Uint8Array, field: Field): boolean {
  const known: KnownBits = {
    exact: (offset, bytes) => keyNumber(key, offset, bytes),
    bits: (offset, bytes) => ({ value: keyNumber(key, offset, bytes), mask: 256 ** bytes - 1 }),
  };
  return prerequisiteHolds(field.prerequisite, known);
}

/** Gives the bits of a field under the mask a value, in the key and, for fields of the packet, in what becomes of it. */
export function setKeyField(
  key: Uint8Array,
  rewrites: PacketRewrites,
  field: Field,
  value: FieldValue,
  mask: FieldValue = allOnes(field),
): void {
  const now = readField(field, key);
  writeField(
    field,
    key,
    value.map((byte, i) => (byte & mask[i]) | (now[i] & ~mask[i])),
  );
  if (field.origin !== 'packet') return;
  rewrites.written(field.place.offset, placeMask(field, mask));
  // These fields of a tag say with their value that there is a tag.
  if (field.special === 'dlVlan' || field.special === 'vlanPcp')
    rewrites.written(field.place.offset, Uint8Array.of(VLAN_CFI >> 8, 0));
}

export function readSubfield(key: Uint8Array, { field, start, bits }: Subfield): bigint {
  return (valueToBigInt(readField(field, key)) >> BigInt(start)) & ((1n << BigInt(bits)) - 1n);
}

export function writeSubfield(key: Uint8Array, rewrites: PacketRewrites, subfield: Subfield, number: bigint): void {
  const { field, start, bits } = subfield;
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(start);
  const value = (number << BigInt(start)) & mask;
  setKeyField(key, rewrites, field, fieldValue(field, value), fieldValue(field, mask));
}
