import type { Uuid } from '../../ovsdb/index.ts';
import type { NetworkDevice } from '../netdev/index.ts';

/** An interface of the database: open and a port of its bridge, or not and why. */
export type BridgeInterface = OpenInterface | FailedInterface;

export interface OpenInterface {
  readonly name: string;
  /** Of its row; undefined for a bridge's own port that the database does not have. */
  readonly uuid: Uuid | undefined;
  readonly number: number;
  readonly device: NetworkDevice;
  readonly error?: undefined;
}

export interface FailedInterface {
  readonly name: string;
  readonly uuid: Uuid | undefined;
  readonly number?: undefined;
  readonly device?: undefined;
  /** Column Interface.error. */
  readonly error: string;
}
