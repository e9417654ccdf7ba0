import { randomUUID } from 'node:crypto';
import { OvsdbError } from '../errors.ts';
import { parseJson } from './text.ts';
import { isArray, type Json } from './value.ts';

export interface FramingLimits {
  /** Bytes of one message. */
  readonly maxMessageBytes: number;
  /** Levels of nested arrays and objects in one message. */
  readonly maxDepth: number;
}

export const DEFAULT_FRAMING_LIMITS: FramingLimits = { maxMessageBytes: 32 * 1024 * 1024, maxDepth: 1000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LONG_INTEGER_DIGITS = 16;
const COMMA = 0x2c;
/** Of the elements of a message's list so many bytes are parsed at a time: a long transaction in pieces of about a millisecond. */
const PIECE_BYTES = 64 * 1024;
/** Stands for the elements that have been parsed already; no peer can guess it. */
const PARSED_MARK = `parsed:${randomUUID()}`;

/**
 * Finds where messages begin and end in a stream of JSON objects (RFC 7047 section 4: no length, no separator), in one
 * pass over the bytes, whatever way they are cut into chunks. Size and depth are refused while they are counted, before
 * anything is parsed. The elements of a long list, as a transaction's operations are, are parsed as they come.
 */
export class JsonFramer {
  readonly #limits: FramingLimits;
  readonly #pieceBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** The beginning of a message that came in several chunks; `#bytes` of it are used. */
  #held: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #digits = 0;
  #mayHoldLongIntegers = false;
  /** Between the brackets of a list that is a member of the message and may be parsed in pieces. */
  #isInList = false;
  /** Where in `#held` the elements of that list begin. */
  #listAt = 0;
  /** The elements of that list that have been parsed, and are not in `#held` any more. */
  #parsed: Json[] = [];
  #parsedBytes = 0;

  constructor(limits: FramingLimits = DEFAULT_FRAMING_LIMITS, pieceBytes = PIECE_BYTES) {
    this.#limits = limits;
    this.#pieceBytes = pieceBytes;
  }

  /** Bytes of the message that has begun but not ended. */
  get pendingBytes(): number {
    return this.#bytes + this.#parsedBytes;
  }

  /** The messages that `chunk` completes. Throws OvsdbError; after that the stream cannot be understood any more. */
  *push(chunk: Uint8Array): Generator<Json> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#depth === 0) {
        if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) {
          start = i + 1;
          continue;
        }
        if (byte !== 0x7b)
          throw new OvsdbError('OVSDB_PROTOCOL', `a message must begin with "{", not with byte ${byte}`);
        start = i;
        this.#depth = 1;
      } else if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
        this.#digits = 0;
      } else if (byte >= 0x30 && byte <= 0x39) {
        if (++this.#digits === LONG_INTEGER_DIGITS) this.#mayHoldLongIntegers = true;
      } else {
        this.#digits = 0;
        if (byte === COMMA) {
          if (this.#depth !== 2 || !this.#isInList) continue;
          if (this.#bytes + i - start < this.#listAt + this.#pieceBytes) continue;
          this.#parseElements(chunk.subarray(start, i));
          start = i + 1;
        } else if (byte === 0x7b || byte === 0x5b) {
          if (this.#depth === 1 && byte === 0x5b && this.#parsed.length === 0) {
            this.#isInList = true;
            this.#listAt = this.#bytes + i + 1 - start;
          }
          if (++this.#depth > this.#limits.maxDepth)
            throw new OvsdbError(
              'OVSDB_MESSAGE_TOO_DEEP',
              `a message nests deeper than ${this.#limits.maxDepth} levels`,
            );
        } else if (byte === 0x7d || byte === 0x5d) {
          if (--this.#depth === 1) this.#isInList = false;
          if (this.#depth === 0) {
            const message = this.#finish(chunk.subarray(start, i + 1));
            start = i + 1;
            yield message;
          }
        }
      }
    }
    if (this.#depth > 0) this.#keep(chunk.subarray(start));
  }

  #keep(piece: Uint8Array): void {
    const bytes = this.#checkedLength(piece);
    if (bytes > this.#held.length) {
      const bigger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#held.length, 4096));
      this.#held.copy(bigger, 0, 0, this.#bytes);
      this.#held = bigger;
    }
    this.#held.set(piece, this.#bytes);
    this.#bytes = bytes;
  }

  #checkedLength(piece: Uint8Array): number {
    const bytes = this.#bytes + piece.length;
    if (bytes + this.#parsedBytes > this.#limits.maxMessageBytes)
      throw new OvsdbError('OVSDB_MESSAGE_TOO_BIG', `a message is longer than ${this.#limits.maxMessageBytes} bytes`);
    return bytes;
  }

  /** Parses the list's elements up to the comma behind `last`, and forgets their text and the comma. */
  #parseElements(last: Uint8Array): void {
    this.#keep(last);
    const elements = this.#parse('[', this.#held.subarray(this.#listAt, this.#bytes), ']');
    if (!isArray(elements) || elements.length === 0)
      throw new OvsdbError('OVSDB_PROTOCOL', 'a message is not JSON: a comma with nothing before it');
    for (const element of elements) this.#parsed.push(element);
    this.#parsedBytes += this.#bytes - this.#listAt + 1;
    this.#bytes = this.#listAt;
  }

  #parse(before: string, bytes: Uint8Array, after = ''): Json {
    return this.#orRefuse(() => parseJson(before + this.#decoder.decode(bytes) + after, this.#mayHoldLongIntegers));
  }

  #orRefuse<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw new OvsdbError('OVSDB_PROTOCOL', `a message is not JSON: ${(cause as Error).message}`, { cause });
    }
  }

  /** The message, with the elements put back that were parsed before. */
  #withParsed(whole: Uint8Array): Json {
    if (this.#parsed.length === 0) return this.#parse('', whole);
    const beginning = this.#orRefuse(() => this.#decoder.decode(whole.subarray(0, this.#listAt)));
    const message = this.#parse(`${beginning}"${PARSED_MARK}",`, whole.subarray(this.#listAt));
    const list = Object.entries(message as object).find(([, value]) => isArray(value) && value[0] === PARSED_MARK);
    return list ? { ...(message as object), [list[0]]: this.#parsed.concat(list[1].slice(1)) } : message;
  }

  #finish(last: Uint8Array): Json {
    let whole = last;
    if (this.#bytes === 0) {
      this.#checkedLength(last);
    } else {
      this.#keep(last);
      whole = this.#held.subarray(0, this.#bytes);
    }
    const message = this.#withParsed(whole);
    this.#held = Buffer.alloc(0);
    this.#bytes = 0;
    this.#digits = 0;
    this.#mayHoldLongIntegers = false;
    this.#parsed = [];
    this.#parsedBytes = 0;
    return message;
  }
}
