import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ethernet, ipv4, ipv6, TCP_FLAG, tcp, udp } from './build.ts';
import { completeChecksum, segment } from './offload.ts';

const MACS = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const V4 = { src: '10.0.0.1', dst: '10.0.0.2', id: 0xfffe };
const V6 = { src: 'fd00::1', dst: 'fd00::2' };

const payloads = fc.uint8Array({ minLength: 1, maxLength: 5000 });
const sizes = fc.integer({ min: 1, max: 1460 });

describe('segment', () => {
  it.each([false, true])('cuts TCP into the packets that its sender would have sent (IPv6: %s)', (isIpv6) => {
    fc.assert(
      fc.property(payloads, sizes, (payload, size) => {
        const flags = TCP_FLAG.ack | TCP_FLAG.psh | TCP_FLAG.cwr;
        const build = (seq: number, bytes: Uint8Array, pieceFlags: number, id: number): Uint8Array => {
          const segmentTcp = tcp({ src: 1000, dst: 80, seq, ack: 7, flags: pieceFlags }, bytes);
          return ethernet(MACS, isIpv6 ? ipv6(V6, segmentTcp) : ipv4({ ...V4, id }, segmentTcp));
        };
        const whole = build(0xffffff00, payload, flags, V4.id);
        const expected: Uint8Array[] = [];
        for (let at = 0; at < payload.length; at += size) {
          let pieceFlags = flags;
          if (at > 0) pieceFlags &= ~TCP_FLAG.cwr;
          if (at + size < payload.length) pieceFlags &= ~TCP_FLAG.psh;
          expected.push(
            build(
              (0xffffff00 + at) >>> 0,
              payload.subarray(at, at + size),
              pieceFlags,
              (V4.id + expected.length) & 0xffff,
            ),
          );
        }
        expect(segment(whole, size)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('cuts UDP into datagrams', () => {
    const payload = new Uint8Array(250).fill(7);
    const pieces = segment(ethernet(MACS, ipv4(V4, udp({ src: 1, dst: 2 }, payload))), 100);
    expect(pieces).toEqual(
      [100, 100, 50].map((length, i) =>
        ethernet(MACS, ipv4({ ...V4, id: (V4.id + i) & 0xffff }, udp({ src: 1, dst: 2 }, payload.subarray(0, length)))),
      ),
    );
  });

  it('leaves alone what it cannot cut, and never throws', () => {
    expect(segment(new Uint8Array(60), 100)).toBeUndefined();
    const whole = ethernet(MACS, ipv4(V4, tcp({ src: 1, dst: 2 }, new Uint8Array(100))));
    expect(segment(whole, 0)).toBeUndefined();
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length }),
        fc.nat({ max: 255 }),
        fc.nat({ max: whole.length }),
        (at, byte, length) => {
          const mutated = whole.slice(0, length);
          if (at < length) mutated[at] = byte;
          segment(mutated, 10);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('completeChecksum', () => {
  it('gives the checksum that the sender would have written', () => {
    const packet = ethernet(MACS, ipv4(V4, udp({ src: 1, dst: 2 }, new Uint8Array([1, 2, 3]))));
    const partial = packet.slice();
    // Pseudo header: 10.0.0.1, 10.0.0.2, protocol 17, length 11.
    new DataView(partial.buffer).setUint16(34 + 6, 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 11);
    expect(completeChecksum(partial, 34, 6)).toBe(true);
    expect(partial).toEqual(packet);
    expect(completeChecksum(partial, partial.length, 6)).toBe(false);
  });
});
