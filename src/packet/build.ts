import { ByteWriter, internetChecksum, parseIpv4, parseIpv6, parseMac } from '../bytes/index.ts';
import { fillTransportChecksum } from './checksum.ts';
import { ARP, ETH_ADDRESS_BYTES, ETH_TYPE, IP_PROTO, IPV4, IPV6, TCP, UDP } from './headers.ts';
import { PacketLayout } from './layout.ts';

// Packets from the inside out: `ethernet({…}, ipv4({…}, tcp({…}, payload)))`. Lengths and checksums are filled in.

/** An address as text or as bytes. Text that is no address throws a RangeError: packets are built by programs. */
export type Address = string | Uint8Array;

const NO_PAYLOAD = new Uint8Array();

export interface VlanTag {
  /** 0x8100 unless said otherwise. */
  readonly tpid?: number;
  readonly vid: number;
  readonly pcp?: number;
  readonly cfi?: 0 | 1;
}

/** What goes into a frame, and under which Ethertype. */
export interface NetworkPacket {
  readonly ethType: number;
  readonly bytes: Uint8Array;
}

export interface EthernetFields {
  readonly dst: Address;
  readonly src: Address;
  /** Outermost first. */
  readonly vlans?: readonly VlanTag[];
}

/** A frame, without frame check sequence and not padded to the 60 bytes that the medium demands. */
export function ethernet(fields: EthernetFields, payload: NetworkPacket): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(64).put(mac(fields.dst)).put(mac(fields.src));
  for (const tag of fields.vlans ?? [])
    out.u16(tag.tpid ?? ETH_TYPE.vlan).u16(((tag.pcp ?? 0) << 13) | ((tag.cfi ?? 0) << 12) | tag.vid);
  return out.u16(payload.ethType).put(payload.bytes).finish();
}

/** Any payload under an Ethertype, or under a length when `ethType` is below 0x600. */
export function rawPayload(ethType: number, bytes: Uint8Array): NetworkPacket {
  return { ethType, bytes };
}

export interface MplsLabel {
  readonly label: number;
  readonly tc?: number;
  readonly ttl?: number;
}

/** A label stack, outermost first, over a payload; the last entry is the bottom of the stack. */
export function mpls(
  labels: readonly MplsLabel[],
  payload: Uint8Array,
  ethType: number = ETH_TYPE.mpls,
): NetworkPacket {
  const out = new ByteWriter(64);
  labels.forEach(({ label, tc = 0, ttl = 64 }, i) => {
    const bottom = i === labels.length - 1 ? 1 : 0;
    out.u32(((label << 12) | (tc << 9) | (bottom << 8) | ttl) >>> 0);
  });
  return { ethType, bytes: out.put(payload).finish() };
}

export const ARP_OPCODE = { request: 1, reply: 2 } as const;

export interface ArpFields {
  readonly opcode: number;
  readonly sha: Address;
  readonly spa: Address;
  readonly tha: Address;
  readonly tpa: Address;
  /** 0x0806 unless it is RARP. */
  readonly ethType?: number;
}

export function arp(fields: ArpFields): NetworkPacket {
  const out = new ByteWriter(ARP.headerBytes)
    .u16(ARP.hardwareEthernet)
    .u16(ETH_TYPE.ipv4)
    .u8(ETH_ADDRESS_BYTES)
    .u8(4)
    .u16(fields.opcode)
    .put(mac(fields.sha))
    .put(ipv4Address(fields.spa))
    .put(mac(fields.tha))
    .put(ipv4Address(fields.tpa));
  return { ethType: fields.ethType ?? ETH_TYPE.arp, bytes: out.finish() };
}

/** What goes into an IP packet; its checksum is filled in there, since it covers the addresses. */
export interface TransportPacket {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

export interface Ipv4Fields {
  readonly src: Address;
  readonly dst: Address;
  readonly ttl?: number;
  /** DSCP and ECN. */
  readonly tos?: number;
  readonly id?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In units of 8 bytes. */
  readonly fragmentOffset?: number;
  /** Padded with zeros to whole words. */
  readonly options?: Uint8Array;
}

export function ipv4(fields: Ipv4Fields, payload: TransportPacket): NetworkPacket {
  const options = fields.options ?? NO_PAYLOAD;
  const headerBytes = IPV4.minHeaderBytes + ((options.length + 3) & ~3);
  const flags =
    (fields.dontFragment ? IPV4.dontFragment : 0) |
    (fields.moreFragments ? IPV4.moreFragments : 0) |
    (fields.fragmentOffset ?? 0);
  const bytes = new ByteWriter(headerBytes + payload.bytes.length)
    .u8(0x40 | (headerBytes / 4))
    .u8(fields.tos ?? 0)
    .u16(headerBytes + payload.bytes.length)
    .u16(fields.id ?? 0)
    .u16(flags)
    .u8(fields.ttl ?? 64)
    .u8(payload.protocol)
    .u16(0)
    .put(ipv4Address(fields.src))
    .put(ipv4Address(fields.dst))
    .put(options)
    .align(4)
    .put(payload.bytes)
    .finish();
  new DataView(bytes.buffer).setUint16(IPV4.checksum, internetChecksum(bytes, 0, headerBytes));
  return withTransportChecksum(ETH_TYPE.ipv4, bytes);
}

export interface Ipv6Fields {
  readonly src: Address;
  readonly dst: Address;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly label?: number;
  /** Whole extension headers in their order, without their next-header fields, which are filled in. */
  readonly extensions?: readonly { readonly header: number; readonly bytes: Uint8Array }[];
}

export function ipv6(fields: Ipv6Fields, payload: TransportPacket): NetworkPacket {
  const extensions = fields.extensions ?? [];
  const out = new ByteWriter(64)
    .u32(((6 << 28) | ((fields.trafficClass ?? 0) << 20) | (fields.label ?? 0)) >>> 0)
    .u16(extensions.reduce((sum, e) => sum + e.bytes.length, payload.bytes.length))
    .u8(extensions[0]?.header ?? payload.protocol)
    .u8(fields.hopLimit ?? 64)
    .put(ipv6Address(fields.src))
    .put(ipv6Address(fields.dst));
  extensions.forEach(({ bytes }, i) => {
    out.u8(extensions[i + 1]?.header ?? payload.protocol).put(bytes.subarray(1));
  });
  return withTransportChecksum(ETH_TYPE.ipv6, out.put(payload.bytes).finish());
}

function withTransportChecksum(ethType: number, bytes: Uint8Array): NetworkPacket {
  const layout = new PacketLayout();
  layout.ethType = ethType;
  layout.locateNetwork(bytes, 0, bytes.length);
  fillTransportChecksum(bytes, layout);
  return { ethType, bytes };
}

/** The IPv6 fragment extension header; `offset` in units of 8 bytes. */
export function fragmentExtension(offset: number, more: boolean, id: number): { header: number; bytes: Uint8Array } {
  const offsetMore = (offset << 3) | (more ? 1 : 0);
  return { header: IP_PROTO.fragment, bytes: new ByteWriter(8).u16(0).u16(offsetMore).u32(id).finish() };
}

export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ns: 256 } as const;

