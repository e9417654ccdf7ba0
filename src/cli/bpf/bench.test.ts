import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { encodePcap, ethernet, ipv4, udp } from '../../packet/index.ts';
import { runCli } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'oko-bench-'));
const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function bench(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const capture = (into: 'out' | 'err') => (text: string | Uint8Array) => {
    printed[into] += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  const status = await runCli(['bpf', 'bench', ...args]);
  return { status, ...printed };
}

it('measures a filter over the packets of a capture with both engines', async () => {
  const capture = join(folder, 'two.pcap');
  const packets = [53, 9999].map((dst) => {
    const bytes = ethernet(
      { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' },
      ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 4000, dst })),
    );
    return { timestampNs: 0n, bytes, originalLength: bytes.length };
  });
  writeFileSync(capture, encodePcap(packets));
  const { status, out } = await bench(example('stateless-firewall.o'), '--packet', capture, '--seconds', '0.02');
  expect(status).toBe(0);
  expect(out).toMatch(/^entry: 129 instructions, 2 packets, of which 50% match\n/);
  expect(out).toMatch(/^wasm +\d+\.\d ns a packet, \d+\.\d\d million packets a second; compiled in \d+\.\d\d ms$/m);
  expect(out).toMatch(/^interpreter +\d+\.\d ns a packet, \d+ times as long$/m);
});

it('takes a packet of zeros for want of others', async () => {
  const { out } = await bench(example('rate-limiter.o'), '--seconds', '0.01');
  expect(out).toMatch(/^entry: 79 instructions, 1 packets, of which 100% match\n/);
});

it('refuses a program that the verifier does not accept, and senseless times', async () => {
  const endless = join(folder, 'endless.bin');
  // goto -1
  writeFileSync(endless, Uint8Array.of(0x05, 0, 0xff, 0xff, 0, 0, 0, 0));
  const refused = await bench(endless);
  expect(refused.status).toBe(1);
  expect(refused.out).toBe('');
  expect(refused.err).not.toContain('    at ');
  const senseless = await bench(example('rate-limiter.o'), '--seconds', '-3');
  expect(senseless.status).toBe(1);
  expect(senseless.err).toContain('--seconds -3');
});
