import {
  type FlowMonitor,
  type FlowUpdate,
  type FlowUpdateFull,
  type Message,
  MONITOR_FLAGS,
  ProtocolError,
} from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';
import type { FlowChange } from '../flow-changes.ts';
import { concerns, type FlowQuery } from '../flow-query.ts';
import type { RemovedReason, Rule } from '../rule.ts';

/** The most monitors of one peer. */
const MAX_MONITORS = 1024;

type ChangeKind = FlowChange['kind'];

const FLAG_OF: Readonly<Record<ChangeKind, number>> = {
  added: MONITOR_FLAGS.add,
  modified: MONITOR_FLAGS.modify,
  removed: MONITOR_FLAGS.delete,
};

/** What a peer was not told of a flow while it was behind. */
interface Missed {
  readonly kind: 'added' | 'modified';
  /** The peer has been told of a flow with this match and priority, so its removal must be told as well. */
  readonly wasKnown: boolean;
}

/** The flow monitors of one peer: which changes to flows it wants to be told of (OpenFlow 1.4.1 section 7.3.5.17). */
export class FlowMonitors {
  readonly #monitors = new Map<number, FlowMonitor & FlowQuery>();
  /** While the peer does not keep up: flows as they are now that have changed since. */
  #missed: Map<Rule, Missed> | undefined;

  get isEmpty(): boolean {
    return this.#monitors.size === 0;
  }

  get isPaused(): boolean {
    return this.#missed !== undefined;
  }

