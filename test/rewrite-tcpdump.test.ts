import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decTtl,
  encodePcap,
  ethernet,
  field,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  neighbourDiscovery,
  sctp,
  setField,
  tcp,
  udp,
} from '../src/packet/index.ts';
import { runs } from './support/property-runs.ts';

const TCPDUMP = '/usr/bin/tcpdump';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oko-rewrite-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** tcpdump's verdicts: how many checksums it found right, and what it complained about. */
function judge(packets: readonly Uint8Array[]): { right: number; complaints: string[] } {
  const path = join(folder, 'x.pcap');
  writeFileSync(path, encodePcap(packets.map((bytes) => ({ timestampNs: 0n, originalLength: bytes.length, bytes }))));
  const { stdout } = spawnSync(TCPDUMP, ['-r', path, '-n', '-vvv'], { encoding: 'latin1', maxBuffer: 1 << 28 });
  return {
    right: (stdout.match(/\(correct\)|sum ok/g) ?? []).length,
    complaints: stdout.split('\n').filter((line) => /bad (\w+ )?cksum|incorrect|wrong icmp cksum/.test(line)),
  };
}

// Ports behind which tcpdump looks for no protocol, whose checksums would be counted too.
const port = fc.integer({ min: 20_000, max: 20_100 });
const data = fc.uint8Array({ maxLength: 50 });
const transport = fc.oneof(
  fc.record({ src: port, dst: port, data }).map((f) => tcp(f, f.data)),
  fc.record({ src: port, dst: port, data }).map((f) => udp(f, f.data)),
  fc.record({ src: port, dst: port, tag: fc.nat() }).map((f) => sctp(f, new Uint8Array(4))),
);
const hosts = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const solicit = icmpv6({ type: 135 }, neighbourDiscovery('fe80::9', [{ type: 1, mac: hosts.src }]));
const network = fc.oneof(
  fc
    .oneof(transport, fc.constant(icmp({ type: 8, rest: 1 })))
    .map((t) => ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, t)),
  fc.oneof(transport, fc.constant(solicit)).map((t) => ipv6({ src: 'fe80::1', dst: 'fe80::2' }, t)),
);
const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
const packet = fc
  .record({ network, address, tos: fc.nat(255), port })
  .map(({ network: inner, address: to, tos, port: toPort }) => {
    const frame = ethernet(hosts, inner);
    const portBytes = Uint8Array.of(toPort >> 8, toPort);
    for (const name of ['ip_src', 'ip_dst']) setField(frame, field(name), to.subarray(0, 4));
    for (const name of ['ipv6_src', 'nd_target', 'ipv6_dst']) setField(frame, field(name), to);
    for (const name of ['tcp_src', 'udp_dst', 'sctp_dst']) setField(frame, field(name), portBytes);
    setField(frame, field('nw_tos'), Uint8Array.of(tos & 0xfc));
    setField(frame, field('nd_sll'), to.subarray(0, 6));
    decTtl(frame);
    return frame;
  });

describe.skipIf(!existsSync(TCPDUMP))('rewritten packets, with tcpdump as judge (needs tcpdump)', () => {
  it('have checksums that it finds right', () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 100, maxLength: 100, size: 'max' }), (packets) => {
        const { right, complaints } = judge(packets);
        expect(complaints).toEqual([]);
        expect(right).toBeGreaterThan(20);
      }),
      { numRuns: runs(5), endOnFailure: true },
    );
  });

  it('would be complained about if they were wrong', () => {
    const frames = [
      ethernet(hosts, ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, tcp({ src: 20_000, dst: 20_001 }))),
      ethernet(hosts, ipv6({ src: 'fe80::1', dst: 'fe80::2' }, udp({ src: 20_000, dst: 20_001 }))),
      ethernet(hosts, ipv6({ src: 'fe80::1', dst: 'fe80::2' }, solicit)),
      ethernet(hosts, ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, sctp({ src: 1, dst: 2 }, new Uint8Array(4)))),
    ];
    expect(judge(frames).complaints).toEqual([]);
    // The lowest byte of the source address, under every checksum but that of SCTP, which ends in the packet's last byte.
    for (const frame of frames.slice(0, 3)) frame[frame[12] === 8 ? 29 : 37] ^= 1;
    frames[3][frames[3].length - 1] ^= 1;
    expect(judge(frames).complaints.length).toBeGreaterThanOrEqual(4);
  });
});
