import { randomUUID } from 'node:crypto';
import { canonicalInteger, fitsInt64, type Json } from './value.ts';

/**
 * `JSON.parse` and `JSON.stringify` round integers to 53 bits. Longer ones (rare: only a text with sixteen digits in a
 * row outside a string can hold one) pass through them as strings with a mark that no peer can guess.
 */
const MARK = `int64:${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?[0-9]+)"`, 'g');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The value of a JSON text. Throws SyntaxError. */
export function parseJson(text: string, mayHoldLongIntegers = /[0-9]{16}/.test(text)): Json {
  if (!mayHoldLongIntegers) return JSON.parse(text) as Json;
  return JSON.parse(markLongIntegers(text), (_member, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? exactInteger(value.slice(MARK.length)) : value,
  ) as Json;
}

/** The text of a JSON value, without white space. */
export function printJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const text = JSON.stringify(value, (_member, inner: unknown) =>
      typeof inner === 'bigint' ? `${MARK}${inner}` : inner,
    );
    return text.replace(MARKED, '$1');
  }
}

/** The text with the members of every object in alphabetical order: equal values give equal texts. */
export function printJsonSorted(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printJsonSorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return printJson(value);
  const object = value as { readonly [member: string]: Json };
  const members = Object.keys(object).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${printJsonSorted(object[name])}`).join(',')}}`;
}

function exactInteger(digits: string): number | bigint {
  const exact = BigInt(digits);
  return fitsInt64(exact) ? canonicalInteger(exact) : Number(digits);
}

function markLongIntegers(text: string): string {
  let marked = '';
  let copied = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i + 1);
    } else if (isNumberPart(code)) {
      const start = i;
      while (i < text.length && isNumberPart(text.charCodeAt(i))) i++;
      const token = text.slice(start, i);
      if (/^-?[1-9][0-9]{15,}$/.test(token)) {
        marked += `${text.slice(copied, start)}"${MARK}${token}"`;
        copied = i;
      }
    } else {
      i++;
    }
  }
  return marked + text.slice(copied);
}

function endOfString(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return text.length;
}

function isNumberPart(code: number): boolean {
  // 0-9, '-', '+', '.', 'e', 'E'
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65;
}
