import type { CapturedPacket } from './capture.ts';
import type { CaptureStream } from './capture-stream.ts';
import { PacketError } from './errors.ts';
import { requireEthernet } from './link-type.ts';
import {
  isBigEndianPcap,
  isNanosecondPcap,
  MAX_CAPTURED_BYTES,
  PCAP_FILE_HEADER_BYTES,
  PCAP_OFFSET,
  PCAP_RECORD,
  PCAP_RECORD_HEADER_BYTES,
  PCAP_VERSION_MAJOR,
  PCAP_VERSION_MINOR,
} from './pcap-format.ts';

/** Reads the file header at once, then the records as they are asked for. The stream stands at a known magic number. */
export function readPcap(stream: CaptureStream): Generator<CapturedPacket, void> {
  if (!stream.fill(PCAP_FILE_HEADER_BYTES)) throw stream.cut('the file header', PCAP_FILE_HEADER_BYTES);
  const { view, start } = stream;
  const magic = view.getUint32(start + PCAP_OFFSET.magic);
  const littleEndian = !isBigEndianPcap(magic);
  const major = view.getUint16(start + PCAP_OFFSET.major, littleEndian);
  const minor = view.getUint16(start + PCAP_OFFSET.minor, littleEndian);
  if (major !== PCAP_VERSION_MAJOR || minor !== PCAP_VERSION_MINOR)
    throw new PacketError('PACKET_PCAP_VERSION', `${stream.name}: pcap version ${major}.${minor}; only 2.4 is read`);
  // The six high bits tell of a frame check sequence at the end of each packet, which is payload to us.
  requireEthernet(view.getUint32(start + PCAP_OFFSET.linkType, littleEndian) & 0x03ffffff, stream.name);
  stream.consume(PCAP_FILE_HEADER_BYTES);
  return readRecords(stream, littleEndian, isNanosecondPcap(magic) ? 1 : 1000);
}

function* readRecords(
  stream: CaptureStream,
  littleEndian: boolean,
  nsPerFraction: number,
): Generator<CapturedPacket, void> {
  for (let number = 1; ; number++) {
    if (!stream.fill(PCAP_RECORD_HEADER_BYTES)) {
      if (stream.buffered === 0) return;
      throw stream.cut(`the header of packet ${number}`, PCAP_RECORD_HEADER_BYTES);
    }
    const { view, start } = stream;
    const seconds = view.getUint32(start + PCAP_RECORD.seconds, littleEndian);
    const fraction = view.getUint32(start + PCAP_RECORD.fraction, littleEndian);
    const captured = view.getUint32(start + PCAP_RECORD.captured, littleEndian);
    const original = view.getUint32(start + PCAP_RECORD.original, littleEndian);
    if (captured > MAX_CAPTURED_BYTES)
      throw new PacketError(
        'PACKET_PCAP_BAD_LENGTH',
        `${stream.name}: packet ${number} at byte ${stream.position} claims ${captured} bytes, the limit is ${MAX_CAPTURED_BYTES}`,
      );
    stream.consume(PCAP_RECORD_HEADER_BYTES);
    if (!stream.fill(captured)) throw stream.cut(`packet ${number}`, captured);
    const bytes = stream.bytes.slice(stream.start, stream.start + captured);
    stream.consume(captured);
    yield {
      timestampNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction * nsPerFraction),
      originalLength: Math.max(original, captured),
      bytes,
    };
  }
}
