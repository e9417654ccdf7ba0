// Offsets and lengths, in bytes, of the headers that the switch reads and writes; every multi-byte field is big-endian.

/** IEEE 802.3. The type lies after the addresses and, when there are any, the VLAN tags. */
export const ETH = { dst: 0, src: 6, type: 12, headerBytes: 14 } as const;
export const ETH_ADDRESS_BYTES = 6;
/** Below this the "type" of a frame is a length. */
export const ETH_TYPE_MIN = 0x0600;

export const ETH_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  /** IEEE 802.1ad service tag. */
  qinq: 0x88a8,
  /** RFC 8300. */
  nsh: 0x894f,
} as const;

export function isVlanType(ethType: number): boolean {
  return ethType === ETH_TYPE.vlan || ethType === ETH_TYPE.qinq;
}

export function isMplsType(ethType: number): boolean {
  return ethType === ETH_TYPE.mpls || ethType === ETH_TYPE.mplsMulticast;
}

/** IEEE 802.1Q tag, from its TPID on. TCI: priority 3 bits, drop eligible (CFI) 1, VLAN id 12. */
export const VLAN = { tpid: 0, tci: 2, tagBytes: 4, vidMask: 0x0fff, pcpMask: 0xe000, pcpShift: 13 } as const;

/** IEEE 802.2 LLC with SNAP: aa-aa-03, organisation 00-00-00, then an Ethertype. */
export const LLC_SNAP = { dsap: 0, ssap: 1, control: 2, organisation: 3, type: 6, headerBytes: 8 } as const;

/** RFC 3032 section 2.1: label 20 bits, traffic class 3, bottom of stack 1, TTL 8. */
export const MPLS = { lseBytes: 4, bos: 2, bosBit: 0x01, ttl: 3 } as const;

/** RFC 826, for Ethernet and IPv4. */
export const ARP = {
  hardware: 0,
  protocol: 2,
  hardwareBytes: 4,
  protocolBytes: 5,
  opcode: 6,
  sha: 8,
  spa: 14,
  tha: 18,
  tpa: 24,
  headerBytes: 28,
  hardwareEthernet: 1,
} as const;

/** RFC 791 section 3.1. */
export const IPV4 = {
  versionIhl: 0,
  tos: 1,
  totalLength: 2,
  id: 4,
  fragment: 6,
  ttl: 8,
  protocol: 9,
  checksum: 10,
  src: 12,
  dst: 16,
  minHeaderBytes: 20,
  dontFragment: 0x4000,
  moreFragments: 0x2000,
  fragmentOffsetMask: 0x1fff,
} as const;

/** RFC 8200 section 3. The first word: version 4 bits, traffic class 8, flow label 20. */
export const IPV6 = {
  versionClassLabel: 0,
  payloadLength: 4,
  nextHeader: 6,
  hopLimit: 7,
  src: 8,
  dst: 24,
  headerBytes: 40,
  addressBytes: 16,
  labelMask: 0x000fffff,
} as const;

/** RFC 8200 section 4: extension headers have at least 8 bytes; the length counts what follows them. */
export const IPV6_EXTENSION = { nextHeader: 0, length: 1, minBytes: 8 } as const;
/** Section 4.5: offset in units of 8 in the high 13 bits, "more" in the lowest. */
export const IPV6_FRAGMENT = { nextHeader: 0, offsetMore: 2, headerBytes: 8, offsetMask: 0xfff8 } as const;
/** RFC 8200 section 4.4. */
export const IPV6_ROUTING = { type: 2, segmentsLeft: 3 } as const;

/** IANA's protocol numbers; in IPv6 the same numbers name extension headers. */
export const IP_PROTO = {
  hopByHop: 0,
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  authentication: 51,
  icmpv6: 58,
  destination: 60,
  sctp: 132,
} as const;

/** RFC 9293 section 3.1. Flags: the low 12 bits of the word at FLAGS; header length: the 4 bits above. */
export const TCP = {
  src: 0,
  dst: 2,
  seq: 4,
  ack: 8,
  flags: 12,
  window: 14,
  checksum: 16,
  minHeaderBytes: 20,
} as const;
export const TCP_FLAGS_MASK = 0x0fff;

/** RFC 768. A checksum of zero over IPv4 means that there is none. */
export const UDP = { src: 0, dst: 2, length: 4, checksum: 6, headerBytes: 8 } as const;

/** RFC 9260 section 3.1. The checksum is CRC32c, little-endian. */
export const SCTP = { src: 0, dst: 2, tag: 4, checksum: 8, headerBytes: 12 } as const;

/** RFC 792, and RFC 4443 section 2.1 for ICMPv6. */
export const ICMP = { type: 0, code: 1, checksum: 2, rest: 4, headerBytes: 8 } as const;

/** RFC 4861 sections 4.3, 4.4 and 4.6.1. */
export const ND = {
  reserved: 4,
  target: 8,
  options: 24,
  optionType: 0,
  optionLength: 1,
  optionAddress: 2,
  optionUnitBytes: 8,
  solicit: 135,
  advert: 136,
  sourceLinkAddress: 1,
  targetLinkAddress: 2,
} as const;

/** RFC 3376 section 4. */
export const IGMP = { type: 0, code: 1, checksum: 2, group: 4, headerBytes: 8 } as const;

/** RFC 8300 section 2. The first word: version 2 bits, O 1, reserved 1, TTL 6, length in words 6. */
export const NSH = {
  versionFlagsTtlLength: 0,
  versionShift: 14,
  flagsShift: 12,
  ttlShift: 6,
  lengthMask: 0x3f,
  mdType: 2,
  nextProtocol: 3,
  path: 4,
  context: 8,
  baseBytes: 8,
  contextBytes: 16,
} as const;
