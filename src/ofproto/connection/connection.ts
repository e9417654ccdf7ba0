import type { Duplex } from 'node:stream';
import {
  decodeMessage,
  encodeMessage,
  errorReply,
  type Hello,
  helloFailed,
  type Message,
  MessageStream,
  ProtocolError,
  readHeader,
} from '../../openflow/index.ts';
import type { OpenflowVersion } from '../../packet/index.ts';
import type { FlowRemoved, PacketIn, PortStatus } from '../listeners.ts';
import { flowRemovedMessage, packetInMessage, portStatusMessage } from './announcement.ts';
import { negotiate, noCommonVersion } from './negotiation.ts';
import { Outbox } from './outbox.ts';
import { refusal } from './refusal.ts';
import { answer } from './requests.ts';
import { Session, type SessionKind } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

export interface ConnectionOptions {
  /** Who is at the other end, for listings. */
  readonly name: string;
  readonly kind: SessionKind;
  readonly versions: readonly OpenflowVersion[];
  /** After so long without a message the peer is asked whether it is there, and given up after as long again. Left out: never. */
  readonly probeIntervalMs?: number;
  /** A version has been agreed on. */
  readonly onReady?: (connection: Connection) => void;
  readonly onClosed?: (connection: Connection) => void;
}

const HELLO = 0;
/** How long requests are carried out at a stretch before others have their turn. */
const SLICE_MS = 5;
/** A peer that is given up has so long to read the last error. */
const LINGER_MS = 1000;
/** A peer has so long for its hello. */
const HELLO_TIMEOUT_MS = 15_000;

/** The switch's end of an OpenFlow connection. */
export class Connection {
  readonly name: string;
  readonly kind: SessionKind;
  readonly #control: SwitchControl;
  readonly #options: ConnectionOptions;
  readonly #stream: Duplex;
  readonly #outbox: Outbox;
  readonly #messages = new MessageStream();
  #session: Session | undefined;
  #isClosed = false;
  #hasAsked = false;
  #timer: NodeJS.Timeout | undefined;
  #sliceStartMs = 0;
  /** Why it ended, as the operator reads it. */
  closeReason: string | undefined;

  constructor(stream: Duplex, control: SwitchControl, options: ConnectionOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#stream = stream;
    this.#control = control;
    this.#options = options;
    this.#outbox = new Outbox(stream);
    stream.on('error', (error) => this.close(error.message));
    stream.on('close', () => this.close('the peer closed the connection'));
    this.#sendHello();
    this.#startTimer(HELLO_TIMEOUT_MS);
    void this.#run();
  }

  /** What has been agreed on; undefined before both hellos. */
  get session(): Session | undefined {
    return this.#session;
  }

  get isReady(): boolean {
    return this.#session !== undefined && !this.#isClosed;
  }

  /** Packets that were not sent since the peer did not read. */
  get droppedPackets(): number {
    return this.#outbox.droppedPackets;
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.closeReason = reason;
    clearTimeout(this.#timer);
    // What has been written still goes out; a peer that does not read is not waited for.
    const destroy = (): void => {
      this.#stream.destroy();
    };
    this.#stream.end(destroy);
    setTimeout(destroy, LINGER_MS).unref();
    this.#options.onClosed?.(this);
  }

  packetIn(packetIn: PacketIn): void {
    const session = this.#listening;
    const message = session && packetInMessage(session, packetIn);
    if (session && message) for (const bytes of encodeMessage(message, session.dialect)) this.#outbox.packet(bytes);
  }

  flowRemoved(removed: FlowRemoved): void {
    const session = this.#listening;
    if (session) this.#announce(session, flowRemovedMessage(session, removed));
  }

  portStatus(status: PortStatus): void {
    const session = this.#listening;
    if (session) this.#announce(session, portStatusMessage(session, status));
  }

  get #listening(): Session | undefined {
    return this.#isClosed ? undefined : this.#session;
  }

  #announce(session: Session, message: Message | undefined): void {
    if (message === undefined) return;
    for (const bytes of encodeMessage(message, session.dialect))
      if (!this.#outbox.announce(bytes)) this.close('the peer does not read what it is told');
  }

