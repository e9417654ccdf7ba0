/** What must hold in a match, or in a packet, for a field to have a meaning (ovs-fields(7), "Prerequisites"). */
export type Prerequisite =
  | 'none'
  | 'ethernet'
  | 'vlan'
  | 'mpls'
  | 'arp'
  | 'ipv4'
  | 'ipv6'
  | 'ip'
  | 'nsh'
  | 'ct'
  | 'ctIpv4'
  | 'ctIpv6'
  | 'ctL4'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmpv4'
  | 'icmpv6'
  | 'nd'
  | 'ndSolicit'
  | 'ndAdvert';

/** How a value is written in text. */
export type TextForm =
  | 'decimal'
  | 'hexadecimal'
  | 'ethernet'
  | 'ipv4'
  | 'ipv6'
  | 'port'
  | 'frag'
  | 'ctState'
  | 'tcpFlags'
  | 'tunnelFlags'
  | 'packetType';

/** OpenFlow versions as the wire writes them. */
export const OPENFLOW_VERSIONS = { of10: 1, of11: 2, of12: 3, of13: 4, of14: 5, of15: 6 } as const;
export type OpenflowVersion = (typeof OPENFLOW_VERSIONS)[keyof typeof OPENFLOW_VERSIONS];

/** One code point of a field on the wire: an NXM or OXM header without its mask bit and length. */
export interface WireId {
  readonly name: string;
  readonly oxmClass: number;
  readonly number: number;
  /** With class 0xffff: who assigned the number. */
  readonly experimenter?: number;
  /** The first OpenFlow version that may use it; NXM code points are good from 1.0 on. */
  readonly since: OpenflowVersion;
}

/** Where a field lies in the key: `bits` wide, its least significant bit `shift` bits above that of `bytes` at `offset`. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
  readonly shift: number;
  readonly bits: number;
}

/**
 * A field whose value does not go to its place unchanged: `port16` holds a 16-bit port number in 32 bits; `tos` is the
 * DSCP with two zero bits below it; `dlVlan` and `vlanPcp` add the bit that says a tag is present; `packetType` leaves out the default, Ethernet; `tunMetadata` adds its
 * present bit.
 */
export type Special = 'port16' | 'tos' | 'dlVlan' | 'vlanPcp' | 'packetType' | 'tunMetadata';

export interface Field {
  /** Position in the registry, which is the order of matches on the wire: prerequisites first. */
  readonly id: number;
  readonly name: string;
  readonly alias?: string;
  /** Bytes of a value on the wire, right-aligned, network byte order. */
  readonly bytes: number;
  /** Bits of a value that may be nonzero. */
  readonly bits: number;
  /** Bits that subfields may address, as in move and load; mostly the same. */
  readonly width: number;
  readonly place: Place;
  /** A value with every bit set that the field has. Shared: not to be written to. */
  readonly ones: Uint8Array;
  /** The only values that mean something, where not all do. */
  readonly values?: readonly number[];
  readonly special?: Special;
  readonly maskable: boolean;
  readonly prerequisite: Prerequisite;
  readonly form: TextForm;
  /** May actions such as set_field and move write it? */
  readonly writable: boolean;
  readonly wire: readonly WireId[];
  /** One field for every matchable bit, when several fields cover the same place for the same kind of packet. */
  readonly canonical: boolean;
  /**
   * `packet`: read from the packet's bytes. `metadata`: known beside it. `identity`: no property of a packet at all, only
   * part of what makes two flows different (filter_prog).
   */
  readonly origin: 'packet' | 'metadata' | 'identity';
}
