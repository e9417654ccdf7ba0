import {
  type Clock,
  type Datapath,
  type DatapathOptions,
  PlainDatapath,
  type Port,
  type Upcall,
  type Verdict,
} from '../datapath/index.ts';
import { type Action, ALL_TABLES, type FlowMod, type FlowStats, OFPP } from '../openflow/index.ts';
import { extractKey, type Field, KEY, KEY_BYTES, Mask, Match, newKey } from '../packet/index.ts';
import { OfprotoError } from './errors.ts';
import { ExpiryQueue } from './expiry.ts';
import { FieldReads } from './field-reads.ts';
import { FilterPrograms } from './filter-programs.ts';
import { type FlowChange, FlowChanges, type FlowModOptions, type RuleAccount } from './flow-changes.ts';
import { checkPacketOut } from './flow-check.ts';
import { allFlows, type FlowQuery, select, walk } from './flow-query.ts';
import { type AggregateStats, flowStats, type TableStats } from './flow-stats.ts';
import type { TableMiss } from './flow-table.ts';
import { FlowTables, TABLE_COUNT } from './flow-tables.ts';
import { type BridgeListener, type PacketIn, PORT_REASON } from './listeners.ts';
import { type MacEntry, MacTable } from './mac-table.ts';
import { type Mirror, type MirrorSettings, MirrorTable } from './mirror.ts';
import { BridgeOutcome, type Lesson, OutcomeTable } from './outcome.ts';
import { type PacketAnswers, PacketPrograms } from './packet-programs.ts';
import {
  type BridgePort,
  isPortNumber,
  PORT_CONFIG,
  type PortMod,
  type PortSettings,
  PortTable,
} from './port-table.ts';
import { MapSending } from './programs/map-sending.ts';
import { ProgramUse } from './programs/program-use.ts';
import { REMOVED_REASON, type RemovedReason, type Rule } from './rule.ts';
import { nextTurn, runToEnd } from './slice.ts';
import { FlowTransaction } from './transaction.ts';
import { ControllerNotes } from './translate/controller.ts';
import { addFragmentBits, type FragmentHandling } from './translate/fragments.ts';
import { FrozenPasses } from './translate/frozen.ts';
import { NORMAL_READS } from './translate/normal.ts';
import { resume, type TranslationResult, translate, translateActions } from './translate/translate.ts';
import type { Pipeline, Tracer, TranslationError } from './translate/walk.ts';

export interface BridgeOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly programs?: FilterPrograms;
  /** An exact match on this field means filter_prog to peers that do not know that (`filterProgFieldNamed`). */
  readonly filterProgField?: Field;
  /** Peers speak the original Oko's layouts instead of the standard ones. */
  readonly okoLegacy?: boolean;
  /** Makes the datapath; by default the plain one. */
  readonly datapath?: (options: DatapathOptions) => Datapath;
  /** The most flows of one table. */
  readonly maxFlows?: number;
}

export interface TableSettings {
  readonly name?: string;
  readonly maxFlows?: number;
  readonly miss?: TableMiss;
}

export interface TraceOptions {
  /** What the pipeline knows beside the packet. */
  readonly metadata?: Match;
  /** What is carried out instead of the tables, as for a packet from a controller. */
  readonly actions?: readonly Action[];
  /** The flow key, where there is one and no packet: nothing is read from the packet then. */
  readonly key?: Uint8Array;
  /** The answers of filter programs, which do not run; those of others are taken to be no. */
  readonly programs?: ReadonlyMap<number, boolean>;
  /** As for a packet that really comes: filter programs run, and addresses are learnt. */
  readonly isReal?: boolean;
}

export interface TraceResult extends TranslationResult {
  /** The bits of the key that decide for cached flows, in the key's layout. */
  readonly union: Uint8Array;
}

/** How often timeouts and ages are looked at. */
const TICK_NS = 1_000_000_000n;
const POSTPONED_TICK_NS = 50_000_000n;
/** Rules with timeouts looked at in one go; the others wait for the next packet, or call of `run`. */
const EXPIRED_AT_ONCE = 256;
/** Changes of flows that listeners are told of in one go. */
const CHANGES_AT_ONCE = 16;

