import { checkActions } from '../check.ts';
import { OpenflowError } from '../errors.ts';
import {
  ALL_TABLES,
  ANY_GROUP,
  DEFAULT_PRIORITY,
  FLOW_FLAG_NAMES,
  type FlowCommand,
  type FlowMod,
  type FlowStats,
  NO_BUFFER,
} from '../flow.ts';
import { OFPP } from '../port.ts';
import { formatActions, parseActions } from './actions.ts';
import { formatMatch, MatchText } from './match.ts';
import { formatPort, formatTable, parsePort, parseTable, type TextNames } from './names.ts';
import { parseBigInteger, parseInteger } from './number.ts';
import { type KeyValue, keyValues } from './tokens.ts';

/** What a flow's text is for: which keywords it may have, and whether it needs actions. */
export type FlowTextMode = FlowCommand;

/** Flows longer than this are no flows. */
const MAX_TEXT = 1_000_000;

const IGNORED = ['duration', 'n_packets', 'n_packet', 'n_bytes', 'idle_age', 'hard_age'];

/**
 * A flow_mod of a text in the syntax of ovs-ofctl(8), "Flow Syntax", for one command:
 *
 * - `add` and the modifies need `actions=…`, as the last part;
 * - `delete` takes none, and also serves what selects flows, as dump-flows does (`out_port`, `out_group`).
 *
 * Throws OpenflowError with one line that says what is wrong.
 */
