import { closeSync, openSync } from 'node:fs';
import { endianness } from 'node:os';
import { OvsdbError } from '../errors.ts';
import { type FileLock, type LockFile, lockPath } from './lock.ts';

/*
 * struct flock of fcntl(2) on 64-bit Linux, 32 bytes:
 *
 *   0 l_type (16 bit)   2 l_whence (16 bit)   8 l_start (64 bit)   16 l_len (64 bit, 0: to the end)   24 l_pid (32 bit)
 */
const FLOCK_BYTES = 32;
const FLOCK_TYPE = 0;
const FLOCK_PID = 24;
const F_WRLCK = 1;
const F_GETLK = 5;
const F_SETLK = 6;
const LOCK_FILE_MODE = 0o600;

type Fcntl = (fd: number, command: number, argumentType: 'void *', flock: Buffer) => number;

/** POSIX locks do not keep one process from locking twice; this does. */
const lockedHere = new Set<string>();

/**
 * The locks that ovsdb-server and ovsdb-tool take: a POSIX write lock by fcntl(2) on a file `.NAME.~lock~` beside the
 * database. Node has no fcntl; koffi, a native package, calls it. Rejects when koffi cannot be loaded here.
 */
export async function loadFcntlLock(): Promise<LockFile> {
  const { default: koffi } = await import('koffi');
  const fcntl = koffi.load(null).func('int fcntl(int fd, int command, ...)') as Fcntl;
  return (path) => takeLock(lockPath(path), path, fcntl);
}

function takeLock(lockFile: string, path: string, fcntl: Fcntl): FileLock {
  if (lockedHere.has(lockFile)) throw locked(path, process.pid);
  let fd: number;
  try {
    fd = openSync(lockFile, 'a+', LOCK_FILE_MODE);
  } catch (cause) {
    throw new OvsdbError('OVSDB_FILE_ACCESS', `${lockFile}: ${(cause as Error).message}`, { cause });
  }
  const flock = writeLock();
  if (fcntl(fd, F_SETLK, 'void *', flock) !== 0) {
    const holder = writeLock();
    fcntl(fd, F_GETLK, 'void *', holder);
    const pid = endianness() === 'LE' ? holder.readInt32LE(FLOCK_PID) : holder.readInt32BE(FLOCK_PID);
    closeSync(fd);
    throw locked(path, pid);
  }
  lockedHere.add(lockFile);
  return {
    release: () => {
      lockedHere.delete(lockFile);
      closeSync(fd);
    },
  };
}

function writeLock(): Buffer {
  const flock = Buffer.alloc(FLOCK_BYTES);
  if (endianness() === 'LE') flock.writeInt16LE(F_WRLCK, FLOCK_TYPE);
  else flock.writeInt16BE(F_WRLCK, FLOCK_TYPE);
  return flock;
}

function locked(path: string, pid: number): OvsdbError {
  return new OvsdbError('OVSDB_FILE_LOCKED', `${path} is in use by process ${pid}`);
}