/** A switch: ports, flow tables, filter programs, learnt addresses, and the datapath that they steer. */
export class Bridge {
  readonly name: string;
  readonly datapath: Datapath;
  readonly programs: FilterPrograms;
  readonly programUse = new ProgramUse();
  readonly mapSending = new MapSending();
  /** See `BridgeOptions`. Flows stay what they are when it becomes another. */
  filterProgField: Field | undefined;
  okoLegacy: boolean;
  readonly macs = new MacTable();
  readonly ports = new PortTable();
  readonly #mirrors = new MirrorTable();
  /** Packets dropped because their translation was given up, by reason. */
  readonly translationErrors: Record<TranslationError | 'unknown_pass', number> = {
    too_deep: 0,
    too_many_resubmits: 0,
    stack_too_large: 0,
    too_many_labels: 0,
    unknown_pass: 0,
  };
  readonly #clock: Clock;
  readonly #tables: FlowTables;
  readonly #reads = new FieldReads();
  readonly #expiry = new ExpiryQueue();
  readonly #outcomes = new OutcomeTable();
  readonly #notes = new ControllerNotes();
  readonly #frozen = new FrozenPasses();
  readonly #listeners = new Set<BridgeListener>();
  #nextSequence = 0;
  #nextTickNs: bigint;
  #sendsMisses = false;
  /** The bits of the key that decide, as the datapath knows them, and what they were computed from. */
  #union = new Uint8Array(KEY_BYTES);
  #unionStamp = '';
  #fragments: FragmentHandling = 'normal';
  /** The verdicts so far are void, which the datapath is told before the next packet. */
  #isVoid = false;
  /** `takeEffect` is about to be called. */
  #isDue = false;
  /** Packets that the datapath had handled when the rules were last credited. */
  #creditedPasses = 0;
  /** A transaction that is being committed in slices. */
  #changing: { completeNow(): void; readonly promise: Promise<void>; resolve(): void } | undefined;
  /** What listeners are still to be told, in order. */
  readonly #announcements: Iterator<unknown>[] = [];

  constructor(options: BridgeOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.filterProgField = options.filterProgField;
    this.okoLegacy = options.okoLegacy ?? false;
    this.#tables = new FlowTables(options.maxFlows);
    this.programs = options.programs ?? new FilterPrograms();
    this.#nextTickNs = options.clock.nowNs() + TICK_NS;
    const createDatapath = options.datapath ?? ((given) => new PlainDatapath(given));
    this.datapath = createDatapath({
      keyBytes: KEY_BYTES,
      programs: this.programs,
      upcall: (upcall) => this.#answer(upcall),
      toMain: (note, packet) => this.#packetIn(note, packet),
    });
  }

