import { type Action, ALL_TABLES, ANY_GROUP, actionsWithin, OFPP } from '../openflow/index.ts';
import type { Match } from '../packet/index.ts';
import type { FlowTables } from './flow-tables.ts';
import type { Rule } from './rule.ts';

/** Which flows a modification, a deletion or a statistics request is about. */
export interface FlowQuery {
  /** `ALL_TABLES`: any. */
  readonly table: number;
  /** Flows at least as specific as this; with `priority`, exactly this. */
  readonly match: Match;
  readonly priority?: number;
  /** Flows whose cookie agrees in the bits of the mask. */
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  /** Flows with an action that sends there; OFPP.none, ANY_GROUP: any. */
  readonly outPort: number;
  readonly outGroup: number;
}

/** The flows of all tables. */
export function allFlows(match: Match): FlowQuery {
  return { table: ALL_TABLES, match, cookie: 0n, cookieMask: 0n, outPort: OFPP.none, outGroup: ANY_GROUP };
}

/** The flows that a query is about, in the order of tables and of addition; never the switch's own. */
export function* select(tables: FlowTables, query: FlowQuery): Iterable<Rule> {
  for (const rule of walk(tables, query)) if (rule !== undefined) yield rule;
}

/** Rules looked at between two points where something else may be done. */
const RULES_AT_ONCE = 16;

/**
 * The same with `undefined` in between, after every few rules that were looked at: a point where something else may be
 * done. The answer is that of the moment when the first is asked for, whatever is changed meanwhile.
 */
export function* walk(tables: FlowTables, query: FlowQuery): Generator<Rule | undefined> {
  const { match, priority } = query;
  if (priority !== undefined) {
    for (const table of tables.select(query.table)) {
      const rule = table.find(match, priority);
      if (rule !== undefined && isMeant(rule, query)) yield rule;
    }
    return;
  }
  const isAny = match.mask.length === 0;
  let looked = 0;
  for (const rules of Array.from(tables.select(query.table), (table) => [...table.rules()]))
    for (const rule of rules) {
      if ((isAny || match.covers(rule.match)) && isMeant(rule, query)) yield rule;
      if (++looked % RULES_AT_ONCE === 0) yield undefined;
    }
}

/** Is a query about a rule, whether or not the rule is in a table now? */
export function concerns(query: FlowQuery, rule: Rule): boolean {
  return (
    (query.table === ALL_TABLES || query.table === rule.table) && query.match.covers(rule.match) && isMeant(rule, query)
  );
}

function isMeant(rule: Rule, query: FlowQuery): boolean {
  if (rule.isHidden) return false;
  if (query.cookieMask !== 0n && ((rule.cookie ^ query.cookie) & query.cookieMask) !== 0n) return false;
  if (query.outPort !== OFPP.none && !some(rule, (action) => sendsTo(action, query.outPort))) return false;
  return (
    query.outGroup === ANY_GROUP || some(rule, (action) => action.type === 'group' && action.group === query.outGroup)
  );
}

function some(rule: Rule, holds: (action: Action) => boolean): boolean {
  for (const action of actionsWithin(rule.actions)) if (holds(action)) return true;
  return false;
}

function sendsTo(action: Action, port: number): boolean {
  switch (action.type) {
    case 'output':
    case 'output_trunc':
    case 'enqueue':
      return action.port === port;
    case 'controller':
      return port === OFPP.controller;
    default:
      return false;
  }
}
