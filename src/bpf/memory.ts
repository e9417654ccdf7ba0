import { BlockAllocator } from './allocator.ts';
import { BpfError } from './errors.ts';

/**
 * The eBPF window: the low 2^windowBits bytes of one WebAssembly.Memory, which holds all that a program may touch: packet
 * buffers, stacks, map values. A compiled program forces every address into it with one AND (`mask`); an access that
 * starts at its last byte still reaches up to WINDOW_GUARD bytes beyond, so nothing of worth may lie there.
 *
 *     0            NULL_BYTES   start            end          2^windowBits      + WINDOW_GUARD
 *     | never used | (not ours) | blocks …       | (not ours) | guard, no worth | whatever the owner of the memory likes
 */
export const NULL_BYTES = 4096;
/** A masked address plus a 16-bit offset and an 8-byte access stay below window + guard. */
export const WINDOW_GUARD = 65536;
export const WASM_PAGE = 65536;
export const MAX_WINDOW_BITS = 31;

export interface EbpfMemoryOptions {
  readonly memory: WebAssembly.Memory;
  /** log2 of the window's bytes, 16 to 31; window and guard must lie within the memory. */
  readonly windowBits: number;
  /** First byte to hand out; at least NULL_BYTES. */
  readonly start?: number;
  /** Byte after the last to hand out; at most the window's size. */
  readonly end?: number;
}

/** A view of the window, and who may allot its bytes: one owner (thread) allocates, others only attach to what it made. */
export class EbpfMemory {
  readonly memory: WebAssembly.Memory;
  readonly windowBits: number;
  readonly start: number;
  readonly end: number;
  readonly #blocks: BlockAllocator;
  #bytes: Uint8Array;
  #view: DataView;
  #words: Int32Array;
  #longs: BigInt64Array;

  constructor(options: EbpfMemoryOptions) {
    const { memory, windowBits, start = NULL_BYTES, end = 2 ** windowBits } = options;
    if (!Number.isInteger(windowBits) || windowBits < 16 || windowBits > MAX_WINDOW_BITS)
      throw new BpfError(
        'BPF_BAD_WINDOW',
        `an eBPF window of 2^${windowBits} bytes: choose 16 to ${MAX_WINDOW_BITS} bits`,
      );
    if (start < NULL_BYTES || end > 2 ** windowBits || start > end)
      throw new BpfError(
        'BPF_BAD_WINDOW',
        `bytes ${start} to ${end} do not lie within ${NULL_BYTES} to 2^${windowBits}`,
      );
    this.memory = memory;
    this.windowBits = windowBits;
    this.start = start;
    this.end = end;
    const { buffer } = memory;
    if (buffer.byteLength < 2 ** windowBits + WINDOW_GUARD)
      throw new BpfError('BPF_BAD_WINDOW', `the memory has ${buffer.byteLength} bytes, fewer than window and guard`);
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#words = new Int32Array(buffer);
    this.#longs = new BigInt64Array(buffer);
    this.#blocks = new BlockAllocator(Math.ceil(start / 64) * 64, end);
  }

  /**
   * A memory of its own. The system gives the pages when they are first written, so a large window costs nothing until maps fill it.
   * Defaults: 2^26 bytes (64 MiB), not shared between threads.
   */
  static standalone(options: { readonly windowBits?: number; readonly shared?: boolean } = {}): EbpfMemory {
    const windowBits = options.windowBits ?? 26;
    if (!Number.isInteger(windowBits) || windowBits < 16 || windowBits > MAX_WINDOW_BITS)
      throw new BpfError(
        'BPF_BAD_WINDOW',
        `an eBPF window of 2^${windowBits} bytes: choose 16 to ${MAX_WINDOW_BITS} bits`,
      );
    const pages = (2 ** windowBits + WINDOW_GUARD) / WASM_PAGE;
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: options.shared ?? false });
      return new EbpfMemory({ memory, windowBits });
    } catch (cause) {
      if (cause instanceof BpfError) throw cause;
      throw new BpfError('BPF_MEMORY_LIMIT', `no memory of ${pages} pages to be had for an eBPF window`, { cause });
    }
  }

  /** Another thread's view of a window that exists: it allots nothing, its owner does. */
  static attach(options: Pick<EbpfMemoryOptions, 'memory' | 'windowBits'>): EbpfMemory {
    return new EbpfMemory({ ...options, start: NULL_BYTES, end: NULL_BYTES });
  }

  /** What a program's addresses are masked with. */
  get mask(): number {
    return 2 ** this.windowBits - 1;
  }

  /** The whole memory, whatever buffer it has now (an unshared memory gets a new one when its owner grows it). */
  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  get view(): DataView {
    this.#refresh();
    return this.#view;
  }

  /** Index = address / 4; for Atomics. */
  get words(): Int32Array {
    this.#refresh();
    return this.#words;
  }

  /** Index = address / 8; for Atomics. */
  get longs(): BigInt64Array {
    this.#refresh();
    return this.#longs;
  }

  /** Bytes handed out. */
  get bytesUsed(): number {
    return this.#blocks.bytesUsed;
  }

  /** Bytes that could still be handed out, if in one piece. */
  get bytesFree(): number {
    return this.#blocks.bytesFree;
  }

  /** A block of zeroed bytes, 64-byte aligned. `what` names its purpose in the error when there is no room. */
  allocate(bytes: number, what: string): number {
    const { address, used } = this.reserve(bytes, what);
    if (used) this.bytes.fill(0, address, address + bytes);
    return address;
  }

  /** As `allocate`, but a block that was `used` before is not zeroed: that is left to the caller, on whatever thread. */
  reserve(bytes: number, what: string): { readonly address: number; readonly used: boolean } {
    const block = this.#blocks.allocate(bytes);
    if (block === undefined)
      throw new BpfError(
        'BPF_MEMORY_LIMIT',
        `${what} needs ${bytes} bytes, the eBPF window of ${this.end - this.start} has ${this.bytesFree} left: ` +
          'make it smaller or configure a larger window',
      );
    return block;
  }

  /** Gives a block back. Only when no thread can run a program that refers to it. */
  free(address: number): void {
    if (!this.#blocks.free(address)) throw new RangeError(`no block at ${address}`);
  }

  /**
   * Growing an unshared memory detaches its buffer, and views of that become empty; growing a shared one leaves the views good.
   * (Asking `memory.buffer` each time would cost more than what is done with the view.)
   */
  #refresh(): void {
    if (this.#bytes.length !== 0) return;
    const buffer = this.memory.buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#words = new Int32Array(buffer);
    this.#longs = new BigInt64Array(buffer);
  }
}
