import type { Field, FieldValue } from '../packet/index.ts';
import type { Subfield } from './subfield.ts';

/*
 * Actions and instructions as plain objects, independent of OpenFlow's versions. As in Open vSwitch a flow has one list
 * of them: what stands by itself is applied at once, instructions are elements among the others. `type` is the keyword of
 * the text syntax (ovs-actions(7)).
 */

export interface OutputAction {
  readonly type: 'output';
  /** 32-bit port number. */
  readonly port: number;
  /** For the port CONTROLLER: how much of the packet to send; 65535 is all. */
  readonly maxLen?: number;
}

/** Output with the packet cut to `maxLen` bytes. */
export interface OutputTruncateAction {
  readonly type: 'output_trunc';
  readonly port: number;
  readonly maxLen: number;
}

export interface OutputRegisterAction {
  readonly type: 'output_reg';
  readonly source: Subfield;
  readonly maxLen: number;
}

/** Why a packet goes to a controller: numbers of ofp_packet_in_reason (OpenFlow 1.5, 7.4.1). */
export const PACKET_IN_REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'] as const;

export interface ControllerAction {
  readonly type: 'controller';
  readonly maxLen: number;
  readonly controllerId: number;
  /** Index in `PACKET_IN_REASONS`. */
  readonly reason: number;
  readonly userdata?: Uint8Array;
  readonly pause: boolean;
  readonly meterId?: number;
}

export interface EnqueueAction {
  readonly type: 'enqueue';
  readonly port: number;
  readonly queue: number;
}

export const HASH_FIELDS = [
  'eth_src',
  'symmetric_l4',
  'symmetric_l3l4',
  'symmetric_l3l4+udp',
  'nw_src',
  'nw_dst',
  'symmetric_l3',
] as const;
export const BUNDLE_ALGORITHMS = ['active_backup', 'hrw'] as const;
export const MULTIPATH_ALGORITHMS = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'] as const;

/** `bundle`, or `bundle_load` when it has a destination. */
export interface BundleAction {
  readonly type: 'bundle';
  readonly fields: (typeof HASH_FIELDS)[number];
  readonly basis: number;
  readonly algorithm: (typeof BUNDLE_ALGORITHMS)[number];
  readonly members: readonly number[];
  readonly destination?: Subfield;
}

export interface MultipathAction {
  readonly type: 'multipath';
  readonly fields: (typeof HASH_FIELDS)[number];
  readonly basis: number;
  readonly algorithm: (typeof MULTIPATH_ALGORITHMS)[number];
  readonly links: number;
  readonly arg: number;
  readonly destination: Subfield;
}

export interface GroupAction {
  readonly type: 'group';
  readonly group: number;
}

/** Actions that have no arguments. */
export type BareType = 'dec_mpls_ttl' | 'dec_nsh_ttl' | 'pop_queue' | 'ct_clear' | 'exit' | 'clear_actions';
export type BareAction = { [T in BareType]: { readonly type: T } }[BareType];

/** Actions with one number, of the width that `NUMBER_ACTIONS` names. */
export type NumberType =
  | 'push_vlan'
  | 'push_mpls'
  | 'pop_mpls'
  | 'mod_vlan_vid'
  | 'mod_vlan_pcp'
  | 'mod_nw_tos'
  | 'mod_nw_ecn'
  | 'mod_nw_ttl'
  | 'mod_tp_src'
  | 'mod_tp_dst'
  | 'set_mpls_label'
  | 'set_mpls_tc'
  | 'set_mpls_ttl'
  | 'set_queue';
export type NumberAction = { [T in NumberType]: { readonly type: T; readonly value: number } }[NumberType];

/** Actions with an address: 6 bytes for Ethernet, 4 for IPv4. */
export type AddressType = 'mod_dl_src' | 'mod_dl_dst' | 'mod_nw_src' | 'mod_nw_dst';
export type AddressAction = { [T in AddressType]: { readonly type: T; readonly address: Uint8Array } }[AddressType];

export interface StripVlanAction {
  readonly type: 'strip_vlan';
  /** It came as OpenFlow 1.1 and later call it, pop_vlan. */
  readonly pop?: true;
}

export interface SetTunnelAction {
  readonly type: 'set_tunnel';
  readonly id: bigint;
  /** The 64-bit form was asked for, even if the id fits into 32 bits. */
  readonly wide: boolean;
}

export interface DecTtlAction {
  readonly type: 'dec_ttl';
  /** Controllers that hear of packets whose TTL runs out; absent means controller 0, in the standard form. */
  readonly controllers?: readonly number[];
}

/** `set_field`, or `load` when `load` is set: the same effect, written differently. */
export interface SetFieldAction {
  readonly type: 'set_field';
  readonly field: Field;
  readonly value: FieldValue;
  readonly mask: FieldValue;
  readonly load: boolean;
}

export interface MoveAction {
  readonly type: 'move';
  readonly source: Subfield;
  readonly destination: Subfield;
}

export interface PushAction {
  readonly type: 'push';
  readonly subfield: Subfield;
}

export interface PopAction {
  readonly type: 'pop';
  readonly subfield: Subfield;
}

export interface CheckPacketLargerAction {
  readonly type: 'check_pkt_larger';
  readonly length: number;
  readonly destination: Subfield;
}

