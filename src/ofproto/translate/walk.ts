import { type Action, OFPP } from '../../openflow/index.ts';
import { KEY } from '../../packet/index.ts';
import type { AskedRule } from '../flow-table.ts';
import type { FlowTables } from '../flow-tables.ts';
import { TABLE_COUNT } from '../flow-tables.ts';
import type { MacTable } from '../mac-table.ts';
import type { Mirror, MirrorTable } from '../mirror.ts';
import type { Lesson, TableLookup } from '../outcome.ts';
import type { PacketAnswers } from '../packet-programs.ts';
import type { PortTable } from '../port-table.ts';
import type { Rule } from '../rule.ts';
import { carryOut } from './actions.ts';
import type { ControllerNote, MapsNote } from './controller.ts';
import { DROPPED_FRAGMENT, type FragmentHandling, isFragment, withoutPorts } from './fragments.ts';
import type { FrozenPass } from './frozen.ts';
import { keyNumber, putKeyNumber } from './key-fields.ts';
import { PacketRewrites, type SavedRewrites } from './rewrites.ts';

/** What translation looks at and calls on beside the packet. */
export interface Pipeline {
  readonly tables: FlowTables;
  readonly ports: PortTable;
  readonly macs: MacTable;
  readonly mirrors: MirrorTable;
  readonly answers: PacketAnswers;
  /** Do packets that match no flow go to the controllers, where the table does not say otherwise? */
  readonly sendsMisses: boolean;
  readonly fragments: FragmentHandling;
  /** Learns an address; true when that is news. A dry run does nothing here. */
  learn(lesson: Lesson): boolean;
  /** A number for a packet that a controller is to have. */
  note(note: ControllerNote): number;
  /** The number of a note about maps that go to controllers. */
  noteMaps(note: MapsNote): number;
  /** A number for the rest of the pipeline, to be taken up in another pass. */
  freeze(pass: FrozenPass): number;
  readonly tracer?: Tracer;
}

/**
 * Hears what translation does. What comes between `table` or `actionSet` and its `leave` happens there; the table that a
 * packet enters first is never left, since the action set is carried out for it.
 */
export interface Tracer {
  /** A table was looked into, and which flow was found, if any; `asked` are the flows whose programs were asked for that. */
  table(number: number, rule: Rule | undefined, asked: readonly AskedRule[]): void;
  /** The action set begins to be carried out. */
  actionSet(): void;
  leave(): void;
  action(action: Action): void;
  /** The packet goes out by a port, its key being what it is now. The bytes are only lent. */
  output(port: number, key: Uint8Array): void;
  /** What came of an action. */
  detail(text: string): void;
  /** Why an action was not carried out. */
  warning(text: string): void;
  /** Why the packet is given up. */
  error(text: string): void;
}

/** Why a packet's translation was given up; it is then dropped. */
export type TranslationError = 'too_deep' | 'too_many_resubmits' | 'stack_too_large' | 'too_many_labels';

/** Part of a list of actions that is still to be done, and where it stands. */
export interface Rest {
  readonly actions: readonly Action[];
  readonly table: number;
  readonly rule: Rule | undefined;
}

/** As Open vSwitch: levels of going back in the tables, all rules entered, bytes on the stack. */
const MAX_DEPTH = 64;
const MAX_RESUBMITS = 4096;
const MAX_STACK_BYTES = 65_536;

interface Saved {
  readonly key: Uint8Array;
  readonly rewrites: SavedRewrites;
  readonly stack: readonly Uint8Array[];
  readonly actionSet: readonly Action[];
  readonly queue: number | undefined;
  readonly wasMpls: boolean;
}

/** One pass of one packet through the tables. */
export class PacketWalk {
  readonly pipeline: Pipeline;
  /** The packet's key as the actions so far have made it. */
  readonly key: Uint8Array;
  readonly rewrites = new PacketRewrites();
  readonly rules: Rule[] = [];
  readonly lookups: TableLookup[] = [];
  readonly lessons: Lesson[] = [];
  /** Those that have had their copy of the packet. */
  readonly mirrored = new Set<Mirror>();
  stack: Uint8Array[] = [];
  actionSet: Action[] = [];
  /** The queue that outputs go to. */
  queue: number | undefined;
  /** Labels were popped, and what is below them is not known. */
  wasMpls = false;
  isInActionSet = false;
  isPacketOut = false;
  /** An address that the packet has taught was looked for before: the next such packet may go elsewhere. */
  isFleeting = false;
  readonly #sought: string[] = [];
  error: TranslationError | undefined;
  table = 0;
  rule: Rule | undefined;
  #hasExited = false;
  #depth = 0;
  #resubmits = 0;
  #stackBytes = 0;
  /** What is to be done in the next pass, the innermost first; undefined while this one goes on. */
  #frozen: Rest[] | undefined;

