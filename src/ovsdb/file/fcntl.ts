import { endianness } from 'node:os';

/*
 * struct flock of fcntl(2) on 64-bit Linux, 32 bytes:
 *
 *   0 l_type (16 bit)   2 l_whence (16 bit)   8 l_start (64 bit)   16 l_len (64 bit, 0: to the end)   24 l_pid (32 bit)
 */
const FLOCK_BYTES = 32;
const FLOCK_TYPE = 0;
const FLOCK_PID = 24;
const F_WRLCK = 1;
const F_UNLCK = 2;
const F_GETLK = 5;
const F_SETLK = 6;

type Fcntl = (fd: number, command: number, argumentType: 'void *', flock: Buffer) => number;

/**
 * POSIX locks of whole files. They belong to a process: it never locks itself out, and its locks of a file end as soon as
 * it closes any descriptor of that file.
 */
export interface FcntlLocks {
  /** Takes a write lock; false when another process has one. */
  lock(fd: number): boolean;
  /** The process that has a write lock, if another one has. */
  holder(fd: number): number | undefined;
}

/** Node has no fcntl; koffi, a native package, calls it. Rejects when koffi cannot be loaded here. */
export async function loadFcntl(): Promise<FcntlLocks> {
  const { default: koffi } = await import('koffi');
  const fcntl = koffi.load(null).func('int fcntl(int fd, int command, ...)') as Fcntl;
  return {
    lock: (fd) => fcntl(fd, F_SETLK, 'void *', writeLock()) === 0,
    holder(fd) {
      const flock = writeLock();
      if (fcntl(fd, F_GETLK, 'void *', flock) !== 0 || readType(flock) === F_UNLCK) return undefined;
      return endianness() === 'LE' ? flock.readInt32LE(FLOCK_PID) : flock.readInt32BE(FLOCK_PID);
    },
  };
}

function writeLock(): Buffer {
  const flock = Buffer.alloc(FLOCK_BYTES);
  if (endianness() === 'LE') flock.writeInt16LE(F_WRLCK, FLOCK_TYPE);
  else flock.writeInt16BE(F_WRLCK, FLOCK_TYPE);
  return flock;
}

function readType(flock: Buffer): number {
  return endianness() === 'LE' ? flock.readInt16LE(FLOCK_TYPE) : flock.readInt16BE(FLOCK_TYPE);
}
