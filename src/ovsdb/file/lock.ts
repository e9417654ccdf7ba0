import { basename, dirname, join } from 'node:path';

/** Held while a database file is open, so that no second process opens it. */
export interface FileLock {
  release(): void;
}

/** Takes the lock for the database file at `path` (a real path). Throws OvsdbError OVSDB_FILE_LOCKED. */
export type LockFile = (path: string) => FileLock;

/** Where ovsdb-server and ovsdb-tool put the lock file of a database file. */
export function lockPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.~lock~`);
}
