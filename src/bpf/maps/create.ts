import type { EpochClock } from '../epoch.ts';
import { BpfError } from '../errors.ts';
import { itemSize } from '../helpers.ts';
import type { EbpfMemory } from '../memory.ts';
import { ArrayMap } from './array-map.ts';
import { BloomMap } from './bloom-map.ts';
import { CountMinMap } from './count-min-map.ts';
import type { MapDefinition } from './definition.ts';
import { checkMapDefinition } from './definition-check.ts';
import { HashMap } from './hash-map.ts';
import { BLOOM_FLAG, layoutOf, MAP_FLAG, MAP_HEADER, MAP_KIND_NUMBER, MAP_MAGIC } from './layout.ts';
import { LpmMap } from './lpm-map.ts';
import type { BpfMap } from './map.ts';
import type { MapBlock } from './map-bytes.ts';

/** Most bytes of one map. */
export const MAX_MAP_BYTES = 2 ** 31 - 1;

/** Makes a map: checks its definition, takes its block, writes header and initial content. `seed` is chosen at random unless given. */
export function createMap(
  memory: EbpfMemory,
  clock: EpochClock,
  definition: MapDefinition,
  seed = randomSeed(),
): BpfMap {
  const bytes = mapBytes(clock, definition);
  return placeMap(memory, clock, definition, memory.allocate(bytes, `map ${definition.name}`), seed);
}

/** Checks a definition and says how many bytes its block takes. @throws BpfError BPF_BAD_MAP, BPF_MEMORY_LIMIT */
export function mapBytes(clock: EpochClock, definition: MapDefinition): number {
  checkMapDefinition(definition);
  const layout = layoutOf({ ...definition, threads: threadsOf(clock, definition) });
  if (layout.totalBytes > MAX_MAP_BYTES)
    throw new BpfError(
      'BPF_MEMORY_LIMIT',
      `map ${definition.name} would take ${layout.totalBytes} bytes; at most ${MAX_MAP_BYTES} are possible`,
    );
  return layout.totalBytes;
}

/** Makes a map in a block of zeros that was reserved for it, on any thread: header and initial content are written. */
export function placeMap(
  memory: EbpfMemory,
  clock: EpochClock,
  definition: MapDefinition,
  address: number,
  seed = randomSeed(),
): BpfMap {
  const threads = threadsOf(clock, definition);
  const layout = layoutOf({ ...definition, threads });
  const block: MapBlock = { definition, memory, clock, address, layout, threads, seed: BigInt.asUintN(64, seed) };
  writeHeader(block);
  if (definition.initial !== undefined) memory.bytes.set(definition.initial, address + layout.data);
  return mapOver(block);
}

function threadsOf(clock: EpochClock, { kind }: MapDefinition): number {
  return kind.startsWith('per-thread') ? clock.threadCount : 1;
}

/** Another thread's view of a map that exists: `address` and `definition` as they are where it was made. */
export function attachMap(memory: EbpfMemory, clock: EpochClock, definition: MapDefinition, address: number): BpfMap {
  const { view } = memory;
  if (view.getUint32(address + MAP_HEADER.magic, true) !== MAP_MAGIC)
    throw new BpfError('BPF_BAD_MAP', `there is no map at address ${address}`);
  const threads = view.getUint32(address + MAP_HEADER.threads, true);
  const seed = view.getBigUint64(address + MAP_HEADER.seed, true);
  return mapOver({ definition, memory, clock, address, layout: layoutOf({ ...definition, threads }), threads, seed });
}

/** Gives the map's block back. Only when no program that refers to it can run any more. */
export function destroyMap(map: BpfMap): void {
  map.memory.view.setUint32(map.address + MAP_HEADER.magic, 0, true);
  map.memory.free(map.address);
}

function mapOver(block: MapBlock): BpfMap {
  switch (block.definition.kind) {
    case 'array':
    case 'per-thread-array':
      return new ArrayMap(block);
    case 'hash':
    case 'lru-hash':
    case 'per-thread-hash':
      return new HashMap(block);
    case 'lpm-trie':
      return new LpmMap(block);
    case 'bloom':
      return new BloomMap(block);
    case 'count-min':
      return new CountMinMap(block);
  }
}

function writeHeader({ definition, memory, address, layout, threads, seed }: MapBlock): void {
  const { view } = memory;
  const u32 = (offset: number, value: number) => view.setUint32(address + offset, value, true);
  u32(MAP_HEADER.magic, MAP_MAGIC);
  u32(MAP_HEADER.kind, MAP_KIND_NUMBER[definition.kind]);
  u32(MAP_HEADER.keySize, keySizeInHeader(definition));
  u32(MAP_HEADER.valueSize, definition.valueSize);
  u32(MAP_HEADER.maxEntries, definition.maxEntries);
  u32(MAP_HEADER.hashCount, definition.hashCount);
  u32(MAP_HEADER.flags, definition.readOnly === true ? MAP_FLAG.readOnly : 0);
  u32(MAP_HEADER.totalBytes, layout.totalBytes);
  view.setBigUint64(address + MAP_HEADER.seed, seed, true);
  u32(MAP_HEADER.threads, threads);
  u32(MAP_HEADER.data, layout.data);
  u32(MAP_HEADER.stride, layout.stride);
  u32(MAP_HEADER.threadStride, layout.threadStride);
  view.setUint8(address + MAP_HEADER.slotBits, layout.slotBits);
  view.setUint8(address + MAP_HEADER.regionBits, layout.regionBits);
  view.setUint16(address + MAP_HEADER.valueOffset, layout.valueOffset, true);
  u32(MAP_HEADER.lengths, layout.lengths);
  if (definition.kind === 'bloom') view.setBigUint64(address + layout.data + BLOOM_FLAG, 1n, true);
}

function keySizeInHeader(definition: MapDefinition): number {
  return definition.kind === 'bloom' ? itemSize(definition) : definition.keySize;
}

function randomSeed(): bigint {
  const seed = new BigUint64Array(1);
  crypto.getRandomValues(seed);
  return seed[0];
}
