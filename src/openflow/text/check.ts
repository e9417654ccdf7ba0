import { type Field, field, KEY, type Match, MatchBuilder, PREREQUISITE_TEXT } from '../../packet/index.ts';
import type { Action, ActionOf } from '../action.ts';
import { OpenflowError } from '../errors.ts';
import { ALL_TABLES } from '../flow.ts';
import { OFPP } from '../port.ts';
import type { Subfield } from '../subfield.ts';

/**
 * Refuses actions that cannot work on any packet of the match: fields written or read that its protocol does not have,
 * jumps back, as Open vSwitch does for flows of every version. Actions that add or remove headers count for those after
 * them.
 */
export function checkActions(actions: readonly Action[], match: Match, table = ALL_TABLES): void {
  const known = match.toBuilder();
  for (const action of actions) checkAction(action, known, table);
}

function checkAction(action: Action, known: MatchBuilder, table: number): void {
  const needs = (target: Field, what: string): void => {
    if (!known.holds(target))
      throw new OpenflowError(
        'OPENFLOW_INCONSISTENT',
        `${what}: ${target.name} needs ${PREREQUISITE_TEXT[target.prerequisite]} in the match`,
      );
  };
  const needsPart = (part: Subfield, what: string): void => needs(part.field, what);
  switch (action.type) {
    case 'set_field':
      needs(action.field, action.load ? 'load' : 'set_field');
      if (action.field.place.offset === KEY.vlanTci && action.field.name === 'vlan_tci') tagByTci(action, known);
      return;
    case 'move':
      needsPart(action.source, 'move');
      needsPart(action.destination, 'move');
      return;
    case 'push':
    case 'pop':
      needsPart(action.subfield, action.type);
      return;
    case 'output_reg':
      needsPart(action.source, 'output');
      return;
    case 'multipath':
      needsPart(action.destination, 'multipath');
      return;
    case 'mod_vlan_vid':
    case 'mod_vlan_pcp':
    case 'push_vlan':
      known.setNumber(field('vlan_vid'), 0x1000, 0x1000);
      return;
    case 'strip_vlan':
      known.clear(field('vlan_tci'));
      return;
    case 'push_mpls':
    case 'pop_mpls':
      known.clear(field('nw_proto'));
      known.setNumber(field('eth_type'), action.value);
      return;
    case 'encap':
    case 'decap':
      // What the packet is afterwards depends on the packet: nothing can be said against later actions.
      throwAwayHeaders(known, action.packetType);
      return;
    case 'ct':
      if (!known.holds(field('nw_ttl')))
        throw new OpenflowError('OPENFLOW_INCONSISTENT', 'ct: needs "ip" or "ipv6" in the match');
      checkCt(action, known);
      for (const inner of action.actions) checkAction(inner, known, table);
      return;
    case 'enqueue':
      if (action.port >= OFPP.max && action.port !== OFPP.inPort && action.port !== OFPP.local)
        throw new OpenflowError('OPENFLOW_BAD_ACTION', 'enqueue: takes a port of the switch, IN_PORT or LOCAL');
      return;
    case 'clone':
      checkActionsIn(action.actions, known, table);
      return;
    case 'resubmit':
      if (action.ct) needs(field('ct_nw_proto'), 'resubmit');
      return;
    case 'learn':
      for (const spec of action.specs) {
        if (!(spec.source instanceof Uint8Array)) needsPart(spec.source, 'learn');
      }
      checkLearnt(action.specs);
      return;
    case 'goto_table':
      if (table !== ALL_TABLES && action.table <= table)
        throw new OpenflowError(
          'OPENFLOW_INCONSISTENT',
          `goto_table: table ${action.table} is not after table ${table}`,
        );
      return;
    default:
      return;
  }
}

function checkCt(ct: ActionOf<'ct'>, known: MatchBuilder): void {
  const inconsistent = (message: string): OpenflowError => new OpenflowError('OPENFLOW_INCONSISTENT', `ct: ${message}`);
  if (ct.alg === 21 && !known.holds(field('tcp_src'))) throw inconsistent('alg=ftp needs "tcp" or "tcp6" in the match');
  if (ct.alg === 69 && !known.holds(field('udp_src')))
    throw inconsistent('alg=tftp needs "udp" or "udp6" in the match');
  if (!ct.commit && ct.actions.some((action) => action.type !== 'nat' || action.direction !== undefined))
    throw inconsistent('nat with an address, and exec, need commit');
  for (const action of ct.actions) {
    if (action.type !== 'nat' || !action.addresses) continue;
    const ipv6 = action.addresses[0].length === 16;
    if (known.holds(field(ipv6 ? 'ip_src' : 'ipv6_src')))
      throw inconsistent(`nat has ${ipv6 ? 'IPv6' : 'IPv4'} addresses, but the match is for the other kind`);
  }
}

function checkActionsIn(actions: readonly Action[], known: MatchBuilder, table: number): void {
  const inner = known.build().toBuilder();
  for (const action of actions) checkAction(action, inner, table);
}

function tagByTci(action: ActionOf<'set_field'>, known: MatchBuilder): void {
  const sets = action.value[0] & 0x10;
  const masks = action.mask[0] & 0x10;
  if (!masks) return;
  known.clear(field('vlan_tci'));
  if (sets) known.setNumber(field('vlan_vid'), 0x1000, 0x1000);
}

function throwAwayHeaders(known: MatchBuilder, packetType: number): void {
  for (const name of ['eth_type', 'nw_proto', 'vlan_tci', 'packet_type']) known.clear(field(name));
  if (packetType >>> 16 === 1) known.setNumber(field('packet_type'), packetType);
  if (packetType >>> 16 === 1) known.setNumber(field('eth_type'), packetType & 0xffff);
}

/** The match of the flow that a learn makes must be as sound as any. */
function checkLearnt(specs: readonly ActionOf<'learn'>['specs'][number][]): void {
  const learnt = new MatchBuilder();
  for (const spec of specs) {
    if (spec.kind === 'output') continue;
    const target = spec.destination.field;
    if (!learnt.holds(target))
      throw new OpenflowError(
        'OPENFLOW_INCONSISTENT',
        `learn: ${target.name} needs ${PREREQUISITE_TEXT[target.prerequisite]} before it in the learn`,
      );
    if (spec.kind !== 'match') continue;
    if (spec.source instanceof Uint8Array && spec.destination.bits === target.width) learnt.set(target, spec.source);
  }
}
