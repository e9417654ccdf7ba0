import {
  type Action,
  type ActionOf,
  type ActionType,
  CURRENT_TABLE,
  formatFieldValue,
  formatSubfield,
  OFPP,
  type Subfield,
} from '../../openflow/index.ts';
import {
  allOnes,
  ETH_TYPE,
  type Field,
  type FieldValue,
  FRAG_LATER,
  field,
  fieldValue,
  KEY,
  portFrom16,
  readField,
} from '../../packet/index.ts';
import { clearActions, runActionSet, writeActions } from './action-set.ts';
import { decMplsTtl, decTtl, isIp, isMpls, popMpls, popVlan, pushMpls, pushVlan } from './headers.ts';
import { hasField, keyNumber, readSubfield, setKeyField, writeSubfield } from './key-fields.ts';
import { outputTo, sendTo, toControllers } from './output.ts';
import type { PacketWalk } from './walk.ts';

/** What follows after an action: the rest of its list is left out, or put off to another pass, this action included. */
export type Next = 'stop' | 'freeze' | undefined;

/** What it returns counts only when it is 'stop'. */
type Handler<T extends ActionType> = (action: ActionOf<T>, walk: PacketWalk) => unknown;

const F = {
  ethSrc: field('eth_src'),
  ethDst: field('eth_dst'),
  ipSrc: field('ip_src'),
  ipDst: field('ip_dst'),
  dscp: field('ip_dscp'),
  ecn: field('nw_ecn'),
  ttl: field('nw_ttl'),
  l4Src: field('tcp_src'),
  l4Dst: field('tcp_dst'),
  vlanVid: field('vlan_vid'),
  vlanPcp: field('dl_vlan_pcp'),
  mplsLabel: field('mpls_label'),
  mplsTc: field('mpls_tc'),
  mplsTtl: field('mpls_ttl'),
  metadata: field('metadata'),
  tunId: field('tun_id'),
} as const;

function set(walk: PacketWalk, target: Field, value: FieldValue | number | bigint, mask?: FieldValue): void {
  setKeyField(walk.key, walk.rewrites, target, value instanceof Uint8Array ? value : fieldValue(target, value), mask);
}

/** Tells those who trace what a field has become. */
function saySubfield(walk: PacketWalk, subfield: Subfield): void {
  if (walk.pipeline.tracer === undefined) return;
  const { field: target, start, bits } = subfield;
  const isWhole = start === 0 && bits >= target.width;
  const text = isWhole
    ? formatFieldValue(target, readField(target, walk.key), allOnes(target))
    : `0x${readSubfield(walk.key, subfield).toString(16)}`;
  walk.say(`${formatSubfield(subfield)} is now ${text}`);
}

const isIpv4 = ({ key }: PacketWalk): boolean => keyNumber(key, KEY.ethType, 2) === ETH_TYPE.ipv4;
const hasPorts = (walk: PacketWalk): boolean => isIp(walk) && (walk.key[KEY.ipFrag] & FRAG_LATER) === 0;

