import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../src/bytes/index.ts';
import { readCaptureFile } from '../src/packet/capture-file.ts';
import {
  type CapturedPacket,
  checksumsVerify,
  ETH_TYPE,
  encodePcap,
  ethernet,
  extractKey,
  icmp,
  ipv4,
  newKey,
  PacketLayout,
  rawPayload,
  TCP_FLAG,
  tcp,
  udp,
} from '../src/packet/index.ts';
import { NamespacePair, namespacesMissing, stop } from './support/namespaces.ts';
import { ofctlFlowText } from './support/ofctl-flow-text.ts';

const SHIPPED = 'examples/captures/lan.pcap';
const missing = namespacesMissing() ?? (existsSync('/usr/bin/tcpdump') ? undefined : 'needs tcpdump');

/** Answers every TCP connection on port 7000 and every datagram on port 7001, of either IP version. */
const SERVER = `
import socket, threading
tcp = socket.create_server(('::', 7000), family=socket.AF_INET6, dualstack_ipv6=True)
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(('::', 7001))
def datagrams():
    while True:
        data, peer = udp.recvfrom(2048)
        udp.sendto(data.upper(), peer)
threading.Thread(target=datagrams, daemon=True).start()
print('ready')
while True:
    connection, _ = tcp.accept()
    with connection:
        connection.sendall(b'you said ' + connection.recv(2048))
`;

const CLIENT = `
import socket, sys
for address in sys.argv[1:]:
    with socket.create_connection((address, 7000), timeout=10) as tcp:
        tcp.sendall(b'hello by TCP')
        while tcp.recv(2048): pass
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.sendto(b'hello by UDP', (address, 7001))
        udp.recv(2048)
`;

const HOSTS = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };
const VLAN_IPS = { src: '10.9.7.1', dst: '10.9.7.2' };
const greeting = new TextEncoder().encode('hello by VLAN, which needs sixty bytes or the medium pads');
/** Not every kernel has VLAN devices, so the tagged frames are made here. */
const TAGGED = [
  ethernet({ ...HOSTS, vlans: [{ vid: 7, pcp: 3 }] }, ipv4(VLAN_IPS, icmp({ type: 8, rest: 0x00090001 }, greeting))),
  ethernet(
    { ...HOSTS, vlans: [{ vid: 7 }] },
    ipv4(VLAN_IPS, tcp({ src: 40_000, dst: 7000, flags: TCP_FLAG.syn }, greeting)),
  ),
  ethernet(
    { ...HOSTS, vlans: [{ tpid: ETH_TYPE.qinq, vid: 100 }, { vid: 7 }] },
    ipv4(VLAN_IPS, udp({ src: 40_000, dst: 7001 }, greeting)),
  ),
];

/** Sent last, under an Ethertype for local experiments: when it has been captured, so has everything before it. */
const MARKER = ethernet(HOSTS, rawPayload(0x88b5, new Uint8Array(46)));
const isMarker = (packet: CapturedPacket): boolean => toHex(packet.bytes.subarray(12, 14)) === '88b5';

function flowTexts(packets: readonly CapturedPacket[]): string[] {
  const key = newKey();
  return packets.map(({ bytes }) => {
    extractKey(bytes, key);
    return ofctlFlowText(key);
  });
}

