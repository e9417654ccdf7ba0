// Packets whose flow is not known wait here until main has answered. The first one of a flow goes up; those that come after it
// queue behind it, so that they leave in their order and main is asked once.

import {
  BATCH_PACKETS,
  BUFFER_ADDRESS,
  BUFFER_IN_PORT,
  BUFFER_LENGTH,
  BUFFER_NEXT,
  BUFFER_RECIRC,
  BUFFER_SLOT,
  BUFFER_TIME,
  FLOW_NODE,
  FLOW_USED_SHIFT,
  KEY_IN_PORT,
  KEY_PACKET_END,
  KEY_RECIRC_ID,
  KEY_STRIDE,
  MAX_RESULTS,
  MESSAGE_UPCALL,
  NO_BUFFER,
  NO_RECORD,
  NO_SLOT,
  NODE_WAITING,
  PORT_WAITING,
  STAT_MISSES,
  STAT_UNCACHED,
  STAT_UPCALL_FULL,
  UPCALL_ADDRESS,
  UPCALL_IN_PORT,
  UPCALL_KEY,
  UPCALL_LENGTH,
  UPCALL_RECIRC,
  UPCALL_RECORD,
  UPCALL_RESULT_COUNT,
  UPCALL_RESULTS,
  UPCALL_TIME,
  VERDICT_GENERATION,
  VERDICT_OUTCOME,
  VERDICT_RECORD,
  VERDICT_RESULT_COUNT,
  VERDICT_RESULTS,
  WAITING_HEAD,
  WAITING_NEXT,
  WAITING_NODE,
  WAITING_RECORD_BYTES,
  WAITING_STAMP,
  WAITING_TAIL,
} from '../layout.ts';
import { own, recordOf, release } from './buffers.ts';
import { putBe32 } from './bytes.ts';
import { clear, currentStamp, generation, lookup, noteInstall, obtain, pack, withPath } from './cache.ts';
import { extract } from './extract.ts';
import { countersOf } from './output.ts';
import { carryOut, enter, resolve, setDepth } from './pass.ts';
import { begin, commit } from './ring.ts';
import {
  buffer,
  count,
  hashes,
  keys,
  length,
  now,
  packedKeys,
  packet,
  portQuota,
  results,
  setTime,
  take,
  waiting,
  waitingCount,
} from './state.ts';

let firstFree: u32 = NO_RECORD;

export function prepareWaiting(): void {
  for (let i: u32 = 0; i < waitingCount; i++)
    store<u32>(recordAt(i), i + 1 === waitingCount ? <u32>NO_RECORD : i + 1, WAITING_NEXT);
  firstFree = waitingCount === 0 ? <u32>NO_RECORD : 0;
}

function recordAt(number: u32): usize {
  return waiting + number * WAITING_RECORD_BYTES;
}

function refuse(): void {
  count(STAT_UPCALL_FULL, 1);
  release(buffer);
}

/** Has the packet that is worked on wait for a verdict; uses up one holder of its buffer. `root` is what its flow has. */
export function wait(set: u32, hash: u32, root: u32, slot: u32, inPort: u32, recircId: u32, resultCount: u32): void {
  // What is noted with the buffer is about one packet.
  if (!own()) {
    release(buffer);
    return;
  }
  if (!mayWait(slot)) {
    refuse();
    return;
  }
  const noted = recordOf(buffer);
  store<u32>(noted, NO_BUFFER, BUFFER_NEXT);
  store<u32>(noted, <u32>packet, BUFFER_ADDRESS);
  store<u32>(noted, length, BUFFER_LENGTH);
  store<u32>(noted, inPort, BUFFER_IN_PORT);
  store<u32>(noted, recircId, BUFFER_RECIRC);
  store<u32>(noted, slot, BUFFER_SLOT);
  store<u64>(noted, now, BUFFER_TIME);
  if ((root & NODE_WAITING) !== 0) {
    const record = recordAt(root >>> 2);
    store<u32>(recordOf(load<u32>(record, WAITING_TAIL)), buffer, BUFFER_NEXT);
    store<u32>(record, buffer, WAITING_TAIL);
    noteWaiting(slot, 1);
    return;
  }
  count(STAT_MISSES, 1);
  const number = firstFree;
  if (number === NO_RECORD || !sendUp(number, set, inPort, recircId, resultCount)) {
    refuse();
    return;
  }
  const record = recordAt(number);
  firstFree = load<u32>(record, WAITING_NEXT);
  store<u32>(record, root, WAITING_NODE);
  store<u32>(record, buffer, WAITING_HEAD);
  store<u32>(record, buffer, WAITING_TAIL);
  store<u32>(record, currentStamp(), WAITING_STAMP);
  store<u32>(obtain(packedKeys + set * KEY_STRIDE, hash), (number << 2) | NODE_WAITING, FLOW_NODE);
  noteInstall();
  noteWaiting(slot, 1);
}

/** No port may have so many packets waiting that there is no room for those of others. */
function mayWait(slot: u32): bool {
  return slot === NO_SLOT || load<u32>(countersOf(slot), PORT_WAITING) < portQuota;
}

