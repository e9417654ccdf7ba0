// Messages to and from main: one ring each way, bytes written by one side and read by the other.

import {
  MESSAGE_HEAD_BYTES,
  MESSAGE_OUTPUT,
  MESSAGE_SKIP,
  MESSAGE_TO_MAIN,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  STAT_UPCALL_FULL,
} from '../layout.ts';
import { count, now, upRing, upRingBytes } from './state.ts';

/** The place of a message of `bytes` bytes that is begun, until `commit`; 0 when the ring has no room. */
export function begin(kind: u32, bytes: u32): usize {
  const whole = (bytes + MESSAGE_HEAD_BYTES + 7) & ~7;
  let head = load<u32>(upRing, RING_HEAD);
  const tail = atomic.load<u32>(upRing, RING_TAIL);
  const at = head & (upRingBytes - 1);
  const toEnd = upRingBytes - at;
  const needed = whole <= toEnd ? whole : whole + toEnd;
  if (head - tail + needed > upRingBytes) return 0;
  if (whole > toEnd) {
    const skip = upRing + RING_DATA + at;
    store<u32>(skip, toEnd);
    store<u32>(skip, MESSAGE_SKIP, 4);
    head += toEnd;
    atomic.store<u32>(upRing, head, RING_HEAD);
  }
  const message = upRing + RING_DATA + (head & (upRingBytes - 1));
  store<u32>(message, whole);
  store<u32>(message, kind, 4);
  return message + MESSAGE_HEAD_BYTES;
}

/** Main may read the message begun last. */
export function commit(body: usize): void {
  const head = load<u32>(upRing, RING_HEAD);
  atomic.store<u32>(upRing, head + load<u32>(body - MESSAGE_HEAD_BYTES), RING_HEAD);
}

/** A packet for main. */
export function noteUp(note: u32, packet: usize, length: u32): void {
  const body = begin(MESSAGE_TO_MAIN, 16 + length);
  if (body === 0) {
    count(STAT_UPCALL_FULL, 1);
    return;
  }
  store<u32>(body, note);
  store<u32>(body, length, 4);
  store<u64>(body, now, 8);
  memory.copy(body + 16, packet, length);
  commit(body);
}

/** A packet for a port that main has. */
export function sendUp(slot: u32, packet: usize, length: u32, queue: u32): bool {
  const body = begin(MESSAGE_OUTPUT, 24 + length);
  if (body === 0) return false;
  store<u32>(body, slot);
  store<u32>(body, length, 4);
  store<u64>(body, now, 8);
  store<u32>(body, queue, 16);
  memory.copy(body + 24, packet, length);
  commit(body);
  return true;
}
