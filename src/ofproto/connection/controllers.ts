import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../datapath/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';
import { clockMs } from '../clock.ts';
import { OfprotoError } from '../errors.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { DialedPeer } from './dialer.ts';
import { ActiveEndpoint, defaultProbeIntervalMs, type Endpoint, PassiveEndpoint, settingsOf } from './endpoint.ts';
import { type FailMode, FailOpen } from './fail-mode.ts';
import { Listener } from './listener.ts';
import { SPOKEN_VERSIONS } from './negotiation.ts';
import { RoleElection, type RoleHolder } from './roles.ts';
import type { Session, SessionKind } from './session.ts';
import { Snooper } from './snooper.ts';
import type { SwitchControl, SwitchDescription } from './switch-control.ts';
import { isPassive, parseTarget } from './target.ts';
import type { TargetOptions, TargetStatus } from './target-options.ts';
import type { TlsIdentity } from './tls-identity.ts';

export interface ControllersOptions {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly datapathId: bigint;
  readonly failMode: FailMode;
  readonly description: SwitchDescription;
  /** The versions to be spoken, in any order; left out: all. */
  readonly versions?: readonly OpenflowVersion[];
  /** For ssl: and pssl:. */
  readonly tls?: TlsIdentity;
}

/** Bridges and connections are looked after at least so often. */
const CHECK_INTERVAL_MS = 1000;
/** Deadlines that lie behind are due at once, but not without end. */
const MIN_PAUSE_MS = 1;

/** Everybody who speaks OpenFlow with one bridge. All of it can be changed while it runs. */
export class Controllers implements SwitchControl {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly description: SwitchDescription;
  readonly election = new RoleElection();
  #datapathId: bigint;
  #versions: readonly OpenflowVersion[];
  #tls: TlsIdentity | undefined;
  readonly #connections = new Set<Connection>();
  readonly #snoopers = new Set<Snooper>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #failOpen: FailOpen;
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #nextPeer = 0;
  #droppedByClosed = 0;

