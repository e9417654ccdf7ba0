import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, type CapturedPacket, readCapture } from './capture.ts';
import { PacketError } from './errors.ts';
import { encodePcap, MemorySink, PcapWriter } from './pcap-writer.ts';

const NS = 1_000_000_000n;

const packet = (timestampNs: bigint, length: number, originalLength = length): CapturedPacket => ({
  timestampNs,
  originalLength,
  bytes: Uint8Array.from({ length }, (_, i) => i & 0xff),
});

/** A pcap file field by field, to write what PcapWriter never would. */
function pcapFile(
  options: { magic?: number; littleEndian?: boolean; version?: [number, number]; linkType?: number },
  records: { seconds: number; fraction: number; captured?: number; original?: number; data: number[] }[] = [],
): Uint8Array {
  const le = options.littleEndian ?? false;
  const size = records.reduce((sum, r) => sum + 16 + r.data.length, 24);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, options.magic ?? 0xa1b2c3d4, le);
  view.setUint16(4, options.version?.[0] ?? 2, le);
  view.setUint16(6, options.version?.[1] ?? 4, le);
  view.setUint32(16, 65535, le);
  view.setUint32(20, options.linkType ?? 1, le);
  let at = 24;
  for (const r of records) {
    view.setUint32(at, r.seconds, le);
    view.setUint32(at + 4, r.fraction, le);
    view.setUint32(at + 8, r.captured ?? r.data.length, le);
    view.setUint32(at + 12, r.original ?? r.data.length, le);
    bytes.set(r.data, at + 16);
    at += 16 + r.data.length;
  }
  return bytes;
}

function failure(action: () => unknown): PacketError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(PacketError);
    return error as PacketError;
  }
  throw new Error('nothing was thrown');
}

describe('reading pcap', () => {
  it.each([
    { name: 'µs, big-endian', magic: 0xa1b2c3d4, littleEndian: false, ns: 7_000_000_123_000n },
    { name: 'µs, little-endian', magic: 0xa1b2c3d4, littleEndian: true, ns: 7_000_000_123_000n },
    { name: 'ns, big-endian', magic: 0xa1b23c4d, littleEndian: false, ns: 7_000_000_000_123n },
    { name: 'ns, little-endian', magic: 0xa1b23c4d, littleEndian: true, ns: 7_000_000_000_123n },
  ])('reads $name', ({ magic, littleEndian, ns }) => {
    const file = pcapFile({ magic, littleEndian }, [
      { seconds: 7000, fraction: 123, data: [1, 2, 3] },
      { seconds: 7001, fraction: 0, original: 1500, data: [4] },
    ]);
    expect([...readCapture(bytesSource(file))]).toEqual([
      { timestampNs: ns, originalLength: 3, bytes: Uint8Array.of(1, 2, 3) },
      { timestampNs: 7001n * NS, originalLength: 1500, bytes: Uint8Array.of(4) },
    ]);
  });

  it('reads the link type below the bits that describe a frame check sequence', () => {
    expect([...readCapture(bytesSource(pcapFile({ linkType: 0x24000001 })))]).toEqual([]);
  });

  it('never holds more than a window of the file', () => {
    const one = pcapFile({}, [{ seconds: 1, fraction: 1, data: new Array(1000).fill(9) }]);
    let given = 0;
    const source = {
      name: 'endless',
      read(into: Uint8Array): number {
        for (let i = 0; i < into.length; i++, given++) into[i] = one[given < 24 ? given : 24 + ((given - 24) % 1016)];
        return into.length;
      },
    };
    let count = 0;
    for (const p of readCapture(source)) {
      expect(p.bytes.length).toBe(1000);
      count++;
      expect(given).toBeLessThanOrEqual(24 + 1016 * count + 2 * 64 * 1024);
      if (count === 3000) break;
    }
  });

  it('delivers whole packets and then says where the capture is cut', () => {
    const whole = encodePcap([packet(1n * NS, 60), packet(2n * NS, 60)]);
    for (let length = 101; length < whole.length; length++) {
      const packets = readCapture(bytesSource(whole.subarray(0, length), 'x.pcap'));
      expect(packets.next().value?.timestampNs).toBe(1n * NS);
      const error = failure(() => packets.next());
      expect(error.code).toBe('PACKET_PCAP_CUT');
      expect(error.message).toMatch(
        /^x\.pcap: cut in (the header of )?packet 2 at byte 1\d\d: \d+ bytes expected, \d+ left$/,
      );
    }
    expect(failure(() => readCapture(bytesSource(whole.subarray(0, 23)))).code).toBe('PACKET_PCAP_CUT');
    expect(failure(() => readCapture(bytesSource(whole.subarray(0, 3)))).code).toBe('PACKET_PCAP_CUT');
  });

  it.each([
    ['nothing', new Uint8Array(), 'PACKET_PCAP_EMPTY', /is empty/],
    ['a text', new TextEncoder().encode('hello, world'), 'PACKET_PCAP_BAD_MAGIC', /0x68656c6c/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'PACKET_PCAP_BAD_MAGIC', /gzip/],
    ['version 1.2', pcapFile({ version: [1, 2] }), 'PACKET_PCAP_VERSION', /1\.2/],
    ['802.11', pcapFile({ linkType: 105 }), 'PACKET_PCAP_LINK_TYPE', /IEEE 802\.11, link type 105/],
    ['an unknown link type', pcapFile({ linkType: 4711 }), 'PACKET_PCAP_LINK_TYPE', /link type 4711/],
  ])('refuses %s at once', (_, file, code, text) => {
    const error = failure(() => readCapture(bytesSource(file, 'x.pcap')));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
    expect(error.message).toMatch(/^x\.pcap: /);
  });

  it.each([262145, 0x7fffffff, 0x80000000, 0xffffffff])('refuses a packet of %i bytes', (captured) => {
    const file = pcapFile({}, [{ seconds: 1, fraction: 1, captured, original: captured, data: [1] }]);
    expect(failure(() => [...readCapture(bytesSource(file))]).code).toBe('PACKET_PCAP_BAD_LENGTH');
  });
});

