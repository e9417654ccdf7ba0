import { OvsdbError } from '../errors.ts';
import type { BaseType } from '../schema/base-type.ts';
import type { Atom, AtomicType } from './atom.ts';
import { compareAtoms } from './atom.ts';
import { parseUuid, type Uuid } from './uuid.ts';

/** Gives the UUID that an `@name` stands for, as a reference of that base type. */
export type SymbolUuids = (name: string, base: BaseType) => Uuid;

/** A range of integers may not stand for more than this. */
const MAX_RANGE = 4096;
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;
const REAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** The significant digits of a real's text: C's DBL_DIG. */
const REAL_DIGITS = 15;

/** An atom as ovs-vsctl(8) prints it, "Database Values". */
export function printAtomText(atom: Atom, type: AtomicType): string {
  if (type === 'string' && needsQuotes(atom as string)) return JSON.stringify(atom);
  return printAtomBare(atom, type);
}

/** The same without quotes. */
export function printAtomBare(atom: Atom, type: AtomicType): string {
  return type === 'real' ? printReal(Number(atom)) : String(atom);
}

function needsQuotes(text: string): boolean {
  return !/^[a-z_][\w.-]*$/i.test(text) || text === 'true' || text === 'false' || parseUuid(text) !== undefined;
}

/** As C's `%.15g`. */
function printReal(value: number): string {
  const [digits, exponentText] = value.toExponential(REAL_DIGITS - 1).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < REAL_DIGITS) return String(Number(value.toFixed(REAL_DIGITS - 1 - exponent)));
  const sign = exponent < 0 ? '-' : '+';
  return `${Number(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/**
 * The atoms that one word stands for: one, or several for a range of integers such as `5-8`.
 *
 * @throws OvsdbError OVSDB_VALUE_TEXT, OVSDB_CONSTRAINT
 */
export function parseAtoms(word: string, base: BaseType, symbols: SymbolUuids): Atom[] {
  const atoms = base.type === 'integer' ? parseIntegers(word, base) : [parseOne(word, base, symbols)];
  for (const atom of atoms) checkConstraints(atom, base);
  return atoms;
}

/** One atom, where a range is not allowed. */
export function parseAtomText(word: string, base: BaseType, symbols: SymbolUuids): Atom {
  const atoms = parseAtoms(word, base, symbols);
  if (atoms.length !== 1) throw refuse(`${quote(word)} is not a valid integer`);
  return atoms[0];
}

function parseOne(word: string, base: BaseType, symbols: SymbolUuids): Atom {
  switch (base.type) {
    case 'real':
      if (!REAL.test(word) || !Number.isFinite(Number(word))) throw refuse(`${quote(word)} is not a valid real number`);
      return Number(word) + 0;
    case 'boolean':
      if (['true', 'yes', 'on', '1'].includes(word)) return true;
      if (['false', 'no', 'off', '0'].includes(word)) return false;
      throw refuse(`${quote(word)} is not a valid boolean (use "true" or "false")`);
    case 'uuid': {
      if (word.startsWith('@')) return symbols(word, base);
      const uuid = parseUuid(word);
      if (!uuid) throw refuse(`${quote(word)} is not a valid UUID`);
      return uuid;
    }
    default:
      return parseString(word);
  }
}

function parseString(word: string): string {
  if (word === '') throw refuse('An empty string is not valid as input; use "" to represent the empty string');
  if (!word.startsWith('"')) return word;
  if (word.length < 2 || !word.endsWith('"')) throw refuse(`${word}: missing quote at end of quoted string`);
  try {
    // Tabs and the like may stand for themselves on a command line, other than in JSON.
    const json = word.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return JSON.parse(json) as string;
  } catch {
    throw refuse(`${word}: not a valid string in JSON syntax`);
  }
}

function parseIntegers(word: string, base: BaseType): Atom[] {
  const [, first, last] = /^([+-]?\d{1,19})(?:-([+-]?\d{1,19}))?$/.exec(word) ?? [];
  if (first === undefined) throw refuse(`${quote(word)} is not a valid integer or range`);
  const begin = BigInt(first);
  const end = last === undefined ? begin : BigInt(last);
  if (begin < MIN_INTEGER || end > MAX_INTEGER || begin > MAX_INTEGER)
    throw refuse(`${quote(word)} is not a valid integer or range`);
  if (end < begin) throw refuse(`${quote(word)} is not a valid range. Range end cannot be before start.`);
  for (const bound of [begin, end]) checkConstraints(bound, base);
  if (end - begin >= MAX_RANGE)
    throw refuse(`Range "${begin}-${end}" is too big. Maximum allowed size is ${MAX_RANGE}.`);
  const atoms: Atom[] = [];
  for (let value = begin; value <= end; value++)
    atoms.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  return atoms;
}

function checkConstraints(atom: Atom, base: BaseType): void {
  const { type } = base;
  if (base.enum && !base.enum.includes(atom)) {
    const allowed = [...base.enum].sort(compareAtoms).map((one) => printAtomText(one, type));
    throw constraint(`${printAtomText(atom, type)} is not one of the allowed values ([${allowed.join(', ')}])`);
  }
  if (type === 'integer' || type === 'real') {
    const [min, max] = type === 'integer' ? [base.minInteger, base.maxInteger] : [base.minReal, base.maxReal];
    const isLess = min !== undefined && (atom as number) < min;
    if (!isLess && (max === undefined || (atom as number) <= max)) return;
    const show = (bound: number | bigint): string => printAtomBare(bound, type);
    const value = printAtomBare(atom, type);
    if (min !== undefined && max !== undefined)
      throw constraint(`${value} is not in the valid range ${show(min)} to ${show(max)} (inclusive)`);
    throw constraint(
      min !== undefined && isLess
        ? `${value} is less than minimum allowed value ${show(min)}`
        : `${value} is greater than maximum allowed value ${show(max ?? 0)}`,
    );
  }
  if (type === 'string') {
    const length = [...(atom as string)].length;
    if (base.minLength !== undefined && length < base.minLength)
      throw constraint(
        `${quote(atom as string)} length ${length} is less than minimum allowed length ${base.minLength}`,
      );
    if (base.maxLength !== undefined && length > base.maxLength)
      throw constraint(
        `${quote(atom as string)} length ${length} is greater than maximum allowed length ${base.maxLength}`,
      );
  }
}

function quote(text: string): string {
  return `"${text}"`;
}

function refuse(message: string): OvsdbError {
  return new OvsdbError('OVSDB_VALUE_TEXT', message);
}

function constraint(message: string): OvsdbError {
  return new OvsdbError('OVSDB_CONSTRAINT', `constraint violation: ${message}`);
}
