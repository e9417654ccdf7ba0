const ALIGNMENT = 64;

interface Gap {
  start: number;
  end: number;
}

/** First-fit over the gaps of an address range, kept in order and joined when neighbours come free. Holds addresses only, no bytes. */
export class BlockAllocator {
  readonly #gaps: Gap[];
  readonly #sizes = new Map<number, number>();
  /** Below it bytes may have been used before; above, the memory is as it was given. */
  #highWater: number;
  #bytesUsed = 0;

  constructor(start: number, end: number) {
    this.#gaps = end > start ? [{ start, end }] : [];
    this.#highWater = start;
  }

  get bytesUsed(): number {
    return this.#bytesUsed;
  }

  get bytesFree(): number {
    return this.#gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0);
  }

  /** `used` says that the block's bytes may not be zero. */
  allocate(bytes: number): { readonly address: number; readonly used: boolean } | undefined {
    const size = Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT;
    const index = this.#gaps.findIndex((gap) => gap.end - gap.start >= size);
    if (index < 0) return undefined;
    const gap = this.#gaps[index];
    const address = gap.start;
    gap.start += size;
    if (gap.start === gap.end) this.#gaps.splice(index, 1);
    this.#sizes.set(address, size);
    this.#bytesUsed += size;
    const used = address < this.#highWater;
    this.#highWater = Math.max(this.#highWater, address + size);
    return { address, used };
  }

  /** False when no block starts there. */
  free(address: number): boolean {
    const size = this.#sizes.get(address);
    if (size === undefined) return false;
    this.#sizes.delete(address);
    this.#bytesUsed -= size;
    const end = address + size;
    let index = this.#gaps.findIndex((gap) => gap.start >= end);
    if (index < 0) index = this.#gaps.length;
    const before = this.#gaps[index - 1];
    const after = this.#gaps[index];
    if (before !== undefined && before.end === address) {
      before.end = end;
      if (after !== undefined && after.start === end) {
        before.end = after.end;
        this.#gaps.splice(index, 1);
      }
    } else if (after !== undefined && after.start === end) after.start = address;
    else this.#gaps.splice(index, 0, { start: address, end });
    return true;
  }
}