export interface DeleteFieldAction {
  readonly type: 'delete_field';
  readonly field: Field;
}

export interface ResubmitAction {
  readonly type: 'resubmit';
  /** OFPP.inPort: the packet's own. */
  readonly port: number;
  /** 255: the current table. */
  readonly table: number;
  readonly ct: boolean;
}

export interface CloneAction {
  readonly type: 'clone';
  readonly actions: readonly Action[];
}

export interface NatAction {
  readonly type: 'nat';
  /** Absent: only translate as the connection was set up. */
  readonly direction?: 'src' | 'dst';
  /** First and last address, 4 or 16 bytes; the last one absent when there is no range. */
  readonly addresses?: readonly [Uint8Array, Uint8Array?];
  readonly ports?: readonly [number, number?];
  readonly persistent: boolean;
  readonly hash: boolean;
  readonly random: boolean;
}

export interface CtAction {
  readonly type: 'ct';
  readonly commit: boolean;
  readonly force: boolean;
  readonly zone: number | Subfield;
  /** Absent: no recirculation. */
  readonly table?: number;
  /** Port of the application layer gateway: 21 is ftp, 69 tftp. */
  readonly alg: number;
  /** What `exec(…)` holds, and `nat` first. */
  readonly actions: readonly Action[];
}

export type LearnSpec =
  /** Match a field of the new flow against bytes given, or against a field of the packet. */
  | { readonly kind: 'match'; readonly destination: Subfield; readonly source: Subfield | FieldValue }
  | { readonly kind: 'load'; readonly destination: Subfield; readonly source: Subfield | FieldValue }
  | { readonly kind: 'output'; readonly source: Subfield };

export interface LearnAction {
  readonly type: 'learn';
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly sendFlowRem: boolean;
  readonly deleteLearned: boolean;
  readonly table: number;
  readonly finIdleTimeout: number;
  readonly finHardTimeout: number;
  /** 0: no limit. */
  readonly limit: number;
  readonly resultDestination?: Subfield;
  readonly specs: readonly LearnSpec[];
}

export interface FinTimeoutAction {
  readonly type: 'fin_timeout';
  readonly idleTimeout: number;
  readonly hardTimeout: number;
}

export interface ConjunctionAction {
  readonly type: 'conjunction';
  readonly id: number;
  /** From 1. */
  readonly clause: number;
  readonly clauses: number;
}

export interface NoteAction {
  readonly type: 'note';
  readonly data: Uint8Array;
}

export interface SampleAction {
  readonly type: 'sample';
  readonly probability: number;
  readonly collectorSetId: number;
  readonly obsDomainId: number;
  readonly obsPointId: number;
  /** OFPP.none: no port. */
  readonly samplingPort: number;
  readonly direction: 'default' | 'ingress' | 'egress';
}

export interface EncapAction {
  readonly type: 'encap';
  /** Namespace in the upper 16 bits, type in the lower: Ethernet is 0, NSH 0x1894f. */
  readonly packetType: number;
  readonly properties: readonly EncapProperty[];
}

export type EncapProperty =
  | { readonly kind: 'nshMdType'; readonly mdType: number }
  | { readonly kind: 'nshTlv'; readonly tlvClass: number; readonly tlvType: number; readonly data: Uint8Array };

export interface DecapAction {
  readonly type: 'decap';
  /** What the packet is then; 0xfffe (in namespace 0) leaves it to the switch. */
  readonly packetType: number;
}

/** Sends the contents of a program's maps to the controllers (Oko). */
export interface SendMapsAction {
  readonly type: 'send_maps';
  readonly program: number;
  /** Numbers of maps; none means all. */
  readonly maps: readonly number[];
}

export interface MeterInstruction {
  readonly type: 'meter';
  readonly meter: number;
}

export interface WriteActionsInstruction {
  readonly type: 'write_actions';
  readonly actions: readonly Action[];
}

export interface WriteMetadataInstruction {
  readonly type: 'write_metadata';
  readonly value: bigint;
  readonly mask: bigint;
}

export interface GotoTableInstruction {
  readonly type: 'goto_table';
  readonly table: number;
}

export type Action =
  | OutputAction
  | OutputTruncateAction
  | OutputRegisterAction
  | ControllerAction
  | EnqueueAction
  | BundleAction
  | MultipathAction
  | GroupAction
  | BareAction
  | StripVlanAction
  | NumberAction
  | AddressAction
  | SetTunnelAction
  | DecTtlAction
  | SetFieldAction
  | MoveAction
  | PushAction
  | PopAction
  | CheckPacketLargerAction
  | DeleteFieldAction
  | ResubmitAction
  | CloneAction
  | NatAction
  | CtAction
  | LearnAction
  | FinTimeoutAction
  | ConjunctionAction
  | NoteAction
  | SampleAction
  | EncapAction
  | DecapAction
  | SendMapsAction
  | MeterInstruction
  | WriteActionsInstruction
  | WriteMetadataInstruction
  | GotoTableInstruction;

export type ActionType = Action['type'];
export type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;

/** Collects the key bits that something reads or writes. */
export interface FieldUse {
  field(field: Field, mask?: FieldValue): void;
  subfield(subfield: Subfield): void;
}
