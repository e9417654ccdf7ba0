import type { Match, OpenflowVersion } from '../packet/index.ts';
import type { Action } from './action.ts';
import type { FlowMod, FlowStats } from './flow.ts';
import type { FlowMonitor, FlowMonitorCancel, FlowUpdate } from './flow-monitor.ts';

/*
 * OpenFlow messages as plain objects, independent of version. The codecs beside this file know how each version writes
 * them; where a version has no place for a property, the comment says what then holds.
 */

export interface Hello {
  readonly type: 'hello';
  /** Versions of the bitmap element; absent when there was none: then the header's version and all before it. */
  readonly versions?: readonly number[];
}

export interface ErrorMessage {
  readonly type: 'error';
  /** 0 for OpenFlow's own errors. */
  readonly experimenter: number;
  readonly errorType: number;
  readonly code: number;
  /** The message that failed, at least its first 64 bytes; for HELLO_FAILED a text. */
  readonly data: Uint8Array;
}

export interface Echo {
  readonly type: 'echo_request' | 'echo_reply';
  readonly data: Uint8Array;
}

/** Messages that consist of their header. */
export interface BareMessage {
  readonly type:
    | 'features_request'
    | 'get_config_request'
    | 'barrier_request'
    | 'barrier_reply'
    | 'get_async_request'
    /** Before OpenFlow 1.4, which has updates for them. */
    | 'flow_monitor_paused'
    | 'flow_monitor_resumed';
}

export interface FeaturesReply {
  readonly type: 'features_reply';
  readonly datapathId: bigint;
  readonly buffers: number;
  readonly tables: number;
  readonly auxiliaryId: number;
  /** Bits of ofp_capabilities, as the version numbers them. */
  readonly capabilities: number;
  /** OpenFlow 1.0 only: a bit for each supported action. */
  readonly actions: number;
  /** OpenFlow 1.0 only; later versions have a multipart for them. */
  readonly ports: readonly Port[];
}

export interface SwitchConfig {
  readonly type: 'get_config_reply' | 'set_config';
  /** Fragment handling: 0 normal, 1 drop, 2 reassemble, 3 Nicira's match; bit 2: invalid TTL to the controller. */
  readonly flags: number;
  readonly missSendLen: number;
}

/** Link modes and media, bits as OpenFlow 1.1 and later number them. */
export const PORT_FEATURES = {
  hd10M: 1 << 0,
  fd10M: 1 << 1,
  hd100M: 1 << 2,
  fd100M: 1 << 3,
  hd1G: 1 << 4,
  fd1G: 1 << 5,
  fd10G: 1 << 6,
  fd40G: 1 << 7,
  fd100G: 1 << 8,
  fd1T: 1 << 9,
  other: 1 << 10,
  copper: 1 << 11,
  fiber: 1 << 12,
  autoneg: 1 << 13,
  pause: 1 << 14,
  pauseAsymmetric: 1 << 15,
} as const;

export const PORT_CONFIG = {
  portDown: 1 << 0,
  /** OpenFlow 1.0 only, as noRecvStp and noFlood. */
  noStp: 1 << 1,
  noRecv: 1 << 2,
  noRecvStp: 1 << 3,
  noFlood: 1 << 4,
  noFwd: 1 << 5,
  noPacketIn: 1 << 6,
} as const;

export const PORT_STATE = {
  linkDown: 1 << 0,
  /** OpenFlow 1.1 and later. */
  blocked: 1 << 1,
  /** OpenFlow 1.1 and later. */
  live: 1 << 2,
  /** OpenFlow 1.0: the spanning tree state, shifted by 8. */
  stpMask: 3 << 8,
} as const;

export interface Port {
  /** 32-bit port number. */
  readonly number: number;
  readonly hardwareAddress: Uint8Array;
  readonly name: string;
  readonly config: number;
  readonly state: number;
  readonly current: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  /** kbit/s; 0 in OpenFlow 1.0, where the modes tell. */
  readonly currentSpeed: number;
  readonly maxSpeed: number;
}

