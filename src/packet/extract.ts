import {
  ARP,
  ETH,
  ETH_ADDRESS_BYTES,
  ICMP,
  IP_PROTO,
  IPV4,
  IPV6,
  MPLS,
  ND,
  NSH,
  TCP,
  TCP_FLAGS_MASK,
  VLAN,
} from './headers.ts';
import { KEY, KEY_PACKET_BYTES, MPLS_LSE_COUNT, VLAN_CFI } from './key.ts';
import { NETWORK, PacketLayout } from './layout.ts';

const scratch = new PacketLayout();

/**
 * Parses the Ethernet packet in `packet[start, end)` into the packet region of `key`, all of it after in_port and
 * packet_type; the rest of the key stays as it is. This is the reference that the fast path's extraction is tested
 * against, and itself agrees with Open vSwitch on every packet: what is cut or malformed leaves the fields of that header
 * and of those after it zero. Never throws, reads nothing outside the range, allocates nothing.
 */
export function extractKey(packet: Uint8Array, key: Uint8Array, start = 0, end = packet.length): void {
  scratch.locate(packet, start, end);
  extractKeyAt(packet, scratch, key);
}

/** The same for a packet whose headers have been located. */
export function extractKeyAt(packet: Uint8Array, layout: PacketLayout, key: Uint8Array): void {
  key.fill(0, KEY.ethDst, KEY_PACKET_BYTES);
  if (!layout.hasEthernet) return;
  copy(packet, layout.start + ETH.dst, key, KEY.ethDst, 2 * ETH_ADDRESS_BYTES);
  for (let i = 0; i < layout.vlanTags; i++) {
    const place = KEY.vlanTpid + i * VLAN.tagBytes;
    copy(packet, layout.start + ETH.type + i * VLAN.tagBytes, key, place, VLAN.tagBytes);
    key[place + VLAN.tci] |= VLAN_CFI >> 8;
  }
  put16(key, KEY.ethType, layout.ethType);
  switch (layout.network) {
    case NETWORK.ipv4:
      extractIpv4(packet, layout, key);
      break;
    case NETWORK.ipv6:
    case NETWORK.ipv6Broken:
      extractIpv6(packet, layout, key);
      break;
    case NETWORK.arp:
      extractArp(packet, layout.l3, key);
      break;
    case NETWORK.mpls:
      extractMpls(packet, layout, key);
      break;
    case NETWORK.nsh:
      extractNsh(packet, layout.l3, key);
      break;
    case NETWORK.none:
      break;
  }
  if (layout.hasTransport) extractTransport(packet, layout, key);
}

function extractIpv4(packet: Uint8Array, layout: PacketLayout, key: Uint8Array): void {
  const at = layout.l3;
  copy(packet, at + IPV4.src, key, KEY.ipSrc, 8);
  key[KEY.ipTos] = packet[at + IPV4.tos];
  key[KEY.ipTtl] = packet[at + IPV4.ttl];
  key[KEY.ipFrag] = layout.frag;
  key[KEY.ipProto] = layout.ipProto;
}

function extractIpv6(packet: Uint8Array, layout: PacketLayout, key: Uint8Array): void {
  const at = layout.l3;
  copy(packet, at + IPV6.src, key, KEY.ipv6Src, 2 * IPV6.addressBytes);
  if (layout.network === NETWORK.ipv6Broken) return;
  // Version 4 bits, traffic class 8, label 20.
  key[KEY.ipTos] = ((packet[at] << 4) & 0xf0) | (packet[at + 1] >> 4);
  key[KEY.ipv6Label + 1] = packet[at + 1] & 0x0f;
  copy(packet, at + 2, key, KEY.ipv6Label + 2, 2);
  key[KEY.ipTtl] = packet[at + IPV6.hopLimit];
  key[KEY.ipFrag] = layout.frag;
  key[KEY.ipProto] = layout.ipProto;
}

function extractArp(packet: Uint8Array, at: number, key: Uint8Array): void {
  // Only opcodes of one byte can be matched; greater ones are as good as none.
  if (packet[at + ARP.opcode] === 0) key[KEY.ipProto] = packet[at + ARP.opcode + 1];
  copy(packet, at + ARP.spa, key, KEY.ipSrc, 4);
  copy(packet, at + ARP.tpa, key, KEY.ipDst, 4);
  copy(packet, at + ARP.sha, key, KEY.arpSha, ETH_ADDRESS_BYTES);
  copy(packet, at + ARP.tha, key, KEY.arpTha, ETH_ADDRESS_BYTES);
}