/** The actions that translation carries out; a flow with another one is refused when it is added. */
const HANDLERS = {
  output: ({ port, maxLen }, walk) => outputTo(walk, port, maxLen),
  output_trunc: ({ port, maxLen }, walk) => outputTo(walk, port, 0xffff, maxLen),
  output_reg({ source, maxLen }, walk) {
    const number = readSubfield(walk.key, source);
    walk.say(`output port is ${number}`);
    if (number > 0xffffn) return walk.warn('output port is out of range');
    outputTo(walk, portFrom16(Number(number)), maxLen);
  },
  controller({ maxLen, controllerId, reason, userdata }, walk) {
    toControllers(walk, maxLen, controllerId, reason, userdata);
  },
  send_maps: ({ program, maps }, walk) => walk.emitMaps({ program, maps }),
  enqueue({ port, queue }, walk) {
    const real = port === OFPP.inPort ? walk.inPort : port;
    if (real === walk.inPort && port !== OFPP.inPort) return;
    const before = walk.queue;
    walk.queue = queue;
    sendTo(walk, real);
    walk.queue = before;
  },
  set_queue({ value }, walk) {
    walk.queue = value;
  },
  pop_queue(_action, walk) {
    walk.queue = undefined;
    walk.say('queue = 0');
  },

  set_field(action, walk) {
    if (hasField(walk.key, action.field)) set(walk, action.field, action.value, action.mask);
    else walk.warn(`unmet prerequisites for ${action.field.name}, set_field ignored`);
  },
  move({ source, destination }, walk) {
    if (!hasField(walk.key, source.field) || !hasField(walk.key, destination.field)) return;
    writeSubfield(walk.key, walk.rewrites, destination, readSubfield(walk.key, source));
    saySubfield(walk, destination);
  },
  push({ subfield }, walk) {
    walk.push(fieldValue(subfield.field, readSubfield(walk.key, subfield)));
  },
  pop({ subfield }, walk) {
    const value = walk.pop();
    if (value === undefined) return walk.warn('NXAST_STACK_POP with empty stack');
    let number = 0n;
    for (const byte of value) number = (number << 8n) | BigInt(byte);
    writeSubfield(walk.key, walk.rewrites, subfield, number & ((1n << BigInt(subfield.bits)) - 1n));
    saySubfield(walk, subfield);
  },
  set_tunnel: ({ id }, walk) => set(walk, F.tunId, id),
  check_pkt_larger({ length, destination }, walk) {
    const isLarger = walk.pipeline.answers.isLonger(length - walk.rewrites.lengthDelta);
    writeSubfield(walk.key, walk.rewrites, destination, isLarger ? 1n : 0n);
    saySubfield(walk, destination);
  },

  mod_dl_src: ({ address }, walk) => set(walk, F.ethSrc, address),
  mod_dl_dst: ({ address }, walk) => set(walk, F.ethDst, address),
  mod_nw_src({ address }, walk) {
    if (isIpv4(walk)) set(walk, F.ipSrc, address);
  },
  mod_nw_dst({ address }, walk) {
    if (isIpv4(walk)) set(walk, F.ipDst, address);
  },
  mod_nw_tos({ value }, walk) {
    if (isIp(walk)) set(walk, F.dscp, value >> 2);
  },
  mod_nw_ecn({ value }, walk) {
    if (isIp(walk)) set(walk, F.ecn, value);
  },
  mod_nw_ttl({ value }, walk) {
    if (isIp(walk)) set(walk, F.ttl, value);
  },
  mod_tp_src({ value }, walk) {
    if (hasPorts(walk)) set(walk, F.l4Src, value);
  },
  mod_tp_dst({ value }, walk) {
    if (hasPorts(walk)) set(walk, F.l4Dst, value);
  },
  mod_vlan_vid: ({ value }, walk) => set(walk, F.vlanVid, 0x1000 | value),
  mod_vlan_pcp: ({ value }, walk) => set(walk, F.vlanPcp, value),
  push_vlan: ({ value }, walk) => pushVlan(walk, value),
  strip_vlan: (_action, walk) => popVlan(walk),
  push_mpls: ({ value }, walk) => pushMpls(walk, value),
  pop_mpls: ({ value }, walk) => popMpls(walk, value),
  set_mpls_label({ value }, walk) {
    if (isMpls(walk)) set(walk, F.mplsLabel, value);
  },
  set_mpls_tc({ value }, walk) {
    if (isMpls(walk)) set(walk, F.mplsTc, value);
  },
  set_mpls_ttl({ value }, walk) {
    if (isMpls(walk)) set(walk, F.mplsTtl, value);
  },
  dec_ttl: ({ controllers }, walk) => (decTtl(walk, controllers ?? [0]) ? 'stop' : undefined),
  dec_mpls_ttl: (_action, walk) => (decMplsTtl(walk) ? 'stop' : undefined),

  resubmit({ port, table }, walk) {
    const inPort = port === OFPP.inPort ? walk.inPort : port;
    walk.enterTable(table === CURRENT_TABLE ? walk.table : table, inPort, false);
  },
  goto_table: ({ table }, walk) => walk.enterTable(table, walk.inPort, true),
  write_metadata({ value, mask }, walk) {
    set(walk, F.metadata, value, fieldValue(F.metadata, mask));
  },
  write_actions: ({ actions }, walk) => writeActions(walk, actions),
  clear_actions: (_action, walk) => clearActions(walk),
  clone({ actions }, walk) {
    walk.clone(() => {
      walk.run(actions);
      if (!walk.isFrozen) runActionSet(walk);
    });
  },
  exit: (_action, walk) => walk.exit(),
  note: () => {},
} satisfies { readonly [T in ActionType]?: Handler<T> };

const BY_TYPE: { readonly [type: string]: ((action: never, walk: PacketWalk) => unknown) | undefined } = HANDLERS;

/** Does translation know what to do with the action? */
export function isTranslated(type: ActionType): boolean {
  return type in HANDLERS;
}

/** Carries out one action. */
export function carryOut(action: Action, walk: PacketWalk): Next {
  if (walk.wasMpls && looksBelowLabels(action)) return 'freeze';
  return BY_TYPE[action.type]?.(action as never, walk) === 'stop' ? 'stop' : undefined;
}

/** After labels have been popped, most actions need to know what is below them: that takes another pass. */
function looksBelowLabels(action: Action): boolean {
  switch (action.type) {
    case 'output':
      return action.port === OFPP.table;
    case 'set_field':
      return action.field.origin === 'packet' && action.field.place.offset >= KEY.ipProto;
    default:
      return !LAYER_2_ACTIONS.has(action.type);
  }
}

const LAYER_2_ACTIONS: ReadonlySet<ActionType> = new Set<ActionType>([
  'output_trunc',
  'enqueue',
  'output_reg',
  'controller',
  'mod_vlan_vid',
  'mod_vlan_pcp',
  'mod_dl_src',
  'mod_dl_dst',
  'set_tunnel',
  'set_queue',
  'send_maps',
  'exit',
  'note',
]);
