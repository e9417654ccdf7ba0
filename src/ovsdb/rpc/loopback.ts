import type { Json } from '../json/value.ts';
import { Inbox } from './inbox.ts';
import type { Transport, TransportHandlers } from './transport.ts';

/** Two transports of one process, joined. Messages are handed over as they are, never changed by either side. */
export function loopbackPair(peer = 'loopback'): readonly [Transport, Transport] {
  const a = new Loopback(peer);
  const b = new Loopback(peer);
  a.join(b);
  b.join(a);
  return [a, b];
}

class Loopback implements Transport {
  readonly peer: string;
  #other: Loopback | undefined;
  #handlers: TransportHandlers | undefined;
  readonly #inbox: Inbox;
  /** Messages sent to this side that it has not handled yet. */
  received = 0;

  constructor(peer: string) {
    this.peer = peer;
    this.#inbox = new Inbox(
      (message) => {
        this.received--;
        this.#handlers?.message(message);
      },
      () => this.#other?.drained(),
    );
  }

  join(other: Loopback): void {
    this.#other = other;
  }

  get backlog(): number {
    return this.#other === undefined ? 0 : this.#other.received;
  }

  open(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#inbox.schedule();
  }

  send(message: Json): void {
    this.#other?.receive(message);
  }

  receive(message: Json): void {
    this.received++;
    this.#inbox.push(message);
    if (this.#handlers) this.#inbox.schedule();
  }

  drained(): void {
    this.#handlers?.drained();
  }

  pause(): void {
    this.#inbox.pause();
  }

  resume(): void {
    this.#inbox.resume();
  }

  close(): void {
    const other = this.#other;
    this.end();
    // The other side hears of it after what was sent before.
    setImmediate(() => other?.end());
  }

  end(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#other = undefined;
    this.#inbox.close();
    handlers?.closed(undefined);
  }
}
