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
import { field, OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { clockMs } from '../clock.ts';
import type { FlowChange } from '../flow-changes.ts';
import type { FlowRemoved, PacketIn, PortStatus } from '../listeners.ts';
import type { RemovedReason, Rule } from '../rule.ts';
import type { MapsNote } from '../translate/controller.ts';
import { flowRemovedMessage, packetInMessage, portStatusMessage } from './announcement.ts';
import { flowUpdateMessage } from './flow-monitors.ts';
import { END_OF_FILE, type LinkState, PROTOCOL_ERROR, socketErrorText, TIMED_OUT, type Timed } from './link.ts';
import { MapFeed } from './map-feed.ts';
import { helloVersions, negotiate, noCommonVersion } from './negotiation.ts';
import { Outbox } from './outbox.ts';
import { type LimiterCounters, PacketLimiter } from './packet-limiter.ts';
import { refusal } from './refusal.ts';
import { answer } from './requests.ts';
import { Session, type SessionKind } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

/** What may be changed while a connection lasts. */
export interface ConnectionSettings {
  /** After so long without a message the peer is asked whether it is there, and given up after as long again. Left out, 0: never. */
  readonly probeIntervalMs?: number;
  /** Packets a second, of each kind; left out: as many as come. */
  readonly rateLimit?: number;
  readonly burstLimit?: number;
  /** Packets that may wait for a peer that does not read. */
  readonly queueSize?: number;
}

export interface ConnectionOptions extends ConnectionSettings {
  /** Who is at the other end, for listings. */
  readonly name: string;
  readonly kind: SessionKind;
  readonly versions: readonly OpenflowVersion[];
  /** False: it is told nothing unless it asks. */
  readonly enableAsyncMessages?: boolean;
  /** A version has been agreed on. */
  readonly onReady?: (connection: Connection) => void;
  readonly onClosed?: (connection: Connection) => void;
  /** `deadlineMs` has come nearer. */
  readonly onWaiting?: () => void;
  /** Sees each message in either direction; the bytes are only lent. */
  readonly onMessage?: (bytes: Uint8Array) => void;
}

const HELLO = 0;
const IN_PORT = field('in_port_oxm');
/** A peer that so many bytes of updates to its flow monitors wait for gets no more of them until it has read those. */
const MAX_WAITING_UPDATE_BYTES = 128 << 10;
/** How long requests are carried out at a stretch before others have their turn. */
const SLICE_MS = 5;
/** A peer that is given up has so long to read the last error. */
const LINGER_MS = 1000;
/** A peer has so long for its hello. */
const HELLO_TIMEOUT_MS = 15_000;

/** The switch's end of an OpenFlow connection. */
export class Connection implements Timed {
  readonly name: string;
  readonly kind: SessionKind;
  readonly #control: SwitchControl;
  readonly #options: ConnectionOptions;
  readonly #stream: Duplex;
  readonly #outbox: Outbox;
  readonly #messages = new MessageStream();
  #session: Session | undefined;
  #isClosed = false;
  #settings: ConnectionSettings;
  /** When the peer was heard last, and when it was asked whether it is there. */
  #heardMs: number;
  #askedMs: number | undefined;
  #limiters: { readonly miss: PacketLimiter; readonly action: PacketLimiter } | undefined;
  #sliceStartMs = 0;
  /** Why it ended, as the operator reads it. */
  closeReason: string | undefined;
  /** The same in the words of strerror(3). */
  lastError: string | undefined;

  constructor(stream: Duplex, control: SwitchControl, options: ConnectionOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#stream = stream;
    this.#control = control;
    this.#options = options;
    this.#settings = options;
    this.#heardMs = this.#nowMs();
    this.#outbox = new Outbox(stream, (bytes) => options.onMessage?.(bytes));
    this.configure(options);
    stream.on('error', (error) => this.close(error.message, socketErrorText(error)));
    stream.on('close', () => this.#ended());
    this.#sendHello();
    void this.#run();
  }

  /** What has been agreed on; undefined before both hellos. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Has a version been agreed on, whether or not the connection still lasts? */
  get wasReady(): boolean {
    return this.#session !== undefined;
  }

  get isReady(): boolean {
    return this.#session !== undefined && !this.#isClosed;
  }

  get state(): LinkState {
    if (this.#session === undefined) return 'CONNECTING';
    return this.#askedMs === undefined ? 'ACTIVE' : 'IDLE';
  }

  /** What limiting the rate of packets has done, where it is limited. */
  get limiterCounters(): { readonly miss: LimiterCounters; readonly action: LimiterCounters } | undefined {
    return this.#limiters && { miss: this.#limiters.miss.counters, action: this.#limiters.action.counters };
  }

  configure(settings: ConnectionSettings): void {
    this.#settings = settings;
    if (settings.queueSize !== undefined) this.#outbox.queueSize = settings.queueSize;
    const { rateLimit, burstLimit } = settings;
    if (rateLimit === undefined) {
      this.#limiters = undefined;
    } else if (this.#limiters === undefined) {
      const limiter = (): PacketLimiter =>
        new PacketLimiter((bytes) => this.#outbox.packet(bytes), rateLimit, burstLimit, this.#nowMs());
      this.#limiters = { miss: limiter(), action: limiter() };
    } else {
      for (const limiter of [this.#limiters.miss, this.#limiters.action]) limiter.configure(rateLimit, burstLimit);
    }
  }

  /** Packets that were not sent since the peer did not read. */
  get droppedPackets(): number {
    return this.#outbox.droppedPackets;
  }

  /** `error`: what the status of the controller says of it; left out: it ended in order. */
  close(reason: string, error?: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session?.feed?.close();
    this.closeReason = reason;
    this.lastError = error;
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
    if (!session || !message) return;
    const limiter = packetIn.miss === 'none' ? this.#limiters?.action : this.#limiters?.miss;
    for (const bytes of encodeMessage(message, session.dialect))
      if (limiter === undefined) this.#outbox.packet(bytes);
      else if (limiter.packet(packetIn.metadata.number(IN_PORT) ?? 0, bytes, this.#nowMs()))
        this.#options.onWaiting?.();
  }

  flowRemoved(removed: FlowRemoved): void {
    const session = this.#listening;
    if (session) this.#announce(session, flowRemovedMessage(session, removed));
  }

  portStatus(status: PortStatus): void {
    const session = this.#listening;
    if (session) this.#announce(session, portStatusMessage(session, status));
  }

  /** For those who know what maps are; a secondary controller is not told, as of packets. */
  mapsSent(maps: MapsNote): void {
    const session = this.#listening;
    if (session?.isExtended && session.isListening && session.role !== 'secondary') session.feed?.send(maps);
  }

  /** From 1.4 on a peer is told that it is secondary now, whatever else it wants to be told. */
  roleTaken(generationId: bigint): void {
    const session = this.#listening;
    if (session === undefined || session.version < OPENFLOW_VERSIONS.of14) return;
    this.#announce(session, {
      type: 'role_status',
      xid: 0,
      role: 'secondary',
      reason: 'primary_request',
      generationId,
    });
  }

  /** Tells of changed flows whoever has asked with a flow monitor. */
  flowsChanged(changes: readonly FlowChange[], reason: (rule: Rule) => RemovedReason): void {
    const session = this.#listening;
    if (session === undefined || session.monitors.isEmpty) return;
    this.#update(session, flowUpdateMessage(session.monitors.changed(changes, session, reason)));
    if (session.monitors.isPaused || this.#outbox.waitingUpdateBytes <= MAX_WAITING_UPDATE_BYTES) return;
    this.#update(session, session.monitors.pause(session.version));
  }

  #update(session: Session, message: Message | undefined): void {
    if (message === undefined) return;
    for (const bytes of session.encode(message))
      if (!this.#outbox.update(bytes, () => this.#resumeUpdates(session)))
        this.close('the peer does not read what it is told');
  }

  /** When a peer has read all updates that it was too slow for, it is told what it has missed. */
  #resumeUpdates(session: Session): void {
    if (this.#isClosed || !session.monitors.isPaused || this.#outbox.waitingUpdateBytes > 0) return;
    for (const message of session.monitors.resume(session.version)) this.#update(session, message);
  }

  get #listening(): Session | undefined {
    return this.#isClosed ? undefined : this.#session;
  }

  #announce(session: Session, message: Message | undefined): void {
    if (message === undefined) return;
    for (const bytes of session.encode(message))
      if (!this.#outbox.announce(bytes))
        this.close('the peer does not read what it is told', 'No buffer space available');
  }

  /** The highest version in the header, all of them in the bitmap where that is not enough. */
  #sendHello(): void {
    const versions = this.#options.versions;
    const version = [...versions].sort((a, b) => b - a)[0];
    const listed = helloVersions(versions);
    const hello: Message = { type: 'hello', xid: 1, ...(listed === undefined ? {} : { versions: listed }) };
    for (const bytes of encodeMessage(hello, { version })) this.#outbox.reply(bytes);
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
          this.#options.onMessage?.(bytes);
          await this.#receive(bytes);
        }
      }
      this.#ended();
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        if (error instanceof Error) this.close(error.message, socketErrorText(error));
        else throw error;
        return;
      }
      // The stream cannot be cut into messages any more.
      if (this.#session) this.#sendError(this.#session, error, new Uint8Array(0));
      this.close(error.message, PROTOCOL_ERROR);
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
    const answers = answer(this.#control, session, session.decode(bytes));
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
    const session = new Session(this.kind, version, this.#options.enableAsyncMessages);
    session.feed = this.#mapFeed(session);
    session.bridge = this.#control.bridge;
    this.#session = session;
    this.#heard();
    this.#options.onReady?.(this);
  }

  #mapFeed(session: Session): MapFeed {
    return new MapFeed({
      bridge: this.#control.bridge,
      send: (message) => {
        for (const bytes of encodeMessage(message, session.dialect)) this.#outbox.reply(bytes);
      },
      drained: () => this.#outbox.drained(),
      waiting: () => this.#options.onWaiting?.(),
      nowMs: () => this.#nowMs(),
    });
  }

  /** In the version of the peer's header, if it can be, so that the peer can read it. */
  #refuseHello(headerVersion: number, xid: number, text: string): void {
    const { versions } = this.#options;
    const version = versions.find((ours) => ours === headerVersion) ?? versions[0];
    for (const bytes of encodeMessage(helloFailed(text, xid), { version })) this.#outbox.reply(bytes);
    this.close(text, PROTOCOL_ERROR);
  }

  #sendError(session: Session, error: ProtocolError, bytes: Uint8Array): void {
    for (const reply of encodeMessage(errorReply(error, bytes, session.version, session.isExtended), session.dialect))
      this.#outbox.reply(reply);
  }

  #ended(): void {
    this.close('the peer closed the connection', END_OF_FILE);
  }

  #nowMs(): number {
    return clockMs(this.#control.clock);
  }

  #heard(): void {
    this.#askedMs = undefined;
    this.#heardMs = this.#nowMs();
  }

  get deadlineMs(): number {
    const { probeIntervalMs = 0 } = this.#settings;
    if (this.#session === undefined) return this.#heardMs + HELLO_TIMEOUT_MS;
    const probe = probeIntervalMs === 0 ? Number.POSITIVE_INFINITY : (this.#askedMs ?? this.#heardMs) + probeIntervalMs;
    const { miss, action } = this.#limiters ?? {};
    const feedMs = this.#session.feed?.deadlineMs ?? Number.POSITIVE_INFINITY;
    return Math.min(probe, feedMs, miss?.deadlineMs ?? probe, action?.deadlineMs ?? probe);
  }

  run(nowMs: number): void {
    if (this.#isClosed) return;
    this.#limiters?.miss.run(nowMs);
    this.#limiters?.action.run(nowMs);
    this.#session?.feed?.run(nowMs);
    const { probeIntervalMs = 0 } = this.#settings;
    if (this.#session === undefined) {
      if (nowMs - this.#heardMs >= HELLO_TIMEOUT_MS) this.close('the peer sent no hello', TIMED_OUT);
    } else if (probeIntervalMs > 0 && nowMs - (this.#askedMs ?? this.#heardMs) >= probeIntervalMs) {
      this.#probe(this.#session, nowMs);
    }
  }

  #probe(session: Session, nowMs: number): void {
    if (this.#askedMs !== undefined) {
      const seconds = ((nowMs - this.#askedMs) / 1000).toFixed(1);
      this.close(`no response to an inactivity probe after ${seconds} seconds`, TIMED_OUT);
      return;
    }
    this.#askedMs = nowMs;
    const probe: Message = { type: 'echo_request', xid: 0, data: new Uint8Array(0) };
    for (const bytes of encodeMessage(probe, session.dialect)) this.#outbox.reply(bytes);
  }
}
