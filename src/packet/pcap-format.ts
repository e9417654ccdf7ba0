// The classic capture file: draft-ietf-opsawg-pcap, sections 4 and 5; pcap-savefile(5).

/** As it reads in the byte order of the writer. */
export const PCAP_MAGIC_US = 0xa1b2c3d4;
export const PCAP_MAGIC_NS = 0xa1b23c4d;
const PCAP_MAGIC_US_SWAPPED = 0xd4c3b2a1;
const PCAP_MAGIC_NS_SWAPPED = 0x4d3cb2a1;

export const PCAP_FILE_HEADER_BYTES = 24;
export const PCAP_VERSION_MAJOR = 2;
export const PCAP_VERSION_MINOR = 4;
export const PCAP_OFFSET = { magic: 0, major: 4, minor: 6, zone: 8, sigfigs: 12, snaplen: 16, linkType: 20 } as const;

export const PCAP_RECORD_HEADER_BYTES = 16;
export const PCAP_RECORD = { seconds: 0, fraction: 4, captured: 8, original: 12 } as const;

/** The longest packet that any capture may hold: libpcap's own limit for Ethernet. */
export const MAX_CAPTURED_BYTES = 262144;

/** `magic` is the first four bytes read as big-endian. */
export function isPcapMagic(magic: number): boolean {
  return isBigEndianPcap(magic) || magic === PCAP_MAGIC_US_SWAPPED || magic === PCAP_MAGIC_NS_SWAPPED;
}

export function isBigEndianPcap(magic: number): boolean {
  return magic === PCAP_MAGIC_US || magic === PCAP_MAGIC_NS;
}

export function isNanosecondPcap(magic: number): boolean {
  return magic === PCAP_MAGIC_NS || magic === PCAP_MAGIC_NS_SWAPPED;
}
