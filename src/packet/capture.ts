import { CaptureStream } from './capture-stream.ts';
import { PacketError } from './errors.ts';
import { readPcap } from './pcap.ts';
import { isPcapMagic } from './pcap-format.ts';
import { readPcapng, SECTION_HEADER_BLOCK } from './pcapng.ts';

/** One packet of a capture. */
export interface CapturedPacket {
  /** Nanoseconds since 1970-01-01 UTC. A pcapng simple packet has no time: it gets that of the packet before it. */
  readonly timestampNs: bigint;
  /** Length on the wire in bytes; more than `bytes.length` when the capture was limited by a snap length. */
  readonly originalLength: number;
  /** The captured bytes, beginning with the Ethernet header. They belong to the receiver. */
  readonly bytes: Uint8Array;
}

/** Where a capture's bytes come from, in order and in pieces, so that no capture needs to fit into memory. */
export interface CaptureSource {
  /** What messages call it; usually the file's name. */
  readonly name: string;
  /** Fills the beginning of `into`, at most all of it, and says how many bytes it wrote; 0 at the end. */
  read(into: Uint8Array): number;
}

/** A capture that is already in memory. */
export function bytesSource(bytes: Uint8Array, name = 'capture'): CaptureSource {
  let at = 0;
  return {
    name,
    read(into) {
      const part = bytes.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      return part.length;
    },
  };
}

/**
 * The packets of a pcap or pcapng capture, in the order of the file, read as they are asked for. The file's header is
 * checked at once. Throws PacketError with a PACKET_PCAP_* code; where a capture is cut, after its last whole packet.
 */
export function readCapture(source: CaptureSource): Generator<CapturedPacket, void> {
  const stream = new CaptureStream(source);
  if (!stream.fill(4)) {
    if (stream.buffered === 0)
      throw new PacketError('PACKET_PCAP_EMPTY', `${source.name}: the file is empty, not a capture`);
    throw stream.cut('the magic number', 4);
  }
  const magic = stream.view.getUint32(stream.start);
  if (isPcapMagic(magic)) return readPcap(stream);
  if (magic === SECTION_HEADER_BLOCK) return readPcapng(stream);
  throw new PacketError('PACKET_PCAP_BAD_MAGIC', `${source.name}: ${describeMagic(magic)}, neither pcap nor pcapng`);
}

/** Names what people hand over by mistake. */
function describeMagic(magic: number): string {
  if (magic >>> 16 === 0x1f8b) return 'this is gzip data';
  if (magic === 0x28b52ffd) return 'this is Zstandard data';
  if (magic === 0xfd377a58) return 'this is xz data';
  if (magic === 0x736e6f6f) return 'this is a snoop capture';
  if (magic === 0xa1b2cd34 || magic === 0x34cdb2a1) return 'this is a capture in the modified pcap format of Kuznetsov';
  if (magic === 0x7f454c46) return 'this is an ELF object';
  return `the file begins with 0x${magic.toString(16).padStart(8, '0')}`;
}
