// Packets on their way out.

import {
  NO_SLOT,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_QUEUE,
  PACKET_RECORD_BYTES,
  PORT_COUNTER_BYTES,
  PORT_KIND,
  PORT_KIND_CALL,
  PORT_KIND_DRIVER,
  PORT_KIND_MAIN,
  PORT_KIND_SINK,
  PORT_RECORD_BYTES,
  PORT_THREAD,
  PORT_TX_BYTES,
  PORT_TX_DROPPED,
  PORT_TX_PACKETS,
  SCRATCH_DIRTY_PORTS,
  STAT_NO_PORT,
  STAT_PORT_FULL,
  TX_LIST_BYTES,
  TX_MAX,
  TX_RECORDS,
} from '../layout.ts';
import { release } from './buffers.ts';
import { flush, send } from './host.ts';
import { sendUp } from './ring.ts';
import { count, portCounters, ports, scratch, thread, txLists } from './state.ts';

/** Ports that have packets collected. */
let dirtyCount: u32 = 0;

export function countersOf(slot: u32): usize {
  return portCounters + slot * PORT_COUNTER_BYTES;
}

/** Sends a packet by a port; one holder of its buffer is used up. */
export function output(slot: u32, buffer: u32, packet: usize, length: u32, queue: u32, depth: u32): void {
  const kind = slot === NO_SLOT ? 0 : load<u32>(ports + slot * PORT_RECORD_BYTES, PORT_KIND);
  if (kind === PORT_KIND_SINK) {
    countSent(slot, 1, length);
    release(buffer);
  } else if (kind === PORT_KIND_DRIVER && load<u32>(ports + slot * PORT_RECORD_BYTES, PORT_THREAD) === thread) {
    collect(slot, buffer, packet, length, queue);
  } else if (kind === PORT_KIND_CALL) {
    send(slot, packet, length, queue, depth);
    release(buffer);
  } else if (kind === PORT_KIND_MAIN || kind === PORT_KIND_DRIVER) {
    if (!sendUp(slot, buffer, packet, length, queue, depth)) countUnsent(slot, 1);
    release(buffer);
  } else {
    count(STAT_NO_PORT, 1);
    release(buffer);
  }
}

function collect(slot: u32, buffer: u32, packet: usize, length: u32, queue: u32): void {
  const list = txLists + slot * TX_LIST_BYTES;
  const collected = load<u32>(list);
  if (collected === 0) {
    store<u32>(scratch + SCRATCH_DIRTY_PORTS + (dirtyCount << 2), slot);
    dirtyCount++;
  }
  const record = list + TX_RECORDS + collected * PACKET_RECORD_BYTES;
  store<u32>(record, buffer, PACKET_BUFFER);
  store<u32>(record, <u32>packet, PACKET_ADDRESS);
  store<u32>(record, length, PACKET_LENGTH);
  store<u32>(record, queue, PACKET_QUEUE);
  store<u32>(list, collected + 1);
  if (collected + 1 === TX_MAX) {
    flush(slot);
    // The port stays on the list of those to flush; that it is empty by then does no harm.
    dirtyCount = forget(slot);
  }
}

function forget(slot: u32): u32 {
  const dirty = scratch + SCRATCH_DIRTY_PORTS;
  for (let i: u32 = 0; i < dirtyCount; i++) {
    if (load<u32>(dirty + (i << 2)) !== slot) continue;
    store<u32>(dirty + (i << 2), load<u32>(dirty + ((dirtyCount - 1) << 2)));
    return dirtyCount - 1;
  }
  return dirtyCount;
}

/** Has everything sent that is collected. */
export function flushAll(): void {
  const dirty = scratch + SCRATCH_DIRTY_PORTS;
  for (let i: u32 = 0; i < dirtyCount; i++) flush(load<u32>(dirty + (i << 2)));
  dirtyCount = 0;
}

/** A driver has taken the first `sent` packets of its list; the others had no room. Empties the list. */
export function sent(slot: u32, sentPackets: u32): void {
  const list = txLists + slot * TX_LIST_BYTES;
  const collected = load<u32>(list);
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < collected; i++) {
    const record = list + TX_RECORDS + i * PACKET_RECORD_BYTES;
    if (i < sentPackets) bytes += load<u32>(record, PACKET_LENGTH);
    release(load<u32>(record, PACKET_BUFFER));
  }
  store<u32>(list, 0);
  countSent(slot, sentPackets, bytes);
  if (sentPackets < collected) countUnsent(slot, collected - sentPackets);
}

export function countSent(slot: u32, packets: u64, bytes: u64): void {
  const counters = countersOf(slot);
  store<u64>(counters, load<u64>(counters, PORT_TX_PACKETS) + packets, PORT_TX_PACKETS);
  store<u64>(counters, load<u64>(counters, PORT_TX_BYTES) + bytes, PORT_TX_BYTES);
}

export function countUnsent(slot: u32, packets: u64): void {
  const counters = countersOf(slot);
  store<u64>(counters, load<u64>(counters, PORT_TX_DROPPED) + packets, PORT_TX_DROPPED);
  count(STAT_PORT_FULL, packets);
}
