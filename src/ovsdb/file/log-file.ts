import { close, fdatasync, ftruncateSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { OvsdbError } from '../errors.ts';

const sync = promisify(fdatasync);
const closeFile = promisify(close);

/** An open log file, to which whole frames are appended, or nothing. */
export class LogFile {
  readonly path: string;
  readonly #fd: number;
  #size: number;
  /** Bytes of a failed write may stand behind `#size`, because cutting them off failed as well. */
  #hasDebris = false;
  readonly #syncs = new Set<Promise<void>>();

  constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws OvsdbError OVSDB_IO, and then the file is as long as it was. */
  append(frame: readonly Buffer[]): void {
    if (this.#hasDebris) this.#cutOff();
    let at = this.#size;
    try {
      for (const piece of frame)
        for (let done = 0; done < piece.length; ) {
          const written = writeSync(this.#fd, piece, done, piece.length - done, at);
          done += written;
          at += written;
        }
    } catch (cause) {
      this.#hasDebris = true;
      const error = this.#ioError('writing', cause);
      try {
        this.#cutOff();
      } catch {
        // Tried again before the next append.
      }
      throw error;
    }
    this.#size = at;
  }

  /** Takes the last `bytes` back. */
  takeBack(bytes: number): void {
    this.#size -= bytes;
    this.#hasDebris = true;
    this.#cutOff();
  }

  #cutOff(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch (cause) {
      throw this.#ioError('truncating', cause);
    }
    this.#hasDebris = false;
  }

  /** Rejects with OvsdbError OVSDB_IO. */
  sync(): Promise<void> {
    const syncing = sync(this.#fd).catch((cause) => {
      throw this.#ioError('syncing', cause);
    });
    this.#syncs.add(syncing);
    return syncing.finally(() => this.#syncs.delete(syncing));
  }

  async close(): Promise<void> {
    // A sync on its way would meet whatever file gets this descriptor next.
    await Promise.allSettled(this.#syncs);
    await closeFile(this.#fd);
  }

  #ioError(doing: string, cause: unknown): OvsdbError {
    return new OvsdbError('OVSDB_IO', `${this.path}: ${doing} failed: ${(cause as Error).message}`, { cause });
  }
}
