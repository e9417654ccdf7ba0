import { connect, type Socket } from 'node:net';
import { JsonFramer } from '../../src/ovsdb/json/framing.ts';
import type { Json, JsonObject } from '../../src/ovsdb/json/value.ts';

/** A client that costs as little as it can, so that the server is what is measured. */
export class BareClient {
  readonly #socket: Socket;
  readonly #framer = new JsonFramer({ maxMessageBytes: 2 ** 30, maxDepth: 100 });
  readonly #waiting = new Map<number, (result: Json) => void>();
  #nextId = 1;
  /** Update notifications that have come. */
  updates = 0;

  constructor(path: string) {
    this.#socket = connect({ path });
    this.#socket.on('data', (chunk) => {
      for (const message of this.#framer.push(chunk)) this.#receive(message as JsonObject);
    });
  }

  #receive({ id, method, params, result, error }: JsonObject): void {
    if (method === 'echo') this.#socket.write(JSON.stringify({ id, result: params, error: null }));
    else if (method !== undefined) this.updates++;
    else {
      if (error !== null) throw new Error(`the server answered ${JSON.stringify(error)}`);
      this.#waiting.get(id as number)?.(result);
      this.#waiting.delete(id as number);
    }
  }

  call(method: string, params: readonly Json[]): Promise<Json> {
    const id = this.#nextId++;
    this.#socket.write(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Throws when an operation failed. */
  async transact(operations: readonly Json[]): Promise<readonly JsonObject[]> {
    const results = (await this.call('transact', ['Open_vSwitch', ...operations])) as readonly JsonObject[];
    const failed = results.find((result) => result?.error !== undefined);
    if (failed) throw new Error(JSON.stringify(failed));
    return results;
  }

  close(): void {
    this.#socket.destroy();
  }
}
