import { MAX_FORMAT_BYTES } from './helpers.ts';
import type { EbpfMemory } from './memory.ts';

/** Local calls nest this deep, the entry function included (RFC 9669 leaves it to the platform; Linux has 8 too). */
export const MAX_FRAMES = 8;
/** Bytes below r10 that belong to a function's frame. */
export const FRAME_BYTES = 512;

/**
 * What a thread needs to run programs, one block of the window:
 *
 *     0        8       12         16     20     24   32         48   64         4160
 *     | timeNs | index | dropped  | head | tail | … | singleRun | … | 8 frames | 64 print records …
 *
 * r10 of the entry function is block + stackTop; every local call moves it 512 bytes down.
 */
export const THREAD_BLOCK = {
  /** u64: what ubpf_time_get_ns returns; the runner refreshes it once a batch. */
  timeNs: 0,
  /** u32: number of the thread, which copy of per-thread values it owns */
  index: 8,
  /** u32: prints lost because the ring was full */
  printsDropped: 12,
  /** u32, counts up: records written; only this thread stores it (atomically, after the record) */
  printHead: 16,
  /** u32, counts up: records read; only the reader stores it */
  printTail: 20,
  /** u32 address, u32 length, u64 r0: where compiled code has the arguments and the result of a single run. */
  singleRun: 32,
  stack: 64,
  stackTop: 64 + MAX_FRAMES * FRAME_BYTES,
  prints: 64 + MAX_FRAMES * FRAME_BYTES,
  /** Records of the ring, a power of two; record n is at prints + (n mod 64) × 256. */
  printRecords: 64,
  printRecordBytes: 256,
} as const;

/** One call of ubpf_printf: r2 to r5, and the format's bytes up to its NUL (what follows is of no meaning). */
export const PRINT_RECORD = { args: 0, argCount: 4, format: 64, formatBytes: MAX_FORMAT_BYTES } as const;

const BLOCK_BYTES = THREAD_BLOCK.prints + THREAD_BLOCK.printRecords * THREAD_BLOCK.printRecordBytes;

export interface PrintRecord {
  readonly format: Uint8Array;
  readonly args: readonly bigint[];
}

export class EbpfThread {
  readonly memory: EbpfMemory;
  readonly address: number;
  readonly index: number;

  private constructor(memory: EbpfMemory, address: number) {
    this.memory = memory;
    this.address = address;
    this.index = memory.view.getUint32(address + THREAD_BLOCK.index, true);
  }

  static create(memory: EbpfMemory, index: number): EbpfThread {
    const address = memory.allocate(BLOCK_BYTES, `thread ${index}`);
    memory.view.setUint32(address + THREAD_BLOCK.index, index, true);
    return new EbpfThread(memory, address);
  }

  static attach(memory: EbpfMemory, address: number): EbpfThread {
    return new EbpfThread(memory, address);
  }

  /** r10 of the entry function. */
  get stackTop(): number {
    return this.address + THREAD_BLOCK.stackTop;
  }

  get timeNs(): bigint {
    return this.memory.view.getBigUint64(this.address + THREAD_BLOCK.timeNs, true);
  }

  set timeNs(value: bigint) {
    this.memory.view.setBigUint64(this.address + THREAD_BLOCK.timeNs, value, true);
  }

  get printsDropped(): number {
    return this.memory.view.getUint32(this.address + THREAD_BLOCK.printsDropped, true);
  }

  /** What ubpf_printf does: never waits; a full ring drops the record and counts it. `format` is an address. */
  print(format: number, args: readonly bigint[]): void {
    const { view, bytes, words } = this.memory;
    const head = Atomics.load(words, (this.address + THREAD_BLOCK.printHead) / 4);
    const tail = Atomics.load(words, (this.address + THREAD_BLOCK.printTail) / 4);
    if (((head - tail) | 0) >= THREAD_BLOCK.printRecords) {
      view.setUint32(this.address + THREAD_BLOCK.printsDropped, this.printsDropped + 1, true);
      return;
    }
    const record = this.#record(head);
    for (let i = 0; i < PRINT_RECORD.argCount; i++)
      view.setBigUint64(record + PRINT_RECORD.args + 8 * i, args[i] ?? 0n, true);
    bytes.copyWithin(record + PRINT_RECORD.format, format, format + PRINT_RECORD.formatBytes);
    Atomics.store(words, (this.address + THREAD_BLOCK.printHead) / 4, (head + 1) | 0);
  }

  /** Takes the records that programs printed, from any thread (one reader). */
  takePrints(): PrintRecord[] {
    const { view, bytes, words } = this.memory;
    const head = Atomics.load(words, (this.address + THREAD_BLOCK.printHead) / 4);
    let tail = Atomics.load(words, (this.address + THREAD_BLOCK.printTail) / 4);
    const records: PrintRecord[] = [];
    for (; tail !== head; tail = (tail + 1) | 0) {
      const record = this.#record(tail);
      const text = bytes.slice(record + PRINT_RECORD.format, record + PRINT_RECORD.format + PRINT_RECORD.formatBytes);
      const nul = text.indexOf(0);
      const args = Array.from({ length: PRINT_RECORD.argCount }, (_, i) =>
        view.getBigUint64(record + PRINT_RECORD.args + 8 * i, true),
      );
      records.push({ format: text.subarray(0, nul < 0 ? text.length : nul), args });
    }
    Atomics.store(words, (this.address + THREAD_BLOCK.printTail) / 4, tail);
    return records;
  }

  #record(number: number): number {
    return (
      this.address + THREAD_BLOCK.prints + (number & (THREAD_BLOCK.printRecords - 1)) * THREAD_BLOCK.printRecordBytes
    );
  }
}
