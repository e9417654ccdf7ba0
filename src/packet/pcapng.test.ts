import { describe, expect, it } from 'vitest';
import { PcapngBlocks } from '../../test/support/pcapng-blocks.ts';
import { bytesSource, readCapture } from './capture.ts';
import { PacketError } from './errors.ts';
import { BYTE_ORDER_MAGIC } from './pcapng.ts';

const NS = 1_000_000_000n;

function failure(action: () => unknown): PacketError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(PacketError);
    return error as PacketError;
  }
  throw new Error('nothing was thrown');
}

const shape = (p: { timestampNs: bigint; originalLength: number; bytes: Uint8Array }) => [
  p.timestampNs,
  p.originalLength,
  [...p.bytes],
];

describe.each([true, false])('reading pcapng, little-endian %s', (littleEndian) => {
  const blocks = () => new PcapngBlocks(littleEndian).section();

  it('reads enhanced, obsolete and simple packets and passes over other blocks', () => {
    const file = blocks()
      .interface({ snapLength: 4 })
      .enhanced(0, 1_500_000n, [1, 2, 3], { original: 99 })
      .block(5, (b) => b.zeros(200_000))
      .obsolete(0, 2_000_000n, [4, 5, 6, 7, 8])
      .block(0x0bad, () => {})
      .simple(1500, [9, 10, 11, 12])
      .simple(2, [13, 14]);
    expect(file.read().map(shape)).toEqual([
      [1_500_000_000n, 99, [1, 2, 3]],
      [2n * NS, 5, [4, 5, 6, 7, 8]],
      [2n * NS, 1500, [9, 10, 11, 12]],
      [2n * NS, 2, [13, 14]],
    ]);
  });

  it.each([
    { tsresol: 0, ticks: 7n, ns: 7n * NS },
    { tsresol: 3, ticks: 7n, ns: 7_000_000n },
    { tsresol: 6, ticks: (1n << 32n) + 7n, ns: ((1n << 32n) + 7n) * 1000n },
    { tsresol: 9, ticks: 0xffffffffffffffffn, ns: 0xffffffffffffffffn },
    { tsresol: 12, ticks: 7_999n, ns: 7n },
    { tsresol: 127, ticks: 0xffffffffffffffffn, ns: 0n },
    { tsresol: 0x80, ticks: 7n, ns: 7n * NS },
    { tsresol: 0x8a, ticks: 1536n, ns: 1_500_000_000n },
    { tsresol: 0xff, ticks: 1n, ns: 0n },
  ])('reads time in units of if_tsresol $tsresol', ({ tsresol, ticks, ns }) => {
    expect(blocks().interface({ tsresol }).enhanced(0, ticks, []).read()[0].timestampNs).toBe(ns);
  });

  it('adds if_tsoffset, which may be negative', () => {
    const file = blocks()
      .interface({ tsoffset: 100n })
      .interface({ tsoffset: -1n })
      .enhanced(0, 1n, [])
      .enhanced(1, 1n, []);
    expect(file.read().map((p) => p.timestampNs)).toEqual([100n * NS + 1000n, -1n * NS + 1000n]);
  });

  it('counts interfaces anew in each section, which may have the other byte order', () => {
    const other = new PcapngBlocks(!littleEndian).section().interface({ tsresol: 9 }).enhanced(0, 5n, [2]);
    const file = blocks().interface({ tsresol: 0 }).interface().enhanced(0, 1n, [1]);
    file.out.put(other.out.finish());
    expect(file.read().map(shape)).toEqual([
      [NS, 1, [1]],
      [5n, 1, [2]],
    ]);
    file.out.put(new PcapngBlocks(littleEndian).section().enhanced(0, 1n, []).out.finish());
    expect(failure(() => file.read()).code).toBe('PACKET_PCAP_BAD_BLOCK');
  });

  it('refuses another link type only when a packet has it', () => {
    const file = blocks().interface({ linkType: 113 }).interface().enhanced(1, 1n, [1]);
    expect(file.read()).toHaveLength(1);
    const error = failure(() => file.enhanced(0, 1n, [1]).read());
    expect(error.code).toBe('PACKET_PCAP_LINK_TYPE');
    expect(error.message).toMatch(/Linux cooked capture v1/);
  });

  it.each([
    ['an unknown byte-order magic', () => new PcapngBlocks(littleEndian).section(0x12345678), 'PACKET_PCAP_BAD_BLOCK'],
    ['version 2', () => new PcapngBlocks(littleEndian).section(BYTE_ORDER_MAGIC, 2), 'PACKET_PCAP_VERSION'],
    ['a packet before any interface', () => blocks().enhanced(0, 1n, []), 'PACKET_PCAP_BAD_BLOCK'],
    ['a simple packet before any interface', () => blocks().simple(1, [1]), 'PACKET_PCAP_BAD_BLOCK'],
    [
      'a packet longer than its block',
      () => blocks().interface().enhanced(0, 1n, [1], { captured: 5 }),
      'PACKET_PCAP_BAD_LENGTH',
    ],
    [
      'a packet of 4 GiB',
      () => blocks().interface().enhanced(0, 1n, [1], { captured: 0xffffffff }),
      'PACKET_PCAP_BAD_LENGTH',
    ],
    ['a block shorter than its frame', () => blocks().block(5, () => {}, { first: 8 }), 'PACKET_PCAP_BAD_LENGTH'],
    ['a block of odd length', () => blocks().block(5, () => {}, { first: 13 }), 'PACKET_PCAP_BAD_LENGTH'],
    ['lengths that differ', () => blocks().block(5, () => {}, { last: 16 }), 'PACKET_PCAP_BAD_BLOCK'],
    [
      'lengths that differ in a known block',
      () => blocks().block(1, (b) => b.zeros(8), { last: 24 }),
      'PACKET_PCAP_BAD_BLOCK',
    ],
    ['an interface without fields', () => blocks().block(1, () => {}), 'PACKET_PCAP_BAD_LENGTH'],
    ['an option past its block', () => blocks().block(1, (b) => b.zeros(8).u32(0xffffffff)), 'PACKET_PCAP_BAD_BLOCK'],
    ['a block of 4 GiB', () => blocks().block(5, () => {}, { first: 0xfffffffc }), 'PACKET_PCAP_CUT'],
    ['a packet block of 4 GiB', () => blocks().block(6, () => {}, { first: 0xfffffffc }), 'PACKET_PCAP_BAD_LENGTH'],
  ])('refuses %s', (_, make, code) => {
    const error = failure(() => make().read());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^x\.pcapng: .*byte \d+/);
  });

  it('says that it is cut wherever it is cut', () => {
    const whole = blocks()
      .interface()
      .enhanced(0, 1n, [1, 2, 3, 4, 5])
      .block(5, (b) => b.zeros(8))
      .simple(4, [1, 2, 3, 4]);
    const bytes = whole.out.finish();
    const ends = new Set<number>();
    for (let at = 0; at < bytes.length; at += new DataView(bytes.buffer).getUint32(at + 4, littleEndian)) ends.add(at);
    for (let length = 1; length < bytes.length; length++) {
      const read = () => [...readCapture(bytesSource(bytes.subarray(0, length)))];
      if (ends.has(length)) expect(read).not.toThrow();
      else expect(failure(read).code).toBe('PACKET_PCAP_CUT');
    }
  });

  it('bounds the interfaces it remembers', () => {
    const file = blocks();
    for (let i = 0; i < 65_536; i++) file.interface();
    expect(failure(() => file.interface().read()).code).toBe('PACKET_PCAP_LIMIT');
  });
});
