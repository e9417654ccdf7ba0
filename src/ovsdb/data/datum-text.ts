import { OvsdbError } from '../errors.ts';
import { type ColumnType, isScalar } from '../schema/column-type.ts';
import type { Atom } from './atom.ts';
import { parseAtoms, parseAtomText, printAtomBare, printAtomText, type SymbolUuids } from './atom-text.ts';
import { type Datum, mapDatum, setDatum } from './datum.ts';
import { isDelimiter, takeWord } from './value-token.ts';

/** A column's value as ovs-vsctl(8) prints it: `5`, `[1, 2]`, `{a=b}`. */
export function printDatumText({ keys, values }: Datum, { key, value, max }: ColumnType): string {
  const elements = keys.map((atom, i) => {
    const text = printAtomText(atom, key.type);
    return value ? `${text}=${printAtomText(values[i], value.type)}` : text;
  });
  const text = elements.join(', ');
  if (max === 1 && keys.length > 0) return text;
  return value ? `{${text}}` : `[${text}]`;
}

/** The same without punctuation and quotes. */
export function printDatumBare({ keys, values }: Datum, { key, value }: ColumnType): string {
  return keys
    .map((atom, i) => {
      const text = printAtomBare(atom, key.type);
      return value ? `${text}=${printAtomBare(values[i], value.type)}` : text;
    })
    .join(' ');
}

/**
 * The value that a text on a command line stands for: elements with commas or spaces between them, with or without
 * brackets, as ovs-vsctl(8) says under "Database Values".
 *
 * @throws OvsdbError OVSDB_VALUE_TEXT, OVSDB_CONSTRAINT
 */
export function parseDatumText(text: string, type: ColumnType, symbols: SymbolUuids): Datum {
  const [opening, closing] = type.value ? ['{', '}'] : ['[', ']'];
  let at = skipSpaces(text, 0);
  const isBracketed = text[at] === opening;
  if (isBracketed) at = skipSpaces(text, at + 1);
  const pairs: (readonly [Atom, Atom])[] = [];
  while (at < text.length && !(isBracketed && text[at] === closing)) {
    if (isDelimiter(text[at])) throw refuse(`${text}: unexpected "${text[at]}" parsing ${englishType(type)}`);
    const key = takeWord(text, at);
    at = key.end;
    if (type.value) {
      const keyAtom = parseAtomText(key.word, type.key, symbols);
      if (at === text.length) throw refuse(`${text}: syntax error at "`); // as the original, whose message ends in a NUL
      if (text[at] !== '=') throw refuse(`${text}: syntax error at "${text[at]}" expecting "="`);
      const value = takeWord(text, at + 1);
      at = value.end;
      pairs.push([keyAtom, parseAtomText(value.word, type.value, symbols)]);
    } else for (const atom of parseAtoms(key.word, type.key, symbols)) pairs.push([atom, atom]);
    while (at < text.length && ', '.includes(text[at])) at++;
  }
  if (isBracketed) {
    if (at === text.length) throw refuse(`${text}: missing "${closing}" at end of data`);
    at = skipSpaces(text, at + 1);
    if (at < text.length) throw refuse(`${text}: trailing garbage after "${closing}"`);
  }
  checkCount(text, pairs.length, type);
  const datum = type.value ? mapDatum(pairs) : setDatum(pairs.map(([atom]) => atom));
  if (!datum) throw refuse(`${text}: ${type.value ? 'map contains duplicate key' : 'set contains duplicate value'}`);
  return datum;
}

function skipSpaces(text: string, offset: number): number {
  let at = offset;
  while (text[at] === ' ') at++;
  return at;
}

function checkCount(text: string, count: number, { min, max, value }: ColumnType): void {
  const things = value ? 'pair(s)' : 'value(s)';
  if (count < min) throw refuse(`${text}: ${count} ${things} specified but the minimum number is ${min}`);
  if (count > max) throw refuse(`${text}: ${count} ${things} specified but the maximum number is ${max}`);
}

/** `integer`, `set of 1 or more strings`, `map of (string, string) pairs`: the words of ovs-vsctl. */
export function englishType(type: ColumnType): string {
  const { key, value, min, max } = type;
  if (isScalar(type)) return key.type;
  const kind = value ? 'map' : 'set';
  const count =
    max === Number.POSITIVE_INFINITY
      ? min > 0
        ? ` of ${min} or more`
        : ' of'
      : min > 0
        ? ` of ${min} to ${max}`
        : ` of up to ${max}`;
  return `${kind}${count} ${value ? `(${key.type}, ${value.type}) pairs` : `${key.type}s`}`;
}

function refuse(message: string): OvsdbError {
  return new OvsdbError('OVSDB_VALUE_TEXT', message);
}