/** What is known of a packet beside its bytes: a match on pipeline fields, in_port among them. */
export interface PacketIn {
  readonly type: 'packet_in';
  /** `standard` is OpenFlow's own message; the others are Nicira's. */
  readonly format: 'standard' | 'nxt_packet_in' | 'nxt_packet_in2';
  /** NO_BUFFER when the packet is not buffered. */
  readonly bufferId: number;
  /** Length of the packet, of which `data` may be the start. */
  readonly totalLength: number;
  /** Index in `PACKET_IN_REASONS`. */
  readonly reason: number;
  readonly table: number;
  /** Absent where no flow sent the packet, or the format has no cookie. */
  readonly cookie?: bigint;
  readonly metadata: Match;
  readonly data: Uint8Array;
  /** nxt_packet_in2 only. */
  readonly userdata?: Uint8Array;
  readonly continuation?: Uint8Array;
}

export interface PacketOut {
  readonly type: 'packet_out';
  readonly bufferId: number;
  /** Has in_port, and in OpenFlow 1.5 whatever else the pipeline should start with. */
  readonly metadata: Match;
  readonly actions: readonly Action[];
  readonly data: Uint8Array;
}

export type FlowModMessage = { readonly type: 'flow_mod' } & FlowMod;

/** Why a flow was removed, as the wire numbers it. */
export const FLOW_REMOVED_REASONS = ['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction'] as const;

export interface FlowRemoved {
  readonly type: 'flow_removed';
  readonly match: Match;
  readonly cookie: bigint;
  readonly priority: number;
  /** Index in `FLOW_REMOVED_REASONS`. */
  readonly reason: number;
  /** 255 where the format has no table. */
  readonly table: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
}

export const PORT_STATUS_REASONS = ['add', 'delete', 'modify'] as const;

export interface PortStatus {
  readonly type: 'port_status';
  readonly reason: (typeof PORT_STATUS_REASONS)[number];
  readonly port: Port;
}

export interface PortMod {
  readonly type: 'port_mod';
  readonly port: number;
  readonly hardwareAddress: Uint8Array;
  readonly config: number;
  readonly mask: number;
  /** Features to advertise; 0 leaves them. */
  readonly advertise: number;
}

export interface TableMod {
  readonly type: 'table_mod';
  readonly table: number;
  /** Bits as the version has them: 1.1 and 1.2 miss behaviour, 1.4 and later eviction (1) and vacancy events (2). */
  readonly config: number;
  /** 1.4 and later: OFPTMPEF flags of the eviction property. */
  readonly evictionFlags?: number;
  /** 1.4 and later: percentages of free space at which to tell. */
  readonly vacancy?: { readonly down: number; readonly up: number };
}

export const ROLES = ['nochange', 'equal', 'primary', 'secondary'] as const;

export interface Role {
  readonly type: 'role_request' | 'role_reply';
  readonly role: (typeof ROLES)[number];
  /** Absent in Nicira's form, which OpenFlow 1.0 has. */
  readonly generationId?: bigint;
}

/** Why a role was changed, as the wire numbers it. */
export const ROLE_STATUS_REASONS = ['primary_request', 'configuration_changed', 'experimenter'] as const;

/** OpenFlow 1.4 and later: the switch has changed a controller's role. */
export interface RoleStatus {
  readonly type: 'role_status';
  readonly role: (typeof ROLES)[number];
  readonly reason: (typeof ROLE_STATUS_REASONS)[number];
  /** Of the election that did it; all ones without one. */
  readonly generationId: bigint;
}

/** Why an asynchronous message may be sent: for each kind bits of reasons, to a primary or equal and to a secondary. */
export interface AsyncConfig {
  readonly type: 'get_async_reply' | 'set_async';
  readonly packetIn: AsyncMask;
  readonly portStatus: AsyncMask;
  readonly flowRemoved: AsyncMask;
  /** OpenFlow 1.4 and later; absent leaves it. */
  readonly roleStatus?: AsyncMask;
  readonly tableStatus?: AsyncMask;
  readonly requestForward?: AsyncMask;
}

export interface AsyncMask {
  readonly primary: number;
  readonly secondary: number;
}

export const BUNDLE_CONTROL_TYPES = [
  'open_request',
  'open_reply',
  'close_request',
  'close_reply',
  'commit_request',
  'commit_reply',
  'discard_request',
  'discard_reply',
] as const;