describe('writing pcap', () => {
  const anyPacket = (tick: bigint, maxLength: number): fc.Arbitrary<CapturedPacket> =>
    fc
      .record({
        timestampNs: fc.bigInt({ min: 0n, max: (0x100000000n * NS - 1n) / tick }).map((ticks) => ticks * tick),
        bytes: fc.uint8Array({ maxLength }),
        more: fc.nat(9000),
      })
      .map(({ timestampNs, bytes, more }) => ({ timestampNs, bytes, originalLength: bytes.length + more }));

  it('is read back as it was given, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(anyPacket(1n, 200)), fc.integer({ min: 1, max: 50 }), (packets, piece) => {
        const whole = bytesSource(encodePcap(packets));
        const inPieces = { name: 'pieces', read: (into: Uint8Array) => whole.read(into.subarray(0, piece)) };
        expect([...readCapture(inPieces)]).toEqual(packets);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps to microseconds as long as they say everything', () => {
    fc.assert(
      fc.property(fc.array(anyPacket(1000n, 20)), (packets) => {
        const file = encodePcap(packets);
        expect(new DataView(file.buffer).getUint32(0, true)).toBe(0xa1b2c3d4);
        expect([...readCapture(bytesSource(file))]).toEqual(packets);
      }),
    );
  });

  it('turns microseconds already written into nanoseconds when a packet needs them', () => {
    const coarse = Array.from({ length: 400 }, (_, i) => packet(BigInt(i) * NS + 123_000n, 700));
    const sizes = [70_000, 262_144, 65_536 - 16].map((length, i) => packet(1000n + BigInt(i), length));
    const packets = [...coarse, packet(5_000_000_000n, 70_000), ...sizes, packet(999_999_999n, 0)];
    const file = encodePcap(packets);
    expect(new DataView(file.buffer).getUint32(0, true)).toBe(0xa1b23c4d);
    const back = [...readCapture(bytesSource(file))];
    expect(back.map((p) => p.timestampNs)).toEqual(packets.map((p) => p.timestampNs));
    expect(back.every((p, i) => p.bytes.length === packets[i].bytes.length)).toBe(true);
    expect(back[403].bytes).toEqual(packets[403].bytes);
  });

  it('rounds down to microseconds when told so', () => {
    const file = encodePcap([packet(1_999n, 1)], 'us');
    expect([...readCapture(bytesSource(file))][0].timestampNs).toBe(1000n);
    expect(new DataView(encodePcap([], 'ns').buffer).getUint32(0, true)).toBe(0xa1b23c4d);
  });

  it.each([packet(-1n, 1), packet(0x100000000n * NS, 1), packet(0n, 262_145), packet(0n, 1, 2 ** 32)])(
    'refuses what no pcap can hold (%#)',
    (unwritable) => {
      const writer = new PcapWriter(new MemorySink());
      expect(failure(() => writer.write(unwritable)).code).toBe('PACKET_PCAP_UNWRITABLE');
      expect(writer.packets).toBe(0);
    },
  );
});