function noteWaiting(slot: u32, by: u32): void {
  if (slot === NO_SLOT) return;
  const counters = countersOf(slot);
  store<u32>(counters, load<u32>(counters, PORT_WAITING) + by, PORT_WAITING);
}

function sendUp(record: u32, set: u32, inPort: u32, recircId: u32, resultCount: u32): bool {
  const sent: u32 = resultCount < <u32>MAX_RESULTS ? resultCount : MAX_RESULTS;
  const message = begin(MESSAGE_UPCALL, UPCALL_RESULTS + 4 * sent);
  if (message === 0) return false;
  const key = keys + set * KEY_STRIDE;
  // A common packet's key has been packed without being written out.
  putBe32(key + KEY_IN_PORT, inPort);
  extract(packet, length, key);
  store<u32>(message, record, UPCALL_RECORD);
  store<u32>(message, <u32>packet, UPCALL_ADDRESS);
  store<u32>(message, length, UPCALL_LENGTH);
  store<u32>(message, inPort, UPCALL_IN_PORT);
  store<u32>(message, recircId, UPCALL_RECIRC);
  store<u32>(message, sent, UPCALL_RESULT_COUNT);
  store<u64>(message, now, UPCALL_TIME);
  memory.copy(message + UPCALL_KEY, key, KEY_PACKET_END);
  memory.copy(message + UPCALL_RESULTS, results + set * 256, 4 * sent);
  commit(message);
  return true;
}

/** Main has answered: the flow is cached, its first packet handled, and those behind it as they come. */
export function resume(verdict: usize): void {
  const number = load<u32>(verdict, VERDICT_RECORD);
  const record = recordAt(number);
  const root = load<u32>(record, WAITING_STAMP) === currentStamp() ? load<u32>(record, WAITING_NODE) : 0;
  let next = load<u32>(record, WAITING_HEAD);
  const set: u32 = BATCH_PACKETS;
  const inPort = load<u32>(recordOf(next), BUFFER_IN_PORT);
  let hash = takeWaiting(next, set);
  store<u32>(record, firstFree, WAITING_NEXT);
  firstFree = number;
  next = load<u32>(recordOf(buffer), BUFFER_NEXT);
  if (load<u32>(verdict, VERDICT_GENERATION) === generation)
    settle(set, hash, (number << 2) | NODE_WAITING, root, verdict);
  else forget(set, hash, (number << 2) | NODE_WAITING);
  carryOut(load<u32>(verdict, VERDICT_OUTCOME), inPort);
  while (next !== NO_BUFFER) {
    hash = takeWaiting(next, set);
    const noted = recordOf(next);
    next = load<u32>(noted, BUFFER_NEXT);
    const port = load<u32>(noted, BUFFER_IN_PORT);
    const outcome = resolve(set, lookup(packedKeys + set * KEY_STRIDE, hash), port, load<u32>(noted, BUFFER_RECIRC));
    if (outcome !== 0) carryOut(outcome, port);
  }
  setDepth(0);
}

/** Works on a packet that has waited, its key in `set`; returns the key's hash. */
function takeWaiting(number: u32, set: u32): u32 {
  const noted = recordOf(number);
  take(number, load<u32>(noted, BUFFER_ADDRESS), load<u32>(noted, BUFFER_LENGTH));
  const slot = load<u32>(noted, BUFFER_SLOT);
  noteWaiting(slot, -1);
  setTime(load<u64>(noted, BUFFER_TIME), FLOW_USED_SHIFT);
  enter(slot, 1);
  const key = keys + set * KEY_STRIDE;
  putBe32(key + KEY_IN_PORT, load<u32>(noted, BUFFER_IN_PORT));
  putBe32(key + KEY_RECIRC_ID, load<u32>(noted, BUFFER_RECIRC));
  extract(packet, length, key);
  const hash = pack(set);
  store<u32>(hashes + (set << 2), hash);
  return hash;
}

/** Puts the way to the outcome in place of the record that the flow has as its node. */
function settle(set: u32, hash: u32, mark: u32, root: u32, verdict: usize): void {
  const packed = packedKeys + set * KEY_STRIDE;
  const found = load<u32>(verdict, VERDICT_RESULT_COUNT);
  for (let attempt = 0; attempt < 2; attempt++) {
    const place = obtain(packed, hash);
    const node = load<u32>(place, FLOW_NODE);
    // Another record: the flow was given up meanwhile and asked for anew.
    if (node !== mark && (node & NODE_WAITING) !== 0) return;
    const before = node === mark ? root : node;
    noteInstall();
    if (found > <u32>MAX_RESULTS) {
      store<u32>(place, before, FLOW_NODE);
      break;
    }
    const after = withPath(before, verdict + VERDICT_RESULTS, found, load<u32>(verdict, VERDICT_OUTCOME));
    if (after !== 0) {
      store<u32>(place, after, FLOW_NODE);
      return;
    }
    // No more room for questions: all flows are given up, and with them theirs.
    root = 0;
    clear();
  }
  count(STAT_UNCACHED, 1);
}

/** The record is gone, and no flow may lead to it. */
function forget(set: u32, hash: u32, mark: u32): void {
  const packed = packedKeys + set * KEY_STRIDE;
  if (lookup(packed, hash) === mark) store<u32>(obtain(packed, hash), 0, FLOW_NODE);
}
