// The core of the fast path, as its thread's JavaScript calls it.

import {
  BUFFER_BASE,
  FLOW_USED_SHIFT,
  HEADROOM,
  NO_BUFFER,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_RECORD_BYTES,
} from '../layout.ts';
import { run } from './actions.ts';
import { allocate, recordOf, release } from './buffers.ts';
import { adoptGeneration } from './cache.ts';
import { acknowledge, attend } from './commands.ts';
import { extract } from './extract.ts';
import { countSent, countUnsent, flushAll, sent } from './output.ts';
import { receive, setDepth } from './pass.ts';
import { prepareRewrite } from './rewrite.ts';
import { play } from './source.ts';
import { batch, configure, ebpfThread, setTime, take } from './state.ts';
import { prepareWaiting } from './waiting.ts';

export { adoptGeneration, allocate, attend, countSent, countUnsent, extract, flushAll, play, receive, release, sent };

export function start(config: usize): void {
  configure(config);
  prepareRewrite();
  prepareWaiting();
  adoptGeneration();
  acknowledge();
}

/** The time of the packets that follow. */
export function setNow(ns: u64): void {
  setTime(ns, FLOW_USED_SHIFT);
  if (ebpfThread !== 0) store<u64>(ebpfThread, ns);
}

/** Puts a buffer with room for `bytes` into place `i` of the batch, and returns where the packet goes; 0 when there is none. */
export function prepare(i: u32, bytes: u32): usize {
  const buffer = allocate(bytes);
  if (buffer === NO_BUFFER) return 0;
  const at = load<u32>(recordOf(buffer), BUFFER_BASE) + HEADROOM;
  const record = batch + i * PACKET_RECORD_BYTES;
  store<u32>(record, buffer, PACKET_BUFFER);
  store<u32>(record, at, PACKET_ADDRESS);
  store<u32>(record, bytes, PACKET_LENGTH);
  return at;
}

/** Runs actions on the packet in place 0 of the batch. */
export function execute(actions: usize, inPort: u32, startDepth: u32): void {
  setDepth(startDepth);
  take(load<u32>(batch, PACKET_BUFFER), load<u32>(batch, PACKET_ADDRESS), load<u32>(batch, PACKET_LENGTH));
  run(actions, inPort);
}
