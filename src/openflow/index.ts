// The OpenFlow library: messages, flows and actions as plain objects; their wire formats; their texts.
export * from './action.ts';
export { CURRENT_TABLE, PACKET_TYPE } from './actions/control.ts';
export { loadSegments } from './actions/fields.ts';
export {
  actionsRead,
  actionsWithin,
  actionsWrite,
  denseFieldUse,
  instructionRank,
  isInstruction,
} from './actions/index.ts';
export { MAX_LEN_ALL } from './actions/output.ts';
export { checkActions, findInconsistency, type Inconsistency } from './check.ts';
export { OPENFLOW_ERRORS, OpenflowError, type OpenflowErrorCode } from './errors.ts';
export * from './flow.ts';
export * from './flow-monitor.ts';
export * from './message.ts';
export * from './port.ts';
export { formatSubfield, parseSubfield, type Subfield, wholeField } from './subfield.ts';
export { formatActions, parseActions } from './text/actions.ts';
export { formatFieldValue, parseFieldValue } from './text/field-value.ts';
export {
  type FlowFormatOptions,
  type FlowTextMode,
  formatDuration,
  formatFlow,
  formatFlowFlags,
  formatFlowMod,
  formatRuleMatch,
  parseFlow,
} from './text/flow.ts';
export { formatFlowUpdate, parseFlowMonitor } from './text/flow-monitor.ts';
export { formatFlowRemoved, formatRoleStatus } from './text/flow-removed.ts';
export { formatMatch } from './text/match.ts';
export { formatPort, formatTable, parsePort, parseTable, type TextNames } from './text/names.ts';
export { entriesOf, formatEntries, formatProgram } from './text/oko.ts';
export { formatPacket, formatPacketIn } from './text/packet-in.ts';
export { formatPortDescription, formatPortStats } from './text/ports.ts';
export { messageTitle } from './text/reply.ts';
export { FRAGMENT_MODES, formatConfig, formatDescription, formatFeatures, sortedByNumber } from './text/switch.ts';
export { formatTableStats } from './text/tables.ts';
export {
  decodeMessage,
  encodeMessage,
  HEADER_BYTES,
  type Header,
  MAX_MESSAGE_BYTES,
  MultipartWriter,
  nameOfMessage,
  readHeader,
} from './wire/codec.ts';
export { ERROR_CODES, type ErrorName } from './wire/error-codes.ts';
export { errorReply, helloFailed, nameOfError } from './wire/error-reply.ts';
export { writeFlowStats } from './wire/flow-codec.ts';
export { fitsOpenflow10 } from './wire/match.ts';
export { replyElements } from './wire/multipart-codec.ts';
export { CHUNK_BYTES, decodeOko, encodeObject, encodeOko, OKO_SUBTYPE } from './wire/oko-codec.ts';
export {
  EXTENSION_ERROR_NUMBERS,
  EXTENSION_ERRORS,
  ExtensionError,
  type ExtensionErrorCode,
  extensionErrorMessage,
  extensionErrorOf,
  standardNameOf,
} from './wire/oko-errors.ts';
export { LEGACY_SUBTYPE, splitLegacyFlowMod, withLegacyProgram, withoutProgram } from './wire/oko-legacy.ts';
export * from './wire/oko-message.ts';
export { wireIdFor, writeOxmHeader } from './wire/oxm.ts';
export { type ErrorNumbers, errorName, errorNumbers, ProtocolError } from './wire/protocol-error.ts';
export { MessageStream } from './wire/stream.ts';
