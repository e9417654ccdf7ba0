import { OvsdbError } from '../errors.ts';
import { printJson } from '../json/text.ts';
import type { Json } from '../json/value.ts';
import { parseMessage, type RpcMessage } from './message.ts';
import type { Transport } from './transport.ts';

export interface ConnectionHandlers {
  /** Answer it with `reply` or `replyError`, now or later. */
  request(method: string, params: readonly Json[], id: Json): void;
  notification(method: string, params: readonly Json[]): void;
  drained(): void;
  /** Called once; the error says what went wrong, if anything did. */
  closed(error: OvsdbError | undefined): void;
}

interface PendingCall {
  resolve(result: Json): void;
  reject(error: OvsdbError): void;
}

/** The id of our inactivity probes; calls have numbers. */
const PROBE_ID = 'echo';

/**
 * One JSON-RPC 1.0 connection, alike on both ends (RFC 7047 section 4): requests, replies and notifications in both
 * directions. Echo requests are answered here (section 4.1.11). A peer that is silent for `probeIntervalMs` is asked for
 * a sign of life, and given up when it stays silent as long again; 0 switches that off.
 */
export class RpcConnection {
  readonly #transport: Transport;
  readonly #handlers: ConnectionHandlers;
  readonly #calls = new Map<Json, PendingCall>();
  readonly #probe: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isOpen = true;
  #heard = true;
  #probed = false;

  constructor(transport: Transport, handlers: ConnectionHandlers, probeIntervalMs: number) {
    this.#transport = transport;
    this.#handlers = handlers;
    if (probeIntervalMs > 0) {
      this.#probe = setInterval(() => this.#checkAlive(), probeIntervalMs);
      this.#probe.unref();
    }
    transport.open({
      message: (json) => this.#receive(json),
      drained: () => this.#handlers.drained(),
      closed: (error) => this.#end(error),
    });
  }

  get peer(): string {
    return this.#transport.peer;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get backlog(): number {
    return this.#transport.backlog;
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  /** The result, or a rejection with OvsdbError OVSDB_REJECTED or OVSDB_DISCONNECTED. */
  call(method: string, params: readonly Json[]): Promise<Json> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new OvsdbError('OVSDB_DISCONNECTED', `${this.peer}: not connected`));
        return;
      }
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      this.#transport.send({ id, method, params });
    });
  }

  notify(method: string, params: readonly Json[]): void {
    this.#transport.send({ id: null, method, params });
  }

  reply(id: Json, result: Json): void {
    this.#transport.send({ id, result, error: null });
  }

  replyError(id: Json, error: Json): void {
    this.#transport.send({ id, result: null, error });
  }

  close(): void {
    this.#transport.close();
  }

  #receive(json: Json): void {
    this.#heard = true;
    let message: RpcMessage;
    try {
      message = parseMessage(json);
    } catch (error) {
      this.#fail(error as OvsdbError);
      return;
    }
    switch (message.kind) {
      case 'request':
        if (message.method === 'echo') this.reply(message.id, message.params);
        else this.#handlers.request(message.method, message.params, message.id);
        break;
      case 'notification':
        this.#handlers.notification(message.method, message.params);
        break;
      case 'reply':
        this.#settle(message.id, message.result, message.error);
        break;
    }
  }

  #settle(id: Json, result: Json, error: Json): void {
    if (id === PROBE_ID) {
      this.#probed = false;
      return;
    }
    const call = this.#calls.get(id);
    if (!call) {
      this.#fail(new OvsdbError('OVSDB_PROTOCOL', `${this.peer}: a reply to a request that was never made`));
      return;
    }
    this.#calls.delete(id);
    if (error === null) call.resolve(result);
    else call.reject(new OvsdbError('OVSDB_REJECTED', printJson(error), { syntax: error }));
  }

  #checkAlive(): void {
    if (this.#heard) {
      this.#heard = false;
      this.#probed = false;
    } else if (this.#probed) {
      this.#fail(new OvsdbError('OVSDB_DISCONNECTED', `${this.peer}: no answer to an inactivity probe`));
    } else {
      this.#probed = true;
      this.#transport.send({ id: PROBE_ID, method: 'echo', params: [] });
    }
  }

  #fail(error: OvsdbError): void {
    this.#end(error);
    this.#transport.close();
  }

  #end(error: OvsdbError | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#probe);
    const lost = new OvsdbError('OVSDB_DISCONNECTED', `${this.peer}: connection closed before the reply`);
    for (const call of this.#calls.values()) call.reject(lost);
    this.#calls.clear();
    this.#handlers.closed(error);
  }
}
