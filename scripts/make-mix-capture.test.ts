import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIpv4 } from '../src/bytes/index.ts';
import { readCaptureFile } from '../src/packet/capture-file.ts';
import * as packet from '../src/packet/index.ts';

const SHIPPED = 'examples/captures/mix.pcap';
const script: string = './make-mix-capture.mjs';

describe('examples/captures/mix.pcap', () => {
  it('is what the script makes', async () => {
    const { mixCapture }: { mixCapture: (room: typeof packet) => Uint8Array } = await import(script);
    expect(mixCapture(packet)).toEqual(new Uint8Array(readFileSync(SHIPPED)));
  });

  it('holds one source that floods and others that stay below a hundred packets a second', () => {
    const perSecond = new Map<string, Map<bigint, number>>();
    const key = packet.newKey();
    const layout = new packet.PacketLayout();
    let count = 0;
    let first: bigint | undefined;
    let last = 0n;
    for (const { bytes, timestampNs } of readCaptureFile(SHIPPED)) {
      first ??= timestampNs;
      expect(timestampNs).toBeGreaterThanOrEqual(last);
      last = timestampNs;
      count++;
      layout.locate(bytes, 0, bytes.length);
      expect(packet.checksumsVerify(bytes, layout)).toBe(true);
      packet.extractKey(bytes, key);
      const source = layout.network === packet.NETWORK.ipv4 ? formatIpv4(key, packet.KEY.ipSrc) : 'other';
      const seconds = perSecond.get(source) ?? new Map<bigint, number>();
      perSecond.set(source, seconds);
      const second = timestampNs / 1_000_000_000n;
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    expect(count).toBeGreaterThan(1900);
    expect(count).toBeLessThan(2200);
    expect(Number(last - (first ?? 0n)) / 1e9).toBeCloseTo(10, 0);
    for (const [source, seconds] of perSecond) {
      const most = Math.max(...seconds.values());
      if (source === '203.0.113.66') expect(most).toBeGreaterThan(300);
      else expect(most).toBeLessThan(60);
    }
    expect(perSecond.size).toBe(6);
  });
});
