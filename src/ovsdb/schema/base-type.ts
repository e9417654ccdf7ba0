import type { Atom, AtomicType } from '../data/atom.ts';
import { ZERO_UUID } from '../data/uuid.ts';

/** `<base-type>` of RFC 7047 section 3.2: an atomic type with its constraints. */
export interface BaseType {
  readonly type: AtomicType;
  readonly enum?: readonly Atom[];
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  /** In characters (code points), as the RFC counts. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

/** The value an atom has when nobody gave it one (RFC 7047 section 5.2.1). */
export function defaultAtom(type: AtomicType): Atom {
  switch (type) {
    case 'integer':
    case 'real':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
  }
}

/** Why `atom` breaks a constraint of `base`, or undefined when it breaks none. */
export function brokenConstraint(atom: Atom, base: BaseType): string | undefined {
  if (base.enum && !base.enum.includes(atom)) return `${show(atom)} is not one of ${base.enum.map(show).join(', ')}`;
  switch (base.type) {
    case 'integer':
      return outside(atom, base.minInteger, base.maxInteger, '');
    case 'real':
      return outside(atom, base.minReal, base.maxReal, '');
    case 'string':
      if (base.minLength === undefined && base.maxLength === undefined) return undefined;
      return outside(
        codePoints(atom as string),
        base.minLength,
        base.maxLength,
        ` characters, the length of ${show(atom)},`,
      );
    default:
      return undefined;
  }
}

function outside(
  value: Atom,
  min: number | bigint | undefined,
  max: number | bigint | undefined,
  unit: string,
): string | undefined {
  if (min !== undefined && (value as number) < (min as number))
    return `${value}${unit} is less than the minimum ${min}`;
  if (max !== undefined && (value as number) > (max as number))
    return `${value}${unit} is more than the maximum ${max}`;
  return undefined;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function show(atom: Atom): string {
  const text = typeof atom === 'string' ? JSON.stringify(atom) : String(atom);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
