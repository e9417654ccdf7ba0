/**
 * A cursor over bytes. Every read is checked: one that would pass the end throws what `onShort(need, offset)` makes, so
 * that each room reports a cut input with its own error code.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;
  readonly #view: DataView;
  readonly #onShort: (need: number, offset: number) => Error;

  constructor(bytes: Uint8Array, onShort: (need: number, offset: number) => Error, start = 0, end = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw onShort(end - start, start);
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#onShort = onShort;
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
    return this.#view.getUint16(this.#take(2), littleEndian);
  }

  u32(littleEndian = false): number {
    return this.#view.getUint32(this.#take(4), littleEndian);
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
