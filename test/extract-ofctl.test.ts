import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCaptureFile } from '../src/packet/capture-file.ts';
import { encodePcap, ethernet, extractKey, ipv4, ipv6, newKey, udp } from '../src/packet/index.ts';
import { mutation } from './support/mutation.ts';
import { ofctlFlowText } from './support/ofctl-flow-text.ts';
import { wellFormedPacket } from './support/packet-arbitrary.ts';
import { runs } from './support/property-runs.ts';

const OVS_OFCTL = '/usr/bin/ovs-ofctl';
const PACKETS_PER_RUN = 500;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oko-extract-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ofctlReads(packets: readonly Uint8Array[]): string[] {
  const path = join(folder, 'x.pcap');
  writeFileSync(path, encodePcap(packets.map((bytes) => ({ timestampNs: 0n, originalLength: bytes.length, bytes }))));
  const { stdout, stderr } = spawnSync(OVS_OFCTL, ['parse-pcap', path], { encoding: 'latin1', maxBuffer: 1 << 28 });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

function weRead(packet: Uint8Array): string {
  const key = newKey();
  extractKey(packet, key);
  return ofctlFlowText(key);
}

/** With every packet that they differ about, its bytes and both texts. */
function expectAgreement(packets: readonly Uint8Array[]): void {
  const theirs = ofctlReads(packets);
  expect(theirs).toHaveLength(packets.length);
  const tell = (text: string, i: number) => `${text} <- ${Buffer.from(packets[i]).toString('hex')}`;
  expect(packets.map((p, i) => tell(weRead(p), i)).filter((text, i) => text !== tell(theirs[i], i))).toEqual(
    theirs.map(tell).filter((text, i) => text !== tell(weRead(packets[i]), i)),
  );
}

describe.skipIf(!existsSync(OVS_OFCTL))('extraction, with ovs-ofctl as judge (needs openvswitch-common)', () => {
  it('agrees about well-formed packets', () => {
    const many = fc.array(wellFormedPacket, { minLength: PACKETS_PER_RUN, maxLength: PACKETS_PER_RUN, size: 'max' });
    fc.assert(fc.property(many, expectAgreement), { numRuns: runs(6), endOnFailure: true });
  });

  it('agrees about damaged packets', () => {
    const damaged = fc
      .tuple(wellFormedPacket, mutation)
      .map(([packet, mutate]) => mutate(packet))
      .filter((packet) => packet.length > 0); // its reader of captures stops at an empty packet
    const many = fc.array(damaged, { minLength: PACKETS_PER_RUN, maxLength: PACKETS_PER_RUN, size: 'max' });
    fc.assert(fc.property(many, expectAgreement), { numRuns: runs(20), endOnFailure: true });
  });

  it.each(['lan', 'mix'])('agrees about the shipped capture %s', (name) => {
    expectAgreement([...readCaptureFile(`examples/captures/${name}.pcap`)].map((p) => p.bytes));
  });

  it.each([0, 255, 256, 9000, 65_000])('agrees about packets with %i bytes of padding', (padding) => {
    const hosts = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
    const inner = udp({ src: 1, dst: 2 });
    const frames = [
      ethernet(hosts, ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, inner)),
      ethernet(hosts, ipv6({ src: 'fe80::1', dst: 'fe80::2' }, inner)),
    ];
    expectAgreement(frames.map((frame) => Uint8Array.of(...frame, ...new Uint8Array(padding))));
  });
});
