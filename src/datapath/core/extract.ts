// From a packet to the packet region of its flow key: `src/packet/extract.ts` once more.

import {
  KEY_ARP_SHA,
  KEY_ARP_THA,
  KEY_ETH_DST,
  KEY_ETH_TYPE,
  KEY_IP_DST,
  KEY_IP_FRAG,
  KEY_IP_PROTO,
  KEY_IP_SRC,
  KEY_IP_TOS,
  KEY_IP_TTL,
  KEY_IPV6_DST,
  KEY_IPV6_LABEL,
  KEY_IPV6_SRC,
  KEY_L4_DST,
  KEY_L4_SRC,
  KEY_MPLS_LSE,
  KEY_ND_RESERVED,
  KEY_ND_TARGET,
  KEY_NSH_CONTEXT,
  KEY_NSH_FLAGS,
  KEY_NSH_MDTYPE,
  KEY_NSH_NP,
  KEY_NSH_PATH,
  KEY_NSH_TTL,
  KEY_PACKET_END,
  KEY_TCP_FLAGS,
  KEY_VLAN_TCI,
  KEY_VLAN_TPID,
} from '../layout.ts';
import { be16, copy6, copy16, putBe16 } from './bytes.ts';
import {
  end,
  ethType,
  frag,
  hasEthernet,
  hasTransport,
  ipProto,
  l3,
  l4,
  l4End,
  locate,
  NETWORK_ARP,
  NETWORK_IPV4,
  NETWORK_IPV6,
  NETWORK_IPV6_BROKEN,
  NETWORK_MPLS,
  NETWORK_NSH,
  network,
  PROTO_ICMPV6,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  vlanTags,
} from './headers.ts';

/** Fills the packet region of the key at `key`, all after in_port and packet_type. */
export function extract(packet: usize, length: u32, key: usize): void {
  locate(packet, length);
  extractLocated(packet, key);
}

/** The same for a packet whose headers have been located. */
export function extractLocated(packet: usize, key: usize): void {
  // A multiple of 16 bytes.
  for (let at = key + KEY_ETH_DST; at < key + KEY_PACKET_END; at += 16) v128.store(at, i64x2.splat(0));
  if (!hasEthernet) return;
  store<u64>(key, load<u64>(packet), KEY_ETH_DST);
  store<u32>(key, load<u32>(packet, 8), KEY_ETH_DST + 8);
  for (let i: u32 = 0; i < vlanTags; i++) {
    const place = key + 4 * i;
    store<u32>(place, load<u32>(packet + 12 + 4 * i), KEY_VLAN_TPID);
    store<u8>(place, load<u8>(place, KEY_VLAN_TCI) | 0x10, KEY_VLAN_TCI);
  }
  putBe16(key + KEY_ETH_TYPE, ethType);
  if (network === NETWORK_IPV4) extractIpv4(key);
  else if (network === NETWORK_IPV6 || network === NETWORK_IPV6_BROKEN) extractIpv6(key);
  else if (network === NETWORK_ARP) extractArp(key);
  else if (network === NETWORK_MPLS) extractMpls(key);
  else if (network === NETWORK_NSH) extractNsh(key);
  if (hasTransport) extractTransport(key);
}

function extractIpv4(key: usize): void {
  const at = l3;
  store<u64>(key, load<u64>(at, 12), KEY_IP_SRC);
  store<u8>(key, load<u8>(at, 1), KEY_IP_TOS);
  store<u8>(key, load<u8>(at, 8), KEY_IP_TTL);
  store<u8>(key, <u8>frag, KEY_IP_FRAG);
  store<u8>(key, <u8>ipProto, KEY_IP_PROTO);
}

