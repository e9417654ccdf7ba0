/** How far the way to a peer is (ovs-vswitchd.conf.db(5), Controller status:state). */
export type LinkState = 'VOID' | 'BACKOFF' | 'CONNECTING' | 'ACTIVE' | 'IDLE';

/** The first wait before another attempt, and unless somebody says otherwise the longest. */
export const MIN_BACKOFF_MS = 1000;
export const DEFAULT_MAX_BACKOFF_MS = 8000;

/** When to do something next, for whoever keeps the time; milliseconds of the clock, `Infinity`: not by itself. */
export interface Timed {
  readonly deadlineMs: number;
  /** Does what is due. */
  run(nowMs: number): void;
}

/**
 * When to connect, and when to give an attempt up: each wait is double the one before, up to the longest; a connection
 * that outlived the last wait makes the next one short again.
 */
export class Backoff {
  maxMs: number;
  #waitMs = 0;
  #deadlineMs = Number.NEGATIVE_INFINITY;
  #isWaiting = true;

  constructor(maxMs: number = DEFAULT_MAX_BACKOFF_MS) {
    this.maxMs = maxMs;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The end of the wait; while an attempt is under way, when to give it up. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** An attempt begins. It has as long as the wait before it, but no less than the shortest. */
  attempt(nowMs: number): void {
    this.#isWaiting = false;
    this.#deadlineMs = nowMs + Math.max(MIN_BACKOFF_MS, this.#waitMs);
  }

  /** An attempt has failed, or the connection that came of it is over. */
  failed(nowMs: number, wasConnected: boolean): void {
    const startsAnew = this.#waitMs === 0 || (wasConnected && nowMs > this.#deadlineMs);
    this.#waitMs = startsAnew ? MIN_BACKOFF_MS : Math.min(2 * this.#waitMs, Math.max(MIN_BACKOFF_MS, this.maxMs));
    this.#deadlineMs = nowMs + this.#waitMs;
    this.#isWaiting = true;
  }

  /** The next attempt is to be made at once, if it is not yet. */
  hurry(nowMs: number): void {
    if (this.#isWaiting && this.#deadlineMs > nowMs) this.#deadlineMs = nowMs;
  }
}

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EPIPE: 'Broken pipe',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
};
export const TIMED_OUT = 'Connection timed out';
export const END_OF_FILE = 'End of file';
export const PROTOCOL_ERROR = 'Protocol error';

/** What went wrong with a socket, in the words of strerror(3) where there are any. */
export function socketErrorText(error: Error & { readonly code?: string }): string {
  return (error.code === undefined ? undefined : TEXTS[error.code]) ?? error.message;
}
