import type { FlowMod } from '../openflow/index.ts';
import type { FlowChanges, FlowModOptions } from './flow-changes.ts';
import { nextTurn, runSlice, runToEnd } from './slice.ts';

/** What a transaction needs of its bridge. */
export interface TransactionOwner {
  /** Changes to be made now; whatever transaction was under way has been completed. */
  begin(): FlowChanges;
  /**
   * Packets meet the changes from now on. What is returned remains to be done, a step at a time: telling the listeners, and
   * forgetting the rules that are no longer met.
   */
  complete(changes: FlowChanges): Iterator<unknown>;
  /** Forgets all about the transaction that was under way. */
  end(): void;
  /** Says how to complete at once what `commitInSlices` has begun, should something else be in need of the tables. */
  underWay(completeNow: () => void): void;
}

interface Staged {
  readonly mod: FlowMod;
  readonly options: FlowModOptions;
}

/** Several flow_mods that packets meet all at once, or none of them (OpenFlow 1.5.1 section 6.9). */
export class FlowTransaction {
  readonly #owner: TransactionOwner;
  readonly #staged: Staged[] = [];
  #applied = 0;
  #failure: unknown;

  constructor(owner: TransactionOwner) {
    this.#owner = owner;
  }

  /** Adds a flow_mod; nothing happens before a commit. */
  flowMod(mod: FlowMod, options: FlowModOptions = {}): void {
    this.#staged.push({ mod, options });
  }

  /** The flow_mod that the error of a failed commit is about: its place in the order of addition. */
  get failedAt(): number {
    return this.#applied;
  }

  /** @throws OfprotoError of the first flow_mod that cannot be; nothing has changed then */
  commit(): void {
    const changes = this.#owner.begin();
    runToEnd(this.#apply(changes));
    this.#throwFailure();
    runToEnd(this.#owner.complete(changes));
  }

  /** The same, without holding the main thread for long: packets meet the tables as they were until it is done. */
  async commitInSlices(): Promise<void> {
    const changes = this.#owner.begin();
    const job = this.#apply(changes);
    let rest: Iterator<unknown> | undefined;
    const finish = (): void => {
      this.#owner.end();
      if (this.#failure === undefined) rest = this.#owner.complete(changes);
    };
    let isOver = false;
    this.#owner.underWay(() => {
      isOver = true;
      runToEnd(job);
      finish();
    });
    while (!isOver && !runSlice(job)) await nextTurn();
    if (!isOver) finish();
    this.#throwFailure();
    while (rest !== undefined && !runSlice(rest)) await nextTurn();
  }

  /** A step at a time; a failure is kept, and everything taken back. */
  *#apply(changes: FlowChanges): Generator<void> {
    try {
      for (const { mod, options } of this.#staged) {
        yield* changes.apply(mod, options);
        this.#applied++;
        yield;
      }
    } catch (error) {
      this.#failure = error;
      while (!changes.rollback(1)) yield;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
