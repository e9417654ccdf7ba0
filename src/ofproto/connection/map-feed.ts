import type { BpfMap, MapEntry } from '../../bpf/index.ts';
import {
  ExtensionError,
  encodeOko,
  extensionErrorMessage,
  type MapContents,
  type MapSubscribe,
  type Message,
} from '../../openflow/index.ts';
import type { Bridge } from '../bridge.ts';
import { ContentsWriter } from '../programs/contents.ts';
import { mapContents } from '../programs/map-access.ts';
import type { MapsNote } from '../translate/controller.ts';
import type { Timed } from './link.ts';

const MAX_SUBSCRIPTIONS = 16;
const MIN_PERIOD_MS = 10;
/** Of a map whose changes are told, what each key was is kept. */
const MAX_WATCHED_ENTRIES = 65_536;

export interface MapFeedOptions {
  readonly bridge: Bridge;
  send(message: Message): void;
  /** Resolves when the peer has read enough for more; undefined: it has. */
  drained(): Promise<void> | undefined;
  /** `deadlineMs` has come nearer. */
  waiting(): void;
  nowMs(): number;
}

interface Subscription {
  readonly request: MapSubscribe;
  readonly xid: number;
  dueMs: number;
  /** By key: a hash of the value that the peer knows, and the round that saw it last. */
  known: Map<string, { hash: number; round: number }> | undefined;
  round: number;
}

/** Sends one peer the contents of maps: of those it has subscribed to, and of those that an action sends. */
export class MapFeed implements Timed {
  readonly #options: MapFeedOptions;
  readonly #subscriptions = new Map<number, Subscription>();
  /** What is being sent now; one thing after the other. */
  #isSending = false;
  #isClosed = false;
  /** Times that maps were to be sent by an action while others still were. */
  suppressed = 0;

  constructor(options: MapFeedOptions) {
    this.#options = options;
  }

