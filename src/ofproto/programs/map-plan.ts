import {
  BpfError,
  type BpfMap,
  type EbpfMemory,
  type EpochClock,
  type MapDefinition,
  mapBytes,
} from '../../bpf/index.ts';
import { ExtensionError } from '../../openflow/index.ts';
import type { MapPlace } from './compiler.ts';
import type { KeptMaps } from './program.ts';

/** Where the maps of a program to be loaded go. */
export interface MapPlan {
  readonly places: readonly MapPlace[];
  /** Those of the program that is replaced which live on. */
  readonly kept: readonly BpfMap[];
}

/** May the map live on under a new program's definition? Global data may not: it begins as the new program says. */
function fits(map: BpfMap, definition: MapDefinition): boolean {
  const old = map.definition;
  return (
    old.initial === undefined &&
    definition.initial === undefined &&
    old.name === definition.name &&
    old.kind === definition.kind &&
    old.keySize === definition.keySize &&
    old.valueSize === definition.valueSize &&
    old.maxEntries === definition.maxEntries &&
    old.hashCount === definition.hashCount
  );
}

/** Finds places for maps; takes blocks for those that are new, which `release` gives back. @throws ExtensionError; nothing is taken then */
export function planMaps(
  definitions: readonly MapDefinition[],
  old: readonly BpfMap[],
  keep: KeptMaps,
  memory: EbpfMemory,
  clock: EpochClock,
  bytesLeft: number,
): MapPlan {
  const kept: BpfMap[] = [];
  const places: MapPlace[] = [];
  let bytes = 0;
  try {
    for (const definition of definitions) {
      const map = keep === 'none' ? undefined : old.find((other) => !kept.includes(other) && fits(other, definition));
      if (map !== undefined) {
        kept.push(map);
        places.push({ definition, address: map.address, state: 'kept' });
        continue;
      }
      const size = mapBytes(clock, definition);
      bytes += size;
      if (bytes > bytesLeft)
        throw new ExtensionError(
          'OKO_NO_MEMORY',
          `the maps of the program need more than ${bytes} bytes, and ${bytesLeft} are left of what this bridge has for maps`,
        );
      const { address, used } = memory.reserve(size, `map ${definition.name}`);
      places.push({ definition, address, state: used ? 'used' : 'zero' });
    }
    if (keep === 'all') checkAllKept(old, kept, definitions);
    return { places, kept };
  } catch (error) {
    release(memory, places);
    if (error instanceof BpfError)
      throw new ExtensionError(error.code === 'BPF_MEMORY_LIMIT' ? 'OKO_NO_MEMORY' : 'OKO_BAD_OBJECT', error.message, {
        cause: error,
      });
    throw error;
  }
}

/** Gives back the blocks that were taken for new maps. */
export function release(memory: EbpfMemory, places: readonly MapPlace[]): void {
  for (const { state, address } of places) if (state !== 'kept') memory.free(address);
}

function checkAllKept(old: readonly BpfMap[], kept: readonly BpfMap[], definitions: readonly MapDefinition[]): void {
  const lost = old.find((map) => map.definition.initial === undefined && !kept.includes(map));
  if (lost === undefined) return;
  const { name } = lost.definition;
  const now = definitions.find((definition) => definition.name === name);
  throw new ExtensionError(
    'OKO_MAPS_DO_NOT_FIT',
    now === undefined
      ? `map ${name} (${sizes(lost.definition)}) would be lost: the new program has no map of this name`
      : `map ${name} would be lost: it is ${sizes(lost.definition)}, in the new program ${sizes(now)}`,
  );
}

function sizes({ kind, keySize, valueSize, maxEntries }: MapDefinition): string {
  return `${kind}, keys of ${keySize}, values of ${valueSize} bytes, ${maxEntries} entries`;
}
