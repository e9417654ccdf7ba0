import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Backoff, DEFAULT_MAX_BACKOFF_MS, END_OF_FILE, socketErrorText, TIMED_OUT, type Timed } from './link.ts';
import type { ActiveTarget } from './target.ts';
import { rootOfChain, secureContext, type TlsIdentity } from './tls-identity.ts';

/** What a dialer serves its peer with, once it is there. */
export interface DialedPeer {
  close(reason: string): void;
}

export interface DialerOptions {
  readonly maxBackoffMs?: number;
  nowMs(): number;
  /** The identity for ssl:, as it is at the moment. */
  tls(): TlsIdentity | undefined;
  /** Takes each connection; calls back when it has ended, with what went wrong if anything. */
  serve(socket: Socket, onClosed: (error: string | undefined) => void): DialedPeer | undefined;
  /** `deadlineMs` has become another. */
  changed(): void;
}

/** Keeps a connection to a controller: connects, and after a while again when that fails or ends. */
export class Dialer implements Timed {
  readonly #target: ActiveTarget;
  readonly #options: DialerOptions;
  readonly #backoff: Backoff;
  #socket: Socket | undefined;
  #peer: DialedPeer | undefined;
  #isClosed = false;
  /** Why the last attempt failed or the last connection ended. */
  lastError: string | undefined;

  constructor(target: ActiveTarget, options: DialerOptions) {
    this.#target = target;
    this.#options = options;
    this.#backoff = new Backoff(options.maxBackoffMs);
  }

  set maxBackoffMs(maxMs: number | undefined) {
    this.#backoff.maxMs = maxMs ?? DEFAULT_MAX_BACKOFF_MS;
  }

  get isWaiting(): boolean {
    return this.#backoff.isWaiting;
  }

  get deadlineMs(): number {
    return this.#isClosed || this.#peer !== undefined ? Number.POSITIVE_INFINITY : this.#backoff.deadlineMs;
  }

  run(nowMs: number): void {
    if (nowMs < this.deadlineMs || this.#isClosed) return;
    if (this.#backoff.isWaiting) this.#connect(nowMs);
    else this.#failed(TIMED_OUT);
  }

  /** The next attempt is made without waiting for its time. */
  hurry(): void {
    this.#backoff.hurry(this.#options.nowMs());
    this.#options.changed();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#peer === undefined) this.#socket?.destroy();
    else this.#peer.close('the controller was removed');
  }

  #connect(nowMs: number): void {
    this.#backoff.attempt(nowMs);
    const tls = this.#target.kind === 'ssl' ? this.#options.tls() : undefined;
    if (this.#target.kind === 'ssl' && (tls === undefined || (tls.ca === undefined && tls.learnCa === undefined))) {
      this.#failed('ssl: needs a private key, a certificate and the certificate of an authority');
      return;
    }
    let socket: Socket;
    try {
      socket = this.#dial(tls);
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#socket = socket;
    const failed = (error: Error): void => {
      if (this.#socket === socket) this.#failed(socketErrorText(error));
    };
    const ended = (): void => {
      if (this.#socket === socket) this.#failed(END_OF_FILE);
    };
    socket.on('error', failed);
    socket.on('close', ended);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (this.#socket !== socket || this.#isClosed) return;
      if (tls !== undefined && tls.ca === undefined) {
        this.#learnCa(socket as TLSSocket, tls);
        return;
      }
      socket.off('error', failed);
      socket.off('close', ended);
      this.#peer = this.#options.serve(socket, (error) => {
        this.#peer = undefined;
        this.#failed(error, true);
      });
      this.#options.changed();
    });
    this.#options.changed();
  }

  #dial(tls: TlsIdentity | undefined): Socket {
    const target = this.#target;
    if (target.kind === 'unix') return createConnection({ path: target.path });
    const { host, port } = target;
    if (tls === undefined) return createConnection({ host, port, noDelay: true });
    return connectTls({
      ...{ host, port, secureContext: secureContext(tls) },
      // Whom to trust may still have to be learnt.
      rejectUnauthorized: tls.ca !== undefined,
      // A controller is known by who has signed it, not by its name.
      checkServerIdentity: () => undefined,
    });
  }

  #learnCa(socket: TLSSocket, tls: TlsIdentity): void {
    const root = rootOfChain(socket);
    if (root === undefined) {
      this.#failed('the controller sends no certificate of its authority');
      return;
    }
    try {
      tls.learnCa?.(root);
    } catch (error) {
      // It could not be kept.
      this.#failed(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#failed(undefined);
    this.hurry();
  }

  #failed(error: string | undefined, wasConnected = false): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    if (this.#isClosed) return;
    this.lastError = error ?? this.lastError;
    this.#backoff.failed(this.#options.nowMs(), wasConnected);
    this.#options.changed();
  }
}
