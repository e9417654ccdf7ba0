import { type MessagePort, workerData } from 'node:worker_threads';
import type { ThreadData } from './letter.ts';
import { PacketThread } from './packet-thread.ts';

// The thread of a `PacketWorker`.

const data = workerData as ThreadData & { readonly port: MessagePort };
const native =
  data.wakeFd < 0
    ? undefined
    : { linux: await import('../ports/linux.ts'), ports: await import('../ports/port-spec.ts') };
new PacketThread(data, data.port, native).run();
data.port.close();
