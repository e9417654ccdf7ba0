import { type Clock, WallClock } from '../../datapath/index.ts';

/** The wall clock until it is stopped; from then on it moves only as far as it is told. */
export class WarpClock implements Clock {
  readonly #wall: Clock;
  #stoppedNs: bigint | undefined;

  constructor(wall: Clock = new WallClock()) {
    this.#wall = wall;
  }

  nowNs(): bigint {
    return this.#stoppedNs ?? this.#wall.nowNs();
  }

  get isStopped(): boolean {
    return this.#stoppedNs !== undefined;
  }

  /** Once stopped, it does not run again. */
  stop(): void {
    this.#stoppedNs ??= this.#wall.nowNs();
  }

  /** Moves a stopped clock; stops a running one first. */
  warp(ns: bigint): void {
    this.#stoppedNs = this.nowNs() + ns;
  }
}
