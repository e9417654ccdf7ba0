// What main tells this thread, between two batches.

import {
  BUFFER_BASE,
  BUFFER_VIRTIO,
  FLOW_USED_SHIFT,
  HEADROOM,
  MESSAGE_EXECUTE,
  MESSAGE_RECEIVE,
  MESSAGE_VERDICT,
  NO_BUFFER,
  NO_SLOT,
  PACKET_ADDRESS,
  PACKET_BUFFER,
  PACKET_LENGTH,
  PACKET_MESSAGE_DATA,
  PACKET_MESSAGE_DEPTH,
  PACKET_MESSAGE_EXTRA,
  PACKET_MESSAGE_LENGTH,
  PACKET_MESSAGE_SUBJECT,
  PACKET_MESSAGE_TIME,
  PACKET_MESSAGE_VIRTIO,
  THREAD_GENERATION,
} from '../layout.ts';
import { run } from './actions.ts';
import { allocate, recordOf } from './buffers.ts';
import { adoptGeneration, generation } from './cache.ts';
import { enter, receive } from './pass.ts';
import { finishDown, nextDown, writtenDown } from './ring.ts';
import { batch, ownWords, setTime, take } from './state.ts';
import { resume } from './waiting.ts';

/**
 * Takes over the verdicts that hold now, and does what main says; returns how many messages there were. Only then does the thread say by
 * which verdicts it goes, for until then outcomes of earlier ones, which messages may name, stay where they are.
 */
export function attend(): u32 {
  const isNew = adoptGeneration();
  const messages = obey(writtenDown());
  if (isNew) acknowledge();
  return messages;
}

/** Tells main by which verdicts this thread goes. */
export function acknowledge(): void {
  atomic.store<u32>(ownWords + THREAD_GENERATION, generation);
  atomic.notify(ownWords + THREAD_GENERATION, 1);
}

function obey(head: u32): u32 {
  let messages: u32 = 0;
  for (let message = nextDown(head); message !== 0; message = nextDown(head)) {
    const kind = load<u32>(message, 4);
    if (kind === MESSAGE_VERDICT) resume(message);
    else if (bringIn(message, kind === MESSAGE_EXECUTE ? load<u32>(message, PACKET_MESSAGE_EXTRA) : 0)) {
      if (kind === MESSAGE_RECEIVE)
        receive(load<u32>(message, PACKET_MESSAGE_SUBJECT), 1, load<u32>(message, PACKET_MESSAGE_DEPTH));
      else execute(message);
    }
    finishDown(message);
    messages++;
  }
  return messages;
}

/** Puts the packet of a message into place 0 of the batch. */
function bringIn(message: usize, actionBytes: u32): bool {
  const length = load<u32>(message, PACKET_MESSAGE_LENGTH);
  const buffer = allocate(length);
  if (buffer === NO_BUFFER) return false;
  setTime(load<u64>(message, PACKET_MESSAGE_TIME), FLOW_USED_SHIFT);
  const record = recordOf(buffer);
  const at = load<u32>(record, BUFFER_BASE) + HEADROOM;
  memory.copy(at, message + PACKET_MESSAGE_DATA + actionBytes, length);
  memory.copy(record + BUFFER_VIRTIO, message + PACKET_MESSAGE_VIRTIO, 10);
  store<u32>(batch, buffer, PACKET_BUFFER);
  store<u32>(batch, at, PACKET_ADDRESS);
  store<u32>(batch, length, PACKET_LENGTH);
  return true;
}

function execute(message: usize): void {
  enter(NO_SLOT, load<u32>(message, PACKET_MESSAGE_DEPTH));
  take(load<u32>(batch, PACKET_BUFFER), load<u32>(batch, PACKET_ADDRESS), load<u32>(batch, PACKET_LENGTH));
  run(message + PACKET_MESSAGE_DATA, load<u32>(message, PACKET_MESSAGE_SUBJECT));
}
