import type { Json } from '../json/value.ts';

export interface TransactionRequest {
  readonly operations: readonly Json[];
  holdsLock(lock: string): boolean;
  /** Called once, after the commit listeners, with one result per operation and perhaps one error more. */
  done(results: readonly Json[]): void;
}

/** A transaction that has been submitted. */
export interface PendingTransaction {
  /** Drops a transaction that still waits: `done` will not be called. False when it was too late. */
  cancel(): boolean;
  /** For the rows to become what a wait operation says; otherwise it is its turn that it waits for, if anything. */
  readonly isWaiting: boolean;
}

/** setTimeout counts in 31 bits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A transaction on its way through the database. */
export class Pending {
  readonly request: TransactionRequest;
  isDone = false;
  readonly #receivedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(request: TransactionRequest) {
    this.request = request;
  }

  get elapsedMs(): number {
    return performance.now() - this.#receivedMs;
  }

  wakeAfter(ms: number, wake: () => void): void {
    this.sleep();
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(wake, Math.min(Math.max(ms, 1), MAX_TIMEOUT_MS));
  }

  sleep(): void {
    clearTimeout(this.#timer);
  }

  drop(): void {
    this.isDone = true;
    this.sleep();
  }

  finish(results: readonly Json[]): void {
    this.drop();
    this.request.done(results);
  }
}
