/** One `key`, `key=value`, `key:value` or `key(value)` of a text. */
export interface KeyValue {
  readonly key: string;
  /** Empty when there is none. With parentheses: what stands inside. */
  readonly value: string;
  /** What follows `key(value)->`, where there is such an arrow. */
  readonly arrow?: string;
  /** The whole piece, for error messages. */
  readonly text: string;
}

const isSeparator = (char: string): boolean =>
  char === ',' || char === ' ' || char === '\t' || char === '\r' || char === '\n';
const KEY_END = /[:=(, \t\r\n]/g;

/**
 * Splits a text of flows, actions or their arguments into its pieces, which commas or white space part. Parentheses
 * nest: what is inside belongs to the value. Names in double quotes may contain anything.
 */
export function* keyValues(text: string): Generator<KeyValue> {
  let at = 0;
  for (;;) {
    while (at < text.length && isSeparator(text[at])) at++;
    if (at >= text.length) return;
    const start = at;
    const keyEnd = text[at] === '"' ? quotedEnd(text, at) : endOfKey(text, at);
    const key = text.slice(start, keyEnd);
    const delimiter = text[keyEnd] ?? '';
    at = keyEnd + 1;
    if (delimiter === ':' || delimiter === '=') {
      const end = valueEnd(text, at, isSeparator);
      yield { key, value: text.slice(at, end), text: text.slice(start, end) };
      at = end + 1;
    } else if (delimiter === '(') {
      const end = valueEnd(text, at, (char) => char === ')');
      const value = text.slice(at, end);
      at = end + 1;
      if (text.startsWith('->', at)) {
        const arrowEnd = valueEnd(text, at, isSeparator);
        yield { key, value, arrow: text.slice(at + 2, arrowEnd), text: text.slice(start, arrowEnd) };
        at = arrowEnd + 1;
      } else {
        yield { key, value, text: text.slice(start, at) };
      }
    } else {
      yield { key, value: '', text: key };
    }
  }
}

function endOfKey(text: string, from: number): number {
  KEY_END.lastIndex = from;
  return KEY_END.exec(text)?.index ?? text.length;
}

function quotedEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** The first delimiter outside parentheses and quotes, from `from` on, or the text's end. */
function valueEnd(text: string, from: number, isEnd: (char: string) => boolean): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const char = text[at];
    if (depth === 0 && isEnd(char)) return at;
    if (char === '"') {
      at = quotedEnd(text, at);
      continue;
    }
    if (char === '(') depth++;
    else if (char === ')' && depth > 0) depth--;
    at++;
  }
  return text.length;
}

/** The content of a name in double quotes (with the escapes of JSON), or the text itself when it is not quoted. */
export function unquote(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'string' ? content : undefined;
  } catch {
    return undefined;
  }
}
