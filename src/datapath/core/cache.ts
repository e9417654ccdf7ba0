// The flow cache: exact match on the words of the key that the union has, open addressing, at most FLOW_WAYS places for a key.

import {
  FLOW_GENERATION,
  FLOW_HASH,
  FLOW_KEY,
  FLOW_MIN_SLOTS,
  FLOW_NODE,
  FLOW_USED,
  FLOW_WAYS,
  KEY_STRIDE,
  NODE_QUESTION,
  NODE_TAGS,
  QUESTION_BYTES,
  QUESTION_MATCHED,
  QUESTION_PROGRAM,
  QUESTION_REFUSED,
  SHARED_GENERATION,
  SHARED_UNION,
  STAT_EVICTIONS,
  STAT_FLOWS,
  THREAD_SLOTS,
  THREAD_STAMP,
  THREAD_STRIDE,
  THREAD_TABLE,
  UNION_COUNT,
  UNION_WORD_BYTES,
  UNION_WORD_FACTOR,
  UNION_WORD_MASK,
  UNION_WORDS,
} from '../layout.ts';
import {
  cacheArea,
  cacheAreaBytes,
  cacheFlows,
  count,
  keys,
  nowUnits,
  ownWords,
  packedKeys,
  questionCount,
  questions,
  shared,
  stats,
} from './state.ts';

/** The generation and the union that this thread handles packets by. */
export let generation: u32 = 0;
export let unionWords: u32 = 0;
let union: usize = 0;
/** Flows that the thread itself made void, as its generation's upper bits, when it ran out of questions. */
let table: usize = 0;
let stride: usize = 0;
let slots: u32 = 0;
let flows: u32 = 0;
let questionsUsed: u32 = 0;
let isUpperHalf: bool = false;
/** Counts up when nodes that were looked up before are void. */
export let changes: u32 = 0;

/** Counts up when flows have got other nodes. */
export let installs: u32 = 0;

export function noteInstall(): void {
  installs++;
}

/** What a slot of this thread's flows holds as its generation: changes also when the thread gives its own flows up. */
let stamp: u32 = 0;

export function currentStamp(): u32 {
  return stamp;
}

/** Lets others find the flows. */
function publish(): void {
  store<u32>(ownWords, <u32>table, THREAD_TABLE);
  store<u32>(ownWords, slots, THREAD_SLOTS);
  store<u32>(ownWords, <u32>stride, THREAD_STRIDE);
  store<u32>(ownWords, stamp, THREAD_STAMP);
}

// The union of the first words, which have fixed places.
let mask0: u64 = 0;
let mask1: u64 = 0;
let mask2: u64 = 0;
let mask3: u64 = 0;
let mask4: u64 = 0;
let mask5: u64 = 0;
let factor0: u64 = 0;
let factor1: u64 = 0;
let factor2: u64 = 0;
let factor3: u64 = 0;
let factor4: u64 = 0;
let factor5: u64 = 0;

function maskOf(word: u32): u64 {
  return word < unionWords ? load<u64>(union + UNION_WORDS + word * UNION_WORD_BYTES, UNION_WORD_MASK) : 0;
}

function factorOf(word: u32): u64 {
  return word < unionWords ? load<u64>(union + UNION_WORDS + word * UNION_WORD_BYTES, UNION_WORD_FACTOR) : 0;
}

/** Nothing but the port decides. */
export let isPortOnly: bool = false;

const IPV4: u32 = 0x0008;

/**
 * Packs the key of a whole, untagged TCP or UDP packet over IPv4 without options, straight from its bytes, and stores its hash: all
 * words after the first six are zero then. False for any other packet, which has to take the long way.
 */
// @ts-ignore: a decorator of the core's compiler
@inline
export function packCommon(at: usize, bytes: u32, port: u64, packed: usize, hash: usize): bool {
  if (bytes < 42 || <u32>load<u16>(at, 12) !== IPV4 || load<u8>(at, 14) !== 0x45) return false;
  const total = <u32>bswap<u16>(load<u16>(at, 16));
  // A fragment has bits here, but for "don't".
  if (total > bytes - 14 || (load<u16>(at, 20) & 0xff3f) !== 0) return false;
  const protocol: u64 = load<u8>(at, 23);
  let flags: u64 = 0;
  if (protocol === 6) {
    const dataOffset = <u32>load<u8>(at, 46) >>> 4;
    if (total < 40 || dataOffset < 5 || dataOffset * 4 > total - 20) return false;
    flags = load<u16>(at, 46) & 0xff0f;
  } else if (protocol !== 17 || total < 28) {
    return false;
  }
  const word0 = port & mask0;
  const word1 = load<u64>(at) & mask1;
  const word2 = load<u64>(at, 8) & 0xffffffffffff & mask2;
  const word3 = ((protocol << 48) | ((<u64>load<u8>(at, 15)) << 56)) & mask3;
  const word4 = (<u64>load<u8>(at, 22) | (flags << 16) | ((<u64>load<u32>(at, 26)) << 32)) & mask4;
  const word5 = load<u64>(at, 30) & mask5;
  store<u64>(packed, word0);
  store<u64>(packed, word1, 8);
  store<u64>(packed, word2, 16);
  store<u64>(packed, word3, 24);
  store<u64>(packed, word4, 32);
  store<u64>(packed, word5, 40);
  for (let i: u32 = 6; i < unionWords; i++) store<u64>(packed + (i << 3), 0);
  store<u32>(
    hash,
    finish(
      word0 * factor0 + word1 * factor1 + (word2 * factor2 + word3 * factor3) + (word4 * factor4 + word5 * factor5),
    ),
  );
  return true;
}

