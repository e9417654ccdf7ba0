import { ANY_GROUP, FLOW_FLAGS, type FlowMod, OFPP } from '../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../packet/index.ts';
import { OfprotoError } from './errors.ts';
import { checkFlow } from './flow-check.ts';
import { type FlowQuery, walk } from './flow-query.ts';
import type { FlowTable } from './flow-table.ts';
import type { FlowTables } from './flow-tables.ts';
import { NEVER, NO_COOKIE, Rule, tableToAdd } from './rule.ts';

export interface FlowModOptions {
  /** What the sender speaks; modifications and counters differ by it. Left out: 1.0. */
  readonly version?: OpenflowVersion;
  /** Whoever asked; handed on to listeners as it is. */
  readonly origin?: ChangeOrigin;
  /** A flow of the switch itself: its priority may be above 65535, which nobody sees or changes. */
  readonly hidden?: boolean;
}

/** Whose request changed a flow. */
export interface ChangeOrigin {
  readonly session: unknown;
  /** Of the message that asked for it. */
  readonly xid: number;
}

/** A change to one flow. */
export interface FlowChange {
  readonly kind: 'added' | 'modified' | 'removed';
  /** The flow as it is now, or was last. */
  readonly rule: Rule;
  /** The rule whose place it took. */
  readonly replaced?: Rule;
  /** Undefined for what the switch does on its own, as when a timeout runs out. */
  readonly origin: ChangeOrigin | undefined;
}

/** Whoever keeps account of the rules that packets meet, or may meet still. */
export interface RuleAccount {
  /** Packets may meet the rule soon. */
  add(rule: Rule): void;
  /** Packets do not meet it any more, or never will. */
  remove(rule: Rule): void;
}

/**
 * Changes to the flow tables that packets meet all at once, or not at all: rules are put beside the old ones, invisible
 * until `commit` counts the version up.
 */
export class FlowChanges {
  readonly changes: FlowChange[] = [];
  readonly #tables: FlowTables;
  readonly #version: number;
  readonly #nowNs: bigint;
  readonly #account: RuleAccount;
  readonly #nextSequence: () => number;

  constructor(tables: FlowTables, nowNs: bigint, account: RuleAccount, nextSequence: () => number) {
    this.#tables = tables;
    this.#version = tables.version + 1;
    this.#nowNs = nowNs;
    this.#account = account;
    this.#nextSequence = nextSequence;
  }

  /**
   * Makes the changes of a flow_mod, a step at a time.
   *
   * @throws OfprotoError; what the failing flow_mod has done already stays until `rollback`
   */
  *apply(mod: FlowMod, options: FlowModOptions = {}): Generator<void> {
    switch (mod.command) {
      case 'add':
        checkFlow(mod, tableToAdd(mod));
        this.#add(mod, options);
        return;
      case 'modify':
      case 'modify_strict':
        yield* this.#modify(mod, options);
        return;
      case 'delete':
      case 'delete_strict':
        for (const rule of yield* this.#selected(mod)) {
          this.remove(rule, options.origin);
          yield;
        }
        return;
    }
  }

  remove(rule: Rule, origin?: ChangeOrigin): void {
    this.#tables.get(rule.table).forget(rule);
    rule.removedIn = this.#version;
    this.changes.push({ kind: 'removed', rule, origin });
  }

