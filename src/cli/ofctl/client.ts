import { connect as connectSocket, type Socket } from 'node:net';
import { type OkoError, toHex } from '../../bytes/index.ts';
import { negotiate } from '../../ofproto/connection/negotiation.ts';
import {
  type Dialect,
  decodeMessage,
  decodeOko,
  type ErrorMessage,
  encodeMessage,
  encodeOko,
  extensionErrorOf,
  type Message,
  type MessageBody,
  MessageStream,
  type MultipartReply,
  type MultipartReplyBody,
  type MultipartRequestBody,
  nameOfError,
  type OkoBody,
  readHeader,
} from '../../openflow/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import { CliError } from '../errors.ts';
import type { ActiveAddress } from './address.ts';

/** How long a switch may take to answer, milliseconds. */
const ANSWER_MS = 60_000;
/** The most messages that may wait to be read; a switch that sends more is not read until they are. */
const MOST_WAITING = 1024;
const MORE = 1;

/** One end of an OpenFlow connection as a controller or a tool has it: requests, answers in order, one at a time. */
export class OpenflowClient {
  readonly #socket: Socket;
  readonly #stream = new MessageStream();
  readonly #name: string;
  readonly #waiting: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #nextXid = 1;
  #dialect: Dialect = { version: 1, oko: true };

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    socket.on('data', (bytes: Uint8Array) => this.#take(bytes));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () =>
      this.#fail(new CliError('CLI_CONNECTION_CLOSED', `${name}: the switch closed the connection`)),
    );
  }

  /** Connects and agrees on a version. */
  static async connect(address: ActiveAddress, versions: readonly OpenflowVersion[]): Promise<OpenflowClient> {
    const socket = connectSocket(address.socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) =>
        reject(
          new CliError('CLI_CANNOT_CONNECT', `${address.name}: failed to connect (${error.message})`, { cause: error }),
        ),
      );
    });
    const client = new OpenflowClient(socket, address.name);
    try {
      await client.#agree(versions);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  get dialect(): Dialect {
    return this.#dialect;
  }

  /** How messages after this are written: Nicira's forms for OpenFlow 1.0 are agreed on by messages of their own. */
  set dialect(dialect: Dialect) {
    this.#dialect = dialect;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends a message and answers its transaction id, which a message within a message has to repeat. */
  send(message: MessageBody | ((xid: number) => MessageBody)): number {
    const xid = this.#nextXid++;
    const body = typeof message === 'function' ? message(xid) : message;
    for (const bytes of encodeMessage({ ...body, xid }, this.#dialect)) this.#socket.write(bytes);
    return xid;
  }

  /** Of the last message that was sent. */
  get lastXid(): number {
    return this.#nextXid - 1;
  }

  /** The next message of Oko's extension of a kind, however long that takes. */
  async receiveOko<K extends OkoBody['kind']>(kind: K): Promise<Extract<OkoBody, { readonly kind: K }>> {
    for (;;) {
      const message = await this.receive(Number.POSITIVE_INFINITY);
      if (message.type === 'error') throw this.refusal(message);
      const body = message.type === 'oko' ? decodeOko(message) : undefined;
      if (body?.kind === kind) return body as Extract<OkoBody, { readonly kind: K }>;
    }
  }

  /** Sends messages with one transaction id between them, and answers it. */
  sendAll(messages: Iterable<MessageBody>): number {
    const xid = this.#nextXid++;
    for (const body of messages)
      for (const bytes of encodeMessage({ ...body, xid }, this.#dialect)) this.#socket.write(bytes);
    return xid;
  }

  /** Sends a request and answers its reply. @throws CliError CLI_SWITCH_REFUSED when the switch answers with an error */
  async request(body: MessageBody): Promise<Message> {
    const xid = this.send(body);
    let earlier: OkoError | undefined;
    for (;;) {
      const message = await this.receive();
      if (message.xid !== xid) {
        // A message of a bundle that fails is told of before the bundle is.
        if (message.type === 'error') earlier ??= this.refusal(message);
        continue;
      }
      if (message.type === 'error') throw earlier ?? this.refusal(message);
      return message;
    }
  }

  /** Sends a statistics request and yields its reply, part by part. */
  async *multipart(
    body: MultipartRequestBody,
  ): AsyncGenerator<{ readonly xid: number; readonly body: MultipartReplyBody }> {
    const xid = this.send({ type: 'multipart_request', flags: 0, body });
    for (let isLast = false; !isLast; ) {
      const message = await this.receive();
      if (message.xid !== xid) continue;
      if (message.type === 'error') throw this.refusal(message);
      const { flags, body: reply } = message as MultipartReply;
      isLast = (flags & MORE) === 0;
      yield { xid, body: reply };
    }
  }

  /** Sends messages that have no reply, then a barrier: what went wrong with them is known when it is answered. */
  async perform(bodies: Iterable<MessageBody | ((xid: number) => MessageBody)>): Promise<void> {
    let refused: OkoError | undefined;
    let unanswered = 0;
    const barrier = async (): Promise<void> => {
      unanswered = 0;
      const xid = this.send({ type: 'barrier_request' });
      for (;;) {
        const message = await this.receive();
        if (message.type === 'error') refused ??= this.refusal(message);
        if (message.xid === xid) return;
      }
    };
    for (const body of bodies) {
      this.send(body);
      if (++unanswered >= MOST_WAITING) await barrier();
    }
    await barrier();
    if (refused !== undefined) throw refused;
  }

  /** The next message, echo requests excepted, which are answered. Waits `timeoutMs`, or for ever when undefined. */
  async receive(timeoutMs: number | undefined = ANSWER_MS): Promise<Message> {
    for (;;) {
      const message = decodeMessage(await this.#next(timeoutMs), this.#dialect);
      if (message.type !== 'echo_request') return message;
      for (const bytes of encodeMessage({ ...message, type: 'echo_reply' }, this.#dialect)) this.#socket.write(bytes);
    }
  }

  /** The error that the switch has answered; one of Oko's extension comes with its explanation. */
  refusal(message: ErrorMessage): OkoError {
    const explained = extensionErrorOf(message);
    if (explained !== undefined) return explained;
    const name = nameOfError(message, this.#dialect.version) ?? `type ${message.errorType} code ${message.code}`;
    const about = message.data.length >= 8 ? `, about message ${toHex(message.data.subarray(0, 24), ' ')}` : '';
    return new CliError('CLI_SWITCH_REFUSED', `${this.#name}: the switch answered ${name}${about}`);
  }

  async #agree(versions: readonly OpenflowVersion[]): Promise<void> {
    const highest = Math.max(...versions) as OpenflowVersion;
    this.#dialect = { version: highest, oko: true };
    this.send(versions.length === 1 && highest === 1 ? { type: 'hello' } : { type: 'hello', versions });
    const bytes = await this.#next(ANSWER_MS);
    const { version } = readHeader(bytes);
    const hello = decodeMessage(bytes, { version: highest });
    const agreed = hello.type === 'hello' ? negotiate(versions, hello, version) : undefined;
    if (agreed === undefined) {
      throw new CliError(
        'CLI_NO_COMMON_VERSION',
        `${this.#name}: the switch speaks none of the OpenFlow versions allowed here; choose others with -O`,
      );
    }
    this.#dialect = { version: agreed, oko: true };
    await this.#announceExtension();
  }

  /** Shows that we know Oko's extension, so that flows come with their filter programs; any other switch refuses that. */
  async #announceExtension(): Promise<void> {
    try {
      await this.request(encodeOko({ kind: 'features_request' }));
    } catch (error) {
      if (!(error instanceof CliError && error.code === 'CLI_SWITCH_REFUSED')) throw error;
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const message of this.#stream.push(bytes)) this.#waiting.push(message.slice());
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#waiting.length >= MOST_WAITING) this.#socket.pause();
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #next(timeoutMs: number | undefined): Promise<Uint8Array> {
    const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) return message;
      this.#socket.resume();
      if (this.#failure !== undefined) throw this.#failure;
      await this.#wakeUp(deadline);
      if (Date.now() >= deadline)
        throw new CliError('CLI_TIMEOUT', `${this.#name}: the switch did not answer in ${ANSWER_MS / 1000} s`);
    }
  }

  #wakeUp(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(deadline) ? setTimeout(resolve, Math.max(0, deadline - Date.now())) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