function extractIpv6(key: usize): void {
  const at = l3;
  copy16(key + KEY_IPV6_SRC, at + 8);
  copy16(key + KEY_IPV6_DST, at + 24);
  if (network === NETWORK_IPV6_BROKEN) return;
  store<u8>(key, ((<u32>load<u8>(at)) << 4) | (<u32>load<u8>(at, 1) >>> 4), KEY_IP_TOS);
  store<u8>(key, load<u8>(at, 1) & 0x0f, KEY_IPV6_LABEL + 1);
  store<u16>(key, load<u16>(at, 2), KEY_IPV6_LABEL + 2);
  store<u8>(key, load<u8>(at, 7), KEY_IP_TTL);
  store<u8>(key, <u8>frag, KEY_IP_FRAG);
  store<u8>(key, <u8>ipProto, KEY_IP_PROTO);
}

function extractArp(key: usize): void {
  const at = l3;
  if (load<u8>(at, 6) === 0) store<u8>(key, load<u8>(at, 7), KEY_IP_PROTO);
  store<u32>(key, load<u32>(at, 14), KEY_IP_SRC);
  store<u32>(key, load<u32>(at, 24), KEY_IP_DST);
  copy6(key + KEY_ARP_SHA, at + 8);
  copy6(key + KEY_ARP_THA, at + 18);
}

function extractMpls(key: usize): void {
  let at = l3;
  for (let i: u32 = 0; i < 3 && end - at >= 4; i++) {
    store<u32>(key + 4 * i, load<u32>(at), KEY_MPLS_LSE);
    if (load<u8>(at, 2) & 1) break;
    at += 4;
  }
}

function extractNsh(key: usize): void {
  const at = l3;
  const word = be16(at);
  const mdType = load<u8>(at, 2);
  store<u8>(key, (word >>> 12) & 3, KEY_NSH_FLAGS);
  store<u8>(key, (word >>> 6) & 0x3f, KEY_NSH_TTL);
  store<u8>(key, mdType, KEY_NSH_MDTYPE);
  store<u8>(key, load<u8>(at, 3), KEY_NSH_NP);
  store<u32>(key, load<u32>(at, 4), KEY_NSH_PATH);
  if (mdType === 1) copy16(key + KEY_NSH_CONTEXT, at + 8);
}

function extractTransport(key: usize): void {
  const at = l4;
  if (ipProto === PROTO_TCP) {
    putBe16(key + KEY_TCP_FLAGS, be16(at + 12) & 0x0fff);
    store<u32>(key, load<u32>(at), KEY_L4_SRC);
  } else if (ipProto === PROTO_UDP || ipProto === PROTO_SCTP) {
    store<u32>(key, load<u32>(at), KEY_L4_SRC);
  } else {
    store<u8>(key, load<u8>(at), KEY_L4_SRC + 1);
    store<u8>(key, load<u8>(at, 1), KEY_L4_DST + 1);
    if (ipProto === PROTO_ICMPV6) extractNeighbourDiscovery(key, at, l4End);
  }
}

function isZero6(at: usize): bool {
  return load<u32>(at) === 0 && load<u16>(at, 4) === 0;
}

function extractNeighbourDiscovery(key: usize, start: usize, ends: usize): void {
  const type: u32 = load<u8>(start);
  if (load<u8>(start, 1) !== 0 || (type !== 135 && type !== 136)) return;
  store<u32>(key, load<u32>(start, 4), KEY_ND_RESERVED);
  if (ends - start < 24) return;
  copy16(key + KEY_ND_TARGET, start + 8);
  let at = start + 24;
  while (ends - at >= 8) {
    const optionBytes = <u32>load<u8>(at, 1) * 8;
    if (optionBytes === 0 || optionBytes > <u32>(ends - at)) return;
    const option: u32 = load<u8>(at);
    if ((option === 1 || option === 2) && optionBytes === 8) {
      const place = key + (option === 1 ? KEY_ARP_SHA : KEY_ARP_THA);
      if (!isZero6(place)) {
        // The same option twice: a message that cannot be trusted, so nothing of it is matched.
        memory.fill(key + KEY_ND_TARGET, 0, 16);
        memory.fill(key + KEY_ARP_SHA, 0, 12);
        return;
      }
      copy6(place, at + 2);
      if (load<u8>(key, KEY_TCP_FLAGS + 1) === 0) store<u8>(key, <u8>option, KEY_TCP_FLAGS + 1);
    }
    at += optionBytes;
  }
}
