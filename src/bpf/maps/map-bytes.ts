import type { EpochClock } from '../epoch.ts';
import { BpfError } from '../errors.ts';
import { ERRNO } from '../helpers.ts';
import type { EbpfMemory } from '../memory.ts';
import type { MapDefinition } from './definition.ts';
import type { MapLayout } from './layout.ts';

/** What every kind of map is made from: its definition and its block in the window, the header written. */
export interface MapBlock {
  readonly definition: MapDefinition;
  readonly memory: EbpfMemory;
  readonly clock: EpochClock;
  readonly address: number;
  readonly layout: MapLayout;
  readonly threads: number;
  readonly seed: bigint;
}

/** The part of a map that all kinds share: its block, and refusals of what a kind cannot do. */
export abstract class MapBytes implements MapBlock {
  readonly definition: MapDefinition;
  readonly memory: EbpfMemory;
  readonly clock: EpochClock;
  readonly address: number;
  readonly layout: MapLayout;
  readonly threads: number;
  readonly seed: bigint;

  constructor(block: MapBlock) {
    this.definition = block.definition;
    this.memory = block.memory;
    this.clock = block.clock;
    this.address = block.address;
    this.layout = block.layout;
    this.threads = block.threads;
    this.seed = block.seed;
  }

  get bytesUsed(): number {
    return this.layout.totalBytes;
  }

  add(_item: Uint8Array): number {
    return ERRNO.EOPNOTSUPP;
  }

  helperAdd(_item: number): number {
    return this.refusal(ERRNO.EOPNOTSUPP);
  }

  /** Address of the data. */
  protected get data(): number {
    return this.address + this.layout.data;
  }

  /** What a program's writing helper returns that the kind refuses with `errno`. */
  protected refusal(errno: number): number {
    return this.definition.readOnly === true ? ERRNO.EPERM : errno;
  }

  protected checkLength(what: 'key' | 'value' | 'item', bytes: Uint8Array, ...allowed: number[]): void {
    if (allowed.includes(bytes.length)) return;
    throw new BpfError(
      'BPF_MAP_ARGUMENT',
      `map ${this.definition.name}: a ${what} has ${allowed.join(' or ')} bytes, not ${bytes.length}`,
    );
  }
}
