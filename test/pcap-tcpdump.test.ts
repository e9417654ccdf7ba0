import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHex, toHex } from '../src/bytes/index.ts';
import { readCaptureFile } from '../src/packet/capture-file.ts';
import { type CapturedPacket, encodePcap } from '../src/packet/index.ts';
import { PcapngBlocks } from './support/pcapng-blocks.ts';

const TCPDUMP = '/usr/bin/tcpdump';
const NS = 1_000_000_000n;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oko-tcpdump-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What tcpdump reads in a file: time and bytes of each packet. */
function tcpdumpReads(file: Uint8Array): { status: number | null; stderr: string; packets: [bigint, string][] } {
  const path = join(folder, 'x');
  writeFileSync(path, file);
  const args = ['-r', path, '-n', '-tt', '--time-stamp-precision=nano', '-xx'];
  const { status, stdout, stderr } = spawnSync(TCPDUMP, args, { encoding: 'latin1', maxBuffer: 1 << 28 });
  const packets: [bigint, string][] = [];
  for (const line of stdout.split('\n')) {
    const hex = /^\t0x[0-9a-f]+: {2}([0-9a-f ]+)$/.exec(line);
    const time = /^(\d+)\.(\d{9}) /.exec(line);
    if (time) packets.push([BigInt(time[1]) * NS + BigInt(time[2]), '']);
    else if (hex) packets[packets.length - 1][1] += toHex(parseHex(hex[1]) ?? new Uint8Array());
  }
  return { status, stderr, packets };
}

function weRead(): [bigint, string][] {
  return [...readCaptureFile(join(folder, 'x'))].map((p) => [p.timestampNs, toHex(p.bytes)]);
}

const packet: fc.Arbitrary<CapturedPacket> = fc
  .record({
    timestampNs: fc.bigInt({ min: 0n, max: 0x7fffffffn * NS }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    more: fc.nat(2000),
  })
  .map(({ timestampNs, bytes, more }) => ({ timestampNs, bytes, originalLength: bytes.length + more }));

describe.skipIf(!existsSync(TCPDUMP))('captures, with tcpdump as judge (needs tcpdump)', () => {
  it('reads every packet that we wrote', () => {
    fc.assert(
      fc.property(
        fc.array(packet, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('us', 'ns', 'auto'),
        (packets, precision) => {
          const seen = tcpdumpReads(encodePcap(packets, precision as 'us' | 'ns' | 'auto'));
          expect(seen.status).toBe(0);
          const unit = precision === 'us' ? 1000n : 1n;
          expect(seen.packets).toEqual(packets.map((p) => [(p.timestampNs / unit) * unit, toHex(p.bytes)]));
          expect(weRead()).toEqual(seen.packets);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([true, false])('reads a pcapng capture as we read it (little-endian %s)', (littleEndian) => {
    const file = new PcapngBlocks(littleEndian)
      .section()
      .interface({ tsresol: 6 })
      .enhanced(0, 1_700_000_000_123_456n, [1, 2, 3, 4, 5], { original: 700 })
      .interface({ tsresol: 9 })
      .block(5, (b) => b.zeros(20))
      .enhanced(1, 1_700_000_000_123_456_789n, new Array(61).fill(7))
      .interface({ tsresol: 0x94, tsoffset: 1_000_000_000n })
      .enhanced(2, 3n << 19n, new Array(62).fill(8))
      .obsolete(1, 1_700_000_001_000_000_001n, new Array(63).fill(9))
      .out.finish();
    const seen = tcpdumpReads(file);
    expect(seen.status).toBe(0);
    expect(seen.packets).toHaveLength(4);
    expect(weRead()).toEqual(seen.packets);
  });

  it('complains of a cut capture where we do, after the same packets', () => {
    const packets = [1n, 2n, 3n].map((n) => ({ timestampNs: n * NS, originalLength: 60, bytes: new Uint8Array(60) }));
    const seen = tcpdumpReads(encodePcap(packets).subarray(0, -1));
    expect(seen.status).toBe(1);
    expect(seen.stderr).toMatch(/truncated/);
    expect(seen.packets).toHaveLength(2);
    const ours = readCaptureFile(join(folder, 'x'));
    ours.next();
    ours.next();
    expect(() => ours.next()).toThrow(/cut in packet 3/);
  });
});
