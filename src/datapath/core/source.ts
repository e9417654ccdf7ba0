// Packets that come from memory: a capture played again and again, or one packet made up.

import {
  BATCH_PACKETS,
  BUFFER_BASE,
  HEADROOM,
  NO_BUFFER,
  NO_LIMIT,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_RECORD_BYTES,
  PORT_RECORD_BYTES,
  PORT_SOURCE,
  PORT_SOURCE_COUNT,
  PORT_SOURCE_NEXT,
  PORT_SOURCE_ROUNDS,
  SMALL_BUFFER_BYTES,
  SOURCE_RECORD_BYTES,
} from '../layout.ts';
import { allocate, recordOf, takeSmall } from './buffers.ts';
import { receive } from './pass.ts';
import { batch, ports } from './state.ts';

/** Lets up to so many batches come in by a port with a source; returns how many packets came. */
export function play(slot: u32, batches: u32): u32 {
  const port = ports + slot * PORT_RECORD_BYTES;
  const source: usize = load<u32>(port, PORT_SOURCE);
  const packets = load<u32>(port, PORT_SOURCE_COUNT);
  let next = load<u32>(port, PORT_SOURCE_NEXT);
  let rounds = load<u32>(port, PORT_SOURCE_ROUNDS);
  let played: u32 = 0;
  for (let i: u32 = 0; i < batches && rounds !== 0; i++) {
    let taken: u32 = 0;
    while (taken < <u32>BATCH_PACKETS) {
      const record = source + next * SOURCE_RECORD_BYTES;
      const length = load<u32>(record, 4);
      const buffer = length <= <u32>(SMALL_BUFFER_BYTES - HEADROOM) ? takeSmall() : allocate(length);
      if (buffer === NO_BUFFER) break;
      const at: usize = load<u32>(recordOf(buffer), BUFFER_BASE) + HEADROOM;
      copy(at, load<u32>(record), length);
      const place = batch + taken * PACKET_RECORD_BYTES;
      store<u32>(place, buffer, PACKET_BUFFER);
      store<u32>(place, <u32>at, PACKET_ADDRESS);
      store<u32>(place, length, PACKET_LENGTH);
      taken++;
      next++;
      if (next === packets) {
        next = 0;
        if (rounds !== <u32>NO_LIMIT) rounds--;
        if (rounds === 0) break;
      }
    }
    store<u32>(port, next, PORT_SOURCE_NEXT);
    store<u32>(port, rounds, PORT_SOURCE_ROUNDS);
    if (taken === 0) break;
    receive(slot, taken, 0);
    played += taken;
  }
  return played;
}

/** Up to 15 bytes more than `length` may be written and read. */
// @ts-ignore: a decorator of the core's compiler
@inline
function copy(to: usize, from: usize, length: u32): void {
  if (length > 256) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}
