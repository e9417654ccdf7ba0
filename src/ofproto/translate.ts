import type { DatapathAction, Port, Upcall } from '../datapath/index.ts';
import type { Action, ActionOf } from '../openflow/index.ts';
import type { FlowTable, ProgramAnswers } from './flow-table.ts';
import type { MacTable } from './mac-table.ts';
import { normal } from './normal.ts';
import type { Lesson, Translation } from './outcome.ts';
import { outputTargets } from './output.ts';
import type { Rule } from './rule.ts';

/** What translation looks at beside the packet. */
export interface Pipeline {
  readonly table: FlowTable;
  readonly programs: ProgramAnswers;
  readonly ports: Iterable<readonly [number, Port]>;
  readonly macs: MacTable;
  /** Learns an address; a dry run does nothing here. */
  readonly learn: (lesson: Lesson) => void;
}

/** The actions that translation carries out; a flow with another one is refused when it is added. */
type TranslatedType = 'output';

/** One packet's way through the tables. */
export class PacketWalk {
  readonly key: Uint8Array;
  readonly inPort: number;
  readonly macs: MacTable;
  readonly actions: DatapathAction[] = [];
  readonly lessons: Lesson[] = [];
  readonly #ports: readonly number[];
  readonly #learn: (lesson: Lesson) => void;

  constructor(upcall: Upcall, pipeline: Pipeline) {
    this.key = upcall.key;
    this.inPort = upcall.inPort;
    this.macs = pipeline.macs;
    this.#learn = pipeline.learn;
    this.#ports = Array.from(pipeline.ports, ([number]) => number).sort((a, b) => a - b);
  }

  output(port: number): void {
    this.actions.push({ kind: 'output', port });
  }

  /** At once, so that what follows looks at the table as the next packet will. */
  learn(lesson: Lesson): void {
    this.lessons.push(lesson);
    this.#learn(lesson);
  }

  /** Every port but the one that the packet came in by. */
  otherPorts(): readonly number[] {
    return this.#ports.filter((port) => port !== this.inPort);
  }
}

const CARRY_OUT: { readonly [T in TranslatedType]: (action: ActionOf<T>, walk: PacketWalk) => void } = {
  output: (action, walk) => {
    const targets = outputTargets(action.port, walk);
    if (targets === 'normal') normal(walk);
    else for (const port of targets) walk.output(port);
  },
};

/** Does translation know what to do with the action? */
export function isTranslated(action: Action): action is ActionOf<TranslatedType> {
  return action.type in CARRY_OUT;
}

/**
 * Walks a packet through the table: which rule it matches, filter programs asked on the way, and what that rule's actions
 * come to. The answer depends on nothing but the key's bits in the union, the programs' results, and the state that
 * starts a new generation of the cache when it changes.
 */
export function translate(upcall: Upcall, pipeline: Pipeline): Translation {
  const walk = new PacketWalk(upcall, pipeline);
  const rules: Rule[] = [];
  const rule = pipeline.table.lookup(upcall.key, pipeline.programs);
  if (rule !== undefined) {
    rules.push(rule);
    for (const action of rule.actions) if (isTranslated(action)) CARRY_OUT[action.type](action, walk);
  }
  return { actions: walk.actions, rules, lessons: walk.lessons };
}
