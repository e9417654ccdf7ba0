import { connect, type Socket } from 'node:net';
import { JsonFramer } from '../../src/ovsdb/json/framing.ts';
import type { Json } from '../../src/ovsdb/json/value.ts';

export interface RawMessage {
  readonly id?: Json;
  readonly method?: string;
  readonly params?: readonly Json[];
  readonly result?: Json;
  readonly error?: Json;
}

/** The error of a call whose connection closed before the reply. */
export const CLOSED = 'connection closed';

/** The plainest OVSDB client: sends what it is told and keeps whatever comes. */
export class RawClient {
  readonly socket: Socket;
  readonly #framer = new JsonFramer();
  readonly #waiting = new Map<string, (reply: RawMessage) => void>();
  #notifications: RawMessage[] = [];
  #nextId = 1;
  isClosed = false;

  constructor(socketPath: string) {
    this.socket = connect({ path: socketPath });
    this.socket.on('data', (chunk) => {
      for (const message of this.#framer.push(chunk)) this.#receive(message as RawMessage);
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      for (const settle of this.#waiting.values()) settle({ error: CLOSED });
    });
    this.socket.on('error', () => undefined);
  }

  #receive(message: RawMessage): void {
    if (message.method === 'echo') this.send({ id: message.id, result: message.params, error: null });
    else if (message.method !== undefined) this.#notifications.push(message);
    else this.#waiting.get(JSON.stringify(message.id))?.(message);
  }

  send(message: RawMessage): void {
    this.socket.write(JSON.stringify(message));
  }

  call(method: string, params: readonly Json[], id: Json = this.#nextId++): Promise<RawMessage> {
    return this.callText(method, JSON.stringify(params), id);
  }

  /** For parameters that a test wants to spell out. */
  callText(method: string, params: string, id: Json = this.#nextId++): Promise<RawMessage> {
    const reply = new Promise<RawMessage>((resolve) => {
      if (this.isClosed) resolve({ error: CLOSED });
      this.#waiting.set(JSON.stringify(id), resolve);
    });
    this.socket.write(`{"id":${JSON.stringify(id)},"method":"${method}","params":${params}}`);
    return reply;
  }

  /** The notifications that have come since the last time. */
  takeNotifications(): RawMessage[] {
    const taken = this.#notifications;
    this.#notifications = [];
    return taken;
  }

  close(): void {
    this.socket.destroy();
  }
}