/** Takes over the verdicts that hold now; true when they are others than before. */
export function adoptGeneration(): bool {
  const wanted = atomic.load<u32>(shared + SHARED_GENERATION);
  if (wanted === generation) return false;
  generation = wanted;
  union = load<u32>(shared, SHARED_UNION);
  unionWords = load<u32>(union, UNION_COUNT);
  const bytes: usize = FLOW_KEY + 8 * unionWords;
  const wantedStride: usize = bytes <= 16 ? 16 : bytes <= 32 ? 32 : (bytes + 63) & ~63;
  mask0 = maskOf(0);
  mask1 = maskOf(1);
  mask2 = maskOf(2);
  mask3 = maskOf(3);
  mask4 = maskOf(4);
  mask5 = maskOf(5);
  factor0 = factorOf(0);
  factor1 = factorOf(1);
  factor2 = factorOf(2);
  factor3 = factorOf(3);
  factor4 = factorOf(4);
  factor5 = factorOf(5);
  isPortOnly = (mask1 | mask2 | mask3 | mask4 | mask5) === 0 && unionWords === 6;
  if (wantedStride !== stride) {
    stride = wantedStride;
    slots = 0;
  }
  clear();
  return true;
}

/** Forgets every flow. */
export function clear(): void {
  stamp++;
  flows = 0;
  questionsUsed = 0;
  changes++;
  store<u64>(stats + STAT_FLOWS, 0);
  // A table that has never been used may hold anything; stamps are never used twice, but for the turn of their count.
  if (slots === 0 || stamp === 0) start();
  publish();
}

function start(): void {
  stamp = stamp === 0 ? 1 : stamp;
  slots = FLOW_MIN_SLOTS;
  table = cacheArea;
  isUpperHalf = false;
  memory.fill(table, 0, (<usize>slots + FLOW_WAYS) * stride);
}

