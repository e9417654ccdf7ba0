import { type Clock, type Datapath, PlainDatapath, type Port, type Upcall, type Verdict } from '../datapath/index.ts';
import { ALL_TABLES, type FlowMod } from '../openflow/index.ts';
import { KEY, KEY_BYTES } from '../packet/index.ts';
import { addReads } from './action-reads.ts';
import { OfprotoError } from './errors.ts';
import { FilterPrograms } from './filter-programs.ts';
import { FlowTable } from './flow-table.ts';
import { MacTable } from './mac-table.ts';
import { type Lesson, OutcomeTable } from './outcome.ts';
import { PacketPrograms } from './packet-programs.ts';
import { Rule } from './rule.ts';
import { isTranslated, translate } from './translate.ts';

export interface BridgeOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly programs?: FilterPrograms;
  /** The most flows of one table. */
  readonly maxFlows?: number;
}

/** How often timeouts and ages are looked at. */
const TICK_NS = 1_000_000_000n;
const DEFAULT_MAX_FLOWS = 1_000_000;

/** A switch: ports, flow tables, filter programs, learnt addresses, and the datapath that they steer. */
export class Bridge {
  readonly name: string;
  readonly datapath: Datapath;
  readonly programs: FilterPrograms;
  readonly macs = new MacTable();
  readonly #clock: Clock;
  readonly #maxFlows: number;
  readonly #table = new FlowTable(0);
  readonly #outcomes = new OutcomeTable();
  #nextSequence = 0;
  #nextTickNs: bigint;
  /** The bits of the key that decide, as the datapath knows them. */
  #union = new Uint8Array(KEY_BYTES);
  /** Rules have changed since. */
  #isUnionStale = true;

  constructor(options: BridgeOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#maxFlows = options.maxFlows ?? DEFAULT_MAX_FLOWS;
    this.programs = options.programs ?? new FilterPrograms();
    this.#nextTickNs = options.clock.nowNs() + TICK_NS;
    this.datapath = new PlainDatapath({
      keyBytes: KEY_BYTES,
      programs: this.programs,
      upcall: (upcall) => this.#answer(upcall),
    });
  }

  addPort(number: number, port: Port): void {
    this.datapath.addPort(number, port);
    this.#startGeneration();
  }

  removePort(number: number): void {
    this.datapath.removePort(number);
    this.macs.forgetPort(number);
    this.#startGeneration();
  }

  /** A packet comes in by a port, now. */
  receive(inPort: number, packet: Uint8Array): void {
    const nowNs = this.#clock.nowNs();
    if (nowNs >= this.#nextTickNs) this.#tick(nowNs);
    if (this.#isUnionStale) this.#renewUnion();
    this.datapath.receive(inPort, packet, nowNs);
  }

  /** Adds a flow, or puts it in place of the one with the same match and priority, with counters from zero. */
  addFlow(flow: FlowMod): Rule {
    if (flow.table !== ALL_TABLES && flow.table !== this.#table.number) {
      throw new OfprotoError('OFPROTO_BAD_TABLE', `there is no table ${flow.table}, only table ${this.#table.number}`);
    }
    for (const action of flow.actions) {
      if (!isTranslated(action)) {
        throw new OfprotoError('OFPROTO_ACTION_NOT_SUPPORTED', `action ${action.type} is not supported`);
      }
    }
    if (this.#table.size >= this.#maxFlows && !this.#table.find(flow.match, flow.priority)) {
      throw new OfprotoError(
        'OFPROTO_TABLE_FULL',
        `table ${this.#table.number} of ${this.name} is full with ${this.#table.size} flows`,
      );
    }
    this.#creditAll();
    const rule = new Rule(this.#table.number, flow, this.#nextSequence++, this.#clock.nowNs());
    this.#table.add(rule);
    this.#rulesChanged();
    return rule;
  }

  removeFlow(rule: Rule): void {
    this.#creditAll();
    this.#table.remove(rule);
    this.#rulesChanged();
  }

  /** Every flow, counters up to date. */
  flows(): readonly Rule[] {
    this.#creditAll();
    return [...this.#table.rules()];
  }

  #answer(upcall: Upcall): Verdict {
    const programs = new PacketPrograms(this.programs, upcall);
    let hasMoved = false;
    const learn = ({ vlan, mac, port }: Lesson): void => {
      if (this.macs.learn(vlan, mac, port, upcall.timeNs)) hasMoved = true;
    };
    const { macs } = this;
    const translation = translate(upcall, { table: this.#table, programs, ports: this.datapath.ports(), macs, learn });
    if (hasMoved) this.#startGeneration();
    return { results: programs.results, outcome: this.#outcomes.intern(translation) };
  }

  #rulesChanged(): void {
    this.#isUnionStale = true;
    this.#startGeneration();
  }

  /** All verdicts so far are void. */
  #startGeneration(): void {
    this.#creditAll();
    this.#outcomes.clear();
    this.datapath.invalidate();
  }

  #creditAll(): void {
    for (const outcome of this.#outcomes) {
      if (!outcome.credit()) continue;
      for (const { vlan, mac, port } of outcome.lessons) this.macs.refresh(vlan, mac, port, outcome.lastUsedNs);
    }
  }

  #tick(nowNs: bigint): void {
    this.#nextTickNs = nowNs + TICK_NS;
    this.#creditAll();
    const expired = [...this.#table.rules()].filter((rule) => rule.isExpired(nowNs));
    for (const rule of expired) this.#table.remove(rule);
    if (expired.length > 0) this.#rulesChanged();
    if (this.macs.expire(nowNs)) this.#startGeneration();
  }

  /** Tells the datapath which bits decide, when rules look at others than before. */
  #renewUnion(): void {
    this.#isUnionStale = false;
    const union = new Uint8Array(KEY_BYTES);
    union.fill(0xff, KEY.inPort, KEY.inPort + 4);
    for (const mask of this.#table.masks()) mask.addTo(union);
    for (const rule of this.#table.rules()) addReads(rule.actions, union);
    if (this.#union.every((byte, i) => byte === union[i])) return;
    this.#union = union;
    this.datapath.setUnion(union);
  }
}
