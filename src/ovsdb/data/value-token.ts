import { OvsdbError } from '../errors.ts';

/** What ends a word that is not in quotes: ovs-vsctl(8), "Database Values". */
const DELIMITERS = ':=, []{}!<>';

export function isDelimiter(character: string): boolean {
  return character === '' || DELIMITERS.includes(character);
}

/**
 * Takes one word of a value's text from `offset` on: up to a delimiter, where what stands in double quotes, or behind a
 * backslash in them, delimits nothing. The word keeps its quotes; `end` is where the next one begins.
 *
 * @throws OvsdbError OVSDB_VALUE_TEXT
 */
export function takeWord(text: string, offset: number): { readonly word: string; readonly end: number } {
  let isQuoted = false;
  let at = offset;
  for (; at < text.length; at++) {
    const character = text[at];
    if (isQuoted && character === '\\') {
      if (++at === text.length)
        throw new OvsdbError('OVSDB_VALUE_TEXT', `${text.slice(offset)}: backslash at end of argument`);
    } else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && isDelimiter(character)) break;
  }
  if (isQuoted)
    throw new OvsdbError('OVSDB_VALUE_TEXT', `${text.slice(offset)}: quoted string extends past end of argument`);
  return { word: text.slice(offset, at), end: at };
}
