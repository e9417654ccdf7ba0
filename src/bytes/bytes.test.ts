import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  formatIpv4,
  formatIpv6,
  formatMac,
  internetChecksum,
  parseHex,
  parseIpv4,
  parseIpv6,
  parseMac,
  toHex,
} from './index.ts';

const short = (): Error => new RangeError('short');

describe('text forms', () => {
  it('formats what it parses, for every address', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 0, maxLength: 8 }),
        (a, zeroAt) => {
          for (const i of zeroAt) a[i % 16] = 0;
          expect(parseIpv6(formatIpv6(a))).toEqual(a);
          expect(parseIpv4(formatIpv4(a))).toEqual(a.slice(0, 4));
          expect(parseMac(formatMac(a))).toEqual(a.slice(0, 6));
          expect(parseHex(toHex(a, ' '))).toEqual(a);
        },
      ),
    );
  });

  it.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fe80::1:0:0:1', 'fe800000000000000001000000000001'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['::192.0.2.1', '000000000000000000000000c0000201'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ])('writes %s as RFC 5952 wants it', (text, hex) => {
    expect(formatIpv6(parseHex(hex) as Uint8Array)).toBe(text);
    expect(toHex(parseIpv6(text) as Uint8Array)).toBe(hex);
  });

  it.each(['', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'g::', '1.2.3.4::', '::1.2.3'])(
    'refuses %j as an IPv6 address',
    (text) => {
      expect(parseIpv6(text)).toBeUndefined();
    },
  );

  it.each(['1.2.3', '1.2.3.256', '1.2.3.4.5', 'a.b.c.d', ''])('refuses %j as an IPv4 address', (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  });
});

describe('ByteReader and ByteWriter', () => {
  it('reads back what was written and nothing beyond', () => {
    const bytes = new ByteWriter(1)
      .u8(1)
      .u16(0x0203)
      .u32(0x04050607)
      .u64(8n)
      .put(new Uint8Array([9, 10]))
      .align(4)
      .finish();
    expect(bytes.length).toBe(20);
    const reader = new ByteReader(bytes, short);
    expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([1, 0x0203, 0x04050607, 8n]);
    expect([...reader.sub(2).take(2)]).toEqual([9, 10]);
    reader.skip(3);
    expect(reader.remaining).toBe(0);
    expect(() => reader.u8()).toThrow(RangeError);
    expect(() => reader.take(-1)).toThrow(RangeError);
    expect(() => reader.take(Number.NaN)).toThrow(RangeError);
  });
});

describe('internetChecksum', () => {
  it('is the example of RFC 1071 section 3', () => {
    expect(internetChecksum(new Uint8Array([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0, 8)).toBe(
      ~0xddf2 & 0xffff,
    );
  });

  it('sums to zero over data that carries its own checksum, also for odd lengths', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), (data) => {
        data[0] = data[1] = 0;
        const sum = internetChecksum(data, 0, data.length);
        data[0] = sum >> 8;
        data[1] = sum & 0xff;
        expect(internetChecksum(data, 0, data.length)).toBe(0);
      }),
    );
  });
});