  #add(given: FlowMod, options: FlowModOptions): void {
    const mod = withImpliedFlags(given, options.version);
    const table = this.#tables.get(tableToAdd(mod));
    const replaced = table.find(mod.match, mod.priority);
    if (replaced === undefined) {
      this.#checkOverlap(mod, table);
      if (table.size >= table.maxFlows)
        throw new OfprotoError(
          'OFPROTO_TABLE_FULL',
          `table ${table.number} is full with ${table.size} flows, which is its limit`,
        );
    }
    this.#put(table, mod, replaced, options.origin);
  }

  #checkOverlap(mod: FlowMod, table: FlowTable): void {
    if ((mod.flags & FLOW_FLAGS.checkOverlap) === 0) return;
    const other = table.overlapping(mod.match, mod.priority);
    if (other !== undefined)
      throw new OfprotoError(
        'OFPROTO_OVERLAP',
        `table ${table.number} has another flow of priority ${mod.priority} that matches some of the same packets`,
      );
  }

  /** As Open vSwitch: where there is nothing to modify, and no cookie was asked for, 1.0 adds the flow, later versions do nothing. */
  *#modify(given: FlowMod, options: FlowModOptions): Generator<void> {
    const mod = withImpliedFlags(given, options.version);
    const rules = yield* this.#selected(mod);
    if (rules.length > 0) {
      for (const rule of rules) {
        checkFlow({ ...mod, match: rule.match }, rule.table);
        yield;
      }
      for (const rule of rules) {
        const { table, match, priority } = rule;
        this.#put(this.#tables.get(table), { ...mod, match, priority }, rule, options.origin);
        yield;
      }
      return;
    }
    checkFlow(mod, tableToAdd(mod));
    const isOld = (options.version ?? OPENFLOW_VERSIONS.of10) === OPENFLOW_VERSIONS.of10;
    if (isOld && mod.cookieMask === 0n && mod.cookie !== NO_COOKIE) this.#add({ ...mod, command: 'add' }, options);
  }

  #put(table: FlowTable, mod: FlowMod, replaced: Rule | undefined, origin: ChangeOrigin | undefined): void {
    const rule = new Rule(table.number, mod, this.#nextSequence(), this.#nowNs, replaced);
    if (replaced !== undefined) {
      table.forget(replaced);
      replaced.removedIn = this.#version;
    }
    rule.addedIn = this.#version;
    table.insert(rule);
    this.#account.add(rule);
    this.changes.push({ kind: mod.command === 'add' ? 'added' : 'modified', rule, replaced, origin });
  }

  *#selected(mod: FlowMod): Generator<void, readonly Rule[]> {
    const isStrict = mod.command === 'modify_strict' || mod.command === 'delete_strict';
    const isDelete = mod.command === 'delete' || mod.command === 'delete_strict';
    const query: FlowQuery = {
      table: mod.table,
      match: mod.match,
      ...(isStrict ? { priority: mod.priority } : {}),
      cookie: mod.matchCookie,
      cookieMask: mod.cookieMask,
      outPort: isDelete ? mod.outPort : OFPP.none,
      outGroup: isDelete ? mod.outGroup : ANY_GROUP,
    };
    const rules: Rule[] = [];
    for (const rule of walk(this.#tables, query))
      if (rule === undefined) yield;
      else rules.push(rule);
    return rules;
  }

  /** From now on packets meet the tables as changed. */
  commit(): void {
    this.#tables.version = this.#version;
  }

  /** Forgets the rules that `commit` has made invisible, a step at a time. */
  *purge(): Generator<void> {
    for (const { kind, rule, replaced } of this.changes) {
      const old = kind === 'removed' ? rule : replaced;
      if (old === undefined) continue;
      this.#tables.get(old.table).purge(old);
      this.#account.remove(old);
      yield;
    }
  }

  /** Takes back the last `count` changes, before they have been committed; true when none is left. */
  rollback(count = this.changes.length): boolean {
    for (let i = 0; i < count; i++) {
      const change = this.changes.pop();
      if (change === undefined) return true;
      const table = this.#tables.get(change.rule.table);
      const old = change.kind === 'removed' ? change.rule : change.replaced;
      if (change.kind !== 'removed') {
        table.remove(change.rule);
        this.#account.remove(change.rule);
      }
      if (old === undefined) continue;
      old.removedIn = NEVER;
      table.remember(old);
    }
    return this.changes.length === 0;
  }
}

/** OpenFlow 1.0 and 1.1 reset counters with every add, later versions only when asked. */
function withImpliedFlags(mod: FlowMod, version: OpenflowVersion = OPENFLOW_VERSIONS.of10): FlowMod {
  if (version > OPENFLOW_VERSIONS.of11 || mod.command !== 'add') return mod;
  return { ...mod, flags: mod.flags | FLOW_FLAGS.resetCounts };
}
