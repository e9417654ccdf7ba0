// One pass of a packet: from its key to its outcome's actions.

import {
  BATCH_PACKETS,
  COUNTER_BYTES,
  COUNTER_PACKETS,
  COUNTER_USED,
  FLOW_NODE,
  KEY_IN_PORT,
  KEY_RECIRC_ID,
  KEY_STRIDE,
  LENGTH_QUESTIONS,
  MAX_DEPTH,
  MAX_RESULTS,
  NO_QUEUE,
  NO_SLOT,
  NODE_QUESTION,
  NODE_TAGS,
  NODE_WAITING,
  OP_END,
  OUTCOME_ACTIONS,
  OUTCOME_ONLY_PORT,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_RECORD_BYTES,
  PORT_KIND,
  PORT_KIND_SINK,
  PORT_NUMBER,
  PORT_RECORD_BYTES,
  PORT_RX_BYTES,
  PORT_RX_PACKETS,
  PROGRAM_COUNT,
  PROGRAM_FUNCTION,
  PROGRAM_MATCHES,
  PROGRAM_RECORD_BYTES,
  PROGRAM_RUNS,
  QUESTION_MATCHED,
  QUESTION_PROGRAM,
  QUESTION_REFUSED,
  SCRATCH_NODES,
  SCRATCH_VERDICT,
  STAT_HITS,
  STAT_MISSES,
  STAT_TOO_DEEP,
  STAT_UNCACHED,
  STAT_UPCALL_FULL,
} from '../layout.ts';
import { run } from './actions.ts';
import { release, releaseOnly } from './buffers.ts';
import { putBe32 } from './bytes.ts';
import {
  adoptGeneration,
  changes,
  clear,
  installs,
  lookup,
  noteInstall,
  obtain,
  pack,
  packCommon,
  touch,
  withPath, isFar, isPortOnly } from './cache.ts';
import { extract } from './extract.ts';
import { ask, translate } from './host.ts';
import { countersOf, countSent, output } from './output.ts';
import {
  answersAtOnce,
  batch,
  buffer,
  count,
  hashes,
  keys,
  length,
  now,
  ownCounters,
  packedKeys,
  packet,
  ports,
  programs,
  results,
  scratch,
  take,
} from './state.ts';
import { wait } from './waiting.ts';

/** Passes that are under way. */
export let depth: u32 = 0;
/** Answers of programs that the packet at hand has had. */
let resultCount: u32 = 0;

/** The slot of the port that what is handled has come in by. */
let inSlot: u32 = NO_SLOT;

export function enter(slot: u32, passes: u32): void {
  inSlot = slot;
  depth = passes;
}

export function setDepth(value: u32): void {
  depth = value;
}

/** Handles the packets of the batch, which have come in by a port; `startDepth` passes are under way around it. */
export function receive(slot: u32, packets: u32, startDepth: u32): void {
  const inPort = load<u32>(ports + slot * PORT_RECORD_BYTES, PORT_NUMBER);
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < packets; i++) bytes += load<u32>(batch + i * PACKET_RECORD_BYTES, PACKET_LENGTH);
  const counters = countersOf(slot);
  store<u64>(counters, load<u64>(counters, PORT_RX_PACKETS) + packets, PORT_RX_PACKETS);
  store<u64>(counters, load<u64>(counters, PORT_RX_BYTES) + bytes, PORT_RX_BYTES);
  if (startDepth >= <u32>MAX_DEPTH) {
    count(STAT_TOO_DEEP, packets);
    for (let i: u32 = 0; i < packets; i++) release(load<u32>(batch + i * PACKET_RECORD_BYTES, PACKET_BUFFER));
    return;
  }
  enter(slot, startDepth + 1);
  classify(inPort, 0, packets);
  let seen = changes;
  let seenInstalls = installs;
  let hits: u64 = 0;
  // Packets of one outcome in a row are counted together.
  let lastOutcome: usize = 0;
  let isSunk: bool = false;
  let outcomePackets: u64 = 0;
  let outcomeBytes: u64 = 0;
  const nodes = scratch + SCRATCH_NODES;
  for (let i: u32 = 0; i < packets; i++) {
    if (changes !== seen) {
      classify(inPort, i, packets);
      seen = changes;
      seenInstalls = installs;
    }
    const record = batch + i * PACKET_RECORD_BYTES;
    const ofBuffer = load<u32>(record, PACKET_BUFFER);
    const at: usize = load<u32>(record, PACKET_ADDRESS);
    const size = load<u32>(record, PACKET_LENGTH);
    let node = load<u32>(nodes + (i << 2));
    if ((node & NODE_TAGS) !== 0 || node === 0) {
      if (lastOutcome !== 0) creditAll(lastOutcome, isSunk, outcomePackets, outcomeBytes);
      lastOutcome = 0;
      // A packet before it may have been the first of its flow.
      if (installs !== seenInstalls) node = lookup(packedKeys + i * KEY_STRIDE, load<u32>(hashes + (i << 2)));
      take(ofBuffer, at, size);
      node = resolve(i, node, inPort, 0);
      if (node === 0) continue;
    } else {
      hits++;
    }
    const outcome: usize = node;
    if (outcome !== lastOutcome) {
      if (lastOutcome !== 0) creditAll(lastOutcome, isSunk, outcomePackets, outcomeBytes);
      lastOutcome = outcome;
      isSunk = endsHere(outcome);
      outcomePackets = 0;
      outcomeBytes = 0;
    }
    outcomePackets++;
    outcomeBytes += size;
    if (isSunk) {
      releaseOnly(ofBuffer);
      continue;
    }
    const only = load<u32>(outcome, OUTCOME_ONLY_PORT);
    if (only !== NO_SLOT) {
      output(only, ofBuffer, at, size, NO_QUEUE, depth);
    } else {
      const actions: usize = load<u32>(outcome, OUTCOME_ACTIONS);
      // What follows may have tables changed, and with them what outcomes there are.
      credit(lastOutcome, outcomePackets, outcomeBytes);
      lastOutcome = 0;
      take(ofBuffer, at, size);
      run(actions, inPort);
    }
  }
  if (lastOutcome !== 0) creditAll(lastOutcome, isSunk, outcomePackets, outcomeBytes);
  count(STAT_HITS, hits);
  depth = startDepth;
}

