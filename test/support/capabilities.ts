import koffi from 'koffi';

/** Capabilities of the calling thread, by capget(2) and capset(2). */

export const CAPABILITY = { sysAdmin: 21, perfmon: 38 } as const;

/** _LINUX_CAPABILITY_VERSION_3: two sets of 32 bits, each effective, permitted, inheritable. */
const VERSION = 0x20080522;
const EFFECTIVE = [0, 12];

const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : undefined;
const capget = libc?.func('int capget(void *header, void *data)');
const capset = libc?.func('int capset(void *header, void *data)');

/** What the work gives, done without the capabilities; the thread has them again afterwards. */
export function withoutCapabilities<T>(capabilities: readonly number[], work: () => T): T {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(VERSION, 0);
  const before = Buffer.alloc(24);
  if (capget === undefined || capset === undefined || capget(header, before) !== 0) throw new Error('no capget');
  const fewer = Buffer.from(before);
  for (const capability of capabilities) {
    const at = EFFECTIVE[capability >> 5];
    fewer.writeUInt32LE((fewer.readUInt32LE(at) & ~(1 << (capability & 31))) >>> 0, at);
  }
  set(header, fewer);
  try {
    return work();
  } finally {
    set(header, before);
  }
}

function set(header: Buffer, data: Buffer): void {
  if (capset?.(header, data) !== 0) throw new Error(`capset fails: errno ${koffi.errno()}`);
}
