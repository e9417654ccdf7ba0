import type { BpfMap } from '../../bpf/index.ts';
import { MAP_KINDS, type MapDescription, type ProgramDescription } from '../../openflow/index.ts';
import { keyBytes, valueBytes } from './map-access.ts';
import type { LoadResult } from './program.ts';

/** A program as the wire describes it. */
export function describeProgram(program: LoadResult['program'], flows: number): ProgramDescription {
  const { id, name, section, function: func, loadedAtNs, objectBytes, verifier } = program;
  return {
    ...{ program: id, name, section, function: func, loadedAtNs, objectBytes, flows, verifier },
    runs: BigInt(program.runs),
    matches: BigInt(program.matches),
    failures: BigInt(program.failures),
    sampledRuns: BigInt(program.sampledRuns),
    sampledNs: BigInt(program.sampledNs),
    maps: program.maps.map(describeMap),
  };
}

function describeMap(map: LoadResult['program']['maps'][number]): MapDescription {
  const { name, kind, readOnly, valueSize, maxEntries, hashCount } = map.definition;
  return {
    name,
    mapKind: MAP_KINDS.find((known) => known === kind) ?? 'unknown',
    readOnly: readOnly === true,
    keySize: keyBytes(map),
    valueSize: isMade(map) && kind !== 'bloom' ? valueBytes(map) : kind === 'bloom' ? 0 : valueSize,
    maxEntries,
    hashCount,
    bytes: BigInt(map.bytesUsed),
  };
}

function isMade(map: LoadResult['program']['maps'][number]): map is BpfMap {
  return 'threads' in map;
}