  /** The highest version in the header, all of them in the bitmap. */
  #sendHello(): void {
    const versions = this.#options.versions;
    const version = [...versions].sort((a, b) => b - a)[0];
    for (const bytes of encodeMessage({ type: 'hello', xid: 1, versions }, { version })) this.#outbox.reply(bytes);
  }

  /** Reads and carries out one message after the other; while the peer does not read replies, nothing more is read from it. */
  async #run(): Promise<void> {
    try {
      // The stream is closed by `close`, after what is still to be sent.
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) {
        this.#heard();
        this.#sliceStartMs = performance.now();
        for (const bytes of this.#messages.push(chunk as Uint8Array)) {
          if (this.#isClosed) return;
          await this.#receive(bytes);
        }
      }
      this.close('the peer closed the connection');
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.close(error instanceof Error ? error.message : String(error));
        return;
      }
      // The stream cannot be cut into messages any more.
      if (this.#session) this.#sendError(this.#session, error, new Uint8Array(0));
      this.close(error.message);
    }
  }

  async #receive(bytes: Uint8Array): Promise<void> {
    if (this.#session === undefined) {
      this.#greet(bytes);
      return;
    }
    const session = this.#session;
    try {
      await this.#carryOut(session, bytes);
    } catch (error) {
      this.#sendError(session, refusal(error), bytes);
      await this.#outbox.drained();
    }
  }

  async #carryOut(session: Session, bytes: Uint8Array): Promise<void> {
    const answers = answer(this.#control, session, decodeMessage(bytes, session.dialect));
    let step = answers.next();
    while (!step.done) {
      const { value } = step;
      if (value instanceof Promise) {
        try {
          await value;
        } catch (error) {
          step = answers.throw(error);
          continue;
        }
      } else if (value !== undefined) this.#outbox.reply(value);
      await this.#outbox.drained();
      await this.#giveWay();
      if (this.#isClosed) return;
      step = answers.next();
    }
    await this.#giveWay();
  }

  /** Lets others have their turn when this connection has had its slice. */
  async #giveWay(): Promise<void> {
    if (performance.now() - this.#sliceStartMs < SLICE_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }

  #greet(bytes: Uint8Array): void {
    const header = readHeader(bytes);
    const { versions } = this.#options;
    const message = header.type === HELLO ? decodeMessage(bytes, { version: versions[0] }) : undefined;
    if (message?.type !== 'hello') {
      this.#refuseHello(header.version, header.xid, `a hello was expected, not a message of type ${header.type}`);
      return;
    }
    const version = negotiate(versions, message, header.version);
    if (version === undefined) {
      this.#refuseHello(header.version, header.xid, noCommonVersion(versions, message satisfies Hello, header.version));
      return;
    }
    this.#session = new Session(this.kind, version);
    clearTimeout(this.#timer);
    this.#heard();
    this.#options.onReady?.(this);
  }

  /** In the version of the peer's header, if it can be, so that the peer can read it. */
  #refuseHello(headerVersion: number, xid: number, text: string): void {
    const { versions } = this.#options;
    const version = versions.find((ours) => ours === headerVersion) ?? versions[0];
    for (const bytes of encodeMessage(helloFailed(text, xid), { version })) this.#outbox.reply(bytes);
    this.close(text);
  }

  #sendError(session: Session, error: ProtocolError, bytes: Uint8Array): void {
    for (const reply of encodeMessage(errorReply(error, bytes, session.version), session.dialect))
      this.#outbox.reply(reply);
  }

  #heard(): void {
    this.#hasAsked = false;
    const { probeIntervalMs } = this.#options;
    if (probeIntervalMs !== undefined && this.#session !== undefined) this.#startTimer(probeIntervalMs);
  }

  #startTimer(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#probe(ms), ms);
  }

  #probe(ms: number): void {
    const session = this.#session;
    if (session === undefined) {
      this.close('the peer sent no hello');
      return;
    }
    if (this.#hasAsked) {
      this.close(`no response to an inactivity probe after ${(ms / 1000).toFixed(1)} seconds`);
      return;
    }
    this.#hasAsked = true;
    const probe: Message = { type: 'echo_request', xid: 0, data: new Uint8Array(0) };
    for (const bytes of encodeMessage(probe, session.dialect)) this.#outbox.reply(bytes);
    this.#startTimer(ms);
  }
}
