/**
 * A cursor over bytes. Every read is checked: one that would pass the end throws what `onShort(need, offset)` makes, so
 * that each room reports a cut input with its own error code.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;
  #lazyView: DataView | undefined;
  readonly #onShort: (need: number, offset: number) => Error;

  constructor(bytes: Uint8Array, onShort: (need: number, offset: number) => Error, start = 0, end = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw onShort(end - start, start);
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
    this.#onShort = onShort;
  }

  /** Most readers are short-lived and read plain big-endian numbers, for which a view is not worth making. */
  get #view(): DataView {
    this.#lazyView ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    return this.#lazyView;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.end - this.offset;
  }

  #take(count: number): number {
    if (!(count >= 0) || count > this.end - this.offset) throw this.#onShort(count, this.offset);
    const at = this.offset;
    this.offset += count;
    return at;
  }

  u8(): number {
    return this.bytes[this.#take(1)];
  }

  u16(littleEndian = false): number {
    const at = this.#take(2);
    const { bytes } = this;
    return littleEndian ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] << 8) | bytes[at + 1];
  }

  u32(littleEndian = false): number {
    const at = this.#take(4);
    if (littleEndian) return this.#view.getUint32(at, true);
    const { bytes } = this;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }

  i32(littleEndian = false): number {
    return this.#view.getInt32(this.#take(4), littleEndian);
  }

  u64(littleEndian = false): bigint {
    return this.#view.getBigUint64(this.#take(8), littleEndian);
  }

  /** A view (not a copy) of the next `count` bytes. */
  take(count: number): Uint8Array {
    const at = this.#take(count);
    return this.bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A reader over the next `count` bytes, which this one passes over. */
  sub(count: number): ByteReader {
    const at = this.#take(count);
    return new ByteReader(this.bytes, this.#onShort, at, at + count);
  }
}
