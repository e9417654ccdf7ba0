import fc from 'fast-check';
import { toHex } from '../../src/bytes/index.ts';
import {
  CallbackPort,
  type CompiledPrograms,
  type Datapath,
  type DatapathAction,
  type DatapathOptions,
  LENGTH_QUESTION,
  type Outcome,
  type Upcall,
  type Verdict,
} from '../../src/datapath/index.ts';
import { KEY, KEY_BYTES, KEY_PACKET_BYTES } from '../../src/packet/index.ts';
import { ModuleBuilder, Op, ValueType } from '../../src/wasm/index.ts';
import { packetFor, wellFormedPacket } from './packet-arbitrary.ts';

/*
 * Random pipelines for datapaths: which bits decide, which questions are asked, what is done. And a datapath with one, of which
 * everything is written down that can be seen.
 */

export const PORTS = [1, 2, 3, 0xfffffffe];

/** Masks of bits within one field of the key, so that flows collide in some packets and differ in others. */
const union = fc
  .array(fc.tuple(fc.constantFrom(8, 14, 20, 24, 28, 30, 31, 36, 40, 44, 46, 64, 80, 96, 116), fc.nat(255)), {
    maxLength: 8,
  })
  .map((bytes) => {
    const mask = new Uint8Array(KEY_BYTES);
    mask.fill(0xff, KEY.inPort, KEY.inPort + 4);
    mask.fill(0xff, KEY.recircId, KEY.recircId + 4);
    for (const [offset, bits] of bytes) mask[offset] |= bits;
    return mask;
  });

/** What most rewrites are about, which the core has a shorter way for. */
const commonSet: fc.Arbitrary<DatapathAction> = fc
  .uniqueArray(fc.constantFrom(8, 13, 14, 19, 31, 32, 36, 39, 40, 43, 44, 45, 46, 47), { minLength: 1, maxLength: 6 })
  .chain((offsets) =>
    fc.tuple(
      ...offsets
        .sort((a, b) => a - b)
        .map((offset) => fc.tuple(fc.constant(offset), fc.nat(255), fc.constantFrom(0xff, 0x0f))),
    ),
  )
  .map((bytes) => ({
    kind: 'set' as const,
    bytes: bytes.map(([offset, value, mask]) => [offset, value & mask, mask] as const),
  }));

const setAction: fc.Arbitrary<DatapathAction> = fc
  .tuple(
    fc.oneof(fc.constantFrom(8, 14, 24, 30, 31, 32, 36, 40, 44, 46), fc.integer({ min: 8, max: KEY_PACKET_BYTES - 4 })),
    fc.array(fc.tuple(fc.nat(255), fc.constantFrom(0xff, 0xff, 0x0f, 0x01)), { minLength: 1, maxLength: 4 }),
  )
  .map(([offset, bytes]) => ({
    kind: 'set' as const,
    // Whether there is a tag is not for `set` to say.
    bytes: bytes.map(([value, mask], i) => [offset + i, value & mask, mask] as const),
  }));

const output: fc.Arbitrary<DatapathAction> = fc.record(
  {
    kind: fc.constant('output' as const),
    port: fc.constantFrom(...PORTS, 77),
    maxLen: fc.integer({ min: 0, max: 80 }),
    queue: fc.nat(3),
  },
  { requiredKeys: ['kind', 'port'] },
);

const { action } = fc.letrec<{ action: DatapathAction }>((tie) => ({
  action: fc.oneof(
    { maxDepth: 2 },
    { weight: 4, arbitrary: output },
    { weight: 4, arbitrary: setAction },
    { weight: 3, arbitrary: commonSet },
    fc.record({ kind: fc.constant('pushVlan' as const), tpid: fc.constantFrom(0x8100, 0x88a8), tci: fc.nat(0xffff) }),
    fc.constant<DatapathAction>({ kind: 'popVlan' }),
    fc.record({
      kind: fc.constant('pushMpls' as const),
      ethType: fc.constantFrom(0x8847, 0x8848),
      lse: fc.nat(0xffffffff),
    }),
    fc.record({ kind: fc.constant('popMpls' as const), ethType: fc.constantFrom(0x0800, 0x86dd, 0x8847) }),
    fc.record({ kind: fc.constant('recirculate' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('toMain' as const), note: fc.nat(9) }),
    fc.record({ kind: fc.constant('clone' as const), actions: fc.array(tie('action'), { maxLength: 3 }) }),
  ),
}));

const question = fc.oneof(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 20, max: 90 }).map((n) => LENGTH_QUESTION + n),
);

export interface Pipeline {
  readonly union: Uint8Array;
  readonly questions: readonly number[];
  readonly outcomes: readonly (readonly DatapathAction[])[];
}

