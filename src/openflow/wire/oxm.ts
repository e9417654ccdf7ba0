import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import {
  type Field,
  type FieldValue,
  fieldOfWire,
  type OpenflowVersion,
  OXM_CLASS_EXPERIMENTER,
  type WireId,
} from '../../packet/index.ts';
import type { ErrorName } from './error-codes.ts';
import { ProtocolError } from './protocol-error.ts';

/*
 * NXM and OXM fields: type, length, value (OpenFlow 1.5, 7.2.3.2).
 *
 *      16         7      1       8        [32]       length (less 4 with an experimenter)
 *   +-------+---------+------+--------+ +--------------+ +------------------------------+
 *   | class |  field  | mask | length | | experimenter | | value, and mask when flagged |
 *   +-------+---------+------+--------+ +--------------+ +------------------------------+
 */

/** Tunnel options have as many bytes as the peer's table gives them; everything else has its own width. */
const MAX_VARIABLE = 124;

/** Which of a field's code points a version uses; NXM in OpenFlow 1.0. */
export function wireIdFor(field: Field, version: OpenflowVersion): WireId | undefined {
  if (version === 1) return field.wire[0];
  let best: WireId | undefined;
  for (const id of field.wire) if (!best || id.since <= version) best = id;
  return best;
}

/** Bytes of a header: 4, or 8 with an experimenter. */
export function oxmHeaderBytes(id: WireId): number {
  return id.experimenter === undefined ? 4 : 8;
}

/** Writes a header for a payload of `bytes` (value, and mask). */
export function writeOxmHeader(writer: ByteWriter, id: WireId, bytes: number, hasMask: boolean): void {
  const length = bytes + (id.experimenter === undefined ? 0 : 4);
  writer
    .u16(id.oxmClass)
    .u8((id.number << 1) | (hasMask ? 1 : 0))
    .u8(length);
  if (id.experimenter !== undefined) writer.u32(id.experimenter);
}

/** How many bytes a field's value takes on the wire, given value and mask: a tunnel option leaves leading zeros out. */
export function wireBytes(field: Field, ...values: FieldValue[]): number {
  if (field.special !== 'tunMetadata') return field.bytes;
  let first = field.bytes - 1;
  for (const value of values) {
    const at = value.findIndex((byte) => byte !== 0);
    if (at >= 0 && at < first) first = at;
  }
  return field.bytes - first;
}

/** Writes a whole field; the mask is left out when every bit counts. */
export function writeOxm(writer: ByteWriter, id: WireId, field: Field, value: FieldValue, mask: FieldValue): void {
  const exact = isExactMask(field, mask);
  const bytes = exact ? wireBytes(field, value) : wireBytes(field, value, mask);
  writeOxmHeader(writer, id, exact ? bytes : 2 * bytes, !exact);
  writer.put(value.subarray(field.bytes - bytes));
  if (!exact) writer.put(mask.subarray(field.bytes - bytes));
}

function isExactMask(field: Field, mask: FieldValue): boolean {
  const ones = field.ones;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== ones[i]) return false;
  return true;
}

export interface OxmHeader {
  readonly oxmClass: number;
  readonly number: number;
  readonly experimenter?: number;
  readonly hasMask: boolean;
  /** Bytes of value and mask. */
  readonly length: number;
  /** Absent: nobody we know of assigned this number. */
  readonly field?: Field;
}

/** Reads a header; the reader's own error stands for a cut one. */
export function readOxmHeader(reader: ByteReader): OxmHeader {
  const oxmClass = reader.u16();
  const fieldAndMask = reader.u8();
  const length = reader.u8();
  const number = fieldAndMask >> 1;
  const hasMask = (fieldAndMask & 1) !== 0;
  if (oxmClass !== OXM_CLASS_EXPERIMENTER)
    return { oxmClass, number, hasMask, length, field: fieldOfWire(oxmClass, number) };
  if (length < 4) throw new ProtocolError('OFPBMC_BAD_LEN', 'an experimenter field has no room for its experimenter');
  const experimenter = reader.u32();
  return {
    oxmClass,
    number,
    experimenter,
    hasMask,
    length: length - 4,
    field: fieldOfWire(oxmClass, number, experimenter),
  };
}

export interface OxmField {
  readonly field: Field;
  readonly value: FieldValue;
  readonly mask: FieldValue;
}

/**
 * The value and mask of a field whose header was read; `undefined`, and passed over, when no field has that number and
 * length.
 */
export function readOxmValue(reader: ByteReader, header: OxmHeader): OxmField | undefined {
  const { hasMask, length } = header;
  if (length > reader.remaining)
    throw new ProtocolError('OFPBMC_BAD_LEN', `a field of ${length} bytes where ${reader.remaining} are left`);
  const payload = reader.take(length);
  const bytes = hasMask ? length >> 1 : length;
  if (hasMask)
    for (let i = 0; i < bytes; i++)
      if (payload[i] & ~payload[bytes + i])
        throw new ProtocolError('OFPBMC_BAD_WILDCARDS', 'a field has bits set that its mask leaves out');
  const field = fittingField(header);
  if (!field) return undefined;
  const value = new Uint8Array(field.bytes);
  const mask = new Uint8Array(field.bytes);
  value.set(payload.subarray(0, bytes), field.bytes - bytes);
  if (hasMask) mask.set(payload.subarray(bytes), field.bytes - bytes);
  // Without a mask all of the field counts; of a tunnel option too, however long the switch takes it to be.
  else mask.fill(0xff);
  return { field, value, mask };
}

/** The field that has the number and the length of a header. */
export function fittingField({ field, hasMask, length }: OxmHeader): Field | undefined {
  if (!field || (hasMask && length % 2 !== 0)) return undefined;
  const bytes = hasMask ? length / 2 : length;
  const fits = field.special === 'tunMetadata' ? bytes >= 1 && bytes <= MAX_VARIABLE : bytes === field.bytes;
  return fits ? field : undefined;
}

/**
 * Reads a header alone, as actions have it to name a field, and the field that it names. Actions that have a place for 4
 * bytes of it report an unknown one as `OFPBAC_BAD_SET_TYPE`, the others as `OFPBMC_BAD_FIELD`.
 */
export function readFieldHeader(reader: ByteReader, error: ErrorName = 'OFPBMC_BAD_FIELD'): Field {
  const header = readOxmHeader(reader);
  const found = fittingField(header) ?? (header.field?.special === 'tunMetadata' ? header.field : undefined);
  if (!found) throw new ProtocolError(error, describeHeader(header));
  if (header.hasMask && error === 'OFPBMC_BAD_FIELD')
    throw new ProtocolError('OFPBMC_BAD_MASK', 'a field is named with a mask');
  return found;
}

export function describeHeader(header: OxmHeader): string {
  const { oxmClass, number, experimenter } = header;
  const by = experimenter === undefined ? '' : ` of experimenter 0x${experimenter.toString(16)}`;
  return `no field has class 0x${oxmClass.toString(16)} and number ${number}${by}`;
}

/** Writes a header alone, which names a field in an action. */
export function writeFieldHeader(writer: ByteWriter, field: Field, version: OpenflowVersion): void {
  const id = wireIdFor(field, version);
  if (!id) throw new ProtocolError('OFPBAC_BAD_SET_TYPE', `${field.name} has no number on the wire`);
  writeOxmHeader(writer, id, field.bytes, false);
}

/** Bytes of a header alone. */
export function fieldHeaderBytes(field: Field, version: OpenflowVersion): number {
  const id = wireIdFor(field, version);
  return id ? oxmHeaderBytes(id) : 4;
}
