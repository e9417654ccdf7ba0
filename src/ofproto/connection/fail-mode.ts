import { ALL_TABLES, ANY_GROUP, type FlowMod, MAX_LEN_ALL, NO_BUFFER, OFPP } from '../../openflow/index.ts';
import { Match } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';

export type FailMode = 'standalone' | 'secure';

/** Above every priority that a controller can give. */
const FAIL_OPEN_PRIORITY = 0xf0f0f0;
/** More of them are not flushed in one go, since that would take too long. */
const MANY_FLOWS = 500;
/** How many probe intervals without any controller pass before a standalone bridge goes its own way. */
const INTERVALS_BEFORE_FAILING_OPEN = 3;

/** Every packet is switched by the addresses learnt. */
function normalFlow(priority: number): FlowMod {
  return {
    command: 'add',
    table: 0,
    priority,
    match: Match.ALL,
    cookie: 0n,
    modifyCookie: true,
    matchCookie: 0n,
    cookieMask: 0n,
    idleTimeout: 0,
    hardTimeout: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP.none,
    outGroup: ANY_GROUP,
    flags: 0,
    importance: 0,
    actions: [{ type: 'output', port: OFPP.normal, maxLen: MAX_LEN_ALL }],
  };
}

/**
 * What a bridge does without a controller (ovs-vswitchd.conf.db(5), Bridge fail_mode). In standalone mode it switches like a plain
 * learning switch: by a flow that everybody may see and change when no controller is configured, and by a hidden one
 * while none of those configured has been there for long enough.
 */
export class FailOpen {
  readonly #bridge: Bridge;
  #mode: FailMode;
  #hasControllers = false;
  #lostMs: number | undefined;
  #isOpen = false;

  constructor(bridge: Bridge, mode: FailMode) {
    this.#bridge = bridge;
    this.#mode = mode;
  }

  /** Is the bridge on its own, though controllers are configured? */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get mode(): FailMode {
    return this.#mode;
  }

  /** Flows stay where controllers are configured, else they start afresh. */
  setMode(mode: FailMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#lostMs = undefined;
    this.#recover();
    if (!this.#hasControllers) this.configured(false);
  }

  /** Controllers were configured, or the last was taken away: flows start afresh. */
  configured(hasControllers: boolean): void {
    this.#hasControllers = hasControllers;
    this.#recover();
    this.#startAfresh(!hasControllers && this.#mode === 'standalone' ? normalFlow(0) : undefined);
    this.#lostMs = undefined;
  }

  /** To be called every second or so: `isConnected`: is any controller there? */
  check(isConnected: boolean, nowMs: number, probeIntervalMs: number): void {
    if (this.#mode === 'secure') return;
    if (isConnected) {
      this.#lostMs = undefined;
      this.#recover();
      return;
    }
    this.#lostMs ??= nowMs;
    if (this.isOpen || nowMs - this.#lostMs < INTERVALS_BEFORE_FAILING_OPEN * probeIntervalMs) return;
    this.#isOpen = true;
    this.#startAfresh(normalFlow(FAIL_OPEN_PRIORITY));
  }

  #recover(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#bridge.removeHiddenFlow(normalFlow(FAIL_OPEN_PRIORITY));
  }

  /** All flows go, and at most one takes their place. */
  #startAfresh(flow: FlowMod | undefined): void {
    const transaction = this.#bridge.transaction();
    transaction.flowMod({ ...normalFlow(0), command: 'delete', table: ALL_TABLES, actions: [] });
    if (flow !== undefined) transaction.flowMod(flow, { hidden: true });
    // Deleting cannot fail, nor can this flow.
    if (this.#bridge.flowCount > MANY_FLOWS) void transaction.commitInSlices();
    else transaction.commit();
  }
}
