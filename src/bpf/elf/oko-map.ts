import { BpfError } from '../errors.ts';
import type { MapDefinition, MapKind } from '../maps/definition.ts';
import { checkMapDefinition } from '../maps/definition-check.ts';

/** Bytes of Oko's map struct: u32 type, key_size, value_size, max_entries, nb_hash_functions. */
export const OKO_MAP_BYTES = 20;

/** Types 1 to 4 are the original Oko's; the others continue them (examples/oko.h). */
const kinds: readonly (MapKind | undefined)[] = [
  undefined,
  'array',
  'bloom',
  'count-min',
  'hash',
  'lru-hash',
  'lpm-trie',
  'per-thread-array',
  'per-thread-hash',
];

/** Reads and checks one map struct. */
export function readOkoMap(name: string, bytes: Uint8Array): MapDefinition {
  if (bytes.length !== OKO_MAP_BYTES)
    throw new BpfError(
      'BPF_BAD_MAP',
      `map ${name} is ${bytes.length} bytes; struct ubpf_map_def of oko.h has ${OKO_MAP_BYTES}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (index: number): number => view.getUint32(4 * index, true);
  const kind = kinds[field(0)];
  if (kind === undefined)
    throw new BpfError(
      'BPF_BAD_MAP',
      `map ${name}: type ${field(0)} is not one of ${kinds.flatMap((known, type) => (known === undefined ? [] : `${type} ${known}`)).join(', ')}`,
    );
  const hashed = kind === 'bloom' || kind === 'count-min';
  const map = {
    name,
    kind,
    keySize: field(1),
    valueSize: kind === 'bloom' ? 0 : field(2),
    maxEntries: field(3),
    hashCount: hashed ? field(4) : 0,
  };
  checkMapDefinition(map);
  return map;
}
