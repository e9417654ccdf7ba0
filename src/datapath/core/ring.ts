// Messages to and from main: one ring each way, bytes written by one side and read by the other.

import {
  BUFFER_VIRTIO,
  MESSAGE_OUTPUT,
  MESSAGE_SKIP,
  MESSAGE_TO_MAIN,
  PACKET_MESSAGE_DATA,
  PACKET_MESSAGE_DEPTH,
  PACKET_MESSAGE_EXTRA,
  PACKET_MESSAGE_LENGTH,
  PACKET_MESSAGE_SUBJECT,
  PACKET_MESSAGE_TIME,
  PACKET_MESSAGE_VIRTIO,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  STAT_UPCALL_FULL,
} from '../layout.ts';
import { recordOf } from './buffers.ts';
import { count, downRing, downRingBytes, now, upRing, upRingBytes } from './state.ts';

/** A message of so many bytes, its head included, that is begun and not visible until `commit`; 0 when the ring has no room. */
export function begin(kind: u32, bytes: u32): usize {
  const whole = (bytes + 7) & ~7;
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
  return message;
}

/** Main may read the message begun last. */
export function commit(message: usize): void {
  atomic.store<u32>(upRing, load<u32>(upRing, RING_HEAD) + load<u32>(message), RING_HEAD);
}

function packetUp(kind: u32, subject: u32, buffer: u32, packet: usize, length: u32, extra: u32, depth: u32): bool {
  const message = begin(kind, PACKET_MESSAGE_DATA + length);
  if (message === 0) return false;
  store<u32>(message, subject, PACKET_MESSAGE_SUBJECT);
  store<u32>(message, length, PACKET_MESSAGE_LENGTH);
  store<u32>(message, depth, PACKET_MESSAGE_DEPTH);
  store<u32>(message, extra, PACKET_MESSAGE_EXTRA);
  store<u64>(message, now, PACKET_MESSAGE_TIME);
  memory.copy(message + PACKET_MESSAGE_VIRTIO, recordOf(buffer) + BUFFER_VIRTIO, 10);
  memory.copy(message + PACKET_MESSAGE_DATA, packet, length);
  commit(message);
  return true;
}

/** A packet for main. */
export function noteUp(note: u32, buffer: u32, packet: usize, length: u32, depth: u32): void {
  if (!packetUp(MESSAGE_TO_MAIN, note, buffer, packet, length, 0, depth)) count(STAT_UPCALL_FULL, 1);
}

/** A packet for a port that main has. */
export function sendUp(slot: u32, buffer: u32, packet: usize, length: u32, queue: u32, depth: u32): bool {
  return packetUp(MESSAGE_OUTPUT, slot, buffer, packet, length, queue, depth);
}

/** Bytes that main has written so far. */
export function writtenDown(): u32 {
  return atomic.load<u32>(downRing, RING_HEAD);
}

/** The next message from main before `head`, 0 when there is none. */
export function nextDown(head: u32): usize {
  let tail = load<u32>(downRing, RING_TAIL);
  if (tail === head) return 0;
  let message = downRing + RING_DATA + (tail & (downRingBytes - 1));
  if (load<u32>(message, 4) === MESSAGE_SKIP) {
    tail += load<u32>(message);
    atomic.store<u32>(downRing, tail, RING_TAIL);
    if (tail === head) return 0;
    message = downRing + RING_DATA + (tail & (downRingBytes - 1));
  }
  return message;
}

/** The message is done with. */
export function finishDown(message: usize): void {
  atomic.store<u32>(downRing, load<u32>(downRing, RING_TAIL) + load<u32>(message), RING_TAIL);
}
