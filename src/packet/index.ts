// The packet room. Capture files on disk are in `capture-file.ts`, apart from this, since only that needs Node.

export {
  type Address,
  ARP_OPCODE,
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
export { bytesSource, type CapturedPacket, type CaptureSource, readCapture } from './capture.ts';
export { checksumsVerify, fillTransportChecksum } from './checksum.ts';
export { composePacket } from './compose.ts';
export { PACKET_ERRORS, PacketError } from './errors.ts';
export { extractKey, extractKeyAt } from './extract.ts';
export type { Field, OpenflowVersion, Place, Prerequisite, Special, TextForm, WireId } from './field.ts';
export { OPENFLOW_VERSIONS } from './field.ts';
export {
  FIELDS,
  field,
  fieldNamed,
  fieldOfWire,
  NICIRA_EXPERIMENTER,
  NSH_EXPERIMENTER,
  OKO_EXPERIMENTER,
  ONF_EXPERIMENTER,
  OXM_CLASS_EXPERIMENTER,
  SHORTHANDS,
} from './fields.ts';
export * from './headers.ts';
export * from './key.ts';
export { MAX_VLAN_TAGS, NETWORK, PacketLayout } from './layout.ts';
export { Mask } from './mask.ts';
export { type FieldMatch, isExact, Match, MatchBuilder } from './match.ts';
export { completeChecksum, segment } from './offload.ts';
export { type CaptureSink, encodePcap, MemorySink, type PcapPrecision, PcapWriter } from './pcap-writer.ts';
export {
  CT_STATE,
  etherType,
  type KnownBits,
  PREREQUISITE_TEXT,
  prerequisiteHolds,
} from './prerequisite.ts';
export { mplsLseToPush, popMpls, popVlan, pushMpls, pushVlan } from './resize.ts';
export { applyKey, setField } from './rewrite.ts';
export { decMplsTtl, decTtl } from './ttl.ts';
export * from './value.ts';
