import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import type { ActiveTarget } from './target.ts';

const MIN_BACKOFF_MS = 1000;
const DEFAULT_MAX_BACKOFF_MS = 8000;
const CONNECT_TIMEOUT_MS = 10_000;

export interface DialerOptions {
  readonly tls?: SecureContextOptions;
  readonly maxBackoffMs?: number;
}

/** Keeps a connection to a controller: connects, and after a while again when it fails or ends. */
export class Dialer {
  readonly #target: ActiveTarget;
  readonly #options: DialerOptions;
  readonly #serve: (socket: Socket, onClosed: (wasReady: boolean) => void) => void;
  #backoffMs = MIN_BACKOFF_MS;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `serve` takes each connection, and calls back when it has ended: was a version agreed on? */
  constructor(
    target: ActiveTarget,
    serve: (socket: Socket, onClosed: (wasReady: boolean) => void) => void,
    options: DialerOptions = {},
  ) {
    this.#target = target;
    this.#serve = serve;
    this.#options = options;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = this.#dial();
    this.#socket = socket;
    const failed = (): void => {
      socket.destroy();
      this.#retry();
    };
    const giveUp = setTimeout(failed, CONNECT_TIMEOUT_MS);
    socket.once('error', failed);
    socket.once('close', () => clearTimeout(giveUp));
    socket.once(this.#target.kind === 'ssl' ? 'secureConnect' : 'connect', () => {
      clearTimeout(giveUp);
      socket.off('error', failed);
      this.#serve(socket, (wasReady) => {
        if (wasReady) this.#backoffMs = MIN_BACKOFF_MS;
        this.#retry();
      });
    });
  }

  #dial(): Socket {
    const target = this.#target;
    if (target.kind === 'unix') return createConnection({ path: target.path });
    const { host, port } = target;
    if (target.kind === 'tcp') return createConnection({ host, port, noDelay: true });
    return connectTls({
      ...this.#options.tls,
      host,
      port,
      rejectUnauthorized: true,
      checkServerIdentity: () => undefined,
    });
  }

  #retry(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.#backoffMs);
    this.#backoffMs = Math.min(2 * this.#backoffMs, this.#options.maxBackoffMs ?? DEFAULT_MAX_BACKOFF_MS);
  }
}
