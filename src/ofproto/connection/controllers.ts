import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../../datapath/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';
import { OfprotoError } from '../errors.ts';
import { Connection } from './connection.ts';
import { Dialer } from './dialer.ts';
import { type FailMode, FailOpen } from './fail-mode.ts';
import { Listener } from './listener.ts';
import { SPOKEN_VERSIONS } from './negotiation.ts';
import { RoleElection, type RoleHolder } from './roles.ts';
import type { Session, SessionKind } from './session.ts';
import type { SwitchControl, SwitchDescription } from './switch-control.ts';
import { isPassive, parseTarget } from './target.ts';

export interface ControllersOptions {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly datapathId: bigint;
  readonly failMode: FailMode;
  readonly description: SwitchDescription;
  /** The versions to be spoken, in any order; left out: all. */
  readonly versions?: readonly OpenflowVersion[];
  /** Private key, certificate and the certificate of the authority that peers must have theirs from; for ssl: and pssl:. */
  readonly tls?: SecureContextOptions;
}

/** How to deal with one controller (ovs-vswitchd.conf.db(5), table Controller). */
export interface TargetOptions {
  readonly kind?: SessionKind;
  /** Milliseconds; 0: never. Left out: 5 seconds for a controller, never for a service. */
  readonly probeIntervalMs?: number;
  readonly maxBackoffMs?: number;
}

const DEFAULT_PROBE_INTERVAL_MS = 5000;
const CHECK_INTERVAL_MS = 1000;

/** What one target holds on to. */
interface Endpoint {
  readonly kind: SessionKind;
  close(): Promise<void> | void;
}

/** Everybody who speaks OpenFlow with one bridge. */
export class Controllers implements SwitchControl {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly datapathId: bigint;
  readonly description: SwitchDescription;
  readonly election = new RoleElection();
  readonly #versions: readonly OpenflowVersion[];
  readonly #tls: SecureContextOptions | undefined;
  readonly #connections = new Set<Connection>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #failOpen: FailOpen;
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #nextPeer = 0;
  #probeIntervalMs = DEFAULT_PROBE_INTERVAL_MS;
  #droppedByClosed = 0;

  constructor(options: ControllersOptions) {
    this.bridge = options.bridge;
    this.clock = options.clock;
    this.datapathId = options.datapathId;
    this.description = options.description;
    this.#versions = options.versions ?? SPOKEN_VERSIONS;
    this.#tls = options.tls;
    this.#failOpen = new FailOpen(options.bridge, options.failMode);
    this.#failOpen.configured(false);
    this.#stopListening = this.bridge.listen({
      packetIn: (packetIn) => this.#each((connection) => connection.packetIn(packetIn)),
      flowRemoved: (removed) => this.#each((connection) => connection.flowRemoved(removed)),
      portStatus: (status) => this.#each((connection) => connection.portStatus(status)),
    });
    this.#timer = setInterval(() => this.check(), CHECK_INTERVAL_MS);
  }

  get connections(): Iterable<Connection> {
    return this.#connections;
  }

  /** Packets for controllers that were dropped since they did not read, over all connections so far. */
  get droppedPackets(): number {
    let dropped = this.#droppedByClosed;
    for (const connection of this.#connections) dropped += connection.droppedPackets;
    return dropped;
  }

  /** Serves whoever is at the other end of a stream. */
  accept(
    stream: Duplex,
    name: string,
    options: TargetOptions = {},
    onClosed?: (wasReady: boolean) => void,
  ): Connection {
    const kind = options.kind ?? 'controller';
    const probeIntervalMs = options.probeIntervalMs ?? (kind === 'controller' ? DEFAULT_PROBE_INTERVAL_MS : 0);
    let wasReady = false;
    const connection = new Connection(stream, this, {
      name,
      kind,
      versions: this.#versions,
      ...(probeIntervalMs > 0 ? { probeIntervalMs } : {}),
      onReady: () => {
        wasReady = true;
        this.check();
      },
      onClosed: (closed) => {
        if (this.#connections.delete(closed)) this.#droppedByClosed += closed.droppedPackets;
        this.#updateMisses();
        onClosed?.(wasReady);
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  /**
   * Connects to a controller, or waits for such as connect; resolves with the TCP port when it waits on one.
   *
   * @throws OfprotoError OFPROTO_BAD_TARGET, OFPROTO_CANNOT_LISTEN
   */
  async add(text: string, options: TargetOptions = {}): Promise<number | undefined> {
    const target = parseTarget(text);
    const kind = options.kind ?? 'controller';
    if (this.#endpoints.has(text))
      throw new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}" is there already`);
    if (kind === 'controller') this.#probeIntervalMs = Math.max(this.#probeIntervalMs, options.probeIntervalMs ?? 0);
    if (isPassive(target)) {
      const listener = await Listener.open(
        target,
        (socket) => this.accept(socket, `${text}#${this.#nextPeer++}`, options),
        this.#tls,
      );
      this.#addEndpoint(text, { kind, close: () => listener.close() });
      return listener.port;
    }
    if (target.kind === 'ssl' && this.#tls === undefined)
      throw new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}" needs a private key and certificates`);
    const dialer = new Dialer(target, (socket, onClosed) => this.accept(socket, text, options, onClosed), {
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
      ...(options.maxBackoffMs === undefined ? {} : { maxBackoffMs: options.maxBackoffMs }),
    });
    this.#addEndpoint(text, { kind, close: () => dialer.close() });
    return undefined;
  }

  #addEndpoint(text: string, endpoint: Endpoint): void {
    const hadControllers = this.#hasControllers;
    this.#endpoints.set(text, endpoint);
    if (this.#hasControllers !== hadControllers) this.#failOpen.configured(this.#hasControllers);
  }

  get #hasControllers(): boolean {
    return [...this.#endpoints.values()].some(({ kind }) => kind === 'controller');
  }

  /** Looks after what depends on who is connected; every second, and when somebody comes. */
  check(): void {
    this.bridge.run();
    if (this.#hasControllers) {
      const isConnected = [...this.#connections].some(({ kind, isReady }) => kind === 'controller' && isReady);
      this.#failOpen.check(isConnected, performance.now(), this.#probeIntervalMs);
    }
    this.#updateMisses();
  }

  sessionChanged(): void {
    this.#updateMisses();
  }

  /** Before 1.3, packets that no flow matches go to the controller. */
  #updateMisses(): void {
    const wantsMisses = ({ isListening, version }: Session): boolean => isListening && version < OPENFLOW_VERSIONS.of13;
    const sessions = [...this.#connections].map(({ session }) => session);
    this.bridge.setSendsMisses(sessions.some((session) => session !== undefined && wantsMisses(session)));
  }

  *roleHolders(): Iterable<RoleHolder> {
    for (const { session } of this.#connections) if (session !== undefined) yield session;
  }

  #each(tell: (connection: Connection) => void): void {
    for (const connection of [...this.#connections]) tell(connection);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening();
    for (const connection of [...this.#connections]) connection.close('the switch stops');
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
  }
}
