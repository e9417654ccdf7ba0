import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readCaptureFile } from '../../packet/capture-file.ts';
import { DatapathError } from '../errors.ts';
import { DriverPort } from './driver-port.ts';
import { dpdkSpec, openDriver } from './port-spec.ts';

const CAPTURE = new URL('../../../examples/captures/mix.pcap', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'oko-ports-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('dpdk-devargs', () => {
  it.each([
    [undefined, { kind: 'fastest', device: 'dpdk0' }],
    ['net_af_xdp0,iface=eth1', { kind: 'afxdp', device: 'eth1' }],
    ['net_af_xdp1,iface=eth1,start_queue=2,queue_count=2', { kind: 'afxdp', device: 'eth1', queues: [2, 3] }],
    ['net_af_packet0,iface=veth0', { kind: 'system', device: 'veth0' }],
    ['eth_af_packet0,iface=veth0', { kind: 'system', device: 'veth0' }],
    ['net_tap0,iface=t0', { kind: 'tap', device: 't0' }],
    ['net_pcap0,rx_pcap=a,tx_pcap=b', { kind: 'pcap', rx: 'a', tx: 'b', infinite: false }],
    ['net_pcap0,rx_pcap=a,infinite_rx=1', { kind: 'pcap', rx: 'a', infinite: true }],
    ['net_null0', { kind: 'null', size: 64 }],
    ['net_null1,size=128', { kind: 'null', size: 128 }],
  ])('%s', (devargs, spec) => {
    expect(dpdkSpec('dpdk0', devargs)).toEqual(spec);
  });

  it.each([
    ['0000:05:00.0', 'PCI address'],
    ['net_mlx5_0', 'known are'],
    ['net_af_xdp0', 'iface=DEVICE is missing'],
    ['net_af_packet0,iface', 'no key=value'],
    ['net_pcap0', 'rx_pcap=FILE'],
    ['net_null0,size=70000', 'no number up to 1518'],
    ['net_null0,copy=1', 'no option "copy"'],
  ])('refuses %s', (devargs, why) => {
    expect(() => dpdkSpec('dpdk0', devargs)).toThrow(why);
  });

  it('survives any text', () => {
    const word = fc.constantFrom('net_null0', 'net_pcap0', 'iface', 'size', '=', ',', 'x', '1', '', '0000:00', '\0');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        try {
          dpdkSpec('p', words.join(''));
        } catch (error) {
          if (!(error instanceof DatapathError)) throw error;
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('ports on captures', () => {
  const received = (port: DriverPort, most = Number.POSITIVE_INFINITY): Uint8Array[] => {
    const packets: Uint8Array[] = [];
    while (packets.length < most && port.receive(32, (packet) => packets.push(packet.slice())));
    return packets;
  };
  const original = [...readCaptureFile(CAPTURE)].map(({ bytes }) => bytes);

  it('take a capture, and write one', () => {
    const tx = join(folder, 'out.pcap');
    const port = new DriverPort(openDriver('p', { kind: 'pcap', rx: CAPTURE, tx }));
    const packets = received(port);
    expect(packets).toEqual(original);
    for (const packet of packets) expect(port.send(packet)).toBe(true);
    port.close();
    expect([...readCaptureFile(tx)].map(({ bytes }) => bytes)).toEqual(original);
  });

  it('begin anew', () => {
    const port = new DriverPort(openDriver('p', { kind: 'pcap', rx: CAPTURE, infinite: true }));
    const packets = received(port, 2 * original.length + 1);
    expect(packets.slice(original.length, 2 * original.length)).toEqual(original);
    expect(port.alwaysReady).toBe(true);
    port.close();
  });

  it('of no device give packets of zeros, or none', () => {
    const port = new DriverPort(openDriver('p', { kind: 'null', size: 64 }));
    expect(received(port, 1)[0]).toEqual(new Uint8Array(64));
    expect(port.send(new Uint8Array(60))).toBe(true);
    expect(received(new DriverPort(openDriver('p', { kind: 'null' })))).toEqual([]);
  });
});
