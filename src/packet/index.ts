// The packet room. Capture files on disk are in `capture-file.ts`, apart from this, since only that needs Node.
export { bytesSource, type CapturedPacket, type CaptureSource, readCapture } from './capture.ts';
export { PACKET_ERRORS, PacketError } from './errors.ts';
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
export * from './key.ts';
export { Mask } from './mask.ts';
export { type FieldMatch, isExact, Match, MatchBuilder } from './match.ts';
export { type CaptureSink, encodePcap, MemorySink, type PcapPrecision, PcapWriter } from './pcap-writer.ts';
export {
  CT_STATE,
  ETH_TYPE,
  etherType,
  IP_PROTO,
  type KnownBits,
  PREREQUISITE_TEXT,
  prerequisiteHolds,
} from './prerequisite.ts';
export * from './value.ts';
