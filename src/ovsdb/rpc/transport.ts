import type { OvsdbError } from '../errors.ts';
import type { Json } from '../json/value.ts';

/** What the user of a transport wants to hear. */
export interface TransportHandlers {
  message(message: Json): void;
  /** The backlog has been sent. */
  drained(): void;
  /** Called once. Without an error the peer closed, or `close` was called. */
  closed(error: OvsdbError | undefined): void;
}

/** A way by which JSON messages go to a peer and come from it, in order. */
export interface Transport {
  /** For people: who is at the other end. */
  readonly peer: string;
  /** Bytes (or, in process, messages) given to `send` that the peer has not taken yet. */
  readonly backlog: number;
  /** Begins to deliver messages. Called once. */
  open(handlers: TransportHandlers): void;
  send(message: Json): void;
  /** Stops delivering messages, and taking them from the peer, until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}
