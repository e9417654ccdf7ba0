import { closeSync, openSync } from 'node:fs';
import { OvsdbError } from '../errors.ts';
import { type FcntlLocks, loadFcntl } from './fcntl.ts';
import { type FileLock, type LockFile, lockPath } from './lock.ts';

const LOCK_FILE_MODE = 0o600;

/** POSIX locks do not keep one process from locking twice; this does. */
const lockedHere = new Set<string>();

/**
 * The locks that ovsdb-server and ovsdb-tool take: a POSIX write lock by fcntl(2) on a file `.NAME.~lock~` beside the
 * database. Rejects when there are none here.
 */
export async function loadFcntlLock(): Promise<LockFile> {
  const locks = await loadFcntl();
  return (path) => takeLock(lockPath(path), path, locks);
}

function takeLock(lockFile: string, path: string, locks: FcntlLocks): FileLock {
  if (lockedHere.has(lockFile)) throw locked(path, process.pid);
  let fd: number;
  try {
    fd = openSync(lockFile, 'a+', LOCK_FILE_MODE);
  } catch (cause) {
    throw new OvsdbError('OVSDB_FILE_ACCESS', `${lockFile}: ${(cause as Error).message}`, { cause });
  }
  if (!locks.lock(fd)) {
    const holder = locks.holder(fd);
    closeSync(fd);
    throw locked(path, holder);
  }
  lockedHere.add(lockFile);
  return {
    release: () => {
      lockedHere.delete(lockFile);
      closeSync(fd);
    },
  };
}

function locked(path: string, pid: number | undefined): OvsdbError {
  return new OvsdbError('OVSDB_FILE_LOCKED', `${path} is in use by process ${pid ?? 'unknown'}`);
}
