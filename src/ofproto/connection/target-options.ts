import type { OpenflowVersion } from '../../packet/index.ts';
import type { LinkState } from './link.ts';
import type { LimiterCounters } from './packet-limiter.ts';
import type { ControllerRole } from './roles.ts';
import type { SessionKind } from './session.ts';

/** How to deal with one controller, or with whoever comes to one socket (ovs-vswitchd.conf.db(5), table Controller). */
export interface TargetOptions {
  /** Left out: `controller` for those the switch connects to, `service` for those it waits for. */
  readonly kind?: SessionKind | 'snoop';
  /** Milliseconds; 0: never. Left out: 5 seconds for a controller, never for a service. */
  readonly probeIntervalMs?: number;
  /** Left out: 8 seconds. */
  readonly maxBackoffMs?: number;
  /** The versions that may be spoken; left out: those of the bridge. */
  readonly versions?: readonly OpenflowVersion[];
  /** Packets a second, of each of the two kinds (missed, sent by an action); left out: as many as come. */
  readonly rateLimit?: number;
  /** How many packets over the limit wait; left out: a quarter of `rateLimit`. */
  readonly burstLimit?: number;
  /** How many packets wait for a peer that does not read; left out: 100. */
  readonly queueSize?: number;
  /** False: it is told nothing unless it asks for it. */
  readonly enableAsyncMessages?: boolean;
  /** Kept for listings: no flows are made for controllers that are reached over the bridge itself. */
  readonly connectionMode?: 'in-band' | 'out-of-band';
}

/** How things stand with one target. */
export interface TargetStatus {
  readonly target: string;
  readonly kind: SessionKind | 'snoop';
  readonly isConnected: boolean;
  /** Of the peer that is connected, the first where there are several. */
  readonly role: ControllerRole | undefined;
  readonly state: LinkState;
  /** Whole seconds; undefined when it never was. */
  readonly secSinceConnect: number | undefined;
  readonly secSinceDisconnect: number | undefined;
  readonly lastError: string | undefined;
  /** Peers connected now. */
  readonly connections: number;
  /** The TCP port that is waited on, if any. */
  readonly port: number | undefined;
  /** Only while a rate limit is set. */
  readonly limiter: { readonly miss: LimiterCounters; readonly action: LimiterCounters } | undefined;
}
