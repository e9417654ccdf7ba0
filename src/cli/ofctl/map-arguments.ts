import type { EntryBlock, MapReference } from '../../openflow/index.ts';
import { CliError } from '../errors.ts';

/** A filter program's number on the command line. */
export function programNumber(text: string): number {
  const number = /^(\d{1,9}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  if (number >= 1 && number <= 0xffff) return number;
  throw new CliError('CLI_BAD_ARGUMENT', `filter program ${text}: expected a number from 1 to 65535`);
}

/** A map, by its number or its name. */
export function mapReference(text: string): MapReference {
  if (!/^\d+$/.test(text)) return text;
  const number = Number(text);
  if (number < 0xffff) return number;
  throw new CliError('CLI_BAD_ARGUMENT', `map ${text}: expected a number from 0 to 65534, or a name`);
}

/** Bytes, each in decimal or in hexadecimal with 0x before it. */
function bytesOf(words: readonly string[], what: string): Uint8Array {
  const bytes = words.map((word) => {
    const value = /^(\d{1,9}|0x[0-9a-f]{1,8})$/i.test(word) ? Number(word) : Number.NaN;
    if (value <= 0xff) return value;
    throw new CliError('CLI_BAD_ARGUMENT', `${what} ${word}: expected a byte, 0 to 255 or 0x00 to 0xff`);
  });
  return Uint8Array.from(bytes);
}

interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * Entries written `key B… [value B…]`, any number of them, all of the same sizes. With `hasValues` undefined a value may be left
 * out, as where items are added to a filter.
 */
export function entryArguments(words: readonly string[], hasValues: boolean | undefined): EntryBlock {
  const pairs: Pair[] = [];
  for (let at = 0; at < words.length; ) {
    if (words[at] !== 'key')
      throw new CliError('CLI_BAD_ARGUMENT', `${words[at]}: expected key B…${hasValues === false ? '' : ' value B…'}`);
    const end = indexFrom(words, at + 1, ['key', 'value']);
    const key = bytesOf(words.slice(at + 1, end), 'key');
    if (key.length === 0) throw new CliError('CLI_BAD_ARGUMENT', 'key: its bytes are missing');
    let value: Uint8Array = new Uint8Array(0);
    at = end;
    if (words[end] === 'value') {
      if (hasValues === false) throw new CliError('CLI_BAD_ARGUMENT', 'value: only keys are expected here');
      at = indexFrom(words, end + 1, ['key', 'value']);
      value = bytesOf(words.slice(end + 1, at), 'value');
      if (value.length === 0) throw new CliError('CLI_BAD_ARGUMENT', 'value: its bytes are missing');
    } else if (hasValues === true) throw new CliError('CLI_BAD_ARGUMENT', 'a key without a value');
    pairs.push({ key, value });
  }
  return block(pairs);
}

function block(pairs: readonly Pair[]): EntryBlock {
  const [first] = pairs;
  if (first === undefined) throw new CliError('CLI_BAD_ARGUMENT', 'expected key B…');
  for (const { key, value } of pairs)
    if (key.length !== first.key.length || value.length !== first.value.length)
      throw new CliError('CLI_BAD_ARGUMENT', 'the keys, or the values, are not all of the same size');
  const entries = Uint8Array.from(pairs.flatMap(({ key, value }) => [...key, ...value]));
  return { keySize: first.key.length, valueSize: first.value.length, count: pairs.length, entries };
}

function indexFrom(words: readonly string[], from: number, stops: readonly string[]): number {
  const at = words.findIndex((word, i) => i >= from && stops.includes(word));
  return at < 0 ? words.length : at;
}
