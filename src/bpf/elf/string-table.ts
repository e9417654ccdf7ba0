import { BpfError, type BpfErrorCode } from '../errors.ts';

/** Longest name or source line that is read, in bytes: hostile tables must not cost more than their size. */
const MAX_STRING_BYTES = 1024;
/** Most bytes of all strings that are read from one table; hostile offsets could make a table many times longer than it is. */
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;

const decoder = new TextDecoder();

/** NUL-terminated strings by offset, as ELF and BTF keep them. Strings that were read once are remembered. */
export class StringTable {
  readonly #bytes: Uint8Array;
  readonly #code: BpfErrorCode;
  readonly #what: string;
  readonly #known = new Map<number, string>();
  #total = 0;

  /** `what` names the table in refusals, which carry `code`. */
  constructor(bytes: Uint8Array, code: BpfErrorCode, what: string) {
    this.#bytes = bytes;
    this.#code = code;
    this.#what = what;
  }

  at(offset: number): string {
    const known = this.#known.get(offset);
    if (known !== undefined) return known;
    if (offset >= this.#bytes.length)
      throw new BpfError(
        this.#code,
        `${this.#what}: string at ${offset} is past the end of the table (${this.#bytes.length} bytes)`,
      );
    const window = this.#bytes.subarray(offset, offset + MAX_STRING_BYTES + 1);
    const length = window.indexOf(0);
    if (length < 0)
      throw new BpfError(
        this.#code,
        window.length > MAX_STRING_BYTES
          ? `${this.#what}: string at ${offset} is longer than ${MAX_STRING_BYTES} bytes`
          : `${this.#what}: string at ${offset} does not end within the table`,
      );
    this.#total += length;
    if (this.#total > MAX_TOTAL_BYTES)
      throw new BpfError(this.#code, `${this.#what}: the strings in use overlap to more than ${MAX_TOTAL_BYTES} bytes`);
    const text = decoder.decode(window.subarray(0, length));
    this.#known.set(offset, text);
    return text;
  }
}
