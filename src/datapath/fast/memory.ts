import { EbpfMemory } from '../../bpf/index.ts';
import { DatapathError } from '../errors.ts';
import {
  BUFFER_BASE,
  BUFFER_CAPACITY,
  BUFFER_HOLDERS,
  BUFFER_RECORD_BYTES,
  LARGE_BUFFER_BYTES,
  PORT_RECORD_BYTES,
  SHARED_GENERATION,
  SHARED_THREAD_BYTES,
  SHARED_THREADS,
  SHARED_UNION,
  SMALL_BUFFER_BYTES,
  UNION_BYTES,
  UNION_MAX_WORDS,
} from '../layout.ts';

import { unionWords, writeUnion } from './union.ts';

/** How much of everything there may be. What goes beyond is refused and counted. */
export interface DatapathLimits {
  /** log2 of the bytes that filter programs may reach: packet buffers, stacks, maps. */
  readonly windowBits: number;
  /** Packet buffers of 2 KiB, and of 64 KiB for what is longer, for each thread. */
  readonly smallBuffers: number;
  readonly largeBuffers: number;
  /** Ports at a time. */
  readonly ports: number;
  /** Flows that a thread caches, and bytes of memory for them. */
  readonly flows: number;
  readonly cacheBytes: number;
  /** Nodes of filter program chains that a thread caches. */
  readonly questions: number;
  /** Flows of a thread that may wait for a verdict at a time. */
  readonly waitingFlows: number;
  /** Packets of one port that may wait. */
  readonly waitingPackets: number;
  /** Bytes for outcomes and their actions. */
  readonly outcomeBytes: number;
  /** Bytes of each ring; a power of two. */
  readonly ringBytes: number;
}

export const DEFAULT_LIMITS: DatapathLimits = {
  windowBits: 28,
  smallBuffers: 4096,
  largeBuffers: 64,
  ports: 1024,
  flows: 1 << 20,
  cacheBytes: 1 << 27,
  questions: 1 << 20,
  waitingFlows: 2048,
  waitingPackets: 512,
  outcomeBytes: 1 << 25,
  ringBytes: 1 << 21,
};

const PAGE = 65536;
/** Programs never look below; see `EbpfMemory`. */
const FIRST_BYTE = 4096;
const LINE = 64;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** The one memory of a datapath: views of it, what all threads share in it, and bytes for what belongs to one thread. */
export class DatapathMemory {
  readonly limits: DatapathLimits;
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  readonly ebpf: EbpfMemory;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Index = address / 4. */
  readonly words: Int32Array;
  readonly buffers: number;
  readonly ports: number;
  readonly shared: number;
  /** The union of the verdicts that hold lies in one of these, that of the next ones in the other. */
  readonly unions: readonly [number, number];
  /** Outcomes of a generation lie in one of these. */
  readonly outcomes: readonly [number, number];
  #next: number;

  /** @throws DatapathError DATAPATH_NO_MEMORY */
  constructor(limits: DatapathLimits, threads: number, threadBytes: number) {
    this.limits = limits;
    this.threads = threads;
    const smallCount = threads * limits.smallBuffers;
    const largeCount = threads * limits.largeBuffers;
    const windowEnd = 2 ** limits.windowBits;
    const bytes =
      windowEnd +
      2 * PAGE +
      (smallCount + largeCount) * BUFFER_RECORD_BYTES +
      limits.ports * PORT_RECORD_BYTES +
      2 * limits.outcomeBytes +
      2 * UNION_BYTES +
      threads * (threadBytes + SHARED_THREAD_BYTES) +
      PAGE;
    const pages = Math.ceil(bytes / PAGE);
    const poolEnd = roundUp(FIRST_BYTE + smallCount * SMALL_BUFFER_BYTES + largeCount * LARGE_BUFFER_BYTES, LINE);
    if (pages > 65536 || poolEnd > windowEnd / 2)
      throw new DatapathError(
        'DATAPATH_NO_MEMORY',
        `the limits of the datapath come to ${Math.ceil(bytes / 2 ** 20)} MiB, ${Math.ceil(poolEnd / 2 ** 20)} of them packet buffers in a window of ${windowEnd / 2 ** 20}`,
      );
    this.memory = createMemory(pages);
    // The memory is never grown, so these views stay good.
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.ebpf = new EbpfMemory({ memory: this.memory, windowBits: limits.windowBits, start: poolEnd });
    this.#next = windowEnd + PAGE;
    this.shared = this.allocate(SHARED_THREADS + threads * SHARED_THREAD_BYTES);
    this.unions = [this.allocate(UNION_BYTES), this.allocate(UNION_BYTES)];
    this.buffers = this.allocate((smallCount + largeCount) * BUFFER_RECORD_BYTES);
    this.ports = this.allocate(limits.ports * PORT_RECORD_BYTES);
    this.outcomes = [this.allocate(limits.outcomeBytes), this.allocate(limits.outcomeBytes)];
    this.#layOutBuffers(smallCount, largeCount);
    writeUnion(this, this.unions[0], unionWords(new Uint8Array(8 * UNION_MAX_WORDS)));
    this.setWord(this.shared + SHARED_GENERATION, 1);
    this.setWord(this.shared + SHARED_UNION, this.unions[0]);
  }

  /** So many bytes on lines of their own, zero. */
  allocate(bytes: number): number {
    const address = this.#next;
    this.#next = roundUp(address + bytes, LINE);
    if (this.#next > this.bytes.length) throw new RangeError('the datapath allots more memory than it has counted');
    return address;
  }

  word(address: number): number {
    return this.words[address >> 2] >>> 0;
  }

  setWord(address: number, value: number): void {
    this.words[address >> 2] = value;
  }

  /** A counter, which stays exact up to 2^53. */
  counter(address: number): number {
    return (this.words[address >> 2] >>> 0) + 2 ** 32 * (this.words[(address >> 2) + 1] >>> 0);
  }

  #layOutBuffers(smallCount: number, largeCount: number): void {
    let base = FIRST_BYTE;
    for (let i = 0; i < smallCount + largeCount; i++) {
      const record = this.buffers + i * BUFFER_RECORD_BYTES;
      const capacity = i < smallCount ? SMALL_BUFFER_BYTES : LARGE_BUFFER_BYTES;
      this.setWord(record + BUFFER_BASE, base);
      this.setWord(record + BUFFER_CAPACITY, capacity);
      this.setWord(record + BUFFER_HOLDERS, 1);
      base += capacity;
    }
  }
}

function createMemory(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new DatapathError('DATAPATH_NO_MEMORY', `no memory of ${pages} pages to be had for the datapath`, { cause });
  }
}