/** What a capture of the traffic below must hold. */
function expectTraffic(packets: readonly CapturedPacket[]): void {
  const flows = flowTexts(packets);
  const count = (pattern: RegExp) => flows.filter((flow) => pattern.test(flow)).length;
  const onlyUntagged = (text: string) => new RegExp(`^${text},in_port=ANY,vlan_tci=0x0000,`);
  expect(count(/^arp,.*arp_op=1/)).toBeGreaterThanOrEqual(1);
  expect(count(/^arp,.*arp_op=2/)).toBeGreaterThanOrEqual(1);
  expect(count(/^icmp,.*vlan_tci=0x0000.*nw_frag=no,icmp_type=8/)).toBe(3);
  expect(count(/^icmp,.*vlan_tci=0x0000.*nw_frag=no,icmp_type=0/)).toBe(3);
  expect(count(/^icmp,.*dl_vlan=7,dl_vlan_pcp=3,.*icmp_type=8/)).toBe(1);
  expect(count(/^udp,.*dl_vlan=100,.*dl_vlan1=7,.*tp_dst=7001/)).toBe(1);
  expect(count(/^icmp,.*nw_frag=first/)).toBe(2);
  expect(count(/^icmp,.*nw_frag=later/)).toBe(4);
  expect(count(/^icmp6,.*icmp_type=128/)).toBe(2);
  expect(count(/^icmp6,.*icmp_type=135.*nd_target=fd09::2/)).toBeGreaterThanOrEqual(1);
  expect(count(/^tcp,.*dl_vlan=7,.*tp_dst=7000.*tcp_flags=syn$/)).toBe(1);
  expect(count(/^tcp6,.*ipv6_dst=fd09::2.*tp_dst=7000.*tcp_flags=syn$/)).toBe(1);
  expect(count(/^udp6,.*tp_src=7001/)).toBe(1);
  expect(count(onlyUntagged('udp'))).toBe(2);
  const layout = new PacketLayout();
  for (const { bytes, originalLength } of packets) {
    layout.locate(bytes, 0, bytes.length);
    expect(checksumsVerify(bytes, layout)).toBe(true);
    expect(originalLength).toBe(bytes.length);
  }
  const times = packets.map((p) => p.timestampNs);
  expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
}

describe.skipIf(missing !== undefined)(
  `a capture by tcpdump between two namespaces${missing ? ` (${missing})` : ''}`,
  () => {
    let lan: NamespacePair;
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'oko-lan-'));
      lan = new NamespacePair('capture');
    });
    afterAll(() => {
      lan?.close();
      rmSync(folder, { recursive: true });
    });

    it.each([
      { precision: 'micro', snapLength: 0 },
      { precision: 'nano', snapLength: 60 },
    ])('holds ping, TCP, UDP, ARP, IPv6, VLAN and fragments ($precision, snap length $snapLength)', async (mode) => {
      const path = join(folder, `${mode.precision}.pcap`);
      for (const namespace of [lan.left, lan.right]) lan.run(namespace, 'ip', ['neigh', 'flush', 'all']);
      const children: ChildProcess[] = [];
      try {
        children.push(await lan.startPython(lan.right, SERVER, /ready/));
        const args = ['-i', 'wire', '-w', path, '-U', '--immediate-mode', '-s', String(mode.snapLength), '-Z', 'root'];
        args.push(`--time-stamp-precision=${mode.precision}`);
        const tcpdump = await lan.start(lan.right, 'tcpdump', args, /listening on/);
        children.push(tcpdump);
        const ping = (line: string) => lan.run(lan.left, 'ping', ['-q', '-i', '0.01', '-W', '5', ...line.split(' ')]);
        ping('-c 3 10.9.0.2');
        ping('-c 1 -s 4000 10.9.0.2');
        ping('-c 2 fd09::2');
        lan.python(lan.left, CLIENT, ['10.9.0.2', 'fd09::2']);
        lan.sendFrames(lan.left, TAGGED);
        await arrival(path, () => lan.sendFrames(lan.left, [MARKER]));
        await stop(tcpdump);
      } finally {
        await Promise.all(children.map((child) => stop(child, 'SIGKILL')));
      }
      const packets = [...readCaptureFile(path)].filter((p) => !isMarker(p));
      if (mode.snapLength === 0) {
        expectTraffic(packets);
        if (process.env.OKO_UPDATE_CAPTURES === '1') writeFileSync(SHIPPED, encodePcap(packets));
      } else {
        // libpcap keeps room for a VLAN tag, so that packets without one come out a few bytes shorter.
        expect(packets.every((p) => p.bytes.length <= 60)).toBe(true);
        expect(packets.some((p) => p.originalLength > 1000)).toBe(true);
        expect(packets.some((p) => p.timestampNs % 1000n !== 0n)).toBe(true);
      }
    });
  },
);

/** Repeats `send` until the capture holds what it sends. */
async function arrival(path: string, send: () => void): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    send();
    try {
      for (const packet of readCaptureFile(path)) if (isMarker(packet)) return;
    } catch {
      // Still being written.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('tcpdump did not see the marker');
}

describe('the shipped capture of a LAN', () => {
  it('holds the same kinds of traffic', () => {
    expectTraffic([...readCaptureFile(SHIPPED)]);
  });
});
