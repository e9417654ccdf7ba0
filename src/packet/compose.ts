import {
  arp,
  ethernet,
  fragmentExtension,
  icmp,
  icmpv6,
  igmp,
  ipv4,
  ipv6,
  mpls,
  type NetworkPacket,
  neighbourDiscovery,
  rawPayload,
  rawTransport,
  sctp,
  TCP_FLAG,
  type TransportPacket,
  tcp,
  udp,
  type VlanTag,
} from './build.ts';
import { ETH_TYPE, IP_PROTO, isMplsType, ND } from './headers.ts';
import { ETH_TYPE_NONE, FRAG_ANY, FRAG_LATER, KEY, MPLS_LSE_COUNT, VLAN_CFI } from './key.ts';

/** As Open vSwitch composes packets: 64 bytes of payload, counting up. */
const PAYLOAD = Uint8Array.from({ length: 64 }, (_, i) => i);
const NONE = new Uint8Array();
const WITHOUT_PAYLOAD = TCP_FLAG.syn | TCP_FLAG.fin | TCP_FLAG.rst;

/**
 * A packet that has a flow key, as far as packets can have it: headers as the key says, everything else as simple as may
 * be; a service header (RFC 8300) stays empty. Protocols whose packets usually carry something get `payload`.
 */
export function composePacket(key: Uint8Array, payload: Uint8Array = PAYLOAD): Uint8Array {
  const reader = new KeyReader(key);
  const fields = { dst: reader.bytes(KEY.ethDst, 6), src: reader.bytes(KEY.ethSrc, 6), vlans: reader.vlans() };
  return ethernet(fields, network(reader, payload));
}

class KeyReader {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  number(offset: number, bytes: number): number {
    let number = 0;
    for (let i = 0; i < bytes; i++) number = number * 256 + this.#key[offset + i];
    return number;
  }

  bytes(offset: number, count: number): Uint8Array {
    return this.#key.slice(offset, offset + count);
  }

  vlans(): VlanTag[] {
    return [
      [KEY.vlanTpid, KEY.vlanTci],
      [KEY.innerVlanTpid, KEY.innerVlanTci],
    ].flatMap(([tpid, tci]) => {
      const tag = this.number(tci, 2);
      if ((tag & VLAN_CFI) === 0) return [];
      return [{ tpid: this.number(tpid, 2) || ETH_TYPE.vlan, vid: tag & 0xfff, pcp: tag >> 13 }];
    });
  }
}

function network(key: KeyReader, payload: Uint8Array): NetworkPacket {
  const type = key.number(KEY.ethType, 2);
  switch (type) {
    case ETH_TYPE.ipv4:
      return ipv4Packet(key, payload);
    case ETH_TYPE.ipv6:
      return ipv6Packet(key, payload);
    case ETH_TYPE.arp:
    case ETH_TYPE.rarp:
      return arp({
        ethType: type,
        opcode: key.number(KEY.ipProto, 1),
        sha: key.bytes(KEY.arpSha, 6),
        spa: key.bytes(KEY.ipSrc, 4),
        tha: key.bytes(KEY.arpTha, 6),
        tpa: key.bytes(KEY.ipDst, 4),
      });
    case ETH_TYPE_NONE:
      // A length, where the Ethertype would be.
      return rawPayload(0, NONE);
    default:
      return isMplsType(type) ? labels(key, type) : rawPayload(type, NONE);
  }
}

function labels(key: KeyReader, ethType: number): NetworkPacket {
  const stack: { label: number; tc: number; ttl: number }[] = [];
  for (let i = 0; i < MPLS_LSE_COUNT; i++) {
    const lse = key.number(KEY.mplsLse + 4 * i, 4);
    stack.push({ label: lse >>> 12, tc: (lse >>> 9) & 7, ttl: lse & 0xff });
    if ((lse & 0x100) !== 0) return mpls(stack, NONE, ethType);
  }
  // A stack without bottom in the key goes on below it.
  return mpls([...stack, { label: 0, ttl: 0 }], NONE, ethType);
}

function ipv4Packet(key: KeyReader, payload: Uint8Array): NetworkPacket {
  const frag = key.number(KEY.ipFrag, 1);
  const isLater = (frag & FRAG_LATER) !== 0;
  return ipv4(
    {
      src: key.bytes(KEY.ipSrc, 4),
      dst: key.bytes(KEY.ipDst, 4),
      tos: key.number(KEY.ipTos, 1),
      ttl: key.number(KEY.ipTtl, 1),
      moreFragments: (frag & FRAG_ANY) !== 0,
      fragmentOffset: isLater ? 100 : 0,
    },
    isLater ? rawTransport(key.number(KEY.ipProto, 1), NONE) : transport(key, payload),
  );
}

function ipv6Packet(key: KeyReader, payload: Uint8Array): NetworkPacket {
  const frag = key.number(KEY.ipFrag, 1);
  const isLater = (frag & FRAG_LATER) !== 0;
  return ipv6(
    {
      src: key.bytes(KEY.ipv6Src, 16),
      dst: key.bytes(KEY.ipv6Dst, 16),
      trafficClass: key.number(KEY.ipTos, 1),
      hopLimit: key.number(KEY.ipTtl, 1),
      label: key.number(KEY.ipv6Label, 4) & 0xfffff,
      extensions: (frag & FRAG_ANY) === 0 ? [] : [fragmentExtension(isLater ? 100 : 0, true, 0)],
    },
    isLater ? rawTransport(key.number(KEY.ipProto, 1), NONE) : transport(key, payload),
  );
}

/** As in the key, a protocol means the same over IPv4 and over IPv6. */
function transport(key: KeyReader, payload: Uint8Array): TransportPacket {
  const protocol = key.number(KEY.ipProto, 1);
  const ports = { src: key.number(KEY.l4Src, 2), dst: key.number(KEY.l4Dst, 2) };
  const message = { type: ports.src & 0xff, code: ports.dst & 0xff };
  switch (protocol) {
    case IP_PROTO.tcp: {
      const flags = key.number(KEY.tcpFlags, 2);
      return tcp({ ...ports, flags, window: 0 }, (flags & WITHOUT_PAYLOAD) === 0 ? payload : NONE);
    }
    case IP_PROTO.udp:
      return udp(ports, payload);
    case IP_PROTO.sctp:
      return sctp(ports, NONE);
    case IP_PROTO.icmp:
      return icmp(message, payload);
    case IP_PROTO.igmp:
      return igmp(message);
    case IP_PROTO.icmpv6:
      return icmpv6Message(key, message, payload);
    default:
      return rawTransport(protocol, NONE);
  }
}

function icmpv6Message(key: KeyReader, message: { type: number; code: number }, payload: Uint8Array): TransportPacket {
  const isNeighbour = (message.type === ND.solicit || message.type === ND.advert) && message.code === 0;
  if (!isNeighbour) return icmpv6(message, payload);
  const first = key.number(KEY.tcpFlags + 1, 1);
  const options = [
    { type: ND.sourceLinkAddress, mac: key.bytes(KEY.arpSha, 6) },
    { type: ND.targetLinkAddress, mac: key.bytes(KEY.arpTha, 6) },
  ]
    .filter(({ type, mac }) => type === first || mac.some((byte) => byte !== 0))
    .sort((a, b) => Number(b.type === first) - Number(a.type === first));
  const target = key.bytes(KEY.ndTarget, 16);
  return icmpv6({ ...message, rest: key.number(KEY.ndReserved, 4) }, neighbourDiscovery(target, options));
}
