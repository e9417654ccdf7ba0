/**
 * The flow key: everything that a flow may match, in one byte array, network byte order. A packet that lacks a header
 * leaves the places of its fields zero.
 *
 * Places come in three regions. The first, up to `KEY_PACKET_BYTES`, is what a packet is parsed into; most packets fill
 * only its first 48 bytes. The second holds what the pipeline knows besides the packet: registers, connection tracking,
 * tunnel. The third, from `KEY_BYTES` on, is the 64 tunnel options, so large that ordinary keys end before it; whoever
 * reads a key takes bytes past its end for zero.
 *
 * Fields that no packet can have together share a place, as arp_spa and ip_src do: the match of either always includes
 * the bits that tell them apart (its prerequisites), and a shared place keeps the cache's union key short.
 */
export const KEY = {
  /** OpenFlow 1.1+ port number, 32 bits. */
  inPort: 0,
  /** Namespace and type, 16 bits each; (0,0) is Ethernet. */
  packetType: 4,
  ethDst: 8,
  ethSrc: 14,
  /** Ethertype of the payload, after all VLAN tags; 0x05ff for 802.3 frames without one. */
  ethType: 20,
  /** Outer VLAN tag; a TCI with the CFI bit (0x1000) means present. */
  vlanTpid: 22,
  vlanTci: 24,
  /** Inner VLAN tag. */
  innerVlanTpid: 26,
  innerVlanTci: 28,
  /** IP protocol; the low byte of the opcode in ARP. */
  ipProto: 30,
  /** DSCP (upper 6 bits) and ECN. */
  ipTos: 31,
  ipTtl: 32,
  /** Bit 0: any fragment, bit 1: not the first one. */
  ipFrag: 33,
  /** 12 bits of flags; the type of the first option in neighbour discovery (low byte). */
  tcpFlags: 34,
  /** IPv4 source; sender protocol address in ARP. */
  ipSrc: 36,
  ipDst: 40,
  /** Source port of TCP, UDP or SCTP; ICMP type in the low byte. */
  l4Src: 44,
  /** Destination port; ICMP code in the low byte. */
  l4Dst: 46,
  ipv6Src: 48,
  ipv6Dst: 64,
  /** Flow label, 20 bits. */
  ipv6Label: 80,
  /** Sender hardware address in ARP; source link-layer address in neighbour discovery. */
  arpSha: 84,
  /** Target hardware address in ARP; target link-layer address in neighbour discovery. */
  arpTha: 90,
  ndTarget: 96,
  ndReserved: 112,
  /** Three label stack entries, outermost first, 32 bits each: label 20, traffic class 3, bottom of stack 1, TTL 8. */
  mplsLse: 116,
  nshFlags: 128,
  nshTtl: 129,
  nshMdtype: 130,
  nshNp: 131,
  /** Service path identifier, 24 bits, then service index, 8 bits. */
  nshPath: 132,
  /** Four context words. */
  nshContext: 136,

  metadata: 152,
  /** Sixteen registers of 32 bits. */
  regs: 160,
  pktMark: 224,
  skbPriority: 228,
  dpHash: 232,
  recircId: 236,
  conjId: 240,
  actsetOutput: 244,
  ctState: 248,
  ctMark: 252,
  ctZone: 256,
  ctNwProto: 258,
  ctNwSrc: 260,
  ctNwDst: 264,
  ctTpSrc: 268,
  ctTpDst: 270,
  ctLabel: 272,
  ctIpv6Src: 288,
  ctIpv6Dst: 304,
  tunId: 320,
  tunSrc: 328,
  tunDst: 332,
  tunIpv6Src: 336,
  tunIpv6Dst: 352,
  tunFlags: 368,
  tunTos: 370,
  tunTtl: 371,
  tunGbpId: 372,
  tunGbpFlags: 374,
  tunErspanVer: 375,
  tunErspanIdx: 376,
  tunErspanDir: 380,
  tunErspanHwid: 381,
  tunGtpuFlags: 382,
  tunGtpuMsgtype: 383,
  /** Bit n (of 64, most significant first byte): tunnel option n is present. */
  tunMetadataPresent: 384,
  /** The filter program that a flow names, 16 bits. No packet has it: part of a flow's identity only. */
  filterProg: 392,

  /** 64 tunnel options of up to 124 bytes each, right-aligned. */
  tunMetadata: 400,
} as const;

/** Bytes of the region that a packet is parsed into. */
export const KEY_PACKET_BYTES = 152;
/** Bytes of an ordinary key, without tunnel options. */
export const KEY_BYTES = 400;
export const TUN_METADATA_COUNT = 64;
export const TUN_METADATA_BYTES = 124;
/** Bytes of a key with all tunnel options. */
export const KEY_FULL_BYTES = KEY_BYTES + TUN_METADATA_COUNT * TUN_METADATA_BYTES;

export const MPLS_LSE_COUNT = 3;
export const REG_COUNT = 16;
export const VLAN_CFI = 0x1000;
/** What `ethType` holds for a frame whose length field leaves no Ethertype. */
export const ETH_TYPE_NONE = 0x05ff;
export const FRAG_ANY = 1;
export const FRAG_LATER = 2;

export function newKey(): Uint8Array {
  return new Uint8Array(KEY_BYTES);
}
