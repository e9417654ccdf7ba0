import {
  type BpfMap,
  type Engine,
  Interpreter,
  type LoadedProgram,
  loadObject,
  type MapEntry,
  WasmCompiler,
  type World,
} from '../../src/bpf/index.ts';
import { PacketRunner } from '../../src/bpf/packet-runner.ts';
import { createWorld } from '../../src/bpf/world.ts';

export const engines: readonly { readonly name: string; readonly make: () => Engine }[] = [
  { name: 'interpreter', make: () => new Interpreter() },
  { name: 'wasm', make: () => new WasmCompiler() },
];

/** A filter with maps of its own and a clock that the test sets. */
export class FilterBench {
  readonly #world: World;
  readonly #program: LoadedProgram;
  readonly #runner: PacketRunner;

  constructor(object: Uint8Array, engine: Engine) {
    const program = loadObject(object).select();
    this.#world = createWorld(program);
    this.#program = engine.load(program, this.#world, { fuel: 1_000_000 });
    this.#runner = new PacketRunner(this.#world, 2048);
    this.seconds = 1_700_000_000;
  }

  /** The clock that programs see. */
  get seconds(): number {
    return Number(this.#world.thread.timeNs) / 1e9;
  }

  set seconds(value: number) {
    this.#world.thread.timeNs = BigInt(Math.round(value * 1000)) * 1_000_000n;
  }

  /** r0. */
  run(packet: Uint8Array): bigint {
    return this.#runner.run(this.#program, packet);
  }

  matches(packet: Uint8Array): boolean {
    return this.run(packet) === 1n;
  }

  map(name: string): BpfMap {
    const map = this.#world.maps.find((candidate) => candidate.definition.name === name);
    if (map === undefined) throw new Error(`there is no map ${name}`);
    return map;
  }

  /** Keys and values of every map that can be listed, as text that can be compared. */
  contents(): string[] {
    return this.#world.maps
      .filter((map) => map.definition.initial === undefined)
      .map((map) => {
        const { name, kind } = map.definition;
        if (kind === 'bloom' || kind === 'count-min') return `${name}: ${map.count}`;
        const texts = entriesOf(map).map(
          ({ key, value }) => `${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`,
        );
        return `${name}: ${texts.sort().join(' ')}`;
      });
  }
}

/** Every entry of a map. */
export function entriesOf(map: BpfMap): MapEntry[] {
  const found: MapEntry[] = [];
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const { entries, next } = map.entries(cursor, 4096);
    found.push(...entries);
    cursor = next;
  }
  return found;
}

/** u64 values, or numbers of other widths, as a program's memory has them. */
export function u64s(...values: readonly (number | bigint)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
}

export function u32s(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
