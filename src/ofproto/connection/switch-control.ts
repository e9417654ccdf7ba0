import type { Clock } from '../../datapath/index.ts';
import type { Bridge } from '../bridge.ts';
import type { RoleElection, RoleHolder } from './roles.ts';

/** What the switch says of itself in OFPMP_DESC. */
export interface SwitchDescription {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}

/** What the requests of one peer are carried out on. */
export interface SwitchControl {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly datapathId: bigint;
  readonly description: SwitchDescription;
  readonly election: RoleElection;
  /** What a peer wants to be told of has changed. */
  sessionChanged(): void;
  /** Somebody is primary no more since another one has become it. */
  roleTaken(holder: RoleHolder): void;
  /** Everybody who may have a role now. */
  roleHolders(): Iterable<RoleHolder>;
}