/** Label stack entries up to the bottom of the stack. */
function extractMpls(packet: Uint8Array, layout: PacketLayout, key: Uint8Array): void {
  let at = layout.l3;
  for (let i = 0; i < MPLS_LSE_COUNT && layout.end - at >= MPLS.lseBytes; i++) {
    copy(packet, at, key, KEY.mplsLse + i * MPLS.lseBytes, MPLS.lseBytes);
    if (packet[at + MPLS.bos] & MPLS.bosBit) break;
    at += MPLS.lseBytes;
  }
}

function extractNsh(packet: Uint8Array, at: number, key: Uint8Array): void {
  const word = (packet[at] << 8) | packet[at + 1];
  const mdType = packet[at + NSH.mdType];
  key[KEY.nshFlags] = (word >> NSH.flagsShift) & 3;
  key[KEY.nshTtl] = (word >> NSH.ttlShift) & 0x3f;
  key[KEY.nshMdtype] = mdType;
  key[KEY.nshNp] = packet[at + NSH.nextProtocol];
  copy(packet, at + NSH.path, key, KEY.nshPath, 4);
  if (mdType === 1) copy(packet, at + NSH.context, key, KEY.nshContext, NSH.contextBytes);
}

/** As in Open vSwitch, a protocol means the same over IPv4 and over IPv6. */
function extractTransport(packet: Uint8Array, layout: PacketLayout, key: Uint8Array): void {
  const at = layout.l4;
  switch (layout.ipProto) {
    case IP_PROTO.tcp:
      put16(key, KEY.tcpFlags, ((packet[at + TCP.flags] << 8) | packet[at + TCP.flags + 1]) & TCP_FLAGS_MASK);
      copy(packet, at + TCP.src, key, KEY.l4Src, 4);
      break;
    case IP_PROTO.udp:
    case IP_PROTO.sctp:
      // Both ports where TCP has them.
      copy(packet, at + TCP.src, key, KEY.l4Src, 4);
      break;
    default:
      // ICMP, ICMPv6 and IGMP, which all begin with type and code.
      key[KEY.l4Src + 1] = packet[at + ICMP.type];
      key[KEY.l4Dst + 1] = packet[at + ICMP.code];
      if (layout.ipProto === IP_PROTO.icmpv6) extractNeighbourDiscovery(packet, at, layout.l4End, key);
  }
}

/** Target and link-layer addresses of neighbour solicitations and advertisements; nothing of other messages. */
function extractNeighbourDiscovery(packet: Uint8Array, start: number, end: number, key: Uint8Array): void {
  const type = packet[start + ICMP.type];
  if (packet[start + ICMP.code] !== 0 || (type !== ND.solicit && type !== ND.advert)) return;
  copy(packet, start + ND.reserved, key, KEY.ndReserved, 4);
  if (end - start < ND.options) return;
  copy(packet, start + ND.target, key, KEY.ndTarget, IPV6.addressBytes);
  let at = start + ND.options;
  while (end - at >= ND.optionUnitBytes) {
    const optionBytes = packet[at + ND.optionLength] * ND.optionUnitBytes;
    if (optionBytes === 0 || optionBytes > end - at) return;
    const option = packet[at + ND.optionType];
    const isLinkAddress = option === ND.sourceLinkAddress || option === ND.targetLinkAddress;
    if (isLinkAddress && optionBytes === ND.optionUnitBytes) {
      const place = option === ND.sourceLinkAddress ? KEY.arpSha : KEY.arpTha;
      if (!isZero(key, place, ETH_ADDRESS_BYTES)) {
        // The same option twice: a message that cannot be trusted, so nothing of it is matched.
        key.fill(0, KEY.ndTarget, KEY.ndTarget + IPV6.addressBytes);
        key.fill(0, KEY.arpSha, KEY.arpTha + ETH_ADDRESS_BYTES);
        return;
      }
      copy(packet, at + ND.optionAddress, key, place, ETH_ADDRESS_BYTES);
      if (key[KEY.tcpFlags + 1] === 0) key[KEY.tcpFlags + 1] = option;
    }
    at += optionBytes;
  }
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** Short runs: a loop is faster than `set` with a view, and allocates nothing. */
function copy(from: Uint8Array, at: number, to: Uint8Array, place: number, count: number): void {
  for (let i = 0; i < count; i++) to[place + i] = from[at + i];
}

function isZero(bytes: Uint8Array, at: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (bytes[at + i] !== 0) return false;
  return true;
}
