import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type FcntlLocks, loadFcntl } from '../../ovsdb/index.ts';
import { UnixctlError } from './errors.ts';

const MODE = 0o644;

/** Paths of this process's own pidfiles: opening and closing one of them here would end its lock. */
const ownPaths = new Set<string>();

/**
 * A file with the process's number in it, under a POSIX write lock that the process holds as long as it lives. Both
 * together tell ovs-appctl that the daemon runs.
 */
export class Pidfile {
  readonly path: string;
  #fd: number | undefined;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Makes the pidfile, in place of one that nobody holds. Rejects with UnixctlError UNIXCTL_ALREADY_RUNNING, UNIXCTL_PIDFILE. */
  static async create(path: string): Promise<Pidfile> {
    const locks = await loadFcntl();
    const holder = ownPaths.has(path) ? process.pid : holderOf(path, locks);
    if (holder !== undefined)
      throw new UnixctlError('UNIXCTL_ALREADY_RUNNING', `${path}: already running as pid ${holder}`);
    const temporary = `${path}.tmp${process.pid}`;
    let fd: number | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      fd = openSync(temporary, 'w', MODE);
      if (!locks.lock(fd)) throw new Error('cannot lock the new file');
      writeSync(fd, `${process.pid}\n`);
      renameSync(temporary, path);
    } catch (cause) {
      if (fd !== undefined) closeSync(fd);
      throw new UnixctlError('UNIXCTL_PIDFILE', `${path}: ${(cause as Error).message}`, { cause });
    }
    ownPaths.add(path);
    return new Pidfile(path, fd);
  }

  /** Takes the file away, if it is still this one, and ends the lock. */
  remove(): void {
    if (this.#fd === undefined) return;
    ownPaths.delete(this.path);
    const own = fstatSync(this.#fd);
    const now = statSync(this.path, { throwIfNoEntry: false });
    if (now?.ino === own.ino && now.dev === own.dev) unlinkSync(this.path);
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function holderOf(path: string, locks: FcntlLocks): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UnixctlError('UNIXCTL_PIDFILE', `${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return locks.holder(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The process that a pidfile names and that holds it; undefined when nobody does: the daemon it speaks of is gone.
 * Rejects with UnixctlError UNIXCTL_PIDFILE, the system's error as its cause, or none when the file holds no number.
 */
export async function readPidfile(path: string): Promise<number | undefined> {
  if (ownPaths.has(path)) return process.pid;
  const locks = await loadFcntl();
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new UnixctlError('UNIXCTL_PIDFILE', `${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    const text = readFileSync(fd, 'utf8');
    const pid = /^\d{1,10}\n?$/.test(text) ? Number(text) : undefined;
    if (pid === undefined) throw new UnixctlError('UNIXCTL_PIDFILE', `${path}: holds no process number`);
    return locks.holder(fd) === pid ? pid : undefined;
  } finally {
    closeSync(fd);
  }
}
