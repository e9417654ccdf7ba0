import type { CapturedPacket } from './capture.ts';
import type { CaptureStream } from './capture-stream.ts';
import { PacketError } from './errors.ts';
import { requireEthernet } from './link-type.ts';
import { MAX_CAPTURED_BYTES } from './pcap-format.ts';

// The next generation capture file: draft-ietf-opsawg-pcapng. Every block is
//   type (4)  total length (4)  body, padded to 4  total length again (4)
export const SECTION_HEADER_BLOCK = 0x0a0d0d0a;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const BLOCK_TYPE = { interface: 1, obsoletePacket: 2, simplePacket: 3, enhancedPacket: 6 } as const;
export const OPTION = { end: 0, ifTsresol: 9, ifTsoffset: 14 } as const;

const BLOCK_OVERHEAD = 12;
const BODY = 8;
const SECTION_MIN_BODY = 16;
const INTERFACE_MIN_BODY = 8;
const SIMPLE_PACKET_DATA = 4;
const PACKET_DATA = 20;

/** A block that is parsed must fit this; others are passed over in pieces, whatever their length. */
const MAX_PARSED_BLOCK_BYTES = 2 * MAX_CAPTURED_BYTES;
const MAX_INTERFACES = 65536;

const DEFAULT_TSRESOL = 6;
const NS_PER_SECOND = 1_000_000_000n;

/** An interface of the section, as far as reading needs it: ns = ticks × numerator / denominator + offsetNs. */
interface CaptureInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly offsetNs: bigint;
}

/** Reads the first section's header at once, then the packets as they are asked for. */
export function readPcapng(stream: CaptureStream): Generator<CapturedPacket, void> {
  const reader = new PcapngReader(stream);
  reader.readFirstSection();
  return reader.packets();
}

class PcapngReader {
  readonly #stream: CaptureStream;
  #littleEndian = false;
  #interfaces: CaptureInterface[] = [];
  #lastTimestampNs = 0n;

  constructor(stream: CaptureStream) {
    this.#stream = stream;
  }

  readFirstSection(): void {
    this.#readSectionHeader();
  }

  *packets(): Generator<CapturedPacket, void> {
    const stream = this.#stream;
    for (;;) {
      if (!stream.fill(BODY)) {
        if (stream.buffered === 0) return;
        throw stream.cut('a block header', BODY);
      }
      const type = stream.view.getUint32(stream.start, this.#littleEndian);
      if (type === SECTION_HEADER_BLOCK) {
        this.#readSectionHeader();
        continue;
      }
      const length = this.#blockLength();
      if (type === BLOCK_TYPE.interface) {
        this.#load(length, INTERFACE_MIN_BODY, 'an interface description');
        this.#readInterface(stream.start + BODY, stream.start + length - 4);
        stream.consume(length);
      } else if (type === BLOCK_TYPE.enhancedPacket || type === BLOCK_TYPE.obsoletePacket) {
        this.#load(length, PACKET_DATA, 'a packet');
        const packet = this.#readPacket(type, length - BLOCK_OVERHEAD);
        stream.consume(length);
        yield packet;
      } else if (type === BLOCK_TYPE.simplePacket) {
        this.#load(length, SIMPLE_PACKET_DATA, 'a simple packet');
        const packet = this.#readSimplePacket(length - BLOCK_OVERHEAD);
        stream.consume(length);
        yield packet;
      } else if (!stream.skip(length - 4)) {
        throw stream.cut(`a block of type ${type}`, length);
      } else {
        if (!stream.fill(4)) throw stream.cut(`a block of type ${type}`, 4);
        this.#checkTrailer(stream.start, length);
        stream.consume(4);
      }
    }
  }

  /** Section 4.1: the byte order of a section is told inside its header, so that is looked at first. */
  #readSectionHeader(): void {
    const stream = this.#stream;
    if (!stream.fill(BODY + 4)) throw stream.cut('a section header', BODY + 4);
    const order = stream.view.getUint32(stream.start + BODY);
    if (order !== BYTE_ORDER_MAGIC && order !== 0x4d3c2b1a)
      throw this.#error('PACKET_PCAP_BAD_BLOCK', `byte-order magic 0x${order.toString(16).padStart(8, '0')}`);
    this.#littleEndian = order !== BYTE_ORDER_MAGIC;
    const length = this.#blockLength();
    this.#load(length, SECTION_MIN_BODY, 'a section header');
    const major = stream.view.getUint16(stream.start + BODY + 4, this.#littleEndian);
    const minor = stream.view.getUint16(stream.start + BODY + 6, this.#littleEndian);
    // 1.2 was written by some programs for what is 1.0 (section 4.1).
    if (major !== 1 || (minor !== 0 && minor !== 2))
      throw this.#error('PACKET_PCAP_VERSION', `pcapng version ${major}.${minor}; only 1.0 is read`);
    this.#interfaces = [];
    stream.consume(length);
  }

  #blockLength(): number {
    const stream = this.#stream;
    const length = stream.view.getUint32(stream.start + 4, this.#littleEndian);
    if (length < BLOCK_OVERHEAD || length % 4 !== 0)
      throw this.#error('PACKET_PCAP_BAD_LENGTH', `a block of ${length} bytes`);
    return length;
  }

  /** Makes a whole block available and checks that it can hold its fixed fields. */
  #load(length: number, minBody: number, what: string): void {
    const stream = this.#stream;
    if (length < BLOCK_OVERHEAD + minBody || length > MAX_PARSED_BLOCK_BYTES)
      throw this.#error('PACKET_PCAP_BAD_LENGTH', `${what} in a block of ${length} bytes`);
    if (!stream.fill(length)) throw stream.cut(what, length);
    this.#checkTrailer(stream.start + length - 4, length);
  }

  #checkTrailer(at: number, length: number): void {
    const trailer = this.#stream.view.getUint32(at, this.#littleEndian);
    if (trailer !== length)
      throw this.#error('PACKET_PCAP_BAD_BLOCK', `a block of ${length} bytes that ends with the length ${trailer}`);
  }

