import { adjustChecksum } from './checksum.ts';
import { IPV4, IPV6, MPLS } from './headers.ts';
import { NETWORK, PacketLayout } from './layout.ts';

const scratch = new PacketLayout();

/**
 * Takes one from the TTL or hop limit, in place. False when it is used up (0 or 1, or the IP header is malformed): such
 * a packet must not be forwarded and is left as it is. A packet that is not IP is left alone, with true.
 */
export function decTtl(packet: Uint8Array): boolean {
  scratch.locate(packet, 0, packet.length);
  const at = scratch.l3;
  if (scratch.network === NETWORK.ipv4) {
    if (packet[at + IPV4.ttl] <= 1) return false;
    packet[at + IPV4.ttl]--;
    // RFC 1624: the word loses 0x0100, and its complement gains that.
    adjustChecksum(packet, at + IPV4.checksum, ~0x0100 & 0xffff);
    return true;
  }
  if (scratch.network === NETWORK.ipv6) {
    if (packet[at + IPV6.hopLimit] <= 1) return false;
    packet[at + IPV6.hopLimit]--;
    return true;
  }
  return !scratch.isIp;
}

/** The same for the outermost label stack entry; a packet without one is left alone, with true. */
export function decMplsTtl(packet: Uint8Array): boolean {
  scratch.locate(packet, 0, packet.length);
  const at = scratch.l3 + MPLS.ttl;
  if (scratch.network !== NETWORK.mpls || at >= packet.length) return true;
  if (packet[at] <= 1) return false;
  packet[at]--;
  return true;
}
