import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import { type DialedPeer, Dialer } from './dialer.ts';
import type { LinkState, Timed } from './link.ts';
import type { Listener } from './listener.ts';
import type { ActiveTarget, PassiveTarget } from './target.ts';
import type { TargetOptions, TargetStatus } from './target-options.ts';
import type { TlsIdentity } from './tls-identity.ts';

export type EndpointKind = TargetStatus['kind'];

/** What an endpoint needs of those it belongs to. */
export interface EndpointOwner {
  nowMs(): number;
  tls(): TlsIdentity | undefined;
  /** Serves whoever is at the other end of a socket. */
  serve(endpoint: Endpoint, socket: Socket, onClosed: (connection: Connection) => void): DialedPeer | undefined;
  /** A deadline has become another. */
  changed(): void;
}

/** One target of a bridge: a controller that it connects to, or a socket that it waits on; and who has come of it. */
export abstract class Endpoint implements Timed {
  readonly text: string;
  readonly kind: EndpointKind;
  readonly connections = new Set<Connection>();
  protected readonly owner: EndpointOwner;
  #options: TargetOptions;
  #connectedMs: number | undefined;
  #disconnectedMs: number | undefined;
  #lastError: string | undefined;

  constructor(text: string, kind: EndpointKind, options: TargetOptions, owner: EndpointOwner) {
    this.text = text;
    this.kind = kind;
    this.#options = options;
    this.owner = owner;
  }

  get options(): TargetOptions {
    return this.#options;
  }

  abstract readonly port: number | undefined;
  abstract readonly deadlineMs: number;
  abstract run(nowMs: number): void;
  /** Another identity for ssl: and pssl:; connections that are there stay. @throws OfprotoError */
  abstract tlsChanged(): void;
  abstract close(): Promise<void>;
  protected abstract readonly stateWithoutPeer: LinkState;

  configure(options: TargetOptions): void {
    this.#options = options;
    for (const connection of this.connections) connection.configure(settingsOf(this));
  }

  /** Ends all connections; those that the switch has made are made anew. */
  reconnect(reason: string): void {
    for (const connection of [...this.connections]) connection.close(reason);
  }

  protected accept(socket: Socket, onClosed?: (error: string | undefined) => void): DialedPeer | undefined {
    return this.owner.serve(this, socket, (connection) => {
      this.connections.delete(connection);
      if (connection.wasReady) this.#disconnectedMs = this.owner.nowMs();
      this.#lastError = connection.lastError ?? this.#lastError;
      onClosed?.(connection.lastError);
    });
  }

  /** A version has been agreed on with one of its peers. */
  ready(): void {
    this.#connectedMs = this.owner.nowMs();
  }

  status(nowMs: number): TargetStatus {
    const ready = [...this.connections].filter(({ isReady }) => isReady);
    const [first] = ready;
    const since = (ms: number | undefined): number | undefined =>
      ms === undefined ? undefined : Math.max(0, Math.floor((nowMs - ms) / 1000));
    return {
      target: this.text,
      kind: this.kind,
      isConnected: first !== undefined,
      role: first?.session?.role,
      state: first?.state ?? (this.connections.size > 0 ? 'CONNECTING' : this.stateWithoutPeer),
      secSinceConnect: since(this.#connectedMs),
      secSinceDisconnect: since(this.#disconnectedMs),
      lastError: this.#lastError,
      connections: ready.length,
      port: this.port,
      limiter: first?.limiterCounters,
    };
  }
}

/** What of the options may change while a connection lasts. */
export function settingsOf({
  kind,
  options,
}: Endpoint): Pick<TargetOptions, 'probeIntervalMs' | 'rateLimit' | 'burstLimit' | 'queueSize'> {
  const { probeIntervalMs, rateLimit, burstLimit, queueSize } = options;
  return {
    probeIntervalMs: probeIntervalMs ?? defaultProbeIntervalMs(kind),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(burstLimit === undefined ? {} : { burstLimit }),
    ...(queueSize === undefined ? {} : { queueSize }),
  };
}

const DEFAULT_PROBE_INTERVAL_MS = 5000;

export function defaultProbeIntervalMs(kind: EndpointKind): number {
  return kind === 'controller' ? DEFAULT_PROBE_INTERVAL_MS : 0;
}

/** A controller that the switch connects to, again and again. */
export class ActiveEndpoint extends Endpoint {
  readonly port = undefined;
  readonly #dialer: Dialer;

  constructor(text: string, target: ActiveTarget, kind: EndpointKind, options: TargetOptions, owner: EndpointOwner) {
    super(text, kind, options, owner);
    this.#dialer = new Dialer(target, {
      ...(options.maxBackoffMs === undefined ? {} : { maxBackoffMs: options.maxBackoffMs }),
      nowMs: () => owner.nowMs(),
      tls: () => owner.tls(),
      serve: (socket, onClosed) => this.accept(socket, onClosed),
      changed: () => owner.changed(),
    });
  }

  get deadlineMs(): number {
    return this.#dialer.deadlineMs;
  }

  run(nowMs: number): void {
    this.#dialer.run(nowMs);
  }

  override configure(options: TargetOptions): void {
    super.configure(options);
    this.#dialer.maxBackoffMs = options.maxBackoffMs;
  }

  override reconnect(reason: string): void {
    super.reconnect(reason);
    this.#dialer.hurry();
  }

  tlsChanged(): void {
    this.#dialer.hurry();
  }

  override status(nowMs: number): TargetStatus {
    return { ...super.status(nowMs), lastError: this.#dialer.lastError };
  }

  protected get stateWithoutPeer(): LinkState {
    return this.#dialer.isWaiting ? 'BACKOFF' : 'CONNECTING';
  }

  close(): Promise<void> {
    this.#dialer.close();
    return Promise.resolve();
  }
}

/** A socket that the switch waits on. */
export class PassiveEndpoint extends Endpoint {
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly #target: PassiveTarget;
  #listener: Listener | undefined;

  constructor(text: string, target: PassiveTarget, kind: EndpointKind, options: TargetOptions, owner: EndpointOwner) {
    super(text, kind, options, owner);
    this.#target = target;
  }

  /** Serves those who come to a listener. */
  listen(listener: Listener): void {
    this.#listener = listener;
  }

  take(socket: Socket): void {
    this.accept(socket);
  }

  get port(): number | undefined {
    return this.#listener === undefined || this.#target.kind === 'punix' ? undefined : this.#listener.port;
  }

  run(): void {}

  tlsChanged(): void {
    this.#listener?.setTls(this.#target, this.owner.tls());
  }

  protected get stateWithoutPeer(): LinkState {
    return 'VOID';
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
