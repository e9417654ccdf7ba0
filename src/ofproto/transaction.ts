import type { FlowMod } from '../openflow/index.ts';
import type { FlowChanges, FlowModOptions } from './flow-changes.ts';

/** What a transaction needs of its bridge. */
export interface TransactionOwner {
  /** Changes to be made now; whatever transaction was under way has been completed. */
  begin(): FlowChanges;
  /** Packets meet the changes from now on; listeners hear of them. */
  complete(changes: FlowChanges): void;
  /** Forgets all about the transaction that was under way. */
  end(): void;
  /** Says how to complete at once what `commitInSlices` has begun, should something else be in need of the tables. */
  underWay(completeNow: () => void): void;
}

/** How long the main thread may be held at a stretch, and how often that is looked at. */
const SLICE_MS = 5;
const MODS_BETWEEN_LOOKS = 64;
const PURGE_AT_ONCE = 4096;

interface Staged {
  readonly mod: FlowMod;
  readonly options: FlowModOptions;
}

/** Several flow_mods that packets meet all at once, or none of them (OpenFlow 1.5.1 section 6.9). */
export class FlowTransaction {
  readonly #owner: TransactionOwner;
  readonly #staged: Staged[] = [];
  #changes: FlowChanges | undefined;
  #applied = 0;
  #isOver = false;

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
    this.#changes = this.#owner.begin();
    this.#completeNow();
  }

  /** The same, without holding the main thread for long: packets meet the tables as they were until it is done. */
  async commitInSlices(): Promise<void> {
    const changes = this.#owner.begin();
    this.#changes = changes;
    this.#owner.underWay(() => this.#completeNow());
    while (!this.#isOver && this.#applied < this.#staged.length) {
      this.#applySlice(changes);
      await nextTurn();
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.end();
    this.#owner.complete(changes);
    for (let from = 0; from < changes.changes.length; from += PURGE_AT_ONCE) {
      changes.purge(from, PURGE_AT_ONCE);
      await nextTurn();
    }
  }

  #failure: unknown;

  #applySlice(changes: FlowChanges): void {
    const end = performance.now() + SLICE_MS;
    do {
      for (let i = 0; i < MODS_BETWEEN_LOOKS && this.#applied < this.#staged.length; i++) this.#applyNext(changes);
    } while (this.#failure === undefined && this.#applied < this.#staged.length && performance.now() < end);
  }

  #applyNext(changes: FlowChanges): void {
    if (this.#failure !== undefined) return;
    const { mod, options } = this.#staged[this.#applied];
    try {
      changes.apply(mod, options);
      this.#applied++;
    } catch (error) {
      this.#failure = error;
      this.#isOver = true;
      changes.rollback();
      this.#owner.end();
    }
  }

  #completeNow(): void {
    const changes = this.#changes;
    if (changes === undefined || this.#isOver) return;
    while (this.#failure === undefined && this.#applied < this.#staged.length) this.#applyNext(changes);
    if (this.#failure !== undefined) throw this.#failure;
    this.#isOver = true;
    this.#owner.end();
    this.#owner.complete(changes);
    changes.purge(0, changes.changes.length);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