  constructor(pipeline: Pipeline, key: Uint8Array) {
    this.pipeline = pipeline;
    this.key = key.slice();
    putKeyNumber(this.key, KEY.actsetOutput, 4, OFPP.unset);
  }

  /** The port that the packet came in by, or what an action has put in its place. */
  get inPort(): number {
    return keyNumber(this.key, KEY.inPort, 4);
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Tells those who trace what came of an action. */
  say(text: string): void {
    this.pipeline.tracer?.detail(text);
  }

  /** Tells those who trace why an action is not carried out. */
  warn(text: string): void {
    this.pipeline.tracer?.warning(text);
  }

  fail(error: TranslationError, text: string): void {
    this.error ??= error;
    this.pipeline.tracer?.error(text);
  }

  /** An address was looked for. */
  sought(vlan: number, mac: string): void {
    this.#sought.push(`${vlan}/${mac}`);
  }

  /** What is known of an address has changed by this packet. */
  learnt(vlan: number, mac: string): void {
    if (this.#sought.includes(`${vlan}/${mac}`)) this.isFleeting = true;
  }

  /** No more actions, wherever they stand; the action set is still carried out. */
  exit(): void {
    this.#hasExited = true;
  }

  /** Carries out a list of actions. */
  run(actions: readonly Action[]): void {
    for (const [i, action] of actions.entries()) {
      if (this.#hasExited || this.error !== undefined) return;
      this.pipeline.tracer?.action(action);
      const next = carryOut(action, this);
      if (next === 'freeze') this.#frozen = [];
      if (this.#frozen !== undefined) {
        const rest = actions.slice(next === 'freeze' ? i : i + 1);
        if (rest.length > 0 && !this.#hasExited)
          this.#frozen.push({ actions: rest, table: this.table, rule: this.rule });
        return;
      }
      if (next === 'stop') return;
    }
  }

  /** Carries out actions even after `exit`. */
  runApart(actions: readonly Action[]): void {
    const hasExited = this.#hasExited;
    this.#hasExited = false;
    this.run(actions);
    this.#hasExited ||= hasExited;
  }

  /** Takes up what an earlier pass has left. */
  resume(rests: readonly Rest[]): void {
    for (const rest of rests) {
      if (this.#hasExited || this.error !== undefined) return;
      if (this.#frozen !== undefined) {
        this.#frozen.push(rest);
        continue;
      }
      this.table = rest.table;
      this.rule = rest.rule;
      this.run(rest.actions);
    }
  }

  /**
   * Looks the packet up in a table, as if it had come in by `inPort`, and does what the flow found says. Where
   * none is found: what the table's configuration says, if `honoursMiss`, else nothing.
   */
  enterTable(number: number, inPort: number, honoursMiss: boolean): void {
    if (this.#depth >= MAX_DEPTH) {
      this.fail('too_deep', `over max translation depth ${MAX_DEPTH}`);
      return;
    }
    if (this.#resubmits >= MAX_RESUBMITS) {
      this.fail('too_many_resubmits', `over ${MAX_RESUBMITS} resubmit actions`);
      return;
    }
    if (number >= TABLE_COUNT) return;
    const oldTable = this.table;
    const oldInPort = this.inPort;
    putKeyNumber(this.key, KEY.inPort, 4, inPort);
    this.table = number;
    const rule = this.#lookup(honoursMiss);
    putKeyNumber(this.key, KEY.inPort, 4, oldInPort);
    if (rule !== undefined) this.#enterRule(rule, number <= oldTable);
    else if (honoursMiss) this.#miss();
    this.pipeline.tracer?.leave();
    this.table = oldTable;
  }

  /** From the first table on: what happens to a packet that comes in. */
  enterPipeline(): void {
    const rule = this.#lookup(true);
    if (rule === undefined) {
      this.#miss();
    } else {
      this.rules.push(rule);
      this.rule = rule;
      this.run(rule.actions);
    }
  }

  #lookup(honoursMiss: boolean): Rule | undefined {
    const { fragments, tracer } = this.pipeline;
    if (fragments === 'nx-match' || !isFragment(this.key)) return this.#find(honoursMiss);
    if (fragments === 'normal') return withoutPorts(this.key, () => this.#find(honoursMiss));
    tracer?.table(this.table, DROPPED_FRAGMENT, []);
    return DROPPED_FRAGMENT;
  }

  #find(honoursMiss: boolean): Rule | undefined {
    const { tables, answers, tracer } = this.pipeline;
    const asked: AskedRule[] | undefined = tracer === undefined ? undefined : [];
    for (;;) {
      const table = tables.get(this.table);
      const rule = table.lookup(this.key, answers, tables.version, asked);
      this.lookups.push({ table, matched: rule !== undefined });
      const goesOn = honoursMiss && table.miss === 'continue' && this.table + 1 < TABLE_COUNT;
      if (rule !== undefined || !goesOn) {
        tracer?.table(this.table, rule, asked ?? []);
        return rule;
      }
      this.table++;
    }
  }

  #enterRule(rule: Rule, deepens: boolean): void {
    const oldRule = this.rule;
    if (deepens) this.#depth++;
    this.#resubmits++;
    this.rules.push(rule);
    this.rule = rule;
    this.run(rule.actions);
    this.rule = oldRule;
    if (deepens) this.#depth--;
  }

  #miss(): void {
    const { miss } = this.pipeline.tables.get(this.table);
    const goesToControllers = miss === 'controller' || (miss === 'default' && this.pipeline.sendsMisses);
    if (goesToControllers) this.#toControllers();
  }

  #toControllers(): void {
    const port = this.pipeline.ports.peek(this.inPort);
    if (port !== undefined && (port.config & NO_PACKET_IN) !== 0) return;
    this.say('sent to the controllers, as no flow matches');
    this.emitNote({
      reason: 0,
      miss: 'implicit',
      cookie: ALL_ONES,
      maxLen: 0xffff,
      controllerId: 0,
      userdata: undefined,
    });
  }

  /** Sends the packet as it is now to controllers. */
  emitNote(part: Pick<ControllerNote, 'reason' | 'miss' | 'cookie' | 'maxLen' | 'controllerId' | 'userdata'>): void {
    const note = this.pipeline.note({ ...part, table: this.table, key: this.key.slice() });
    this.rewrites.emit(this.key, { kind: 'toMain', note });
  }

  /** Sends maps of a filter program to controllers. */
  emitMaps(maps: MapsNote): void {
    this.rewrites.emit(this.key, { kind: 'toMain', note: this.pipeline.noteMaps(maps) });
  }

  /** Runs `body` so that what it does to the packet and to the pipeline's state counts within it only; `exit` counts everywhere. */
  clone(body: () => void): void {
    const saved = this.#save();
    const actions = this.rewrites.collect(() => {
      body();
      this.finish();
    });
    this.#restore(saved);
    const isHarmless = actions.every(({ kind }) => kind === 'output' || kind === 'toMain');
    if (isHarmless) this.rewrites.actions.push(...actions);
    else this.rewrites.actions.push({ kind: 'clone', actions });
  }

  /** At the end of a list of actions that stands for itself: another pass for the rest, if there is to be one. */
  finish(): void {
    const rests = this.#frozen;
    if (rests === undefined || this.error !== undefined) return;
    this.#frozen = undefined;
    const id = this.pipeline.freeze({
      key: this.key.slice(),
      rests,
      stack: this.stack,
      actionSet: this.actionSet,
      queue: this.queue,
      isPacketOut: this.isPacketOut,
      mirrored: [...this.mirrored],
    });
    this.rewrites.emit(this.key, { kind: 'recirculate', id });
  }

  push(value: Uint8Array): void {
    this.#stackBytes += value.length + 1;
    if (this.#stackBytes > MAX_STACK_BYTES) {
      this.fail('stack_too_large', `over ${MAX_STACK_BYTES / 1024} kB on the stack`);
      return;
    }
    this.stack.push(value);
  }

  pop(): Uint8Array | undefined {
    const value = this.stack.pop();
    if (value !== undefined) this.#stackBytes -= value.length + 1;
    return value;
  }

  #save(): Saved {
    return {
      key: this.key.slice(),
      rewrites: this.rewrites.save(),
      stack: this.stack.slice(),
      actionSet: this.actionSet.slice(),
      queue: this.queue,
      wasMpls: this.wasMpls,
    };
  }

  #restore(saved: Saved): void {
    this.key.set(saved.key);
    this.rewrites.restore(saved.rewrites);
    this.stack = saved.stack.slice();
    this.actionSet = saved.actionSet.slice();
    this.queue = saved.queue;
    this.wasMpls = saved.wasMpls;
  }
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** The bit of a port's configuration. */
const NO_PACKET_IN = 1 << 6;
