import { type Action, type ActionType, formatActions, OFPP } from '../../openflow/index.ts';
import { KEY } from '../../packet/index.ts';
import { putKeyNumber } from './key-fields.ts';
import type { PacketWalk } from './walk.ts';

/** Of each of these the last one written is carried out, in this order (OpenFlow 1.5.1 section 5.6). */
const HEADER_ACTIONS: readonly ActionType[] = [
  'strip_vlan',
  'pop_mpls',
  'push_mpls',
  'push_vlan',
  'dec_ttl',
  'dec_mpls_ttl',
];

/** Of these all are carried out, in the order they were written. */
const SET_ACTIONS: ReadonlySet<ActionType> = new Set<ActionType>([
  'set_field',
  'move',
  'set_tunnel',
  'mod_dl_src',
  'mod_dl_dst',
  'mod_nw_src',
  'mod_nw_dst',
  'mod_nw_tos',
  'mod_nw_ecn',
  'mod_nw_ttl',
  'mod_tp_src',
  'mod_tp_dst',
  'mod_vlan_vid',
  'mod_vlan_pcp',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
]);

/** At the end the first of these that was written at all; without one the set does nothing. */
const FINAL_ACTIONS: readonly ActionType[] = ['group', 'output', 'resubmit', 'ct'];

/** Can an action set hold it? */
export function isInActionSets(type: ActionType): boolean {
  return HEADER_ACTIONS.includes(type) || SET_ACTIONS.has(type) || type === 'set_queue' || FINAL_ACTIONS.includes(type);
}

/** Puts actions into the packet's action set. */
export function writeActions(walk: PacketWalk, actions: readonly Action[]): void {
  walk.actionSet.push(...actions);
  sayActionSet(walk, 'is');
  noteOutput(walk);
}

export function clearActions(walk: PacketWalk): void {
  sayActionSet(walk, 'was');
  walk.actionSet = [];
  noteOutput(walk);
}

function sayActionSet(walk: PacketWalk, verb: 'is' | 'was'): void {
  if (walk.pipeline.tracer === undefined) return;
  const actions = inOrder(walk.actionSet);
  walk.say(actions.length === 0 ? `action set ${verb} empty` : `action set ${verb}: ${formatActions(actions)}`);
}

/** Carries out the action set, at the end of the pipeline. */
export function runActionSet(walk: PacketWalk): void {
  if (walk.actionSet.length === 0 || walk.error !== undefined) return;
  const actions = inOrder(walk.actionSet);
  walk.actionSet = [];
  if (actions.length === 0) return;
  walk.isInActionSet = true;
  walk.pipeline.tracer?.actionSet();
  walk.runApart(actions);
  walk.pipeline.tracer?.leave();
  walk.isInActionSet = false;
}

function inOrder(set: readonly Action[]): readonly Action[] {
  const lastOf = (type: ActionType): readonly Action[] => set.filter((action) => action.type === type).slice(-1);
  const final = FINAL_ACTIONS.map(lastOf).find((found) => found.length > 0);
  if (final === undefined) return [];
  return [
    ...HEADER_ACTIONS.flatMap(lastOf),
    ...set.filter(({ type }) => SET_ACTIONS.has(type)),
    ...lastOf('set_queue'),
    ...final,
  ];
}

/** Flows may match where the action set would send the packet. */
function noteOutput({ actionSet, key }: PacketWalk): void {
  let port: number = OFPP.unset;
  for (const action of actionSet) if (action.type === 'output') port = action.port;
  if (actionSet.some(({ type }) => type === 'group')) port = OFPP.unset;
  putKeyNumber(key, KEY.actsetOutput, 4, port);
}
