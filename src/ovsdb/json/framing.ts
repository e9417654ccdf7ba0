import { OvsdbError } from '../errors.ts';
import { parseJson } from './text.ts';
import type { Json } from './value.ts';

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

/**
 * Finds where messages begin and end in a stream of JSON objects (RFC 7047 section 4: no length, no separator), in one
 * pass over the bytes, whatever way they are cut into chunks. Size and depth are refused while they are counted, before
 * anything is parsed.
 */
export class JsonFramer {
  readonly #limits: FramingLimits;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** The beginning of a message that came in several chunks; `#bytes` of it are used. */
  #held: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #digits = 0;
  #mayHoldLongIntegers = false;

  constructor(limits: FramingLimits = DEFAULT_FRAMING_LIMITS) {
    this.#limits = limits;
  }

  /** Bytes of the message that has begun but not ended. */
  get pendingBytes(): number {
    return this.#bytes;
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
        if (byte === 0x7b || byte === 0x5b) {
          if (++this.#depth > this.#limits.maxDepth)
            throw new OvsdbError(
              'OVSDB_MESSAGE_TOO_DEEP',
              `a message nests deeper than ${this.#limits.maxDepth} levels`,
            );
        } else if (byte === 0x7d || byte === 0x5d) {
          if (--this.#depth === 0) {
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
    if (bytes > this.#limits.maxMessageBytes)
      throw new OvsdbError('OVSDB_MESSAGE_TOO_BIG', `a message is longer than ${this.#limits.maxMessageBytes} bytes`);
    return bytes;
  }

  #finish(last: Uint8Array): Json {
    let whole = last;
    if (this.#bytes === 0) {
      this.#checkedLength(last);
    } else {
      this.#keep(last);
      whole = this.#held.subarray(0, this.#bytes);
    }
    const mayHoldLongIntegers = this.#mayHoldLongIntegers;
    this.#held = Buffer.alloc(0);
    this.#bytes = 0;
    this.#digits = 0;
    this.#mayHoldLongIntegers = false;
    try {
      return parseJson(this.#decoder.decode(whole), mayHoldLongIntegers);
    } catch (cause) {
      throw new OvsdbError('OVSDB_PROTOCOL', `a message is not JSON: ${(cause as Error).message}`, { cause });
    }
  }
}