export interface BundleControl {
  readonly type: 'bundle_control';
  readonly bundleId: number;
  readonly control: (typeof BUNDLE_CONTROL_TYPES)[number];
  /** 1: atomic, 2: ordered. */
  readonly flags: number;
}

export interface BundleAdd {
  readonly type: 'bundle_add';
  readonly bundleId: number;
  readonly flags: number;
  /** The message, its own header included. */
  readonly message: Uint8Array;
}

/** Nicira's settings of a connection, for OpenFlow 1.0 mostly. */
export interface NxSetFlowFormat {
  readonly type: 'nx_set_flow_format';
  readonly nxm: boolean;
}
export interface NxFlowModTableId {
  readonly type: 'nx_flow_mod_table_id';
  readonly enable: boolean;
}
export interface NxSetPacketInFormat {
  readonly type: 'nx_set_packet_in_format';
  readonly format: PacketIn['format'];
}
export interface NxSetControllerId {
  readonly type: 'nx_set_controller_id';
  readonly controllerId: number;
}

/** Messages of Oko's experimenter id: their subtype, and a body that their own codec reads. */
export interface OkoMessage {
  readonly type: 'oko';
  readonly subtype: number;
  readonly body: Uint8Array;
}

/** The original Oko's vendor messages, in its dialect only (`oko-legacy.ts`). */
export interface OkoLegacyMessage {
  readonly type: 'oko_legacy';
  readonly subtype: number;
  readonly body: Uint8Array;
}

export interface MultipartRequest {
  readonly type: 'multipart_request';
  /** Bit 0: more parts of this request follow. */
  readonly flags: number;
  readonly body: MultipartRequestBody;
}

export interface MultipartReply {
  readonly type: 'multipart_reply';
  readonly flags: number;
  readonly body: MultipartReplyBody;
}

export interface DescriptionStats {
  readonly kind: 'desc';
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}

/** Which flows to tell of. */
export interface FlowSelection {
  readonly table: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly match: Match;
  /** OpenFlow 1.0: asked in Nicira's form, and answered in it. */
  readonly nxm: boolean;
}

export interface TableStats {
  readonly table: number;
  /** OpenFlow 1.0 only, as wildcards and maxEntries. */
  readonly name: string;
  readonly wildcards: number;
  readonly maxEntries: number;
  readonly active: number;
  readonly lookups: bigint;
  readonly matched: bigint;
}

export interface PortStats {
  readonly port: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly rxFrameErrors: bigint;
  readonly rxOverErrors: bigint;
  readonly rxCrcErrors: bigint;
  readonly collisions: bigint;
  /** Absent in OpenFlow 1.0. */
  readonly durationSec?: number;
  readonly durationNsec?: number;
}

export interface QueueStats {
  readonly port: number;
  readonly queue: number;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  /** Absent in OpenFlow 1.0. */
  readonly durationSec?: number;
  readonly durationNsec?: number;
}

/** Rates in tenths of a percent; absent means none. */
export interface QueueDescription {
  readonly port: number;
  readonly queue: number;
  readonly minRate?: number;
  readonly maxRate?: number;
}

/** Properties of one kind in table features: for instructions and actions numbers, for fields OXM headers. */
export interface TableFeatureProperty {
  readonly type: number;
  /** The content as on the wire, without type, length and padding. */
  readonly content: Uint8Array;
}

export interface TableFeatures {
  readonly table: number;
  readonly name: string;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  /** `config` in 1.3, `capabilities` from 1.4 on. */
  readonly config: number;
  readonly maxEntries: number;
  /** OpenFlow 1.5. */
  readonly command?: number;
  readonly features?: number;
  readonly properties: readonly TableFeatureProperty[];
}

export interface TableDescription {
  readonly table: number;
  readonly config: number;
  readonly evictionFlags?: number;
}

export type MultipartRequestBody =
  | { readonly kind: 'desc' | 'table' | 'group_desc' | 'group_features' | 'meter_features' | 'table_desc' }
  | ({ readonly kind: 'flow' | 'aggregate' } & FlowSelection)
  /** OFPP.none: all ports. */
  | { readonly kind: 'port' | 'port_desc'; readonly port: number }
  | { readonly kind: 'queue' | 'queue_desc'; readonly port: number; readonly queue: number }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'meter' | 'meter_config'; readonly meter: number }
  | { readonly kind: 'table_features'; readonly tables: readonly TableFeatures[] }
  | { readonly kind: 'flow_monitor'; readonly monitors: readonly FlowMonitor[] }
  | UnknownMultipart;

