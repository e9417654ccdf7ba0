import { closeSync, openSync, writeSync } from 'node:fs';
import { encodePcap } from '../../packet/index.ts';
import { DatapathError } from '../errors.ts';
import type { Port } from '../port.ts';

/** Files that a dummy port keeps of its packets, pcap, those that are there overwritten. */
export interface DummyPortCaptures {
  /** What comes in. */
  readonly rx?: string;
  /** What goes out; may be the same file. */
  readonly tx?: string;
}

const PCAP_HEADER_BYTES = 24;

/**
 * A port without a device: packets come in when somebody says so (`netdev-dummy/receive` of ovs-appctl), and those that go
 * out are counted, captured and gone.
 */
export class DummyPort implements Port {
  readonly name: string;
  readonly #rx: number | undefined;
  readonly #tx: number | undefined;
  isUp = true;

  /** @throws DatapathError DATAPATH_CANNOT_OPEN when a capture cannot be written */
  constructor(name: string, captures: DummyPortCaptures = {}) {
    this.name = name;
    this.#rx = captures.rx === undefined ? undefined : openCapture(captures.rx);
    this.#tx =
      captures.tx === captures.rx ? this.#rx : captures.tx === undefined ? undefined : openCapture(captures.tx);
  }

  /** To be called with every packet that comes in, before the bridge gets it. */
  received(packet: Uint8Array, timeNs: bigint): void {
    if (this.#rx !== undefined) append(this.#rx, packet, timeNs);
  }

  send(packet: Uint8Array, timeNs: bigint): boolean {
    if (this.#tx !== undefined) append(this.#tx, packet, timeNs);
    return true;
  }

  close(): void {
    for (const fd of new Set([this.#rx, this.#tx])) if (fd !== undefined) closeSync(fd);
  }
}

function openCapture(path: string): number {
  try {
    const fd = openSync(path, 'w');
    writeSync(fd, encodePcap([], 'us'));
    return fd;
  } catch (cause) {
    throw new DatapathError('DATAPATH_CANNOT_OPEN', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** One write for each packet, so that a reader never waits for the next one. */
function append(fd: number, bytes: Uint8Array, timestampNs: bigint): void {
  writeSync(fd, encodePcap([{ timestampNs, bytes, originalLength: bytes.length }], 'us').subarray(PCAP_HEADER_BYTES));
}