  /**
   * Begins, changes or ends a subscription.
   *
   * @throws ExtensionError
   */
  subscribe(request: MapSubscribe, xid: number): void {
    const { subscription, periodMs, onlyChanges, program, map } = request;
    if (periodMs === 0) {
      if (!this.#subscriptions.delete(subscription))
        throw new ExtensionError('OKO_BAD_REQUEST', `there is no subscription ${subscription} to end`);
      return;
    }
    if (periodMs < MIN_PERIOD_MS)
      throw new ExtensionError('OKO_BAD_REQUEST', `a period of ${periodMs} ms; the shortest is ${MIN_PERIOD_MS} ms`);
    const { definition } = this.#options.bridge.programs.map(program, map);
    const entries = definition.maxEntries * Math.max(1, definition.hashCount);
    if (onlyChanges && entries > MAX_WATCHED_ENTRIES)
      throw new ExtensionError(
        'OKO_TOO_LARGE',
        `map ${definition.name} can have ${entries} entries; changes are told of maps of up to ${MAX_WATCHED_ENTRIES}`,
      );
    if (!this.#subscriptions.has(subscription) && this.#subscriptions.size >= MAX_SUBSCRIPTIONS)
      throw new ExtensionError('OKO_TOO_MANY', `${MAX_SUBSCRIPTIONS} maps are subscribed to on this connection`);
    const known = onlyChanges ? new Map() : undefined;
    this.#subscriptions.set(subscription, { request, xid, dueMs: this.#options.nowMs(), known, round: 0 });
    this.#options.waiting();
  }

  /** Sends maps once, unless others are still being sent. */
  send({ program, maps }: MapsNote): void {
    if (this.#isSending || this.#isClosed) {
      this.suppressed++;
      return;
    }
    void this.#sendAll(async () => {
      const { programs } = this.#options.bridge;
      if (!programs.has(program)) return;
      const numbers = maps.length === 0 ? programs.get(program).maps.map((_, i) => i) : maps;
      for (const number of numbers)
        await this.#sendMap(programs.map(program, number), { program, reason: 'action', subscription: 0 }, 0);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#subscriptions.clear();
  }

  get deadlineMs(): number {
    if (this.#isSending) return Number.POSITIVE_INFINITY;
    let deadline = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#subscriptions.values()) deadline = Math.min(deadline, dueMs);
    return deadline;
  }

  run(nowMs: number): void {
    if (this.#isSending || this.#isClosed) return;
    const due = [...this.#subscriptions.values()].filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    void this.#sendAll(async () => {
      for (const subscription of due) await this.#serve(subscription);
    });
  }

  async #sendAll(send: () => Promise<void>): Promise<void> {
    this.#isSending = true;
    try {
      await send();
    } catch (error) {
      // The program has gone away meanwhile: there is nothing to send.
      if (!(error instanceof ExtensionError)) throw error;
    } finally {
      this.#isSending = false;
      if (!this.#isClosed) this.#options.waiting();
    }
  }

  /** A subscription whose map is gone ends with an error. */
  async #serve(subscription: Subscription): Promise<void> {
    const { request, xid } = subscription;
    const { subscription: id, program, map, periodMs } = request;
    if (this.#subscriptions.get(id) !== subscription) return;
    subscription.dueMs = this.#options.nowMs() + periodMs;
    try {
      const found = this.#options.bridge.programs.map(program, map);
      await this.#sendMap(found, { program, reason: 'subscription', subscription: id }, xid, subscription);
    } catch (error) {
      if (!(error instanceof ExtensionError)) throw error;
      this.#subscriptions.delete(id);
      this.#options.send({ ...extensionErrorMessage(error), xid });
    }
  }

  async #sendMap(
    map: BpfMap,
    about: Pick<MapContents, 'program' | 'reason' | 'subscription'>,
    xid: number,
    watched?: Subscription,
  ): Promise<void> {
    const { programs } = this.#options.bridge;
    const head = { ...about, map: programs.get(about.program).maps.indexOf(map) };
    const writer = new ContentsWriter(map, head);
    const known = watched?.known;
    if (watched !== undefined) watched.round++;
    const round = watched?.round ?? 0;
    for (const entries of mapContents(programs, map)) {
      for (const entry of entries) {
        if (known !== undefined && !isNews(known, entry, round)) continue;
        const full = writer.add(entry);
        if (full !== undefined) this.#message(full, xid);
      }
      await this.#pause();
      if (this.#isClosed) return;
    }
    if (known === undefined || round === 1 || !writer.isEmpty) this.#message(writer.finish(), xid);
    if (known !== undefined) this.#sendDeleted(map, head, xid, known, round);
  }

  #sendDeleted(
    map: BpfMap,
    head: Pick<MapContents, 'program' | 'map' | 'reason' | 'subscription'>,
    xid: number,
    known: Map<string, { hash: number; round: number }>,
    round: number,
  ): void {
    const writer = new ContentsWriter(map, { ...head, deleted: true });
    for (const [text, seen] of known) {
      if (seen.round === round) continue;
      known.delete(text);
      const key = Uint8Array.from(text, (char) => char.charCodeAt(0));
      const full = writer.add({ key, value: new Uint8Array(0) });
      if (full !== undefined) this.#message(full, xid);
    }
    if (!writer.isEmpty) this.#message(writer.finish(), xid);
  }

  #message(contents: MapContents, xid: number): void {
    this.#options.send({ ...encodeOko(contents), xid });
  }

  /** Others have their turn, and the peer its time to read. */
  async #pause(): Promise<void> {
    await this.#options.drained();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Is the entry another one than the peer knows? Takes note of it. */
function isNews(known: Map<string, { hash: number; round: number }>, { key, value }: MapEntry, round: number): boolean {
  const text = String.fromCharCode(...key);
  const hash = hashOf(value);
  const before = known.get(text);
  known.set(text, { hash, round });
  return before?.hash !== hash;
}

/** Of 53 bits: two values that have the same are told as unchanged, which is not going to happen by chance. */
function hashOf(bytes: Uint8Array): number {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ (byte + 0x55), 0x85ebca6b);
  }
  return (a >>> 0) * 2 ** 21 + ((b ^ (b >>> 13)) >>> 11);
}