/** Are packets of the outcome only counted, by it and the port that it sends to? */
function endsHere(outcome: usize): bool {
  const only = load<u32>(outcome, OUTCOME_ONLY_PORT);
  if (only === NO_SLOT) return load<u32>(load<u32>(outcome, OUTCOME_ACTIONS)) === OP_END;
  return load<u32>(ports + only * PORT_RECORD_BYTES, PORT_KIND) === PORT_KIND_SINK;
}

function creditAll(outcome: usize, isSunk: bool, packets: u64, bytes: u64): void {
  credit(outcome, packets, bytes);
  const only = load<u32>(outcome, OUTCOME_ONLY_PORT);
  if (isSunk && only !== NO_SLOT) countSent(only, packets, bytes);
}

function credit(outcome: usize, packets: u64, bytes: u64): void {
  const counters = outcome + ownCounters;
  store<u64>(counters, load<u64>(counters, COUNTER_PACKETS) + packets, COUNTER_PACKETS);
  store<u64>(counters, load<u64>(counters, COUNTER_BYTES) + bytes, COUNTER_BYTES);
  // A packet that has waited comes after younger ones of other flows.
  if (now > load<u64>(counters, COUNTER_USED)) store<u64>(counters, now, COUNTER_USED);
}

/** What the stores of touched slots add up to, so that they are not left out. */
export let touched: u32 = 0;

/** Finds the nodes of the batch's packets: keys first, then their places in the cache, so that waits for memory overlap. */
function classify(inPort: u32, first: u32, packets: u32): void {
  const port = <u64>bswap<u32>(inPort);
  const nodes = scratch + SCRATCH_NODES;
  if (isPortOnly) {
    const node = portNode(inPort, first);
    if (node !== 0) {
      for (let i = first; i < packets; i++) store<u32>(nodes + (i << 2), node);
      return;
    }
  }
  for (let i = first; i < packets; i++) {
    const record = batch + i * PACKET_RECORD_BYTES;
    const at: usize = load<u32>(record, PACKET_ADDRESS);
    const bytes = load<u32>(record, PACKET_LENGTH);
    const hash = hashes + (i << 2);
    if (!packCommon(at, bytes, port, packedKeys + i * KEY_STRIDE, hash)) {
      const key = keys + i * KEY_STRIDE;
      putBe32(key + KEY_IN_PORT, inPort);
      extract(at, bytes, key);
      store<u32>(hash, pack(i));
    }
  }
  if (isFar()) for (let i = first; i < packets; i++) touched += touch(load<u32>(hashes + (i << 2)));
  for (let i = first; i < packets; i++)
    store<u32>(nodes + (i << 2), lookup(packedKeys + i * KEY_STRIDE, load<u32>(hashes + (i << 2))));
}

/** The node of everything that comes in by a port, where nothing else decides; 0 when it is none that all can go by. */
function portNode(inPort: u32, set: u32): u32 {
  const key = keys + set * KEY_STRIDE;
  putBe32(key + KEY_IN_PORT, inPort);
  const node = lookup(packedKeys + set * KEY_STRIDE, pack(set));
  return (node & NODE_TAGS) === 0 ? node : 0;
}

