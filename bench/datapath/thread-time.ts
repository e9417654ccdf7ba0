import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of each thread of a process, in nanoseconds, by thread id. */
export function threadTimes(pid: number | 'self'): Map<number, number> {
  const times = new Map<number, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      times.set(Number(task), Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return times;
}

/** What the busiest thread has used between two looks, and all together; `except` is left out of the first. */
export function used(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  except: number,
): { readonly busiest: number; readonly all: number } {
  let busiest = 0;
  let all = 0;
  for (const [task, time] of after) {
    const delta = time - (before.get(task) ?? 0);
    all += delta;
    if (task !== except) busiest = Math.max(busiest, delta);
  }
  return { busiest, all };
}
