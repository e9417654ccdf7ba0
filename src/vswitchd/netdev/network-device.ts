import type { Port } from '../../datapath/index.ts';
import type { DevicePort } from '../../datapath/ports/index.ts';

/** What a device says of itself now; undefined where it does not know. */
export interface DeviceState {
  readonly mac: Uint8Array | undefined;
  readonly ifindex: number | undefined;
  readonly mtu: number | undefined;
  readonly isUp: boolean;
  readonly hasLink: boolean;
  /** bit/s */
  readonly speed: number | undefined;
  readonly duplex: 'half' | 'full' | undefined;
  /** How often the link has come or gone since the device was opened. */
  readonly linkResets: number;
}

/** Counters by the names of column Interface.statistics. */
export type DeviceStatistics = Readonly<Record<string, number>>;

/** What an interface of the database stands on, open. */
export interface NetworkDevice {
  /** As column Interface.type names it; `system` where that is empty. */
  readonly type: string;
  readonly port: Port;
  /** Where packets come in from; absent for devices that nothing comes in by on its own. */
  readonly receiver?: DevicePort;
  /** What it was opened with: other options need it to be opened anew. */
  readonly optionsKey: string;
  /** To be called when a packet thread has opened what the port stands on. */
  opened?(): void;
  /** Is what it stands on still there? */
  isThere(): boolean;
  state(): DeviceState;
  /** Column Interface.status. */
  readonly status: Readonly<Record<string, string>>;
  /** What the kernel has counted; undefined where only the datapath counts. */
  statistics(): DeviceStatistics | undefined;
  /** @throws VswitchdError VSWITCHD_DEVICE */
  setMac(mac: Uint8Array): void;
  /** @throws VswitchdError VSWITCHD_DEVICE */
  setMtu(mtu: number): void;
  close(): void;
}

/** The same options, whatever their order. */
export function optionsKey(options: ReadonlyMap<string, string>): string {
  return JSON.stringify([...options].sort(([a], [b]) => (a < b ? -1 : 1)));
}
