import {
  BATCH_PACKETS,
  CONFIG_BATCH,
  CONFIG_BUFFERS,
  CONFIG_BYTES,
  CONFIG_CACHE,
  CONFIG_CACHE_BYTES,
  CONFIG_CACHE_FLOWS,
  CONFIG_CALLS,
  CONFIG_DOWN_RING,
  CONFIG_DOWN_RING_BYTES,
  CONFIG_EBPF_THREAD,
  CONFIG_HASHES,
  CONFIG_KEYS,
  CONFIG_LARGE_STACK,
  CONFIG_PACKED,
  CONFIG_PORT_COUNTERS,
  CONFIG_PORT_QUOTA,
  CONFIG_PORTS,
  CONFIG_PROGRAMS,
  CONFIG_QUESTION_COUNT,
  CONFIG_QUESTIONS,
  CONFIG_RESULTS,
  CONFIG_SCRATCH,
  CONFIG_SHARED,
  CONFIG_SLOTS,
  CONFIG_SMALL_STACK,
  CONFIG_STATS,
  CONFIG_THREAD,
  CONFIG_TX,
  CONFIG_UP_RING,
  CONFIG_UP_RING_BYTES,
  CONFIG_WAITING,
  CONFIG_WAITING_COUNT,
  KEY_STRIDE,
  PACKET_RECORD_BYTES,
  PORT_COUNTER_BYTES,
  PROGRAM_COUNT,
  PROGRAM_RECORD_BYTES,
  QUESTION_BYTES,
  RING_DATA,
  SCRATCH_BYTES,
  SCRATCH_PASSES,
  STACK_ITEMS,
  STAT_BYTES,
  TX_LIST_BYTES,
  WAITING_RECORD_BYTES,
} from '../layout.ts';
import type { DatapathLimits, DatapathMemory } from './memory.ts';

const RESULT_BYTES = 256;
const LINE = 64;

/** Bytes that one thread needs for itself, with room for each part to begin on a line. */
export function threadBytes(limits: DatapathLimits): number {
  return (
    CONFIG_BYTES +
    SCRATCH_BYTES +
    STAT_BYTES +
    2 * STACK_ITEMS +
    4 * (limits.smallBuffers + limits.largeBuffers) +
    limits.ports * (PORT_COUNTER_BYTES + TX_LIST_BYTES) +
    SCRATCH_PASSES * (2 * KEY_STRIDE + 4 + RESULT_BYTES) +
    BATCH_PACKETS * PACKET_RECORD_BYTES +
    2 * limits.cacheBytes +
    PROGRAM_COUNT * PROGRAM_RECORD_BYTES +
    limits.questions * QUESTION_BYTES +
    limits.waitingFlows * WAITING_RECORD_BYTES +
    2 * (RING_DATA + limits.ringBytes) +
    24 * LINE
  );
}

/** Where one thread's own things lie. */
export class ThreadMemory {
  readonly index: number;
  /** What its core is started with. */
  readonly config: number;
  readonly stats: number;
  readonly portCounters: number;
  readonly keys: number;
  readonly results: number;
  readonly scratch: number;
  readonly batch: number;
  readonly txLists: number;
  readonly programs: number;
  readonly upRing: number;
  readonly downRing: number;

  /** @param answersAtOnce misses are translated by a call, on the same thread */
  constructor(memory: DatapathMemory, index: number, answersAtOnce: boolean, ebpfThread: number) {
    const { limits } = memory;
    const take = (bytes: number): number => memory.allocate(bytes);
    this.index = index;
    this.config = take(CONFIG_BYTES);
    this.stats = take(STAT_BYTES);
    this.scratch = take(SCRATCH_BYTES);
    this.portCounters = take(limits.ports * PORT_COUNTER_BYTES);
    this.txLists = take(limits.ports * TX_LIST_BYTES);
    this.keys = take(SCRATCH_PASSES * KEY_STRIDE);
    this.results = take(SCRATCH_PASSES * RESULT_BYTES);
    this.batch = take(BATCH_PACKETS * PACKET_RECORD_BYTES);
    this.programs = take(PROGRAM_COUNT * PROGRAM_RECORD_BYTES);
    this.upRing = take(RING_DATA + limits.ringBytes);
    this.downRing = take(RING_DATA + limits.ringBytes);
    const smallStack = take(STACK_ITEMS + 4 * limits.smallBuffers);
    const largeStack = take(STACK_ITEMS + 4 * limits.largeBuffers);
    const set = (offset: number, value: number): void => memory.setWord(this.config + offset, value);
    set(CONFIG_THREAD, index);
    set(CONFIG_SHARED, memory.shared);
    set(CONFIG_BUFFERS, memory.buffers);
    set(CONFIG_SMALL_STACK, smallStack);
    set(CONFIG_LARGE_STACK, largeStack);
    set(CONFIG_STATS, this.stats);
    set(CONFIG_PORTS, memory.ports);
    set(CONFIG_PORT_COUNTERS, this.portCounters);
    set(CONFIG_TX, this.txLists);
    set(CONFIG_PROGRAMS, this.programs);
    set(CONFIG_KEYS, this.keys);
    set(CONFIG_PACKED, take(SCRATCH_PASSES * KEY_STRIDE));
    set(CONFIG_BATCH, this.batch);
    set(CONFIG_HASHES, take(4 * SCRATCH_PASSES));
    set(CONFIG_RESULTS, this.results);
    set(CONFIG_CACHE, take(2 * limits.cacheBytes));
    set(CONFIG_CACHE_BYTES, limits.cacheBytes);
    set(CONFIG_CACHE_FLOWS, limits.flows);
    set(CONFIG_QUESTIONS, take(limits.questions * QUESTION_BYTES));
    set(CONFIG_QUESTION_COUNT, limits.questions);
    set(CONFIG_WAITING, take(limits.waitingFlows * WAITING_RECORD_BYTES));
    set(CONFIG_WAITING_COUNT, limits.waitingFlows);
    set(CONFIG_UP_RING, this.upRing);
    set(CONFIG_UP_RING_BYTES, limits.ringBytes);
    set(CONFIG_DOWN_RING, this.downRing);
    set(CONFIG_DOWN_RING_BYTES, limits.ringBytes);
    set(CONFIG_SCRATCH, this.scratch);
    set(CONFIG_PORT_QUOTA, limits.waitingPackets);
    set(CONFIG_EBPF_THREAD, ebpfThread);
    set(CONFIG_CALLS, answersAtOnce ? 1 : 0);
    set(CONFIG_SLOTS, limits.ports);
    fillStack(memory, smallStack, index * limits.smallBuffers, limits.smallBuffers);
    const firstLarge = memory.threads * limits.smallBuffers + index * limits.largeBuffers;
    fillStack(memory, largeStack, firstLarge, limits.largeBuffers);
  }
}

/** A list of free buffers: so many numbers from `first` on, the lowest to be taken first. */
function fillStack(memory: DatapathMemory, stack: number, first: number, count: number): void {
  memory.setWord(stack, count);
  for (let i = 0; i < count; i++) memory.setWord(stack + STACK_ITEMS + 4 * i, first + count - 1 - i);
}
