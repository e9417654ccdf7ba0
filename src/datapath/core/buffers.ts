// Packet buffers of this thread: taken from and given back to lists of free ones, shared by counting holders, copied when one
// of several holders wants to write.

import {
  BUFFER_BASE,
  BUFFER_CAPACITY,
  BUFFER_HEAD,
  BUFFER_HOLDERS,
  BUFFER_RECORD_BYTES,
  BUFFER_VIRTIO,
  HEADROOM,
  NO_BUFFER,
  SMALL_BUFFER_BYTES,
  STACK_ITEMS,
  STAT_NO_BUFFER,
} from '../layout.ts';
import { buffer, buffers, count, largeStack, length, packet, smallStack, take } from './state.ts';

// @ts-ignore: a decorator of the core's compiler
@inline
export function recordOf(number: u32): usize {
  return buffers + <usize>number * BUFFER_RECORD_BYTES;
}

function pop(stack: usize): u32 {
  const free = load<u32>(stack);
  if (free === 0) return NO_BUFFER;
  store<u32>(stack, free - 1);
  return load<u32>(stack + ((free - 1) << 2), STACK_ITEMS);
}

/** A small buffer, NO_BUFFER when there is none. */
// @ts-ignore: a decorator of the core's compiler
@inline
export function takeSmall(): u32 {
  const free = load<u32>(smallStack);
  if (free === 0) return NO_BUFFER;
  store<u32>(smallStack, free - 1);
  return load<u32>(smallStack + ((free - 1) << 2), STACK_ITEMS);
}

/** A buffer with room for `bytes` behind the headroom, NO_BUFFER (counted) when there is none. */
export function allocate(bytes: u32): u32 {
  let found: u32 = NO_BUFFER;
  if (bytes <= <u32>(SMALL_BUFFER_BYTES - HEADROOM)) found = pop(smallStack);
  if (found === NO_BUFFER) found = pop(largeStack);
  if (found === NO_BUFFER || bytes > load<u32>(recordOf(found), BUFFER_CAPACITY) - HEADROOM) {
    if (found !== NO_BUFFER) giveBack(found);
    count(STAT_NO_BUFFER, 1);
    return NO_BUFFER;
  }
  return found;
}

function giveBack(number: u32): void {
  const stack = load<u32>(recordOf(number), BUFFER_CAPACITY) === SMALL_BUFFER_BYTES ? smallStack : largeStack;
  const free = load<u32>(stack);
  store<u32>(stack + (free << 2), number, STACK_ITEMS);
  store<u32>(stack, free + 1);
}

/** One holder fewer. */
export function release(number: u32): void {
  const record = recordOf(number);
  const holders = load<u32>(record, BUFFER_HOLDERS);
  if (holders > 1) {
    store<u32>(record, holders - 1, BUFFER_HOLDERS);
    return;
  }
  store<u64>(record, 0, BUFFER_VIRTIO);
  giveBack(number);
}

/** The same for a packet that has just come in, mostly the only holder of a small buffer. */
// @ts-ignore: a decorator of the core's compiler
@inline
export function releaseOnly(number: u32): void {
  const record = recordOf(number);
  if (
    load<u32>(record, BUFFER_HOLDERS) !== 1 ||
    load<u64>(record, BUFFER_VIRTIO) !== 0 ||
    load<u32>(record, BUFFER_CAPACITY) !== SMALL_BUFFER_BYTES
  ) {
    release(number);
    return;
  }
  const free = load<u32>(smallStack);
  store<u32>(smallStack + (free << 2), number, STACK_ITEMS);
  store<u32>(smallStack, free + 1);
}

export function hold(number: u32): void {
  const record = recordOf(number);
  store<u32>(record, load<u32>(record, BUFFER_HOLDERS) + 1, BUFFER_HOLDERS);
}

/** Before the packet that is worked on is written: makes it this holder's own. False when there is no buffer for that. */
export function own(): bool {
  const record = recordOf(buffer);
  if (load<u32>(record, BUFFER_HOLDERS) === 1) return true;
  const copy = allocate(length);
  if (copy === NO_BUFFER) return false;
  const copyRecord = recordOf(copy);
  const to = load<u32>(copyRecord, BUFFER_BASE) + HEADROOM;
  memory.copy(to, packet, length);
  store<u64>(copyRecord, load<u64>(record, BUFFER_VIRTIO), BUFFER_VIRTIO);
  store<u16>(copyRecord, load<u16>(record, BUFFER_VIRTIO + 8), BUFFER_VIRTIO + 8);
  release(buffer);
  take(copy, to, length);
  return true;
}

// Headers are short: a loop costs less than a call of the machine's own. Gaps have four bytes at least.

function moveDown(to: usize, from: usize, bytes: u32): void {
  let i: u32 = 0;
  for (; i + 4 <= bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
  for (; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

function moveUp(to: usize, from: usize, bytes: u32): void {
  let i = bytes;
  for (; i >= 4; i -= 4) store<u32>(to + i - 4, load<u32>(from + i - 4));
  for (; i > 0; i--) store<u8>(to + i - 1, load<u8>(from + i - 1));
}

/** Makes the packet, which is this holder's own, `bytes` longer by a gap at `at` bytes from its start. False when there is no room. */
export function openGap(at: u32, bytes: u32): bool {
  const record = recordOf(buffer);
  const base: usize = load<u32>(record, BUFFER_BASE);
  if (packet - base >= bytes + BUFFER_HEAD) {
    const to = packet - bytes;
    moveDown(to, packet, at);
    shiftChecksum(record, <i32>bytes, at);
    take(buffer, to, length + bytes);
    return true;
  }
  if (packet + length + bytes <= base + load<u32>(record, BUFFER_CAPACITY)) {
    memory.copy(packet + at + bytes, packet + at, length - at);
    shiftChecksum(record, <i32>bytes, at);
    take(buffer, packet, length + bytes);
    return true;
  }
  const larger = allocate(length + bytes);
  if (larger === NO_BUFFER) return false;
  const largerRecord = recordOf(larger);
  const to = load<u32>(largerRecord, BUFFER_BASE) + HEADROOM;
  memory.copy(to, packet, at);
  memory.copy(to + at + bytes, packet + at, length - at);
  store<u64>(largerRecord, load<u64>(record, BUFFER_VIRTIO), BUFFER_VIRTIO);
  store<u16>(largerRecord, load<u16>(record, BUFFER_VIRTIO + 8), BUFFER_VIRTIO + 8);
  shiftChecksum(largerRecord, <i32>bytes, at);
  release(buffer);
  take(larger, to, length + bytes);
  return true;
}

/** Takes `bytes` out of the packet, which is this holder's own, at `at` from its start. */
export function closeGap(at: u32, bytes: u32): void {
  moveUp(packet + bytes, packet, at);
  shiftChecksum(recordOf(buffer), -(<i32>bytes), at);
  take(buffer, packet + bytes, length - bytes);
}

/** The virtio header of an unfinished packet says where its checksum starts, counted from the start of the packet. */
function shiftChecksum(record: usize, bytes: i32, at: u32): void {
  if ((load<u8>(record, BUFFER_VIRTIO) & 1) === 0) return;
  const start = load<u16>(record, BUFFER_VIRTIO + 6);
  if (start >= at) store<u16>(record, <u16>(<i32>start + bytes), BUFFER_VIRTIO + 6);
  store<u16>(record, <u16>(<i32>load<u16>(record, BUFFER_VIRTIO + 2) + bytes), BUFFER_VIRTIO + 2);
}
