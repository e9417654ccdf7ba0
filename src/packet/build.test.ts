import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wellFormedPacket } from '../../test/support/packet-arbitrary.ts';
import { runs } from '../../test/support/property-runs.ts';
import { toHex } from '../bytes/index.ts';
import { arp, ethernet, icmp, ipv4, ipv6, tcp, udp } from './build.ts';
import { checksumsVerify, sctpChecksum } from './checksum.ts';
import { PacketLayout } from './layout.ts';

function verifies(packet: Uint8Array): boolean {
  const layout = new PacketLayout();
  layout.locate(packet, 0, packet.length);
  return checksumsVerify(packet, layout);
}

describe('building packets', () => {
  it('gives every packet right checksums', () => {
    fc.assert(
      fc.property(wellFormedPacket, (packet) => {
        expect(verifies(packet)).toBe(true);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('notices a wrong bit in any byte that a checksum covers', () => {
    const packet = ethernet(
      { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
      ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, tcp({ src: 1, dst: 2 }, new Uint8Array(5))),
    );
    // Not the bytes that would make it no IPv4 packet at all.
    for (let at = 18; at < packet.length; at++) {
      const wrong = packet.slice();
      wrong[at] ^= 4;
      expect(verifies(wrong), `byte ${at}`).toBe(false);
    }
  });

  it('sends a UDP checksum that computes to zero as its other form', () => {
    const build = (port: number) =>
      ethernet(
        { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
        ipv6({ src: 'fe80::1', dst: 'fe80::2' }, udp({ src: port, dst: 0 })),
      );
    const plain = build(0);
    const checksum = (plain[60] << 8) | plain[61];
    const zero = build(checksum);
    expect(toHex(zero.subarray(60, 62))).toBe('ffff');
    expect(verifies(zero)).toBe(true);
  });

  it('computes CRC32c as RFC 3720 appendix B.4 has it', () => {
    // The checksum field counts as zero, so that the test vector of 32 zeros holds whatever is there.
    expect(sctpChecksum(new Uint8Array(32).fill(0xff, 8, 12), 0, 32)).toBe(0x8a9136aa);
  });

  it('refuses text that is no address', () => {
    expect(() => ethernet({ dst: 'nowhere', src: '' }, ipv4({ src: '', dst: '' }, icmp({ type: 8 })))).toThrow(
      RangeError,
    );
    expect(() => arp({ opcode: 1, sha: '02:00:00:00:00:01', spa: 'fe80::1', tha: '', tpa: '' })).toThrow(/no IPv4/);
  });
});