  /**
   * Makes, changes or ends monitors, all of them or none, and answers the flows that are there already, each once.
   *
   * @throws ProtocolError OFPMOFC_MONITOR_EXISTS, OFPMOFC_UNKNOWN_MONITOR; OfprotoError OFPROTO_BAD_TABLE
   */
  request(bridge: Bridge, requests: readonly FlowMonitor[]): FlowUpdate[] {
    const before = new Map(this.#monitors);
    try {
      const initial = new Map<Rule, number>();
      for (const request of requests) {
        const monitor = this.#change(request);
        // Also a monitor that asks for no flows now has to name a table that there is.
        const rules = monitor === undefined ? [] : bridge.rulesOf(monitor);
        if (monitor === undefined || (monitor.flags & MONITOR_FLAGS.initial) === 0) continue;
        for (const rule of rules) initial.set(rule, (initial.get(rule) ?? 0) | monitor.flags);
      }
      return Array.from(initial, ([rule, flags]) => fullUpdate(rule, 'initial', 0, flags));
    } catch (error) {
      this.#monitors.clear();
      for (const [id, monitor] of before) this.#monitors.set(id, monitor);
      throw error;
    }
  }

  /** The monitor as it is after the request; undefined when it is gone. */
  #change(request: FlowMonitor): (FlowMonitor & FlowQuery) | undefined {
    const { id, command } = request;
    if (command === 'delete') {
      this.cancel(id);
      return undefined;
    }
    if (command === 'add' && this.#monitors.has(id))
      throw new ProtocolError('OFPMOFC_MONITOR_EXISTS', `there is a flow monitor ${id} already`);
    if (command === 'modify') this.cancel(id);
    if (this.#monitors.size >= MAX_MONITORS)
      throw new ProtocolError('OFPBRC_EPERM', `a peer has at most ${MAX_MONITORS} flow monitors`);
    const monitor = { ...request, cookie: 0n, cookieMask: 0n };
    this.#monitors.set(id, monitor);
    return monitor;
  }

  /** @throws ProtocolError OFPMOFC_UNKNOWN_MONITOR */
  cancel(id: number): void {
    if (!this.#monitors.delete(id))
      throw new ProtocolError('OFPMOFC_UNKNOWN_MONITOR', `there is no flow monitor ${id}`);
  }

  /** What to tell the peer, whose session is given, of changes that have happened at once. */
  changed(
    changes: readonly FlowChange[],
    session: unknown,
    reason: (rule: Rule) => RemovedReason,
  ): readonly FlowUpdate[] {
    const updates: FlowUpdate[] = [];
    let isAbbreviated = false;
    for (const change of changes) {
      const { kind, rule, origin } = change;
      if (rule.isHidden || (kind === 'modified' && !isChanged(change))) continue;
      const flags = this.#interest(FLAG_OF[kind], rule, change.replaced);
      if (this.#missed !== undefined && !this.#tellsOfMissing(this.#missed, change)) continue;
      if (flags === 0) continue;
      if ((flags & MONITOR_FLAGS.own) !== 0 || origin === undefined || origin.session !== session || this.isPaused) {
        updates.push(fullUpdate(rule, kind, kind === 'removed' ? reason(rule) : 0, flags));
      } else if (!isAbbreviated) {
        isAbbreviated = true;
        updates.push({ event: 'abbrev', xid: origin.xid });
      }
    }
    return updates;
  }

  /** The flags of all monitors that want to know of such a change to a rule; 0: none. */
  #interest(wanted: number, rule: Rule, replaced?: Rule): number {
    let flags = 0;
    for (const monitor of this.#monitors.values()) {
      if ((monitor.flags & wanted) === 0) continue;
      // A flow that no longer sends to the port of a monitor has changed for it too.
      if (concerns(monitor, rule) || (replaced !== undefined && concerns(monitor, replaced))) flags |= monitor.flags;
    }
    return flags;
  }

  /** Notes a change for later; true when it has to be told nevertheless, as the removal of a flow that the peer knows. */
  #tellsOfMissing(missed: Map<Rule, Missed>, { kind, rule, replaced }: FlowChange): boolean {
    const gone = kind === 'removed' ? rule : replaced;
    const earlier = gone === undefined ? undefined : missed.get(gone);
    const wasKnown = earlier === undefined ? gone !== undefined : earlier.wasKnown;
    if (gone !== undefined) missed.delete(gone);
    if (kind === 'removed') return wasKnown;
    missed.set(rule, { kind: earlier?.kind === 'added' ? 'added' : kind, wasKnown });
    return false;
  }

  /** Changes are not told any more, removals of flows that the peer knows of excepted; answers what says so. */
  pause(version: OpenflowVersion): Message {
    this.#missed = new Map();
    return announce('paused', version);
  }

  /** Tells what was missed, and that changes are told again. */
  resume(version: OpenflowVersion): readonly Message[] {
    const updates: FlowUpdate[] = [];
    for (const [rule, { kind }] of this.#missed ?? []) {
      const flags = this.#interest(
        kind === 'added' ? MONITOR_FLAGS.add | MONITOR_FLAGS.modify : MONITOR_FLAGS.modify,
        rule,
      );
      if (flags !== 0) updates.push(fullUpdate(rule, kind, 0, flags));
    }
    this.#missed = undefined;
    const missed = flowUpdateMessage(updates);
    const resumed = announce('resumed', version);
    return missed === undefined ? [resumed] : [missed, resumed];
  }
}

/** Does a modification make a difference that a monitor tells of? */
function isChanged({ rule, replaced }: FlowChange): boolean {
  if (replaced === undefined || rule.cookie !== replaced.cookie) return true;
  return !isSame(rule.actions, replaced.actions);
}

/** Are two values of actions, which are plain objects, arrays, bytes and numbers, the same? */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (keys.length !== others.length || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  return keys.every((key) => isSame(Reflect.get(a, key), Reflect.get(b, key)));
}

function fullUpdate(rule: Rule, event: FlowUpdateFull['event'], reason: number, flags: number): FlowUpdateFull {
  return {
    event,
    reason,
    table: rule.table,
    priority: rule.priority,
    idleTimeout: rule.idleTimeoutSec,
    hardTimeout: rule.hardTimeoutSec,
    cookie: rule.cookie,
    match: rule.match,
    actions: (flags & MONITOR_FLAGS.actions) !== 0 ? rule.actions : [],
  };
}

/** The message that tells of updates on the switch's own accord; undefined without any. */
export function flowUpdateMessage(updates: readonly FlowUpdate[]): Message | undefined {
  if (updates.length === 0) return undefined;
  return { type: 'multipart_reply', xid: 0, flags: 0, body: { kind: 'flow_monitor', updates } };
}

/** Before OpenFlow 1.4 with messages of their own. */
function announce(event: 'paused' | 'resumed', version: OpenflowVersion): Message {
  const update = flowUpdateMessage([{ event }]);
  if (version >= OPENFLOW_VERSIONS.of14 && update !== undefined) return update;
  return { type: `flow_monitor_${event}`, xid: 0 };
}
