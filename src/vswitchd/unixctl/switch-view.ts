import type { Clock, DummyPort, Port } from '../../datapath/index.ts';
import type { Bridge } from '../../ofproto/index.ts';
import type { LogLevels } from './log-levels.ts';
import type { WarpClock } from './warp-clock.ts';

/**
 * What the commands of unixctl need to know of the daemon, and the few things that they ask of it. The daemon implements
 * it and hands it to `unixctlCommands`; answers are taken anew for every command, so nothing here has to be kept.
 */
export interface SwitchView {
  /** What `version` prints, without newline, as `ovs-vswitchd (Oko) 1.2.3`. */
  readonly version: string;
  readonly clock: Clock;
  /** Levels of the log by module and destination; the daemon's logger asks it before it writes. */
  readonly log: LogLevels;
  /** Every bridge, in the order of their names. */
  bridges(): readonly BridgeView[];
  /** Further lines of memory/show, as `ofconns`; zeros are left out. */
  memory(): Readonly<Record<string, number>>;
  /**
   * Stops switching; with `cleanup` the bridges' own devices go as well. The answer is given when the promise resolves; after
   * that the daemon closes its `UnixctlServer`, which waits for answers under way, removes its pidfile and ends.
   */
  exit(cleanup: boolean): Promise<void>;
  /** What `--enable-dummy` brings: absent without it, and so are the commands that need it. */
  readonly dummy?: DummyControl;
}

/** Time and ports in the hands of a test. */
export interface DummyControl {
  /** The clock that the daemon and all of its bridges read. */
  readonly clock: WarpClock;
  /** Lets everything take effect that is due by the clock: timeouts, ages, periodic work. */
  run(): void;
}

export interface BridgeView {
  readonly bridge: Bridge;
  /** `system`, `netdev` or `dummy`: the datapath's name is `TYPE@ovs-TYPE`. */
  readonly datapathType: string;
  /** The ports that there are, in the order of their numbers, the bridge's own last. */
  ports(): readonly PortView[];
  /** Drops the connections to controllers, which connect again. */
  reconnect(): void;
}

export interface PortView {
  readonly name: string;
  /** The OpenFlow port number. */
  readonly number: number;
  /** As dpif/show prints it: `system`, `internal`, `tap`, `patch`, `dummy`, … */
  readonly type: string;
  /** Further words of dpif/show, as `peer=p2`; undefined for ports without. */
  readonly detail?: string;
  /** The port of another bridge, by name, where what goes out here comes in. */
  readonly peer?: string;
  readonly port: Port | DummyPort;
}
