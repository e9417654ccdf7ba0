import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type CapturedPacket, type CaptureSource, readCapture } from './capture.ts';
import { PacketError } from './errors.ts';
import { type CaptureSink, type PcapPrecision, PcapWriter } from './pcap-writer.ts';

// The only file of this room that knows of Node: everything else also runs in a browser.

/**
 * The packets of a capture file. The file is closed when the last packet has been read, when reading fails, or when the
 * caller leaves its loop. Throws PacketError PACKET_FILE_* and PACKET_PCAP_*.
 */
export function readCaptureFile(path: string): Generator<CapturedPacket, void> {
  const fd = attempt('PACKET_FILE_OPEN', `cannot open ${path}`, () => openSync(path, 'r'));
  try {
    if (attempt('PACKET_FILE_OPEN', `cannot open ${path}`, () => fstatSync(fd)).isDirectory())
      throw new PacketError('PACKET_FILE_OPEN', `cannot open ${path}: it is a directory`);
    return closingAfter(readCapture(fileSource(fd, path)), fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function fileSource(fd: number, path: string): CaptureSource {
  return {
    name: path,
    read: (into) => attempt('PACKET_FILE_READ', `cannot read ${path}`, () => readSync(fd, into)),
  };
}

function closingAfter(packets: Generator<CapturedPacket, void>, fd: number): Generator<CapturedPacket, void> {
  // Primed, so that `return` runs the finally clause even when no packet was ever asked for.
  const closing = (function* (): Generator<CapturedPacket | undefined, void> {
    try {
      yield undefined;
      yield* packets;
    } finally {
      closeSync(fd);
    }
  })();
  closing.next();
  return closing as Generator<CapturedPacket, void>;
}

/**
 * A writer of the pcap file `path`. Until `finish` the bytes lie under a hidden temporary name in the same folder; then
 * the file takes its name in one step, replacing a regular file of that name and nothing else.
 */
export function createPcapFile(path: string, precision: PcapPrecision = 'auto'): PcapWriter {
  return new PcapWriter(new FileSink(path), precision);
}

class FileSink implements CaptureSink {
  readonly name: string;
  readonly #target: string;
  readonly #temporary: string;
  readonly #fd: number;
  #open = true;

  constructor(path: string) {
    this.name = path;
    this.#target = writableTarget(path);
    const suffix = randomBytes(6).toString('hex');
    this.#temporary = join(dirname(this.#target), `.${basename(this.#target)}.${suffix}.tmp`);
    this.#fd = attempt('PACKET_FILE_OPEN', `cannot create ${path}`, () => openSync(this.#temporary, 'wx+'));
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#attempt(() => writeSync(this.#fd, bytes, done, bytes.length - done, position + done));
    }
  }

  read(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const got = this.#attempt(() => readSync(this.#fd, into, done, into.length - done, position + done));
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  finish(): void {
    try {
      this.#attempt(() => {
        this.#close();
        renameSync(this.#temporary, this.#target);
      });
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  abort(): void {
    if (!this.#open) return;
    this.#close();
    this.#remove();
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#fd);
  }

  #remove(): void {
    try {
      unlinkSync(this.#temporary);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        throw fileError('PACKET_FILE_WRITE', `cannot remove ${this.#temporary}`, error);
    }
  }

  #attempt<T>(action: () => T): T {
    return attempt('PACKET_FILE_WRITE', `cannot write ${this.name}`, action);
  }
}

/** Follows symbolic links, so that the file they lead to is replaced, and refuses what is no regular file. */
function writableTarget(path: string): string {
  let target: string;
  try {
    target = realpathSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return path;
    throw fileError('PACKET_FILE_OPEN', `cannot create ${path}`, error);
  }
  if (!lstatSync(target).isFile())
    throw new PacketError('PACKET_FILE_OPEN', `cannot create ${path}: it exists and is no regular file`);
  return target;
}

function attempt<T>(code: PacketError['code'], what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(code, what, error);
  }
}

function fileError(code: PacketError['code'], what: string, cause: unknown): PacketError {
  return new PacketError(code, `${what}: ${reason(cause)}`, { cause });
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  EIO: 'input/output error',
};

function reason(error: unknown): string {
  const code = systemCode(error);
  if (code !== undefined) return REASONS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}
