// What this thread's core knows: addresses it was told at the start, and the packet it works on.

import {
  CONFIG_BATCH,
  CONFIG_BUFFERS,
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
  OUTCOME_COUNTERS,
  OUTCOME_THREAD_BYTES,
  SHARED_THREAD_BYTES,
  SHARED_THREADS,
} from '../layout.ts';

export let thread: u32 = 0;
export let shared: usize = 0;
export let ownWords: usize = 0;
export let buffers: usize = 0;
export let smallStack: usize = 0;
export let largeStack: usize = 0;
export let stats: usize = 0;
export let ports: usize = 0;
export let portCounters: usize = 0;
export let txLists: usize = 0;
export let programs: usize = 0;
export let keys: usize = 0;
export let packedKeys: usize = 0;
export let batch: usize = 0;
export let hashes: usize = 0;
export let results: usize = 0;
export let cacheArea: usize = 0;
export let cacheAreaBytes: u32 = 0;
export let cacheFlows: u32 = 0;
export let questions: usize = 0;
export let questionCount: u32 = 0;
export let waiting: usize = 0;
export let waitingCount: u32 = 0;
export let upRing: usize = 0;
export let upRingBytes: u32 = 0;
export let downRing: usize = 0;
export let downRingBytes: u32 = 0;
export let scratch: usize = 0;
export let portQuota: u32 = 0;
export let ebpfThread: usize = 0;
export let answersAtOnce: bool = false;
export let slotCount: u32 = 0;
/** Offset of this thread's counters in an outcome. */
export let ownCounters: usize = 0;

export function configure(config: usize): void {
  thread = load<u32>(config, CONFIG_THREAD);
  shared = load<u32>(config, CONFIG_SHARED);
  ownWords = shared + SHARED_THREADS + thread * SHARED_THREAD_BYTES;
  buffers = load<u32>(config, CONFIG_BUFFERS);
  smallStack = load<u32>(config, CONFIG_SMALL_STACK);
  largeStack = load<u32>(config, CONFIG_LARGE_STACK);
  stats = load<u32>(config, CONFIG_STATS);
  ports = load<u32>(config, CONFIG_PORTS);
  portCounters = load<u32>(config, CONFIG_PORT_COUNTERS);
  txLists = load<u32>(config, CONFIG_TX);
  programs = load<u32>(config, CONFIG_PROGRAMS);
  keys = load<u32>(config, CONFIG_KEYS);
  packedKeys = load<u32>(config, CONFIG_PACKED);
  batch = load<u32>(config, CONFIG_BATCH);
  hashes = load<u32>(config, CONFIG_HASHES);
  results = load<u32>(config, CONFIG_RESULTS);
  cacheArea = load<u32>(config, CONFIG_CACHE);
  cacheAreaBytes = load<u32>(config, CONFIG_CACHE_BYTES);
  cacheFlows = load<u32>(config, CONFIG_CACHE_FLOWS);
  questions = load<u32>(config, CONFIG_QUESTIONS);
  questionCount = load<u32>(config, CONFIG_QUESTION_COUNT);
  waiting = load<u32>(config, CONFIG_WAITING);
  waitingCount = load<u32>(config, CONFIG_WAITING_COUNT);
  upRing = load<u32>(config, CONFIG_UP_RING);
  upRingBytes = load<u32>(config, CONFIG_UP_RING_BYTES);
  downRing = load<u32>(config, CONFIG_DOWN_RING);
  downRingBytes = load<u32>(config, CONFIG_DOWN_RING_BYTES);
  scratch = load<u32>(config, CONFIG_SCRATCH);
  portQuota = load<u32>(config, CONFIG_PORT_QUOTA);
  ebpfThread = load<u32>(config, CONFIG_EBPF_THREAD);
  answersAtOnce = load<u32>(config, CONFIG_CALLS) !== 0;
  slotCount = load<u32>(config, CONFIG_SLOTS);
  ownCounters = OUTCOME_COUNTERS + thread * OUTCOME_THREAD_BYTES;
}

/** Now, as packets of this round are stamped. */
export let now: u64 = 0;
export let nowUnits: u32 = 0;

export function setTime(ns: u64, shift: u32): void {
  now = ns;
  nowUnits = <u32>(ns >> shift);
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function count(counter: usize, by: u64): void {
  store<u64>(stats + counter, load<u64>(stats + counter) + by);
}

// ---- The packet that is worked on

export let buffer: u32 = 0;
export let packet: usize = 0;
export let length: u32 = 0;

// @ts-ignore: a decorator of the core's compiler
@inline
export function take(ofBuffer: u32, at: usize, bytes: u32): void {
  buffer = ofBuffer;
  packet = at;
  length = bytes;
}
