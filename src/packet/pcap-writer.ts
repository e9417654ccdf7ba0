import type { CapturedPacket } from './capture.ts';
import { PacketError } from './errors.ts';
import { LINK_TYPE_ETHERNET } from './link-type.ts';
import {
  MAX_CAPTURED_BYTES,
  PCAP_FILE_HEADER_BYTES,
  PCAP_MAGIC_NS,
  PCAP_MAGIC_US,
  PCAP_OFFSET,
  PCAP_RECORD,
  PCAP_RECORD_HEADER_BYTES,
  PCAP_VERSION_MAJOR,
  PCAP_VERSION_MINOR,
} from './pcap-format.ts';

/** Where a capture is written to: bytes at positions, until it is finished or given up. */
export interface CaptureSink {
  readonly name: string;
  write(bytes: Uint8Array, position: number): void;
  /** Reads back what was written before; fewer bytes than asked for only at the end. */
  read(into: Uint8Array, position: number): number;
  /** Makes the capture appear under its name. */
  finish(): void;
  /** Takes away what was written. */
  abort(): void;
}

/** `auto` writes microseconds, and nanoseconds as soon as one packet's time needs them. */
export type PcapPrecision = 'us' | 'ns' | 'auto';

const CHUNK_BYTES = 64 * 1024;
const LITTLE_ENDIAN = true;

/**
 * Writes packets as a pcap file, little-endian, Ethernet. Call `finish` at the end, or `abort` when something failed:
 * the capture never appears half-written under its name. Throws PacketError PACKET_PCAP_UNWRITABLE and PACKET_FILE_*.
 */
export class PcapWriter {
  readonly #sink: CaptureSink;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #view = new DataView(this.#chunk.buffer);
  readonly #mayPromote: boolean;
  #used = 0;
  #flushed = 0;
  #nanoseconds: boolean;
  #packets = 0;

  constructor(sink: CaptureSink, precision: PcapPrecision = 'auto') {
    this.#sink = sink;
    this.#mayPromote = precision === 'auto';
    this.#nanoseconds = precision === 'ns';
    const view = this.#view;
    view.setUint32(PCAP_OFFSET.magic, this.#nanoseconds ? PCAP_MAGIC_NS : PCAP_MAGIC_US, LITTLE_ENDIAN);
    view.setUint16(PCAP_OFFSET.major, PCAP_VERSION_MAJOR, LITTLE_ENDIAN);
    view.setUint16(PCAP_OFFSET.minor, PCAP_VERSION_MINOR, LITTLE_ENDIAN);
    view.setUint32(PCAP_OFFSET.snaplen, MAX_CAPTURED_BYTES, LITTLE_ENDIAN);
    view.setUint32(PCAP_OFFSET.linkType, LINK_TYPE_ETHERNET, LITTLE_ENDIAN);
    this.#used = PCAP_FILE_HEADER_BYTES;
  }

  /** Packets written so far. */
  get packets(): number {
    return this.#packets;
  }

  write(packet: CapturedPacket): void {
    const { timestampNs, bytes } = packet;
    const seconds = timestampNs / 1_000_000_000n;
    const nanoseconds = Number(timestampNs % 1_000_000_000n);
    const original = Math.max(packet.originalLength, bytes.length);
    if (timestampNs < 0n || seconds > 0xffffffffn || bytes.length > MAX_CAPTURED_BYTES || original > 0xffffffff)
      throw new PacketError(
        'PACKET_PCAP_UNWRITABLE',
        `${this.#sink.name}: packet ${this.#packets + 1} of ${bytes.length} bytes at ${timestampNs} ns does not fit pcap`,
      );
    if (this.#mayPromote && !this.#nanoseconds && nanoseconds % 1000 !== 0) this.#promote();
    if (this.#used + PCAP_RECORD_HEADER_BYTES > CHUNK_BYTES) this.#flush();
    const at = this.#used;
    const fraction = this.#nanoseconds ? nanoseconds : Math.floor(nanoseconds / 1000);
    this.#view.setUint32(at + PCAP_RECORD.seconds, Number(seconds), LITTLE_ENDIAN);
    this.#view.setUint32(at + PCAP_RECORD.fraction, fraction, LITTLE_ENDIAN);
    this.#view.setUint32(at + PCAP_RECORD.captured, bytes.length, LITTLE_ENDIAN);
    this.#view.setUint32(at + PCAP_RECORD.original, original, LITTLE_ENDIAN);
    this.#used += PCAP_RECORD_HEADER_BYTES;
    this.#put(bytes);
    this.#packets++;
  }

  /** Writes what is left and makes the capture appear under its name. */
  finish(): void {
    this.#flush();
    this.#sink.finish();
  }

  abort(): void {
    this.#sink.abort();
  }

  #put(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK_BYTES) this.#flush();
    if (bytes.length > CHUNK_BYTES) {
      this.#sink.write(bytes, this.#flushed);
      this.#flushed += bytes.length;
    } else {
      this.#chunk.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#sink.write(this.#chunk.subarray(0, this.#used), this.#flushed);
    this.#flushed += this.#used;
    this.#used = 0;
  }

  /** Turns the microseconds written so far into nanoseconds, in place. */
  #promote(): void {
    this.#flush();
    const { buffer } = this.#chunk;
    this.#view.setUint32(0, PCAP_MAGIC_NS, LITTLE_ENDIAN);
    this.#sink.write(new Uint8Array(buffer, 0, 4), 0);
    for (let position = PCAP_FILE_HEADER_BYTES; position < this.#flushed; ) {
      const got = this.#sink.read(this.#chunk, position);
      let at = 0;
      while (at + PCAP_RECORD_HEADER_BYTES <= got) {
        const microseconds = this.#view.getUint32(at + PCAP_RECORD.fraction, LITTLE_ENDIAN);
        this.#view.setUint32(at + PCAP_RECORD.fraction, microseconds * 1000, LITTLE_ENDIAN);
        at += PCAP_RECORD_HEADER_BYTES + this.#view.getUint32(at + PCAP_RECORD.captured, LITTLE_ENDIAN);
      }
      if (at === 0)
        throw new PacketError('PACKET_FILE_WRITE', `${this.#sink.name}: shorter than what was written to it`);
      this.#sink.write(this.#chunk.subarray(0, Math.min(at, got)), position);
      position += at;
    }
    this.#nanoseconds = true;
  }
}

/** A sink that keeps the capture in memory. */
export class MemorySink implements CaptureSink {
  readonly name = 'capture in memory';
  #bytes = new Uint8Array(4096);
  #length = 0;

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      bigger.set(this.#bytes);
      this.#bytes = bigger;
    }
    this.#bytes.set(bytes, position);
    this.#length = Math.max(this.#length, end);
  }

  read(into: Uint8Array, position: number): number {
    const part = this.#bytes.subarray(position, Math.min(this.#length, position + into.length));
    into.set(part);
    return part.length;
  }

  finish(): void {}

  abort(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** The packets as the bytes of a pcap file. */
export function encodePcap(packets: Iterable<CapturedPacket>, precision: PcapPrecision = 'auto'): Uint8Array {
  const sink = new MemorySink();
  const writer = new PcapWriter(sink, precision);
  for (const packet of packets) writer.write(packet);
  writer.finish();
  return sink.bytes;
}
