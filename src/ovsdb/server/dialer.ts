import type { Transport } from '../rpc/transport.ts';

const MAX_BACKOFF_MS = 8000;

/** Keeps a connection to a client that listens for us, as an active remote asks for. */
export class Dialer {
  readonly #dial: () => Promise<Transport>;
  readonly #serve: (transport: Transport, onClosed: () => void) => void;
  #isClosed = false;
  #transport: Transport | undefined;
  #timer: NodeJS.Timeout | undefined;
  #backoffMs = 1000;

  constructor(dialOut: () => Promise<Transport>, serve: (transport: Transport, onClosed: () => void) => void) {
    this.#dial = dialOut;
    this.#serve = serve;
    this.#connect();
  }

  #connect(): void {
    this.#dial().then(
      (transport) => {
        if (this.#isClosed) {
          transport.close();
          return;
        }
        this.#backoffMs = 1000;
        this.#transport = transport;
        this.#serve(transport, () => this.#retry());
      },
      () => this.#retry(),
    );
  }

  #retry(): void {
    this.#transport = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#backoffMs);
    this.#backoffMs = Math.min(2 * this.#backoffMs, MAX_BACKOFF_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#transport?.close();
  }
}