/** Another pass for the packet that is worked on; uses up one holder of its buffer. */
export function pass(inPort: u32, recircId: u32): void {
  if (depth >= <u32>MAX_DEPTH) {
    count(STAT_TOO_DEEP, 1);
    release(buffer);
    return;
  }
  const set = BATCH_PACKETS + depth;
  depth++;
  const key = keys + set * KEY_STRIDE;
  putBe32(key + KEY_IN_PORT, inPort);
  putBe32(key + KEY_RECIRC_ID, recircId);
  extract(packet, length, key);
  const hash = pack(set);
  store<u32>(hashes + (set << 2), hash);
  const outcome = resolve(set, lookup(packedKeys + set * KEY_STRIDE, hash), inPort, recircId);
  if (outcome !== 0) carryOut(outcome, inPort);
  depth--;
}

/** Counts the packet that is worked on for an outcome, and does what that says. */
export function carryOut(outcome: usize, inPort: u32): void {
  credit(outcome, 1, length);
  run(load<u32>(outcome, OUTCOME_ACTIONS), inPort);
}

/** The outcome of the packet that is worked on, whose flow has `root`; 0 when the packet waits, or is gone, since there is none. */
export function resolve(set: u32, root: u32, inPort: u32, recircId: u32): u32 {
  resultCount = 0;
  const node = follow(set, root);
  if (node !== 0 && (node & NODE_WAITING) === 0) {
    count(STAT_HITS, 1);
    return node;
  }
  if (answersAtOnce) {
    count(STAT_MISSES, 1);
    return translateNow(set, inPort, recircId);
  }
  wait(set, load<u32>(hashes + (set << 2)), root, inSlot, inPort, recircId, resultCount);
  return 0;
}

/** Asks the questions of a flow until there is an outcome; 0 where no packet has gone before. The answers are kept. */
function follow(set: u32, root: u32): u32 {
  let node = root;
  while ((node & NODE_TAGS) === NODE_QUESTION) {
    const question: usize = node & ~NODE_TAGS;
    const program = load<u32>(question, QUESTION_PROGRAM);
    const matched = answer(program);
    if (resultCount < <u32>MAX_RESULTS) store<u32>(results + set * 256 + (resultCount << 2), (program << 1) | matched);
    resultCount++;
    node = load<u32>(question + (matched ? QUESTION_MATCHED : QUESTION_REFUSED));
  }
  return node;
}

function answer(program: u32): u32 {
  if (program >= <u32>PROGRAM_COUNT) return length > program - LENGTH_QUESTIONS ? 1 : 0;
  const record = programs + program * PROGRAM_RECORD_BYTES;
  const place = load<u32>(record, PROGRAM_FUNCTION);
  if (place === 0) return ask(program, packet, length);
  const matched: u32 = call_indirect<i64>(place, <u32>packet, length) === 1 ? 1 : 0;
  store<u64>(record, load<u64>(record, PROGRAM_RUNS) + 1, PROGRAM_RUNS);
  store<u64>(record, load<u64>(record, PROGRAM_MATCHES) + matched, PROGRAM_MATCHES);
  return matched;
}

/** Has the packet translated by a call, and caches what it says. */
function translateNow(set: u32, inPort: u32, recircId: u32): u32 {
  // A common packet's key has been packed without being written out.
  putBe32(keys + set * KEY_STRIDE + KEY_IN_PORT, inPort);
  extract(packet, length, keys + set * KEY_STRIDE);
  const savedBuffer = buffer;
  const savedPacket = packet;
  const savedLength = length;
  const savedDepth = depth;
  const outcome = translate(set, packet, length, inPort, recircId, resultCount);
  depth = savedDepth;
  take(savedBuffer, savedPacket, savedLength);
  // What was asked may have changed the tables: what it says holds for the verdicts that follow.
  adoptGeneration();
  if (outcome === 0) {
    count(STAT_UPCALL_FULL, 1);
    release(buffer);
    return 0;
  }
  install(set, pack(set), scratch + SCRATCH_VERDICT, outcome);
  return outcome;
}

/** Caches the way to an outcome: `verdict` is u32 results, then the results. */
export function install(set: u32, hash: u32, verdict: usize, outcome: u32): void {
  const found = load<u32>(verdict);
  if (found > <u32>MAX_RESULTS) {
    count(STAT_UNCACHED, 1);
    return;
  }
  const packed = packedKeys + set * KEY_STRIDE;
  for (let attempt = 0; attempt < 2; attempt++) {
    const slot = obtain(packed, hash);
    const node = withPath(load<u32>(slot, FLOW_NODE), verdict + 4, found, outcome);
    if (node !== 0) {
      store<u32>(slot, node, FLOW_NODE);
      noteInstall();
      return;
    }
    // No more room for questions: all flows are given up, and with them theirs.
    clear();
  }
  count(STAT_UNCACHED, 1);
}