/** What no codec of ours reads: the numbers that name it, and its bytes. */
export interface UnknownMultipart {
  readonly kind: 'unknown';
  readonly multipartType: number;
  readonly experimenter?: number;
  readonly subtype?: number;
  readonly data: Uint8Array;
}

export type MultipartReplyBody =
  | DescriptionStats
  | { readonly kind: 'flow'; readonly nxm: boolean; readonly flows: readonly FlowStats[] }
  | {
      readonly kind: 'aggregate';
      readonly nxm: boolean;
      readonly packetCount: bigint;
      readonly byteCount: bigint;
      readonly flowCount: number;
    }
  | { readonly kind: 'table'; readonly tables: readonly TableStats[] }
  | { readonly kind: 'port'; readonly ports: readonly PortStats[] }
  | { readonly kind: 'queue'; readonly queues: readonly QueueStats[] }
  | { readonly kind: 'queue_desc'; readonly queues: readonly QueueDescription[] }
  | { readonly kind: 'port_desc'; readonly ports: readonly Port[] }
  | { readonly kind: 'table_features'; readonly tables: readonly TableFeatures[] }
  | { readonly kind: 'table_desc'; readonly tables: readonly TableDescription[] }
  | { readonly kind: 'flow_monitor'; readonly updates: readonly FlowUpdate[] }
  | GroupFeatures
  | MeterFeatures
  /** Groups and meters that do not exist: empty replies. */
  | { readonly kind: 'group' | 'group_desc' | 'meter' | 'meter_config' }
  | UnknownMultipart;

export interface GroupFeatures {
  readonly kind: 'group_features';
  readonly types: number;
  readonly capabilities: number;
  /** For each type (all, select, indirect, fast failover). */
  readonly maxGroups: readonly number[];
  readonly actions: readonly number[];
}

export interface MeterFeatures {
  readonly kind: 'meter_features';
  readonly maxMeter: number;
  readonly bandTypes: number;
  readonly capabilities: number;
  readonly maxBands: number;
  readonly maxColor: number;
}

/** Queues of a port, in the message that OpenFlow 1.0 to 1.3 have for it. */
export interface QueueGetConfig {
  readonly type: 'queue_get_config_request';
  readonly port: number;
}
export interface QueueGetConfigReply {
  readonly type: 'queue_get_config_reply';
  readonly port: number;
  readonly queues: readonly QueueDescription[];
}

export type MessageBody =
  | Hello
  | ErrorMessage
  | Echo
  | BareMessage
  | FeaturesReply
  | SwitchConfig
  | PacketIn
  | PacketOut
  | FlowModMessage
  | FlowRemoved
  | PortStatus
  | PortMod
  | TableMod
  | Role
  | RoleStatus
  | AsyncConfig
  | BundleControl
  | BundleAdd
  | NxSetFlowFormat
  | NxFlowModTableId
  | NxSetPacketInFormat
  | NxSetControllerId
  | FlowMonitorCancel
  | OkoMessage
  | OkoLegacyMessage
  | MultipartRequest
  | MultipartReply
  | QueueGetConfig
  | QueueGetConfigReply;

/** A message with its transaction id. */
export type Message = MessageBody & { readonly xid: number };
export type MessageType = MessageBody['type'];

/** What a connection has agreed on, which decides how messages are written. */
export interface Dialect {
  readonly version: OpenflowVersion;
  /** OpenFlow 1.0: flow_mods and flow_removed in Nicira's form (NXT_SET_FLOW_FORMAT). */
  readonly nxm?: boolean;
  /** OpenFlow 1.0: the upper byte of a flow_mod's command is its table (NXT_FLOW_MOD_TABLE_ID). */
  readonly tableId?: boolean;
  /** The peer knows Oko's extensions: filter_prog is sent as a field; to others as a note before the actions. */
  readonly oko?: boolean;
  /** The peer speaks the original Oko's layouts. */
  readonly legacy?: boolean;
}