  /** From now on until the function returned is called. */
  listen(listener: BridgeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- Ports

  /** @throws DatapathError for a number that cannot be or is taken */
  addPort(number: number, port: Port, settings: PortSettings = {}): BridgePort {
    this.datapath.addPort(number, port);
    const added = this.ports.add(number, port.name, settings, this.#clock.nowNs());
    this.#makeVoid();
    this.#emitPort(PORT_REASON.add, added);
    return added;
  }

  removePort(number: number): void {
    this.datapath.removePort(number);
    this.macs.forgetPort(number);
    this.#makeVoid();
    const port = this.ports.remove(number);
    if (port !== undefined) this.#emitPort(PORT_REASON.delete, port);
  }

  /** A port's link has changed, or its part in VLANs. @throws OfprotoError OFPROTO_NO_SUCH_PORT */
  setPort(number: number, settings: PortSettings): void {
    const port = this.ports.set(number, settings);
    this.#makeVoid();
    this.#emitPort(PORT_REASON.modify, port);
  }

  /** @throws OfprotoError OFPROTO_NO_SUCH_PORT, OFPROTO_BAD_HARDWARE_ADDRESS */
  portMod(mod: PortMod): void {
    const port = this.ports.modify(mod);
    this.#makeVoid();
    this.#emitPort(PORT_REASON.modify, port);
  }

  /** These mirrors and no others; their names tell them apart. */
  setMirrors(settings: readonly MirrorSettings[]): void {
    this.#credit();
    this.#mirrors.set(settings);
    this.#makeVoid();
  }

  /** Counters up to date. */
  mirrors(): readonly Mirror[] {
    this.#credit();
    return this.#mirrors.list();
  }

  // ---- Packets

  /** A packet comes in by a port, now. */
  receive(inPort: number, packet: Uint8Array): void {
    const nowNs = this.#prepare();
    this.datapath.receive(inPort, packet, nowNs);
  }

  /**
   * Carries out actions on a packet that a controller sends; `metadata` is what the pipeline shall know beside it.
   *
   * @throws OfprotoError for an input port or actions that cannot be
   */
  packetOut(inPort: number, packet: Uint8Array, actions: readonly Action[], metadata: Match = Match.ALL): void {
    const timeNs = this.#prepare();
    const upcall = packetOutUpcall(inPort, packet, actions, metadata, timeNs);
    const answers = new PacketPrograms(this.programs, upcall);
    const outcome = new BridgeOutcome(
      this.#translated(translateActions(upcall, actions, this.#pipeline(answers, timeNs))),
    );
    outcome.packets = 1;
    outcome.bytes = packet.length;
    outcome.lastUsedNs = timeNs;
    outcome.credit();
    this.datapath.execute(outcome.actions, packet, timeNs, inPort);
  }

  /** Refuses what `packetOut` would refuse; nothing happens. @throws OfprotoError */
  checkPacketOut(inPort: number, packet: Uint8Array, actions: readonly Action[], metadata: Match = Match.ALL): void {
    packetOutUpcall(inPort, packet, actions, metadata, this.#clock.nowNs());
  }

  /**
   * Says what would happen to a packet. Nothing is counted or sent; see `TraceOptions` for what else may happen.
   *
   * @throws OfprotoError for actions that cannot be
   */
  trace(inPort: number, packet: Uint8Array, tracer?: Tracer, options: TraceOptions = {}): TraceResult {
    const timeNs = this.#prepare();
    const upcall = upcallFor(inPort, packet, timeNs, options.metadata ?? Match.ALL, options.key);
    if (options.actions !== undefined) checkPacketOut(options.actions, packetMatch(upcall.key));
    const assumed = { matches: (program: number) => options.programs?.get(program) ?? false };
    const answers = new PacketPrograms(options.isReal ? this.programs : assumed, upcall);
    const real = this.#pipeline(answers, timeNs);
    const pipeline: Pipeline = {
      ...real,
      learn: (lesson) => options.isReal === true && real.learn(lesson),
      ...(tracer ? { tracer } : {}),
    };
    const result =
      options.actions === undefined ? translate(upcall, pipeline) : translateActions(upcall, options.actions, pipeline);
    return { ...result, union: this.union };
  }

  // ---- Addresses

  /** The addresses that are known, when they were seen up to date. */
  currentMacs(): Iterable<Readonly<MacEntry>> {
    this.#credit();
    return this.macs.entries();
  }

  /** Forgets the addresses that were learnt. */
  flushMacs(): void {
    if (this.macs.flush()) this.#makeVoid();
  }

  /** Gives an address a port by hand; what was known of it before, if anything was. */
  setStaticMac(vlan: number, mac: string, port: number): Readonly<MacEntry> | undefined {
    this.#makeVoid();
    return this.macs.setStatic(vlan, mac, port, this.#clock.nowNs());
  }

  /** False when no such address was given by hand. */
  removeStaticMac(vlan: number, mac: string): boolean {
    const isRemoved = this.macs.removeStatic(vlan, mac);
    if (isRemoved) this.#makeVoid();
    return isRemoved;
  }

  // ---- Flows

  /** @throws OfprotoError; nothing has changed then */
  flowMod(mod: FlowMod, options: FlowModOptions = {}): void {
    const transaction = this.transaction();
    transaction.flowMod(mod, options);
    transaction.commit();
  }

  /** The same without holding the main thread for long, however many flows it is about. */
  flowModInSlices(mod: FlowMod, options: FlowModOptions = {}): Promise<void> {
    const transaction = this.transaction();
    transaction.flowMod(mod, options);
    return transaction.commitInSlices();
  }

  /**
   * While a transaction is committed in slices, or listeners are being told of it: resolves when it is worth asking again.
   * Who waits for it does not have to hurry the transaction.
   */
  get changing(): Promise<void> | undefined {
    return this.#changing?.promise ?? (this.#announcements.length > 0 ? nextTurn() : undefined);
  }

  /** Several flow_mods at once, or none. */
  transaction(): FlowTransaction {
    return new FlowTransaction({
      begin: () => this.#begin(),
      complete: (changes) => this.#complete(changes),
      end: () => {
        this.#changing?.resolve();
        this.#changing = undefined;
      },
      underWay: (completeNow) => {
        let resolve = (): void => {};
        const promise = new Promise<void>((done) => {
          resolve = done;
        });
        this.#changing = { completeNow, promise, resolve };
      },
    });
  }

  /** Adds a flow, or puts it in place of the one with the same match and priority, with counters from zero. */
  addFlow(flow: FlowMod): Rule {
    this.flowMod({ ...flow, command: 'add' }, { hidden: true });
    const table = this.#tables.get(flow.table === ALL_TABLES ? 0 : flow.table);
    const rule = table.find(flow.match, flow.priority);
    if (rule === undefined) throw new Error('a flow just added is not there');
    return rule;
  }

  removeFlow(rule: Rule): void {
    const changes = this.#begin();
    changes.remove(rule);
    runToEnd(this.#complete(changes));
  }

  /** Takes away a flow of the switch's own, if it is there. */
  removeHiddenFlow({ table, match, priority }: FlowMod): void {
    this.#settle();
    const rule = this.#tables.get(table).find(match, priority);
    if (rule !== undefined) this.removeFlow(rule);
  }

  /** How many flows there are in all tables. */
  get flowCount(): number {
    let count = 0;
    for (const table of this.#tables.used()) count += table.size;
    return count;
  }

  /** Every flow that controllers may see, counters up to date. */
  flows(): readonly Rule[] {
    this.#settle();
    this.#credit();
    return [...select(this.#tables, allFlows(Match.ALL))];
  }

  /** The flows that a query is about, as they are now. @throws OfprotoError OFPROTO_BAD_TABLE */
  rulesOf(query: FlowQuery): readonly Rule[] {
    this.#settle();
    return [...select(this.#tables, query)];
  }

  /** Every flow, the switch's own among them, counters up to date. */
  allRules(): readonly Rule[] {
    this.#settle();
    this.#credit();
    return [...this.#tables.used()].flatMap((table) => [...table.rules()]);
  }

  /** The bits of the flow key that decide for cached flows, in the key's layout. */
  get union(): Uint8Array {
    return this.#union.slice();
  }

  /** Forgets every cached flow; what they have counted is credited. */
  purgeCache(): void {
    this.#startGeneration();
  }

  /** Statistics of the flows that a query is about. @throws OfprotoError OFPROTO_BAD_TABLE */
  *flowStats(query: FlowQuery): Iterable<FlowStats> {
    for (const stats of this.flowStatsInSteps(query)) if (stats !== undefined) yield stats;
  }

  /**
   * The same with `undefined` in between, where something else may be done. The flows are those of the moment when the
   * first is asked for; what each has counted is up to date then, or newer.
   */
  *flowStatsInSteps(query: FlowQuery): Generator<FlowStats | undefined> {
    this.#settle();
    this.#credit();
    const nowNs = this.#clock.nowNs();
    for (const rule of walk(this.#tables, query)) yield rule === undefined ? undefined : flowStats(rule, nowNs);
  }

  /** @throws OfprotoError OFPROTO_BAD_TABLE */
  aggregateStats(query: FlowQuery): AggregateStats {
    const steps = this.aggregateStatsInSteps(query);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** The same, a step at a time. */
  *aggregateStatsInSteps(query: FlowQuery): Generator<undefined, AggregateStats> {
    this.#settle();
    this.#credit();
    let packetCount = 0n;
    let byteCount = 0n;
    let flowCount = 0;
    for (const rule of walk(this.#tables, query)) {
      if (rule === undefined) {
        yield undefined;
        continue;
      }
      packetCount += BigInt(rule.packets);
      byteCount += BigInt(rule.bytes);
      flowCount++;
    }
    return { packetCount, byteCount, flowCount };
  }

  /** Of all tables, used or not. */
  tableStats(): readonly TableStats[] {
    this.#settle();
    this.#credit();
    return Array.from({ length: TABLE_COUNT }, (_, number) => {
      const table = this.#tables.peek(number);
      return {
        table: number,
        name: table?.name ?? '',
        maxEntries: table?.maxFlows ?? 1_000_000,
        activeCount: table?.size ?? 0,
        lookupCount: BigInt(table?.lookups ?? 0),
        matchedCount: BigInt(table?.matched ?? 0),
      };
    });
  }

  /** @throws OfprotoError OFPROTO_BAD_TABLE */
  configureTable(number: number, settings: TableSettings): void {
    const table = this.#tables.get(number);
    if (settings.name !== undefined) table.name = settings.name;
    if (settings.maxFlows !== undefined) table.maxFlows = settings.maxFlows;
    if (settings.miss === undefined) return;
    table.miss = settings.miss;
    this.#makeVoid();
  }

  /** How a table is configured, if anybody has used it. */
  table(number: number): Readonly<Required<Pick<TableSettings, 'maxFlows' | 'miss'>>> & { name: string | undefined } {
    return this.#tables.get(number);
  }

  /**
   * Do packets that no flow matches go to the controllers, where the table does not say otherwise? True while a controller is
   * connected that speaks a version before 1.3.
   */
  setSendsMisses(sendsMisses: boolean): void {
    if (this.#sendsMisses === sendsMisses) return;
    this.#sendsMisses = sendsMisses;
    this.#makeVoid();
  }

  /**
   * Lets timeouts and ages take effect; to be called every second or so when no packets come. True when not all that is due
   * has been done, and it is to be called again soon.
   */
  run(): boolean {
    const nowNs = this.#clock.nowNs();
    if (nowNs >= this.#nextTickNs) this.#tick(nowNs);
    return this.#nextTickNs <= nowNs;
  }

  /** How flow tables see fragments of IP packets. */
  get fragments(): FragmentHandling {
    return this.#fragments;
  }

  set fragments(handling: FragmentHandling) {
    if (this.#fragments === handling) return;
    this.#fragments = handling;
    this.#isVoid = true;
  }

  // ---- Changes

  #begin(): FlowChanges {
    this.#settle();
    return new FlowChanges(this.#tables, this.#clock.nowNs(), this.#account, () => this.#nextSequence++);
  }

  /** Completes a transaction that is being committed in slices, since something needs the tables now. */
  #settle(): void {
    this.#changing?.completeNow();
  }

  readonly #account: RuleAccount = {
    add: (rule) => {
      this.#reads.add(rule.actions);
      this.#expiry.add(rule);
    },
    remove: (rule) => this.#reads.remove(rule.actions),
  };

  /** Packets meet the changes from now on. What is left to do is returned. */
  #complete(
    changes: FlowChanges,
    reason: (rule: Rule) => RemovedReason = () => REMOVED_REASON.delete,
  ): Iterator<unknown> {
    if (changes.changes.length === 0) return [].values();
    // What the verdicts so far have counted belongs to the rules that were.
    this.#credit();
    changes.commit();
    this.#makeVoid();
    this.programUse.flowsChanged(changes.changes);
    const announcement = this.#announce(changes.changes, reason, this.#clock.nowNs());
    this.#announcements.push(announcement);
    return this.#completion(changes, announcement);
  }

  *#completion(changes: FlowChanges, announcement: Iterator<unknown>): Generator<unknown> {
    while (this.#announcements.includes(announcement)) {
      // Listeners hear of one transaction after the other, whoever sees to it.
      if (this.#announcements[0]?.next().done) this.#announcements.shift();
      yield;
    }
    yield* changes.purge();
  }

  /** Tells the listeners of changes, some at a time. */
  *#announce(
    changes: readonly FlowChange[],
    reason: (rule: Rule) => RemovedReason,
    timeNs: bigint,
  ): Generator<undefined> {
    for (let from = 0; from < changes.length && this.#listeners.size > 0; from += CHANGES_AT_ONCE) {
      const some =
        from === 0 && changes.length <= CHANGES_AT_ONCE ? changes : changes.slice(from, from + CHANGES_AT_ONCE);
      for (const listener of [...this.#listeners]) {
        listener.flowsChanged?.(some, reason);
        if (listener.flowRemoved === undefined) continue;
        for (const { kind, rule } of some)
          if (kind === 'removed' && !rule.isHidden) listener.flowRemoved({ rule, reason: reason(rule), timeNs });
      }
      yield undefined;
    }
  }

  #emitPort(reason: (typeof PORT_REASON)[keyof typeof PORT_REASON], port: BridgePort): void {
    for (const listener of [...this.#listeners]) listener.portStatus?.({ reason, port });
  }

  #tick(nowNs: bigint): void {
    this.#credit();
    if (this.macs.expire(nowNs)) this.#makeVoid();
    if (this.#changing !== undefined) {
      // Timeouts can wait for what is being changed.
      this.#nextTickNs = nowNs + POSTPONED_TICK_NS;
      return;
    }
    const isLive = (rule: Rule): boolean => this.#tables.peek(rule.table)?.find(rule.match, rule.priority) === rule;
    const { expired, isAll } = this.#expiry.takeExpired(nowNs, isLive, EXPIRED_AT_ONCE);
    this.#nextTickNs = isAll ? nowNs + TICK_NS : nowNs;
    if (expired.length === 0) return;
    const changes = this.#begin();
    for (const rule of expired) changes.remove(rule);
    runToEnd(this.#complete(changes, (rule) => rule.expiry(nowNs) ?? REMOVED_REASON.idleTimeout));
  }

  // ---- Translation

  /** Before a packet is handled: what has changed takes effect. Returns the time. */
  #prepare(): bigint {
    const nowNs = this.#clock.nowNs();
    if (nowNs >= this.#nextTickNs) this.#tick(nowNs);
    if (this.#isVoid) this.#startGeneration();
    return nowNs;
  }

  /** The verdicts so far no longer hold: from the next packet on, or, where packets do not come by here, soon. */
  #makeVoid(): void {
    this.#isVoid = true;
    if (this.datapath.isConcurrent !== true || this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.takeEffect());
  }

  /** From now on no packet is handled by tables, ports and addresses as they were before the changes so far. */
  takeEffect(): void {
    this.#isDue = false;
    if (this.#isVoid) this.#startGeneration();
  }

  /** All verdicts so far are void. */
  #startGeneration(): void {
    this.#isVoid = false;
    // First this: until it returns, outcomes may go on counting.
    this.datapath.invalidate();
    this.#credit();
    this.#outcomes.clear();
    this.#notes.startGeneration();
    this.#frozen.startGeneration();
    this.#renewUnion();
  }

  #answer(upcall: Upcall): Verdict {
    const answers = new PacketPrograms(this.programs, upcall);
    const pipeline = this.#pipeline(answers, upcall.timeNs);
    const translation = this.#translated(this.#translate(upcall, pipeline));
    if (this.#isVoid) this.#startGeneration();
    this.#isVoid = translation.isFleeting;
    return { results: answers.results, outcome: this.#outcomes.intern(translation) };
  }

  #translate(upcall: Upcall, pipeline: Pipeline): TranslationResult {
    if (upcall.recircId === 0) return translate(upcall, pipeline);
    const pass = this.#frozen.get(upcall.recircId);
    if (pass !== undefined) return resume(upcall, pass, pipeline);
    this.translationErrors.unknown_pass++;
    return {
      actions: [],
      rules: [],
      lookups: [],
      lessons: [],
      mirrors: [],
      error: undefined,
      isFleeting: false,
      key: upcall.key,
    };
  }

  #translated(translation: TranslationResult): TranslationResult {
    if (translation.error !== undefined) this.translationErrors[translation.error]++;
    return translation;
  }

  #pipeline(answers: PacketAnswers, timeNs: bigint): Pipeline {
    return {
      tables: this.#tables,
      ports: this.ports,
      macs: this.macs,
      mirrors: this.#mirrors,
      answers,
      sendsMisses: this.#sendsMisses,
      fragments: this.#fragments,
      learn: ({ vlan, mac, port }: Lesson) => {
        const isNews = this.macs.learn(vlan, mac, port, timeNs);
        if (isNews) this.#makeVoid();
        return isNews;
      },
      note: (note) => this.#notes.add(note),
      noteMaps: (maps) => this.#notes.addMaps(maps),
      freeze: (pass) => this.#frozen.add(pass),
    };
  }

  /** What is told to controllers of packets that a datapath's action `toMain` gives away, but for the packet. */
  packetInOf(note: number): PacketIn | undefined {
    const known = this.#notes.get(note);
    return known !== undefined && 'reason' in known ? known : undefined;
  }

  #packetIn(note: number, packet: Uint8Array): void {
    const known = this.#notes.get(note);
    if (known === undefined || this.#listeners.size === 0) return;
    if ('maps' in known) {
      if (this.mapSending.isAllowed(known.program, this.#clock.nowNs()))
        for (const listener of [...this.#listeners]) listener.mapsSent?.(known);
      return;
    }
    for (const listener of [...this.#listeners]) listener.packetIn?.({ ...known, packet: packet.slice() });
  }

  /** Brings the counters of rules and tables up to date. */
  #credit(): void {
    const { hits, misses } = this.datapath.counters;
    if (hits + misses === this.#creditedPasses) return;
    this.#creditedPasses = hits + misses;
    this.datapath.readCounters();
    for (const outcome of this.#outcomes) {
      if (!outcome.credit()) continue;
      for (const { vlan, mac, port } of outcome.lessons) this.macs.refresh(vlan, mac, port, outcome.lastUsedNs);
    }
  }

  /** Tells the datapath which bits decide, when they are others than before. */
  #renewUnion(): void {
    const looksAtDestination = this.ports
      .list()
      .some(({ config }) => (config & (PORT_CONFIG.noRecv | PORT_CONFIG.noRecvStp)) !== 0);
    const isMirrored = this.#mirrors.list().length > 0;
    let stamp = `${this.#fragments}/${this.#reads.changes}/${looksAtDestination}/${isMirrored}`;
    for (const table of this.#tables.used()) stamp += `/${table.maskChanges}`;
    if (stamp === this.#unionStamp) return;
    this.#unionStamp = stamp;
    const union = new Uint8Array(KEY_BYTES);
    union.fill(0xff, KEY.inPort, KEY.inPort + 4);
    if (looksAtDestination) union.fill(0xff, KEY.ethDst, KEY.ethSrc);
    if (isMirrored) for (const [offset, bytes] of NORMAL_READS) union.fill(0xff, offset, offset + bytes);
    for (const table of this.#tables.used()) for (const mask of table.masks()) mask.addTo(union);
    addFragmentBits(union, this.#fragments);
    this.#reads.addTo(union);
    if (this.#union.every((byte, i) => byte === union[i])) return;
    this.#union = union;
    this.datapath.setUnion(union);
  }
}

/** A packet that a controller sends. @throws OfprotoError for an input port or actions that cannot be */
function packetOutUpcall(
  inPort: number,
  packet: Uint8Array,
  actions: readonly Action[],
  metadata: Match,
  timeNs: bigint,
): Upcall {
  if (!isPortNumber(inPort) && inPort !== OFPP.controller && inPort !== OFPP.none)
    throw new OfprotoError('OFPROTO_BAD_IN_PORT', `a packet cannot come in by port ${inPort}`);
  const upcall = upcallFor(inPort, packet, timeNs, metadata);
  checkPacketOut(actions, packetMatch(upcall.key));
  return upcall;
}

function upcallFor(inPort: number, packet: Uint8Array, timeNs: bigint, metadata: Match, known?: Uint8Array): Upcall {
  const key = newKey();
  key.set(known ?? metadata.toKey().subarray(0, KEY_BYTES));
  new DataView(key.buffer).setUint32(KEY.inPort, inPort);
  if (known === undefined) extractKey(packet, key);
  return { packet, key, inPort, recircId: 0, timeNs, results: [] };
}

/** What is known of a packet that is there: everything that prerequisites look at. */
function packetMatch(key: Uint8Array): Match {
  const dense = new Uint8Array(KEY_BYTES);
  dense.fill(0xff, KEY.ethType, KEY.ethType + 2);
  for (const offset of [KEY.vlanTci, KEY.vlanTci + 1, KEY.ipProto, KEY.ipFrag, KEY.l4Src + 1, KEY.l4Dst + 1])
    dense[offset] = 0xff;
  const mask = Mask.ofDense(dense);
  return new Match(mask, mask.pack(key));
}
