import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mutated } from '../../test/support/mutation.ts';
import { PcapngBlocks } from '../../test/support/pcapng-blocks.ts';
import { runs } from '../../test/support/property-runs.ts';
import { bytesSource, readCapture } from './capture.ts';
import { PacketError } from './errors.ts';
import { encodePcap } from './pcap-writer.ts';

const packets = [60, 0, 1500, 64].map((length, i) => ({
  timestampNs: BigInt(i) * 1_000_000_000n,
  originalLength: length,
  bytes: new Uint8Array(length).fill(i),
}));

const pcapng = (littleEndian: boolean): Uint8Array =>
  new PcapngBlocks(littleEndian)
    .section()
    .interface({ tsresol: 9 })
    .enhanced(0, 1n, [1, 2, 3])
    .simple(4, [1, 2, 3, 4])
    .interface({ tsresol: 0x8a, tsoffset: -5n })
    .block(5, (b) => b.zeros(40))
    .enhanced(1, 99n, new Array(100).fill(7))
    .obsolete(1, 99n, new Array(61).fill(8))
    .section()
    .interface()
    .enhanced(0, 1n, [])
    .out.finish();

const real = new Uint8Array(readFileSync('examples/captures/lan.pcap')).slice(0, 3000);
const seeds = [encodePcap(packets, 'us'), encodePcap(packets, 'ns'), pcapng(true), pcapng(false), real];

it('survives damaged captures with nothing but a PacketError, and invents no bytes', () => {
  let refused = 0;
  let read = 0;
  fc.assert(
    fc.property(mutated(seeds), (file) => {
      let bytes = 0;
      try {
        for (const packet of readCapture(bytesSource(file))) {
          bytes += packet.bytes.length;
          read++;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(PacketError);
        refused++;
      }
      expect(bytes).toBeLessThanOrEqual(file.length);
    }),
    { numRuns: runs(10_000) },
  );
  expect(refused).toBeGreaterThan(1000);
  expect(read).toBeGreaterThan(1000);
});
