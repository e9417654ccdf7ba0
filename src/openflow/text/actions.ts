import type { Action, ActionType } from '../action.ts';
import { ACTION_PARSERS, actionKind, instructionRank, isInstruction } from '../actions/index.ts';
import { badAction } from '../actions/kind.ts';
import { outputTo } from '../actions/output.ts';
import { OpenflowError } from '../errors.ts';
import { readPort, type TextNames } from './names.ts';
import { type KeyValue, keyValues } from './tokens.ts';

/** How deep actions may nest, as in clone(clone(…)). */
const MAX_DEPTH = 32;

const INSTRUCTION_NAMES = ['meter', 'apply_actions', 'clear_actions', 'write_actions', 'write_metadata', 'goto_table'];

/** Where a list of actions stands: in a flow, which may have instructions, or inside an action. */
type Place = 'flow' | 'list' | ActionType;

/**
 * The actions of a text such as `set_field:5->reg0,output:2`; empty or `drop` is none. In a flow, instructions may stand
 * among them, in the order of OpenFlow.
 */
export function parseActions(text: string, names: TextNames = {}, place: Place = 'flow', depth = 0): Action[] {
  if (depth > MAX_DEPTH) throw badAction(`actions nest more than ${MAX_DEPTH} deep`);
  const parsing = {
    names,
    nested: (inner: string, where: ActionType) => parseActions(inner, names, where, depth + 1),
  };
  const actions: Action[] = [];
  let dropped = false;
  for (const piece of keyValues(text)) {
    if (piece.key.toLowerCase() === 'drop' && piece.value === '') {
      dropped = true;
      continue;
    }
    const action = parseAction(piece, parsing);
    checkPlace(action, place);
    if (action.type === 'write_actions') {
      checkActionSet(action.actions);
      if (action.actions.length === 0) continue;
    }
    actions.push(action);
  }
  if (dropped && actions.length > 0) throw badAction(`"drop" in "${text}" cannot stand with other actions`);
  if (place === 'flow') checkOrder(actions);
  checkConjunctions(actions);
  return actions;
}

function parseAction(
  piece: KeyValue,
  parsing: Parameters<NonNullable<ReturnType<typeof ACTION_PARSERS.get>>>[1],
): Action {
  const parser = piece.key === 'nat' ? undefined : ACTION_PARSERS.get(piece.key.toLowerCase());
  if (parser) return parser(piece, parsing);
  if (piece.key === 'nat') return natOutsideCt(piece, parsing);
  const port = piece.text === piece.key ? readPort(piece.key, parsing.names) : undefined;
  if (port !== undefined) return outputTo(port);
  if (piece.key === 'apply_actions')
    throw badAction('apply_actions: write the actions by themselves; that applies them');
  throw new OpenflowError('OPENFLOW_UNKNOWN_ACTION', `"${piece.text}" is neither an action nor a port`);
}

function natOutsideCt(piece: KeyValue, parsing: Parameters<typeof parseAction>[1]): Action {
  const parser = ACTION_PARSERS.get('nat');
  if (!parser) throw badAction(`"${piece.text}" is no action`);
  return parser(piece, parsing);
}

const CT_WRITABLE = ['ct_mark', 'ct_label'];

/** What an action writes by set_field, load or move; that is what ct's exec allows and everything else forbids. */
function writtenField(action: Action): string | undefined {
  if (action.type === 'set_field') return action.field.name;
  if (action.type === 'move') return action.destination.field.name;
  return undefined;
}

function checkPlace(action: Action, place: Place): void {
  const written = writtenField(action);
  if (place === 'ct') {
    if (action.type !== 'nat' && (written === undefined || !CT_WRITABLE.includes(written)))
      throw badAction(`ct: exec can only set ct_mark and ct_label, not do ${action.type}`);
    return;
  }
  if (action.type === 'nat') throw badAction('nat: stands only inside ct(…)');
  if (written !== undefined && CT_WRITABLE.includes(written))
    throw badAction(`${action.type}: ${written} can only be set inside ct(commit,exec(…))`);
  if (place !== 'flow' && isInstruction(action.type))
    throw badAction(`${action.type}: this instruction cannot stand inside ${place === 'list' ? 'this list' : place}`);
}

/** Types of action that may be kept for later (ovs-actions(7), "Action Sets"). */
const ACTION_SET: readonly ActionType[] = [
  'strip_vlan',
  'pop_mpls',
  'decap',
  'encap',
  'push_mpls',
  'push_vlan',
  'dec_ttl',
  'dec_mpls_ttl',
  'dec_nsh_ttl',
  'set_field',
  'move',
  'mod_dl_dst',
  'mod_dl_src',
  'mod_nw_dst',
  'mod_nw_src',
  'mod_nw_tos',
  'mod_nw_ecn',
  'mod_nw_ttl',
  'mod_tp_dst',
  'mod_tp_src',
  'mod_vlan_pcp',
  'mod_vlan_vid',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
  'set_tunnel',
  'set_queue',
  'delete_field',
  'check_pkt_larger',
  'group',
  'output',
  'resubmit',
  'ct_clear',
  'ct',
];

/** May an action of this type be part of an action set? */
export function isActionSetAction(type: ActionType): boolean {
  return ACTION_SET.includes(type);
}

function checkActionSet(actions: readonly Action[]): void {
  const wrong = actions.find((action) => !isActionSetAction(action.type));
  if (wrong) throw badAction(`write_actions: ${wrong.type} cannot be part of an action set`);
}

function checkOrder(actions: readonly Action[]): void {
  let last: Action | undefined;
  for (const action of actions) {
    const rank = instructionRank(action.type);
    const lastRank = last ? instructionRank(last.type) : -1;
    if (last && (rank < lastRank || (rank === lastRank && isInstruction(action.type))))
      throw new OpenflowError(
        'OPENFLOW_BAD_ORDER',
        `${action.type} cannot follow ${last.type}; the order is ${INSTRUCTION_NAMES.join(', ')}`,
      );
    last = action;
  }
}

function checkConjunctions(actions: readonly Action[]): void {
  if (!actions.some((action) => action.type === 'conjunction')) return;
  const other = actions.find((action) => action.type !== 'conjunction' && action.type !== 'note');
  if (other) throw badAction(`conjunction: cannot stand with ${other.type}; only notes may`);
}

/** Actions as printed after `actions=`. */
export function formatActions(actions: readonly Action[], names: TextNames = {}): string {
  if (actions.length === 0) return 'drop';
  const formatting = { names, nested: (inner: readonly Action[]) => formatActions(inner, names) };
  return actions.map((action) => actionKind(action).format(action, formatting)).join(',');
}
