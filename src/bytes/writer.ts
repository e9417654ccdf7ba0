/** A buffer that grows as it is written; big-endian unless told otherwise. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      bigger.set(this.#bytes);
      this.#bytes = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number, littleEndian = false): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, littleEndian);
    return this;
  }

  u32(value: number, littleEndian = false): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, littleEndian);
    return this;
  }

  u64(value: bigint, littleEndian = false): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, littleEndian);
    return this;
  }

  put(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** Zeros up to the next multiple of `alignment`, counted from `from`. */
  align(alignment: number, from = 0): this {
    const over = (this.#length - from) % alignment;
    return over === 0 ? this : this.zeros(alignment - over);
  }

  /** Writes over 16 bits already written, as a length field known only afterwards. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(this.#patchable(at, 2), value);
  }

  patchU32(at: number, value: number): void {
    this.#view.setUint32(this.#patchable(at, 4), value);
  }

  #patchable(at: number, count: number): number {
    if (at < 0 || at + count > this.#length)
      throw new RangeError(`patch at ${at} is outside the ${this.#length} bytes written`);
    return at;
  }

  /** A copy of what was written, or of what was written from `from` on. */
  finish(from = 0): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, this.#length);
  }

  /** Forgets what was written after the first `length` bytes. */
  cut(length: number): void {
    this.#bytes.fill(0, this.#patchable(length, 0), this.#length);
    this.#length = length;
  }
}
