import type { Duplex } from 'node:stream';
import { encodeMessage, type Hello, type Message, MessageStream, ProtocolError } from '../../openflow/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { helloVersions } from './negotiation.ts';

/** What may wait for a snooper that does not read; it misses what comes then. */
const MAX_WAITING_BYTES = 4 << 20;

/** Somebody who looks on at what is exchanged with one controller, in both directions (ovs-ofctl(8), snoop). */
export class Snooper {
  /** The controller's connections have this name; undefined: there is none. */
  readonly controller: string | undefined;
  readonly #stream: Duplex;
  #isReady = false;
  missed = 0;

  constructor(
    stream: Duplex,
    versions: readonly OpenflowVersion[],
    controller: string | undefined,
    onClosed: (snooper: Snooper) => void,
  ) {
    this.#stream = stream;
    this.controller = controller;
    stream.on('error', () => this.close());
    stream.on('close', () => onClosed(this));
    const listed = helloVersions(versions);
    const hello: Message & Hello = { type: 'hello', xid: 1, ...(listed === undefined ? {} : { versions: listed }) };
    for (const bytes of encodeMessage(hello, { version: Math.max(...versions) as OpenflowVersion }))
      stream.write(bytes);
    void this.#read();
  }

  /** Whatever the peer's hello says: the messages are of the controller's version, not of its. */
  async #read(): Promise<void> {
    const messages = new MessageStream();
    try {
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false }))
        for (const _message of messages.push(chunk as Uint8Array)) this.#isReady = true;
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof Error)) throw error;
    }
    this.close();
  }

  message(bytes: Uint8Array): void {
    if (!this.#isReady || !this.#stream.writable) return;
    // The bytes are only lent, and wait here.
    if (this.#stream.writableLength + bytes.length > MAX_WAITING_BYTES) this.missed++;
    else this.#stream.write(bytes.slice());
  }

  close(): void {
    this.#stream.destroy();
  }
}
