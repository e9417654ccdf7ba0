import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const PACKET_ERRORS = {
  PACKET_PCAP_EMPTY: {
    meaning: 'The capture file holds no bytes at all.',
    remedy: 'Record the capture again; even a capture without packets begins with a header.',
  },
  PACKET_PCAP_BAD_MAGIC: {
    meaning: 'The file begins with neither the magic number of pcap nor that of pcapng.',
    remedy: 'Give a capture as tcpdump or Wireshark write it; unpack it first when it is compressed.',
  },
  PACKET_PCAP_VERSION: {
    meaning: 'The capture is of a format version that Oko does not read.',
    remedy: 'Convert it to pcap 2.4 or pcapng 1.0, for example with `editcap -F pcap IN OUT`.',
  },
  PACKET_PCAP_LINK_TYPE: {
    meaning: 'The packets of the capture do not begin with an Ethernet header.',
    remedy: 'Capture on an Ethernet device instead of, for example, the device "any".',
  },
  PACKET_PCAP_CUT: {
    meaning: 'The capture ends in the middle of a header or of a packet.',
    remedy: 'Copy or record it again, or keep its whole packets with `editcap IN OUT`.',
  },
  PACKET_PCAP_BAD_LENGTH: {
    meaning: 'A length in the capture is impossible, so what follows it cannot be found.',
    remedy: 'The file is damaged at the byte named; copy or record it again.',
  },
  PACKET_PCAP_BAD_BLOCK: {
    meaning: 'A block of a pcapng capture contradicts itself or the blocks before it.',
    remedy: 'The file is damaged at the byte named; copy or record it again.',
  },
  PACKET_PCAP_LIMIT: {
    meaning: 'The capture declares more interfaces than Oko keeps track of.',
    remedy: 'Split the capture, or convert it to pcap with `editcap -F pcap IN OUT`.',
  },
  PACKET_PCAP_UNWRITABLE: {
    meaning:
      'A packet does not fit a pcap file: its time is before 1970 or after 2106, or it is longer than 262144 bytes.',
    remedy: 'Correct the clock of the input, for example with `editcap -t SECONDS IN OUT`.',
  },
  PACKET_FILE_OPEN: {
    meaning: 'A capture file could not be opened or created.',
    remedy: 'Check the name and the permissions of the file and of its folder.',
  },
  PACKET_FILE_READ: {
    meaning: 'Reading from an open capture file failed.',
    remedy: 'Check that the name is that of a file, and the device that it lies on.',
  },
  PACKET_FILE_WRITE: {
    meaning: 'Writing a capture file failed; nothing was left under its name.',
    remedy: 'Check free space and permissions in the folder of the file.',
  },
} as const satisfies ErrorTable;

/** What the packet room throws on bad input. */
export class PacketError extends OkoError<keyof typeof PACKET_ERRORS> {}
