import type { Socket } from 'node:net';
import { OvsdbError } from '../errors.ts';
import { DEFAULT_FRAMING_LIMITS, type FramingLimits, JsonFramer } from '../json/framing.ts';
import { printJson } from '../json/text.ts';
import type { Json } from '../json/value.ts';
import { Inbox } from './inbox.ts';
import type { Transport, TransportHandlers } from './transport.ts';

/** JSON messages over a connected socket: TCP, TLS or a Unix domain socket. */
export class StreamTransport implements Transport {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #framer: JsonFramer;
  readonly #inbox: Inbox;
  #handlers: TransportHandlers | undefined;

  constructor(socket: Socket, peer: string, limits: FramingLimits = DEFAULT_FRAMING_LIMITS) {
    this.#socket = socket;
    this.peer = peer;
    this.#framer = new JsonFramer(limits);
    this.#inbox = new Inbox(
      (message) => this.#handlers?.message(message),
      () => this.#socket.resume(),
    );
    // A socket may fail before anyone opens the transport.
    socket.on('error', (cause) =>
      this.#end(new OvsdbError('OVSDB_DISCONNECTED', `${this.peer}: ${cause.message}`, { cause })),
    );
    socket.on('close', () => this.#end(undefined));
  }

  get backlog(): number {
    return this.#socket.writableLength;
  }

  open(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#socket.on('data', (chunk) => this.#receive(chunk));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#framer.push(chunk)) this.#inbox.push(message);
    } catch (error) {
      this.#end(error as OvsdbError);
      return;
    }
    if (this.#inbox.isEmpty) return;
    // Nothing more is taken from the peer while its messages wait.
    this.#socket.pause();
    this.#inbox.run();
  }

  send(message: Json): void {
    if (this.#socket.destroyed) return;
    try {
      this.#socket.write(printJson(message), this.#written);
    } catch (cause) {
      // The text would be longer than a string can be.
      if (!(cause instanceof RangeError)) throw cause;
      this.#end(new OvsdbError('OVSDB_MESSAGE_TOO_BIG', `${this.peer}: a message to the peer is too long`, { cause }));
    }
  }

  // Not the event "drain", which a backlog below the socket's own high-water mark does not bring about.
  readonly #written = (): void => {
    if (this.#socket.writableLength === 0) this.#handlers?.drained();
  };

  pause(): void {
    this.#inbox.pause();
    this.#socket.pause();
  }

  resume(): void {
    this.#inbox.resume();
  }

  close(): void {
    this.#end(undefined);
  }

  #end(error: OvsdbError | undefined): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#inbox.close();
    if (error) this.#socket.destroy();
    else this.#socket.destroySoon();
    handlers?.closed(error);
  }
}
