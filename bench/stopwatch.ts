import koffi from 'koffi';

const CLOCK_THREAD_CPUTIME_ID = 3;

const timespec = koffi.struct({ seconds: 'int64', nanoseconds: 'int64' });
const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : undefined;
const clockGettime = libc?.func('clock_gettime', 'int', ['int', koffi.out(koffi.pointer(timespec))]);

/** Nanoseconds of processor time that this thread has used; of the whole process where the system does not tell them apart. */
export function threadCpuNs(): number {
  if (clockGettime === undefined) {
    const { user, system } = process.cpuUsage();
    return 1000 * (user + system);
  }
  const time = { seconds: 0, nanoseconds: 0 };
  clockGettime(CLOCK_THREAD_CPUTIME_ID, time);
  return Number(time.seconds) * 1e9 + Number(time.nanoseconds);
}

/** Processor time of a call. */
export function cpuNsOf(work: () => void): number {
  const start = threadCpuNs();
  work();
  return threadCpuNs() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