  /** Section 4.2. */
  #readInterface(body: number, end: number): void {
    if (this.#interfaces.length >= MAX_INTERFACES)
      throw this.#error('PACKET_PCAP_LIMIT', `more than ${MAX_INTERFACES} interfaces`);
    const { view } = this.#stream;
    let tsresol = DEFAULT_TSRESOL;
    let tsoffset = 0n;
    for (let at = body + INTERFACE_MIN_BODY; at + 4 <= end; ) {
      const code = view.getUint16(at, this.#littleEndian);
      const length = view.getUint16(at + 2, this.#littleEndian);
      if (code === OPTION.end) break;
      if (at + 4 + length > end)
        throw this.#error('PACKET_PCAP_BAD_BLOCK', `interface option ${code} of ${length} bytes passes its block`);
      if (code === OPTION.ifTsresol && length === 1) tsresol = view.getUint8(at + 4);
      if (code === OPTION.ifTsoffset && length === 8) tsoffset = view.getBigInt64(at + 4, this.#littleEndian);
      at += 4 + length + (-length & 3);
    }
    this.#interfaces.push({
      linkType: view.getUint16(body, this.#littleEndian),
      snapLength: view.getUint32(body + 4, this.#littleEndian),
      ...ticksToNs(tsresol),
      offsetNs: tsoffset * NS_PER_SECOND,
    });
  }

  /** Sections 4.3 and A: both packet blocks have 20 bytes before the data and differ only in the interface's width. */
  #readPacket(type: number, bodyLength: number): CapturedPacket {
    const { view, start } = this.#stream;
    const body = start + BODY;
    const enhanced = type === BLOCK_TYPE.enhancedPacket;
    const index = enhanced ? view.getUint32(body, this.#littleEndian) : view.getUint16(body, this.#littleEndian);
    const from = this.#interface(index);
    const high = view.getUint32(body + 4, this.#littleEndian);
    const low = view.getUint32(body + 8, this.#littleEndian);
    const captured = view.getUint32(body + 12, this.#littleEndian);
    const original = view.getUint32(body + 16, this.#littleEndian);
    if (captured > bodyLength - PACKET_DATA || captured > MAX_CAPTURED_BYTES)
      throw this.#error('PACKET_PCAP_BAD_LENGTH', `a packet of ${captured} bytes in a block body of ${bodyLength}`);
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    this.#lastTimestampNs = (ticks * from.numerator) / from.denominator + from.offsetNs;
    return this.#packet(body + PACKET_DATA, captured, original);
  }

  /** Section 4.4: of the first interface, without time, its captured length told by snap length and block. */
  #readSimplePacket(bodyLength: number): CapturedPacket {
    const { view, start } = this.#stream;
    const { snapLength } = this.#interface(0);
    const original = view.getUint32(start + BODY, this.#littleEndian);
    const captured = Math.min(
      original,
      snapLength === 0 ? original : snapLength,
      bodyLength - SIMPLE_PACKET_DATA,
      MAX_CAPTURED_BYTES,
    );
    return this.#packet(start + BODY + SIMPLE_PACKET_DATA, captured, original);
  }

  #packet(at: number, captured: number, original: number): CapturedPacket {
    return {
      timestampNs: this.#lastTimestampNs,
      originalLength: Math.max(original, captured),
      bytes: this.#stream.bytes.slice(at, at + captured),
    };
  }

  #interface(index: number): CaptureInterface {
    const found = this.#interfaces[index];
    if (found === undefined)
      throw this.#error('PACKET_PCAP_BAD_BLOCK', `a packet of interface ${index}, which no block before it describes`);
    requireEthernet(found.linkType, this.#stream.name);
    return found;
  }

  #error(code: PacketError['code'], what: string): PacketError {
    return new PacketError(code, `${this.#stream.name}: ${what}, in the block at byte ${this.#stream.position}`);
  }
}

/** if_tsresol (section 4.2): a power of ten, or of two when the highest bit is set, as a negative exponent. */
function ticksToNs(tsresol: number): { numerator: bigint; denominator: bigint } {
  const exponent = BigInt(tsresol & 0x7f);
  if (tsresol & 0x80) return { numerator: NS_PER_SECOND, denominator: 1n << exponent };
  return exponent <= 9n
    ? { numerator: 10n ** (9n - exponent), denominator: 1n }
    : { numerator: 1n, denominator: 10n ** (exponent - 9n) };
}
