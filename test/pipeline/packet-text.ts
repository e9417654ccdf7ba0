import { formatIpv4, formatIpv6, formatMac, parseHex, toHex } from '../../src/bytes/index.ts';
import {
  arp,
  ethernet,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  type MplsLabel,
  mpls,
  type NetworkPacket,
  rawPayload,
  sctp,
  type TransportPacket,
  tcp,
  udp,
  type VlanTag,
} from '../../src/packet/build.ts';

/*
 * Packets in one line of text, for tables of cases: tags and labels from the outside in, then what is in them, then what
 * differs from the ordinary: "vlan=10:3 mpls=100:0:63 udp ttl=63 dst=9". MAC addresses are written as their last byte.
 * Checksums are right; a packet that cannot be said so is written in hex.
 */

const ETH_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, vlan: 0x8100, qinq: 0x88a8, mpls: 0x8847, mplsm: 0x8848 };
const PROTOCOL_NUMBER: Record<number, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp', 132: 'sctp' };

const DEFAULTS = {
  src: '1',
  dst: '2',
  nw_src: '10.0.0.1',
  nw_dst: '10.0.0.2',
  ttl: '64',
  tos: '0',
  sport: '1000',
  dport: '2000',
  len: '18',
  type: '8',
  code: '0',
  op: '1',
  label: '0',
  frag: '0',
};
const DEFAULTS6 = { ...DEFAULTS, nw_src: 'fd00::1', nw_dst: 'fd00::2', type: '128' };
type Settings = Record<keyof typeof DEFAULTS, string>;

export function packet(text: string): Uint8Array {
  if (text.startsWith('hex:')) return parseHex(text.slice(4)) ?? fail(text);
  const vlans: VlanTag[] = [];
  const labels: MplsLabel[] = [];
  let mplsType = ETH_TYPE.mpls;
  let protocol: string | undefined;
  let settings: Settings = { ...DEFAULTS };
  for (const token of text.trim().split(/\s+/)) {
    const [name, value] = token.split('=');
    const numbers = (value ?? '').split(':').map(Number);
    if (name === 'vlan' || name === 'qinq') {
      vlans.push({ tpid: ETH_TYPE[name], vid: numbers[0], pcp: numbers[1] ?? 0 });
    } else if (name === 'mpls' || name === 'mplsm') {
      mplsType = ETH_TYPE[name];
      labels.push({ label: numbers[0], tc: numbers[1] ?? 0, ttl: numbers[2] ?? 64 });
    } else if (name in DEFAULTS && value !== undefined) {
      settings = { ...settings, [name]: value };
    } else {
      protocol = token;
      if (/6$/.test(token)) settings = { ...DEFAULTS6 };
    }
  }
  const inner = network(protocol ?? fail(text), settings);
  const payload = labels.length > 0 ? mpls(labels, inner.bytes, mplsType) : inner;
  return ethernet({ src: macOf(settings.src), dst: macOf(settings.dst), vlans }, payload);
}

function network(protocol: string, s: Settings): NetworkPacket {
  const body = Uint8Array.from({ length: Number(s.len) }, (_, i) => i);
  const ports = { src: Number(s.sport), dst: Number(s.dport) };
  const echo = { type: Number(s.type), code: Number(s.code) };
  const transports: Record<string, () => TransportPacket> = {
    udp: () => udp(ports, body),
    tcp: () => tcp(ports, body),
    sctp: () => sctp(ports, body),
    icmp: () => icmp(echo, body),
    icmp6: () => icmpv6(echo, body),
  };
  if (protocol === 'arp')
    return arp({
      opcode: Number(s.op),
      sha: macOf(s.src),
      spa: s.nw_src,
      tha: '00:00:00:00:00:00',
      tpa: s.nw_dst,
    });
  if (protocol.startsWith('type:')) return rawPayload(Number(protocol.slice(5)), body);
  const transport = transports[protocol] ?? transports[protocol.replace(/6$/, '')] ?? fail(protocol);
  if (/6$/.test(protocol)) {
    const fields = { src: s.nw_src, dst: s.nw_dst, hopLimit: Number(s.ttl), trafficClass: Number(s.tos) };
    return ipv6({ ...fields, label: Number(s.label) }, transport());
  }
  const fields = { src: s.nw_src, dst: s.nw_dst, ttl: Number(s.ttl), tos: Number(s.tos) };
  return ipv4({ ...fields, fragmentOffset: Number(s.frag) }, transport());
}

