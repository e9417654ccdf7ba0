#!/usr/bin/env node
// Writes examples/captures/mix.pcap, the traffic of `npm start`: what a server's uplink sees in ten seconds while five
// ordinary clients use it and a sixth floods it. The same bytes each time. Needs `npm run build` before.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** 2026-01-01 00:00:00 UTC. */
const START_NS = 1_767_225_600_000_000_000n;
const NS_PER_MS = 1_000_000n;

const GATEWAY = '02:00:5e:00:00:01';
const SERVER = { mac: '02:00:5e:00:00:80', ip: '192.0.2.80', ip6: '2001:db8:2::80' };
const ORDINARY = { web: '198.51.100.11', shell: '198.51.100.12', dns: '198.51.100.13', ping: '198.51.100.14' };
const ORDINARY_IP6 = '2001:db8:1::15';
const HOSTILE = '203.0.113.66';

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * The capture's bytes.
 *
 * @param {typeof import('../src/packet/index.ts')} packet the packet room
 */
export function mixCapture(packet) {
  const { arp, encodePcap, ethernet, icmp, ipv4, ipv6, TCP_FLAG, tcp, udp } = packet;
  const random = randomFrom(42);
  const packets = [];
  const text = (words) => new TextEncoder().encode(words);
  /** @param at milliseconds since the start, with a jitter of up to half a millisecond */
  const send = (at, network) => {
    const bytes = ethernet({ src: GATEWAY, dst: SERVER.mac }, network);
    const timestampNs = START_NS + BigInt(Math.round(at * 1000) + random(500)) * (NS_PER_MS / 1000n);
    packets.push({ timestampNs, originalLength: bytes.length, bytes });
  };
  const fromIp4 = (src, transport) => ipv4({ src, dst: SERVER.ip, id: random(0x10000), dontFragment: true }, transport);
  const fromIp6 = (transport) => ipv6({ src: ORDINARY_IP6, dst: SERVER.ip6 }, transport);

  /** The client's half of a connection: handshake, one request, acknowledgements of the answer, end. */
  const connection = (at, wrap, src, dst, request) => {
    let seq = random(2 ** 31);
    const ack = random(2 ** 31);
    const segment = (after, flags, acked, data) =>
      send(at + after, wrap(tcp({ src, dst, seq, ack: flags & TCP_FLAG.ack ? ack + acked : 0, flags }, data)));
    segment(0, TCP_FLAG.syn, 0);
    seq += 1;
    segment(12, TCP_FLAG.ack, 1);
    segment(13, TCP_FLAG.ack | TCP_FLAG.psh, 1, request);
    seq += request.length;
    segment(40, TCP_FLAG.ack, 1449);
    segment(41, TCP_FLAG.ack, 2897);
    segment(60, TCP_FLAG.ack | TCP_FLAG.fin, 2900);
    seq += 1;
    segment(72, TCP_FLAG.ack, 2901);
  };

  for (let at = 0; at < 10_000; at += 3000)
    send(at, arp({ opcode: 1, sha: GATEWAY, spa: '192.0.2.1', tha: '00:00:00:00:00:00', tpa: SERVER.ip }));
  for (let i = 0; i < 28; i++)
    connection(
      150 + 345 * i,
      (t) => fromIp4(ORDINARY.web, t),
      49_152 + i,
      80,
      text(`GET /${i} HTTP/1.1\r\nHost: a.example\r\n\r\n`),
    );
  for (let i = 0; i < 14; i++) connection(400 + 670 * i, fromIp6, 50_000 + i, 443, text('\x16\x03\x01\x00\x28\x01'));
  for (let i = 0, seq = 1000; i < 190; i++, seq += 36) {
    const keystroke = tcp(
      { src: 51_000, dst: 22, seq, ack: 5000 + 36 * i, flags: TCP_FLAG.ack | TCP_FLAG.psh },
      text('*'.repeat(36)),
    );
    send(50 + 52 * i, fromIp4(ORDINARY.shell, keystroke));
  }
  for (let i = 0; i < 95; i++) {
    const query = Uint8Array.of(
      0,
      i,
      1,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      97 + (i % 26),
      7,
      ...text('example'),
      0,
      0,
      1,
      0,
      1,
    );
    send(20 + 104 * i, fromIp4(ORDINARY.dns, udp({ src: 1024 + random(60_000), dst: 53 }, query)));
  }
  for (let i = 0; i < 50; i++)
    send(
      5 + 199 * i,
      fromIp4(ORDINARY.ping, icmp({ type: 8, rest: (0x77 << 16) | i }, text('abcdefghijklmnopqrstuvwabcdefghi'))),
    );

  // The flood: 350 packets a second from the 2nd to the 5th second, and once more, harder, in the 8th.
  for (let i = 0; i < 1050; i++) send(2000 + i / 0.35, flood());
  for (let i = 0; i < 350; i++) send(7500 + i / 0.7, flood());

  function flood() {
    return ipv4({ src: HOSTILE, dst: SERVER.ip, id: random(0x10000) }, udp({ src: 1024 + random(60_000), dst: 53 }));
  }

  packets.sort((a, b) => Number(a.timestampNs - b.timestampNs));
  return encodePcap(packets);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const packet = await import('../dist/packet/index.js');
  writeFileSync(new URL('../examples/captures/mix.pcap', import.meta.url), mixCapture(packet));
}
