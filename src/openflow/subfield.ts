import { FIELDS, type Field, fieldNamed } from '../packet/index.ts';
import { OpenflowError } from './errors.ts';

/** Part of a field: `bits` bits, the least significant of which is number `start`. */
export interface Subfield {
  readonly field: Field;
  readonly start: number;
  readonly bits: number;
}

const byWireName = new Map<string, Field>();
for (const field of FIELDS) for (const id of field.wire) byWireName.set(id.name, field);

export function wholeField(field: Field): Subfield {
  return { field, start: 0, bits: field.width };
}

/** The field of a common name or of an NXM or OXM name. */
export function fieldOfAnyName(name: string): Field | undefined {
  return fieldNamed(name) ?? byWireName.get(name);
}

/** A subfield as `field`, `field[]`, `field[bit]` or `field[start..end]`; `undefined` when the text is none. */
export function readSubfield(text: string): Subfield | undefined {
  const match = /^([A-Za-z0-9_]+)(?:\[(?:(\d{1,4})(?:\.\.(\d{1,4}))?)?\])?$/.exec(text);
  const field = match && fieldOfAnyName(match[1]);
  if (!match || !field) return undefined;
  if (match[2] === undefined) return wholeField(field);
  const start = Number(match[2]);
  const end = match[3] === undefined ? start : Number(match[3]);
  if (start > end || end >= field.width) return undefined;
  return { field, start, bits: end - start + 1 };
}

export function parseSubfield(text: string, what: string): Subfield {
  const found = readSubfield(text);
  if (found) return found;
  const name = /^[A-Za-z0-9_]*/.exec(text)?.[0] ?? '';
  const field = fieldOfAnyName(name);
  if (!field) throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `${what}: no field is named "${name || text}"`);
  throw new OpenflowError(
    'OPENFLOW_BAD_VALUE',
    `${what}: "${text}" is no part of ${name}, which has bits 0 to ${field.width - 1}; write ${name}[start..end]`,
  );
}

/** As printed: the NXM or OXM name with brackets, empty for the whole field. */
export function formatSubfield(subfield: Subfield): string {
  const { field, start, bits } = subfield;
  const name = field.wire[0]?.name ?? field.name;
  if (start === 0 && bits === field.width) return `${name}[]`;
  return bits === 1 ? `${name}[${start}]` : `${name}[${start}..${start + bits - 1}]`;
}