/** The text of a packet. */
export function packetText(bytes: Uint8Array): string {
  try {
    const text = describe(bytes);
    if (toHex(packet(text)) === toHex(bytes)) return text;
  } catch {
    // It has no text.
  }
  return `hex:${toHex(bytes)}`;
}

function describe(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words: string[] = [];
  const settings: Partial<Settings> = { dst: macText(bytes, 0), src: macText(bytes, 6) };
  let at = 12;
  let type = view.getUint16(at);
  while (type === ETH_TYPE.vlan || type === ETH_TYPE.qinq) {
    const tci = view.getUint16(at + 2);
    words.push(`${type === ETH_TYPE.vlan ? 'vlan' : 'qinq'}=${tci & 0xfff}${tci >> 13 ? `:${tci >> 13}` : ''}`);
    at += 4;
    type = view.getUint16(at);
  }
  at += 2;
  if (type === ETH_TYPE.mpls || type === ETH_TYPE.mplsm) {
    const name = type === ETH_TYPE.mpls ? 'mpls' : 'mplsm';
    for (let isLast = false; !isLast; at += 4) {
      const lse = view.getUint32(at);
      words.push(`${name}=${lse >>> 12}:${(lse >> 9) & 7}:${lse & 0xff}`);
      isLast = (lse & 0x100) !== 0;
    }
    type = bytes[at] >> 4 === 6 ? ETH_TYPE.ipv6 : ETH_TYPE.ipv4;
  }
  let defaults: Settings = DEFAULTS;
  if (type === ETH_TYPE.ipv4) {
    Object.assign(settings, {
      nw_src: formatIpv4(bytes, at + 12),
      nw_dst: formatIpv4(bytes, at + 16),
      ttl: `${bytes[at + 8]}`,
      tos: `${bytes[at + 1]}`,
      frag: `${view.getUint16(at + 6) & 0x1fff}`,
    });
    words.push(transport(bytes, at + 20, bytes[at + 9], settings));
  } else if (type === ETH_TYPE.ipv6) {
    defaults = DEFAULTS6;
    Object.assign(settings, {
      nw_src: formatIpv6(bytes, at + 8),
      nw_dst: formatIpv6(bytes, at + 24),
      ttl: `${bytes[at + 7]}`,
      tos: `${(view.getUint16(at) >> 4) & 0xff}`,
      label: `${view.getUint32(at) & 0xfffff}`,
    });
    words.push(`${transport(bytes, at + 40, bytes[at + 6], settings)}6`);
  } else if (type === ETH_TYPE.arp) {
    words.push('arp');
    Object.assign(settings, {
      op: `${view.getUint16(at + 6)}`,
      nw_src: formatIpv4(bytes, at + 14),
      nw_dst: formatIpv4(bytes, at + 24),
    });
  } else {
    words.push(`type:0x${type.toString(16)}`);
    settings.len = `${bytes.length - at}`;
  }
  for (const [name, value] of Object.entries(settings))
    if (value !== defaults[name as keyof Settings]) words.push(`${name}=${value}`);
  return words.join(' ');
}

function transport(bytes: Uint8Array, at: number, protocol: number, settings: Partial<Settings>): string {
  const name = PROTOCOL_NUMBER[protocol] ?? fail(`${protocol}`);
  const header = { udp: 8, tcp: 20, sctp: 12, icmp: 8 }[name] ?? 0;
  if (name === 'icmp') Object.assign(settings, { type: `${bytes[at]}`, code: `${bytes[at + 1]}` });
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    Object.assign(settings, { sport: `${view.getUint16(at)}`, dport: `${view.getUint16(at + 2)}` });
  }
  settings.len = `${bytes.length - at - header}`;
  return name;
}

/** A short form of addresses that end in one number; others in full. */
function macOf(text: string): string {
  return text.includes(':') ? text : `02:00:00:00:00:${Number(text).toString(16).padStart(2, '0')}`;
}

function macText(bytes: Uint8Array, at: number): string {
  const full = formatMac(bytes, at);
  return full.startsWith('02:00:00:00:00:') ? `${bytes[at + 5]}` : full;
}

function fail(text: string): never {
  throw new Error(`no packet: ${text}`);
}