  constructor(options: ControllersOptions) {
    this.bridge = options.bridge;
    this.clock = options.clock;
    this.#datapathId = options.datapathId;
    this.description = options.description;
    this.#versions = options.versions ?? SPOKEN_VERSIONS;
    this.#tls = options.tls;
    this.#failOpen = new FailOpen(options.bridge, options.failMode);
    this.#failOpen.configured(false);
    this.#stopListening = this.bridge.listen({
      packetIn: (packetIn) => this.#each((connection) => connection.packetIn(packetIn)),
      flowsChanged: (changes, reason) => this.#each((connection) => connection.flowsChanged(changes, reason)),
      flowRemoved: (removed) => this.#each((connection) => connection.flowRemoved(removed)),
      portStatus: (status) => this.#each((connection) => connection.portStatus(status)),
      mapsSent: (maps) => this.#each((connection) => connection.mapsSent(maps)),
    });
    this.#wakeAt(this.#nowMs() + CHECK_INTERVAL_MS);
  }

  get datapathId(): bigint {
    return this.#datapathId;
  }

  get failMode(): FailMode {
    return this.#failOpen.mode;
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

  // ---- Who there is

  /**
   * Connects to a controller, or waits for such as connect; resolves with the TCP port when it waits on one.
   *
   * @throws OfprotoError OFPROTO_BAD_TARGET, OFPROTO_CANNOT_LISTEN
   */
  async add(text: string, options: TargetOptions = {}): Promise<number | undefined> {
    if (this.#endpoints.has(text))
      throw new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}" is there already`);
    const target = parseTarget(text);
    const kind = options.kind ?? (isPassive(target) ? 'service' : 'controller');
    if (!isPassive(target)) {
      if (kind === 'snoop')
        throw new OfprotoError('OFPROTO_BAD_TARGET', `"${text}": who wants to look on has to connect to the switch`);
      if (target.kind === 'ssl' && this.#tls === undefined)
        throw new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}" needs a private key and certificates`);
      this.#addEndpoint(new ActiveEndpoint(text, target, kind, options, this.#owner));
      this.run();
      return undefined;
    }
    const endpoint = new PassiveEndpoint(text, target, kind, options, this.#owner);
    this.#addEndpoint(endpoint);
    try {
      const listener = await Listener.open(target, (socket) => endpoint.take(socket), this.#tls);
      endpoint.listen(listener);
      if (this.#endpoints.get(text) !== endpoint) await listener.close();
      return listener.port;
    } catch (error) {
      if (this.#endpoints.get(text) === endpoint) this.#forget(endpoint);
      throw error;
    }
  }

  /** Ends what there is with a target; nothing happens where it is not configured. */
  async remove(text: string): Promise<void> {
    const endpoint = this.#endpoints.get(text);
    if (endpoint === undefined) return;
    this.#forget(endpoint);
    endpoint.reconnect('the controller was removed');
    await endpoint.close();
  }

  /**
   * Other options for a target. Connections stay, but for those whose versions or kind become others.
   *
   * @throws OfprotoError OFPROTO_BAD_TARGET when it is not configured
   */
  async configure(text: string, options: TargetOptions): Promise<void> {
    const endpoint = this.#endpoints.get(text);
    if (endpoint === undefined) throw new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}" is not configured`);
    const kind = options.kind ?? (isPassive(parseTarget(text)) ? 'service' : 'controller');
    if (kind !== endpoint.kind) {
      await this.remove(text);
      await this.add(text, options);
      return;
    }
    const { versions } = endpoint.options;
    endpoint.configure(options);
    if (!isSame(versions ?? this.#versions, options.versions ?? this.#versions))
      endpoint.reconnect('other versions may be spoken now');
    this.#wake();
  }

  /**
   * These targets and no others. Resolves with what was wrong with those that could not be; the others are as asked for.
   */
  async setTargets(targets: ReadonlyMap<string, TargetOptions>): Promise<ReadonlyMap<string, OfprotoError>> {
    const errors = new Map<string, OfprotoError>();
    const gone = [...this.#endpoints.values()].filter(({ text }) => !targets.has(text));
    // Sockets that others may want to wait on first, controllers last: a bridge that has any before and after never
    // stands without.
    for (const { kind, text } of gone) if (kind !== 'controller') await this.remove(text);
    for (const [text, options] of targets) {
      try {
        if (this.#endpoints.has(text)) await this.configure(text, options);
        else await this.add(text, options);
      } catch (error) {
        if (!(error instanceof OfprotoError)) throw error;
        errors.set(text, error);
      }
    }
    for (const { text } of gone) await this.remove(text);
    return errors;
  }

  /** How things stand with each target, in the order they were added. */
  status(): readonly TargetStatus[] {
    const nowMs = this.#nowMs();
    return [...this.#endpoints.values()].map((endpoint) => endpoint.status(nowMs));
  }

  // ---- How they are dealt with

  setFailMode(mode: FailMode): void {
    this.#failOpen.setMode(mode);
    this.run();
  }

  /** Since nobody can be told that the switch is another one, all connections end; the switch connects anew. */
  setDatapathId(datapathId: bigint): void {
    if (datapathId === this.#datapathId) return;
    this.#datapathId = datapathId;
    this.reconnect('the datapath id has changed');
  }

  /** The versions that may be spoken where a target does not say otherwise; connections under others end. */
  setVersions(versions: readonly OpenflowVersion[] = SPOKEN_VERSIONS): void {
    if (isSame(versions, this.#versions)) return;
    this.#versions = versions;
    for (const endpoint of this.#endpoints.values())
      if (endpoint.options.versions === undefined) endpoint.reconnect('other versions may be spoken now');
  }

  /**
   * Another identity for ssl: and pssl:, from the next connection on.
   *
   * @throws OfprotoError OFPROTO_CANNOT_LISTEN when a pssl: target cannot do with it
   */
  setTls(tls: TlsIdentity | undefined): void {
    this.#tls = tls;
    for (const endpoint of this.#endpoints.values()) endpoint.tlsChanged();
  }

  reconnect(reason: string): void {
    for (const endpoint of this.#endpoints.values()) endpoint.reconnect(reason);
  }

  /** Serves whoever is at the other end of a stream, as a controller unless the options say otherwise. */
  accept(
    stream: Duplex,
    name: string,
    options: Omit<TargetOptions, 'kind'> & { readonly kind?: SessionKind } = {},
    hooks: Pick<ConnectionOptions, 'onReady' | 'onClosed'> = {},
  ): Connection {
    const kind = options.kind ?? 'controller';
    const connection = new Connection(stream, this, {
      probeIntervalMs: defaultProbeIntervalMs(kind),
      ...options,
      ...{ name, kind, versions: options.versions ?? this.#versions },
      onReady: (ready) => {
        hooks.onReady?.(ready);
        this.run();
      },
      onClosed: (closed) => {
        if (this.#connections.delete(closed)) this.#droppedByClosed += closed.droppedPackets;
        this.#updateMisses();
        hooks.onClosed?.(closed);
      },
      onWaiting: () => this.#wake(),
      onMessage: (bytes) => {
        if (kind === 'controller')
          for (const snooper of this.#snoopers) if (snooper.controller === name) snooper.message(bytes);
      },
    });
    this.#connections.add(connection);
    this.#wake();
    return connection;
  }

  readonly #owner = {
    nowMs: () => this.#nowMs(),
    tls: () => this.#tls,
    changed: () => this.#wake(),
    serve: (endpoint: Endpoint, socket: Socket, onClosed: (connection: Connection) => void) =>
      this.#serve(endpoint, socket, onClosed),
  };

  #serve(endpoint: Endpoint, socket: Socket, onClosed: (connection: Connection) => void): DialedPeer | undefined {
    const { kind, text, options } = endpoint;
    if (kind === 'snoop') {
      this.#snoop(socket);
      return undefined;
    }
    const { versions, enableAsyncMessages } = options;
    const connection = this.accept(
      socket,
      endpoint instanceof ActiveEndpoint ? text : `${text}#${this.#nextPeer++}`,
      {
        ...settingsOf(endpoint),
        kind,
        ...(versions === undefined ? {} : { versions }),
        ...(enableAsyncMessages === undefined ? {} : { enableAsyncMessages }),
      },
      { onReady: () => endpoint.ready(), onClosed },
    );
    endpoint.connections.add(connection);
    return connection;
  }

  /** Lets somebody look on at one controller: the primary, else one that has no role, else a secondary (ovs-ofctl(8)). */
  #snoop(socket: Socket): void {
    const rank = ({ session }: Connection): number =>
      session === undefined ? 3 : ['primary', 'equal', 'secondary'].indexOf(session.role);
    const [connected] = [...this.#connections]
      .filter(({ kind }) => kind === 'controller')
      .sort((a, b) => rank(a) - rank(b));
    const configured = [...this.#endpoints.values()].find(
      (endpoint) => endpoint instanceof ActiveEndpoint && endpoint.kind === 'controller',
    );
    const versions = this.#versions;
    const snooper = new Snooper(socket, versions, connected?.name ?? configured?.text, (closed) =>
      this.#snoopers.delete(closed),
    );
    this.#snoopers.add(snooper);
  }

  #addEndpoint(endpoint: Endpoint): void {
    const hadControllers = this.#hasControllers;
    this.#endpoints.set(endpoint.text, endpoint);
    if (this.#hasControllers !== hadControllers) this.#failOpen.configured(this.#hasControllers);
  }

  #forget(endpoint: Endpoint): void {
    const hadControllers = this.#hasControllers;
    this.#endpoints.delete(endpoint.text);
    if (this.#hasControllers !== hadControllers) this.#failOpen.configured(this.#hasControllers);
  }

  get #hasControllers(): boolean {
    for (const { kind } of this.#endpoints.values()) if (kind === 'controller') return true;
    return false;
  }

  // ---- Time

  #nowMs(): number {
    return clockMs(this.clock);
  }

  /**
   * Does what is due by the clock: timeouts of flows, probes, attempts to connect, the fail mode. It is done without
   * asking as the machine's time goes by; whoever sets the clock forward calls it.
   */
  run(): void {
    if (this.#isClosed) return;
    const isAllDone = !this.bridge.run();
    const nowMs = this.#nowMs();
    for (const connection of [...this.#connections]) connection.run(nowMs);
    for (const endpoint of [...this.#endpoints.values()]) endpoint.run(nowMs);
    if (this.#hasControllers) {
      const isConnected = [...this.#connections].some(({ kind, isReady }) => kind === 'controller' && isReady);
      this.#failOpen.check(isConnected, nowMs, this.#longestProbeIntervalMs());
    }
    this.#updateMisses();
    if (isAllDone) this.#wake();
    else this.#wakeAt(nowMs);
  }

  #longestProbeIntervalMs(): number {
    let longest = 0;
    for (const { kind, options } of this.#endpoints.values())
      if (kind === 'controller') longest = Math.max(longest, options.probeIntervalMs ?? defaultProbeIntervalMs(kind));
    return longest;
  }

  /** Makes sure that `run` is called when the next thing is due. */
  #wake(): void {
    let deadlineMs = this.#nowMs() + CHECK_INTERVAL_MS;
    for (const connection of this.#connections) deadlineMs = Math.min(deadlineMs, connection.deadlineMs);
    for (const endpoint of this.#endpoints.values()) deadlineMs = Math.min(deadlineMs, endpoint.deadlineMs);
    this.#wakeAt(deadlineMs);
  }

  #wakeAt(deadlineMs: number): void {
    if (this.#isClosed || deadlineMs >= this.#wakeMs) return;
    clearTimeout(this.#timer);
    this.#wakeMs = deadlineMs;
    this.#timer = setTimeout(
      () => {
        this.#wakeMs = Number.POSITIVE_INFINITY;
        this.run();
      },
      Math.max(MIN_PAUSE_MS, deadlineMs - this.#nowMs()),
    );
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

  roleTaken(holder: RoleHolder): void {
    for (const connection of this.#connections)
      if (connection.session === holder) connection.roleTaken(this.election.generation);
  }

  *roleHolders(): Iterable<RoleHolder> {
    for (const { session } of this.#connections) if (session !== undefined) yield session;
  }

  #each(tell: (connection: Connection) => void): void {
    for (const connection of [...this.#connections]) tell(connection);
  }

  /** Ends everything; the bridge is left as it is. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#stopListening();
    for (const connection of [...this.#connections]) connection.close('the switch stops');
    for (const snooper of [...this.#snoopers]) snooper.close();
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
  }
}

function isSame(some: readonly OpenflowVersion[], others: readonly OpenflowVersion[]): boolean {
  return some.length === others.length && some.every((version) => others.includes(version));
}