export function parseFlow(text: string, mode: FlowTextMode = 'add', names: TextNames = {}): FlowMod {
  if (text.length > MAX_TEXT)
    throw new OpenflowError('OPENFLOW_BAD_VALUE', `a flow of ${text.length} characters is too long`);
  const selects = mode === 'delete' || mode === 'delete_strict';
  const { head, actions: actionText } = splitActions(text);
  if (actionText === undefined && !selects)
    throw new OpenflowError('OPENFLOW_NO_ACTIONS', `"${shorten(text)}" has no actions; write actions=… at its end`);

  const parser = new FlowParser(mode, names);
  for (const piece of keyValues(head)) parser.take(piece);
  const actions = actionText === undefined ? [] : parseActions(actionText, names);
  const flow = parser.build(selects ? [] : actions);
  if (!selects) checkActions(flow.actions, flow.match, flow.table);
  return flow;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Everything after `actions=` (or `action=`) is actions; it must be the last part. */
function splitActions(text: string): { head: string; actions?: string } {
  const match = /(^|[\s,])actions?\s*=/.exec(text);
  if (!match) return { head: text };
  return { head: text.slice(0, match.index), actions: text.slice(match.index + match[0].length) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class FlowParser {
  readonly #mode: FlowTextMode;
  readonly #names: TextNames;
  readonly #match: MatchText;
  readonly #flow: Mutable<Omit<FlowMod, 'match' | 'actions'>>;

  constructor(mode: FlowTextMode, names: TextNames) {
    this.#mode = mode;
    this.#names = names;
    this.#match = new MatchText(names);
    this.#flow = {
      command: mode,
      table: ALL_TABLES,
      priority: DEFAULT_PRIORITY,
      cookie: 0n,
      modifyCookie: false,
      matchCookie: 0n,
      cookieMask: 0n,
      idleTimeout: 0,
      hardTimeout: 0,
      bufferId: NO_BUFFER,
      outPort: OFPP.none,
      outGroup: ANY_GROUP,
      flags: 0,
      importance: 0,
    };
  }

  get #selects(): boolean {
    return this.#mode === 'delete' || this.#mode === 'delete_strict';
  }

  take(piece: KeyValue): void {
    const flag = FLOW_FLAG_NAMES.find(([name]) => name === piece.key);
    if (flag && piece.value === '') {
      this.#flow.flags |= flag[1];
      return;
    }
    if (this.#takeKeyword(piece) || this.#match.take(piece)) return;
    if (piece.value === '')
      throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `"${piece.key}" is neither a field nor a protocol nor a flag`);
    throw new OpenflowError('OPENFLOW_UNKNOWN_FIELD', `"${piece.key}" in "${shorten(piece.text)}" is no field`);
  }

  #takeKeyword(piece: KeyValue): boolean {
    const { key, value } = piece;
    const flow = this.#flow;
    switch (key) {
      case 'table':
        flow.table = parseTable(this.#required(piece), this.#names, true);
        return true;
      case 'priority':
        if (this.#mode === 'delete')
          throw new OpenflowError(
            'OPENFLOW_UNKNOWN_FIELD',
            `"${piece.text}": priority selects no flows without --strict`,
          );
        flow.priority = parseInteger(this.#required(piece), 16, key);
        return true;
      case 'idle_timeout':
        flow.idleTimeout = parseInteger(this.#required(piece), 16, key);
        return true;
      case 'hard_timeout':
        flow.hardTimeout = parseInteger(this.#required(piece), 16, key);
        return true;
      case 'importance':
        flow.importance = parseInteger(this.#required(piece), 16, key);
        return true;
      case 'out_port':
        if (!this.#selects) return false;
        flow.outPort = parsePort(this.#required(piece), this.#names, key);
        return true;
      case 'out_group':
        if (!this.#selects) return false;
        flow.outGroup = parseInteger(this.#required(piece), 32, key);
        return true;
      case 'cookie':
        this.#takeCookie(piece);
        return true;
      default:
        return IGNORED.includes(key) && value !== '';
    }
  }

  /** `cookie=value/mask` selects; without mask it is the flow's cookie, which to a delete is a selection as well. */
  #takeCookie(piece: KeyValue): void {
    const [value, mask, more] = this.#required(piece).split('/');
    if (more !== undefined) throw new OpenflowError('OPENFLOW_BAD_VALUE', `"${piece.text}" has more than one mask`);
    const cookie = parseBigInteger(value, 64, 'cookie', true);
    if (mask !== undefined) {
      if (this.#mode === 'add')
        throw new OpenflowError('OPENFLOW_NOT_MASKABLE', `"${piece.text}": an added flow has one cookie, not a mask`);
      this.#flow.matchCookie = cookie;
      this.#flow.cookieMask = parseBigInteger(mask, 64, 'cookie mask', true);
    } else if (this.#selects) {
      this.#flow.matchCookie = cookie;
      this.#flow.cookieMask = 2n ** 64n - 1n;
    } else {
      this.#flow.cookie = cookie;
      this.#flow.modifyCookie = true;
    }
  }

  #required(piece: KeyValue): string {
    if (piece.value === '')
      throw new OpenflowError('OPENFLOW_MISSING_VALUE', `${piece.key}: the value is missing; write ${piece.key}=…`);
    return piece.value;
  }

  build(actions: FlowMod['actions']): FlowMod {
    const flow = this.#flow;
    // Adding always gives the flow its cookie; only a modify can leave it as it is.
    const modifyCookie = flow.modifyCookie && this.#mode !== 'add';
    return { ...flow, modifyCookie, match: this.#match.build(), actions };
  }
}

/** Seconds with the fraction that they have: none, milliseconds, or nanoseconds. */
export function formatDuration(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}s`;
  return nanoseconds % 1_000_000 === 0
    ? `${seconds}.${String(nanoseconds / 1_000_000).padStart(3, '0')}s`
    : `${seconds}.${String(nanoseconds).padStart(9, '0')}s`;
}

/** The flags of a flow, each followed by a space, as lines of flows have them. */
export function formatFlowFlags(flags: number): string {
  let text = '';
  let rest = flags;
  for (const [name, bit] of FLOW_FLAG_NAMES) {
    if (flags & bit) text += `${name} `;
    rest &= ~bit;
  }
  return rest === 0 ? text : `${text}flags:0x${rest.toString(16)} `;
}

/** `priority=…` (unless default) and the match. */
export function formatRuleMatch(priority: number, match: FlowStats['match'], names: TextNames = {}): string {
  const text = formatMatch(match, names);
  if (priority === DEFAULT_PRIORITY) return text;
  return text === '' ? `priority=${priority}` : `priority=${priority},${text}`;
}

export interface FlowFormatOptions extends TextNames {
  /** Without counters and ages, and without a cookie or table that is 0, as `--no-stats` has it. */
  readonly withoutStats?: boolean;
}

/** One line of dump-flows, without the leading space. */
export function formatFlow(flow: FlowStats, options: FlowFormatOptions = {}): string {
  const stats = options.withoutStats !== true;
  let text = stats || flow.cookie !== 0n ? `cookie=0x${flow.cookie.toString(16)}, ` : '';
  if (stats) text += `duration=${formatDuration(flow.durationSec, flow.durationNsec)}, `;
  if (stats || flow.table !== 0) text += `table=${formatTable(flow.table, options)}, `;
  if (stats) text += `n_packets=${flow.packetCount}, n_bytes=${flow.byteCount}, `;
  if (flow.idleTimeout !== 0) text += `idle_timeout=${flow.idleTimeout}, `;
  if (flow.hardTimeout !== 0) text += `hard_timeout=${flow.hardTimeout}, `;
  text += formatFlowFlags(flow.flags);
  if (flow.importance !== 0) text += `importance=${flow.importance}, `;
  if (stats && flow.idleAge !== undefined) text += `idle_age=${flow.idleAge}, `;
  if (stats && flow.hardAge !== undefined && flow.hardAge !== flow.durationSec) text += `hard_age=${flow.hardAge}, `;
  const match = formatRuleMatch(flow.priority, flow.match, options);
  return `${text}${match}${match === '' ? '' : ' '}actions=${formatActions(flow.actions, options)}`;
}

const COMMAND_NAMES: Readonly<Record<FlowCommand, string>> = {
  add: 'ADD',
  modify: 'MOD',
  modify_strict: 'MOD_STRICT',
  delete: 'DEL',
  delete_strict: 'DEL_STRICT',
};

/** A flow_mod as messages are printed, from its command on. */
export function formatFlowMod(flow: FlowMod, names: TextNames = {}): string {
  let text = COMMAND_NAMES[flow.command];
  if (flow.table !== 0) text += ` table:${formatTable(flow.table, names)}`;
  const match = formatRuleMatch(flow.priority, flow.match, names);
  text += match === '' ? ' ' : ` ${match} `;
  if (flow.cookie !== 0n && flow.cookie !== 2n ** 64n - 1n) text += `cookie:0x${flow.cookie.toString(16)} `;
  if (flow.cookieMask !== 0n) text += `cookie:0x${flow.matchCookie.toString(16)}/0x${flow.cookieMask.toString(16)} `;
  if (flow.idleTimeout !== 0) text += `idle:${flow.idleTimeout} `;
  if (flow.hardTimeout !== 0) text += `hard:${flow.hardTimeout} `;
  if (flow.importance !== 0) text += `importance:${flow.importance} `;
  if (flow.bufferId !== NO_BUFFER) text += `buf:0x${flow.bufferId.toString(16)} `;
  if (flow.outPort !== OFPP.none) text += `out_port:${formatPort(flow.outPort, names)} `;
  return `${text}${formatFlowFlags(flow.flags)}actions=${formatActions(flow.actions, names)}`;
}