export const pipeline: fc.Arbitrary<Pipeline> = fc.record({
  union,
  questions: fc.uniqueArray(question, { maxLength: 4 }),
  outcomes: fc.array(fc.array(action, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
});

export const packet = fc.oneof(
  wellFormedPacket,
  packetFor.ip,
  packetFor.tcp,
  packetFor.udp,
  fc.uint8Array({ maxLength: 40 }),
);

const PASSES = 4;

/** The actions with recirculation to passes after `pass` only; once in a list, for its cost doubles with each. */
function onwards(actions: readonly DatapathAction[], pass: number): readonly DatapathAction[] {
  let hasGone = false;
  return actions.flatMap((each): readonly DatapathAction[] => {
    if (each.kind === 'clone') return [{ ...each, actions: onwards(each.actions, pass) }];
    if (each.kind !== 'recirculate') return [each];
    if (hasGone || pass === PASSES) return [];
    hasGone = true;
    return [{ ...each, id: Math.max(each.id, pass + 1) }];
  });
}

/** A datapath and all that can be seen of it. */
export class Subject {
  readonly datapath: Datapath;
  readonly seen: string[] = [];
  readonly runs: string[] = [];
  #base: Readonly<Record<string, number>> = {};
  #pipeline: Pipeline;
  readonly #isPure: boolean;
  /** By pass: each only leads to later ones, so that there is an end. */
  #outcomes: Outcome[][] = [];

  constructor(
    create: (options: DatapathOptions) => Datapath,
    pipelineOf: Pipeline,
    answer?: (upcall: Upcall) => Verdict,
    pure?: CompiledPrograms,
  ) {
    this.#isPure = pure !== undefined;
    this.#pipeline = pipelineOf;
    this.datapath = create({
      keyBytes: KEY_BYTES,
      upcall: answer ?? ((upcall) => this.#answer(upcall)),
      programs: {
        matches: (program, bytes) => this.#ask(program, bytes),
        ...(pure === undefined ? {} : { compiled: pure }),
      },
      toMain: (note, bytes, timeNs) => this.seen.push(`main ${note} ${timeNs} ${toHex(bytes)}`),
    });
    for (const port of PORTS)
      this.datapath.addPort(
        port,
        new CallbackPort(`p${port}`, (bytes, timeNs) => this.seen.push(`${port} ${timeNs} ${toHex(bytes)}`)),
      );
    this.usePipeline(pipelineOf);
  }

  usePipeline(pipelineOf: Pipeline): void {
    this.#pipeline = pipelineOf;
    this.newOutcomes();
    this.datapath.setUnion(pipelineOf.union);
  }

  newOutcomes(): void {
    this.#outcomes = Array.from({ length: PASSES + 1 }, (_, pass) =>
      this.#pipeline.outcomes.map((actions) => ({
        actions: onwards(actions, pass),
        ...{ packets: 0, bytes: 0, lastUsedNs: 0n },
      })),
    );
  }

  /** A program with a memory: that it runs for the same packets in the same order shows. */
  #ask(program: number, bytes: Uint8Array): boolean {
    this.runs.push(`${program} ${toHex(bytes)}`);
    if (this.#isPure) return (bytes.length + program) % 3 === 0;
    return (bytes.length + this.runs.length + (bytes[bytes.length - 1] ?? 0)) % (program + 1) === 0;
  }

  /** Depends on nothing but the union's bits and the answers. */
  #answer(upcall: Upcall): Verdict {
    const { union: mask, questions } = this.#pipeline;
    let sum = upcall.recircId;
    for (const [i, bits] of mask.entries()) sum = (Math.imul(sum, 31) + (upcall.key[i] & bits)) >>> 0;
    const results = [...upcall.results];
    for (const program of questions.slice(0, sum % (questions.length + 1))) {
      const known = results.find((result) => result.program === program);
      const matched =
        known?.matched ??
        (program >= LENGTH_QUESTION
          ? upcall.packet.length > program - LENGTH_QUESTION
          : this.#ask(program, upcall.packet));
      if (known === undefined) results.push({ program, matched });
      sum = (Math.imul(sum, 31) + (matched ? 1 : 0)) >>> 0;
    }
    return { results, outcome: this.#outcomes[upcall.recircId][sum % this.#pipeline.outcomes.length] };
  }

  /** What is counted from now on is told by `counters`. */
  countAnew(): void {
    this.#base = this.#totals();
  }

  #totals(): Readonly<Record<string, number>> {
    const { hits, misses, dropNoPort, dropPortFull, dropTooDeep, dropUpcallFull } = this.datapath.counters;
    const totals: Record<string, number> = { hits, misses, dropNoPort, dropPortFull, dropTooDeep, dropUpcallFull };
    for (const port of PORTS)
      for (const [name, value] of Object.entries(this.datapath.portCounters(port) ?? {}))
        totals[`${port} ${name}`] = value;
    return totals;
  }

  counters(): unknown {
    this.datapath.readCounters();
    const totals = Object.entries(this.#totals());
    return {
      totals: totals.map(([name, value]) => `${name}: ${value - (this.#base[name] ?? 0)}`),
      outcomes: this.#outcomes
        .flat()
        .map(({ packets, bytes, lastUsedNs }) => `${packets} packets, ${bytes} bytes, at ${lastUsedNs}`),
      flows: [...this.datapath.flows()].map(({ key }) => toHex(key)).sort(),
    };
  }
}

/** The programs of a pure subject as modules: they match by the packet's length. */
export function lengthPrograms(memory: WebAssembly.Memory): CompiledPrograms {
  const modules = [1, 2, 3, 4].map((program) => {
    const module = new ModuleBuilder();
    const { i32, i64 } = ValueType;
    module.importMemory('oko', 'memory', {
      minimum: memory.buffer.byteLength / 65536,
      maximum: 65536,
      shared: true,
    });
    const run = module.defineFunction(module.functionType([i32, i32], [i64]));
    run.localGet(1);
    run.i32Const(program);
    run.op(Op.i32Add);
    run.i32Const(3);
    run.op(Op.i32RemU);
    run.op(Op.i32Eqz);
    run.op(Op.i64ExtendI32U);
    module.exportFunction('run', run.index);
    return [program, new WebAssembly.Module(module.encode())] as const;
  });
  return { modules: () => modules, use: () => {} };
}