export interface TcpFields {
  readonly src: number;
  readonly dst: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  /** Padded with zeros to whole words. */
  readonly options?: Uint8Array;
}

export function tcp(fields: TcpFields, payload: Uint8Array = NO_PAYLOAD): TransportPacket {
  const options = fields.options ?? NO_PAYLOAD;
  const headerWords = TCP.minHeaderBytes / 4 + ((options.length + 3) >> 2);
  const out = new ByteWriter(64)
    .u16(fields.src)
    .u16(fields.dst)
    .u32(fields.seq ?? 0)
    .u32(fields.ack ?? 0)
    .u16((headerWords << 12) | (fields.flags ?? 0))
    .u16(fields.window ?? 0xffff)
    .u32(0)
    .put(options)
    .align(4)
    .put(payload);
  return { protocol: IP_PROTO.tcp, bytes: out.finish() };
}

export function udp(fields: { src: number; dst: number }, payload: Uint8Array = NO_PAYLOAD): TransportPacket {
  const out = new ByteWriter(64)
    .u16(fields.src)
    .u16(fields.dst)
    .u16(UDP.headerBytes + payload.length)
    .u16(0);
  return { protocol: IP_PROTO.udp, bytes: out.put(payload).finish() };
}

export function sctp(fields: { src: number; dst: number; tag?: number }, chunks: Uint8Array): TransportPacket {
  const out = new ByteWriter(64)
    .u16(fields.src)
    .u16(fields.dst)
    .u32(fields.tag ?? 0)
    .u32(0);
  return { protocol: IP_PROTO.sctp, bytes: out.put(chunks).finish() };
}

export interface IcmpFields {
  readonly type: number;
  readonly code?: number;
  /** The second word, such as identifier and sequence number of an echo. */
  readonly rest?: number;
}

export function icmp(fields: IcmpFields, payload: Uint8Array = NO_PAYLOAD): TransportPacket {
  return { protocol: IP_PROTO.icmp, bytes: icmpBytes(fields, payload) };
}

export function icmpv6(fields: IcmpFields, payload: Uint8Array = NO_PAYLOAD): TransportPacket {
  return { protocol: IP_PROTO.icmpv6, bytes: icmpBytes(fields, payload) };
}

export function igmp(fields: IcmpFields, payload: Uint8Array = NO_PAYLOAD): TransportPacket {
  return { protocol: IP_PROTO.igmp, bytes: icmpBytes(fields, payload) };
}

function icmpBytes(fields: IcmpFields, payload: Uint8Array): Uint8Array {
  const out = new ByteWriter(64)
    .u8(fields.type)
    .u8(fields.code ?? 0)
    .u16(0)
    .u32(fields.rest ?? 0);
  return out.put(payload).finish();
}

/** Target and options of a neighbour solicitation or advertisement, to be the payload of `icmpv6`. */
export function neighbourDiscovery(target: Address, options: readonly { type: number; mac: Address }[]): Uint8Array {
  const out = new ByteWriter(64).put(ipv6Address(target));
  for (const option of options) out.u8(option.type).u8(1).put(mac(option.mac));
  return out.finish();
}

/** Any protocol over IP. */
export function rawTransport(protocol: number, bytes: Uint8Array): TransportPacket {
  return { protocol, bytes };
}

function mac(address: Address): Uint8Array {
  return addressBytes(address, parseMac, ETH_ADDRESS_BYTES, 'MAC');
}

function ipv4Address(address: Address): Uint8Array {
  return addressBytes(address, parseIpv4, 4, 'IPv4');
}

function ipv6Address(address: Address): Uint8Array {
  return addressBytes(address, parseIpv6, IPV6.addressBytes, 'IPv6');
}

function addressBytes(
  address: Address,
  parse: (text: string) => Uint8Array | undefined,
  length: number,
  kind: string,
): Uint8Array {
  const bytes = typeof address === 'string' ? parse(address) : address;
  if (bytes?.length !== length) throw new RangeError(`${String(address)} is no ${kind} address`);
  return bytes;
}
