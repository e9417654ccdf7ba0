import { parentPort, workerData } from 'node:worker_threads';
import { poll, readEvent } from './linux.ts';
import { POLL_CONTROL, TURN_OWNER } from './poll-control.ts';

// Waits in poll(2) for the descriptors of `DeviceWaiter`, which cannot be given to Node's event loop, and tells it when one of
// them has something. Sleeps in the kernel otherwise.

const POLLIN = 1;
/** Wakes up now and then even if nothing happens, so that a lost wake-up costs a second and not for ever. */
const TIMEOUT_MS = 1000;

const { buffer, wakeFd } = workerData as { buffer: SharedArrayBuffer; wakeFd: number };
const control = new Int32Array(buffer);

while (Atomics.load(control, POLL_CONTROL.stop) === 0) {
  Atomics.wait(control, POLL_CONTROL.turn, TURN_OWNER, TIMEOUT_MS);
  if (Atomics.load(control, POLL_CONTROL.turn) === TURN_OWNER) continue;
  const count = Atomics.load(control, POLL_CONTROL.count);
  const entries = new Int32Array(2 * (count + 1)); // struct pollfd: fd, then events and revents
  for (let i = 0; i <= count; i++) {
    entries[2 * i] = i < count ? Atomics.load(control, POLL_CONTROL.descriptors + i) : wakeFd;
    entries[2 * i + 1] = POLLIN;
  }
  if (poll(entries, count + 1, TIMEOUT_MS) <= 0) continue;
  const wasWoken = entries[2 * count + 1] >>> 16 !== 0;
  if (wasWoken) readEvent(wakeFd);
  if (entries.subarray(0, 2 * count).some((word, i) => i % 2 === 1 && word >>> 16 !== 0)) {
    Atomics.store(control, POLL_CONTROL.turn, TURN_OWNER);
    parentPort?.postMessage('readable');
  }
}