/** Packs the key of a scratch set under the union and returns its hash. */
export function pack(set: u32): u32 {
  const key = keys + set * KEY_STRIDE;
  const to = packedKeys + set * KEY_STRIDE;
  let sum: u64 = 0;
  let word = union + UNION_WORDS;
  for (let i: u32 = 0; i < unionWords; i++) {
    const value = load<u64>(key + load<u32>(word)) & load<u64>(word, UNION_WORD_MASK);
    store<u64>(to + (i << 3), value);
    sum += value * load<u64>(word, UNION_WORD_FACTOR);
    word += UNION_WORD_BYTES;
  }
  return finish(sum);
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function finish(sum: u64): u32 {
  sum ^= sum >>> 32;
  sum *= ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
  return <u32>(sum >>> 32);
}

// @ts-ignore: a decorator of the core's compiler
@inline
function isKey(slot: usize, packed: usize): bool {
  const differs = v128.or(
    v128.or(
      v128.xor(v128.load(slot, FLOW_KEY), v128.load(packed)),
      v128.xor(v128.load(slot, FLOW_KEY + 16), v128.load(packed, 16)),
    ),
    v128.xor(v128.load(slot, FLOW_KEY + 32), v128.load(packed, 32)),
  );
  if (v128.any_true(differs)) return false;
  const bytes = (<usize>unionWords) << 3;
  for (let i: usize = 48; i < bytes; i += 8) if (load<u64>(slot + i, FLOW_KEY) !== load<u64>(packed + i)) return false;
  return true;
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function home(hash: u32): usize {
  return table + <usize>(hash & (slots - 1)) * stride;
}

/** The slot of a key, 0 when it is not there. */
// @ts-ignore: a decorator of the core's compiler
@inline
export function find(packed: usize, hash: u32): usize {
  let slot = home(hash);
  for (let way = 0; way < FLOW_WAYS; way++) {
    if (load<u32>(slot, FLOW_HASH) === hash && load<u32>(slot, FLOW_GENERATION) === stamp && isKey(slot, packed))
      return slot;
    slot += stride;
  }
  return 0;
}

/** Begins to bring the slot of a key nearer. */
// @ts-ignore: a decorator of the core's compiler
@inline
export function touch(hash: u32): u32 {
  return load<u32>(home(hash), FLOW_HASH);
}

/** Is the table so large that its slots are not all at hand? */
export function isFar(): bool {
  return <usize>slots * stride > 1 << 18;
}

/** What is known of a key, its last use noted; 0 when nothing is. */
export function lookup(packed: usize, hash: u32): u32 {
  const slot = find(packed, hash);
  if (slot === 0) return 0;
  if (load<u32>(slot, FLOW_USED) !== nowUnits) store<u32>(slot, nowUnits, FLOW_USED);
  return load<u32>(slot, FLOW_NODE);
}

/** The slot of a key, made if need be with no node; the flow that has not been used longest makes room. */
export function obtain(packed: usize, hash: u32): usize {
  const known = find(packed, hash);
  if (known !== 0) return known;
  if (flows >= slots >>> 1) grow();
  let slot = freeSlot(hash);
  if (slot === 0 && grow()) slot = freeSlot(hash);
  if (slot === 0) slot = evict(hash);
  else flows++;
  store<u32>(slot, stamp, FLOW_GENERATION);
  store<u32>(slot, 0, FLOW_NODE);
  store<u32>(slot, nowUnits, FLOW_USED);
  store<u32>(slot, hash, FLOW_HASH);
  memory.copy(slot + FLOW_KEY, packed, (<usize>unionWords) << 3);
  store<u64>(stats + STAT_FLOWS, flows);
  return slot;
}

function freeSlot(hash: u32): usize {
  let slot = home(hash);
  for (let way = 0; way < FLOW_WAYS; way++) {
    if (load<u32>(slot, FLOW_GENERATION) !== stamp) return slot;
    slot += stride;
  }
  return 0;
}

function evict(hash: u32): usize {
  count(STAT_EVICTIONS, 1);
  let slot = home(hash);
  let oldest = slot;
  for (let way = 1; way < FLOW_WAYS; way++) {
    slot += stride;
    if (nowUnits - load<u32>(slot, FLOW_USED) > nowUnits - load<u32>(oldest, FLOW_USED)) oldest = slot;
  }
  return oldest;
}

/** Doubles the table, in the other half of the area; false when that is not to be. */
function grow(): bool {
  if (slots >>> 1 >= cacheFlows) return false;
  const newSlots = slots << 1;
  const bytes = (<u64>newSlots + FLOW_WAYS) * stride;
  if (bytes > cacheAreaBytes) return false;
  const old = table;
  const oldEnd = old + (<usize>slots + FLOW_WAYS) * stride;
  isUpperHalf = !isUpperHalf;
  table = isUpperHalf ? cacheArea + <usize>cacheAreaBytes : cacheArea;
  slots = newSlots;
  memory.fill(table, 0, <usize>bytes);
  flows = 0;
  for (let slot = old; slot < oldEnd; slot += stride) {
    if (load<u32>(slot, FLOW_GENERATION) !== stamp) continue;
    const to = freeSlot(load<u32>(slot, FLOW_HASH));
    if (to === 0) {
      count(STAT_EVICTIONS, 1);
      continue;
    }
    memory.copy(to, slot, stride);
    flows++;
  }
  publish();
  return true;
}

// ---- Questions

/** The tree with one more way in it: `results` (program × 2 + matched) in the order they were asked, ending in `outcome`. 0: no room. */
export function withPath(root: u32, results: usize, resultCount: u32, outcome: u32): u32 {
  if (resultCount === 0) return outcome;
  const result = load<u32>(results);
  let question: usize = 0;
  if ((root & NODE_TAGS) === NODE_QUESTION && load<u32>(root & ~NODE_TAGS, QUESTION_PROGRAM) === result >>> 1) {
    question = root & ~NODE_TAGS;
  } else {
    if (questionsUsed >= questionCount) return 0;
    question = questions + questionsUsed * QUESTION_BYTES;
    questionsUsed++;
    store<u32>(question, result >>> 1, QUESTION_PROGRAM);
    store<u64>(question, 0, QUESTION_MATCHED);
  }
  const place = question + (result & 1 ? QUESTION_MATCHED : QUESTION_REFUSED);
  const inner = withPath(load<u32>(place), results + 4, resultCount - 1, outcome);
  if (inner === 0) return 0;
  store<u32>(place, inner);
  return <u32>question | NODE_QUESTION;
}
