import { BpfError } from '../errors.ts';
import type { MapDefinition, MapKind } from '../maps/definition.ts';
import { checkMapDefinition } from '../maps/definition-check.ts';
import { type Btf, BtfKind, type BtfMember } from './btf.ts';

/** Linux's numbers (enum bpf_map_type) of the kinds there are here; one CPU there is one packet thread here. */
const kinds = new Map<number, MapKind>([
  [1, 'hash'],
  [2, 'array'],
  [5, 'per-thread-hash'],
  [6, 'per-thread-array'],
  [9, 'lru-hash'],
  [11, 'lpm-trie'],
  [30, 'bloom'],
]);

const BPF_F_NO_PREALLOC = 1;
const BPF_F_RDONLY_PROG = 0x80;
const DEFAULT_BLOOM_HASHES = 5;
const MOST_BLOOM_HASHES = 15;

/**
 * Reads and checks a map that is declared as for libbpf: a variable of section `.maps` whose struct type spells the definition,
 * `int (*max_entries)[1024]` for a number and `uint32_t *key` for a type.
 */
export function readBtfMap(name: string, btf: Btf): MapDefinition {
  const refuse = (text: string): BpfError => new BpfError('BPF_BAD_MAP', `map ${name}: ${text}`);
  const definition = btf.typeOfVariable(name);
  if (definition === undefined) throw refuse('its section .maps needs its type information; compile with -g');
  if (definition.kind !== BtfKind.STRUCT) throw refuse('a map of section .maps is declared by a struct');
  const fields = new Map<string, number>();
  for (const member of definition.members) readField(btf, member, fields, refuse);

  const type = fields.get('type');
  if (type === undefined) throw refuse('it has no type; add __uint(type, BPF_MAP_TYPE_…)');
  const kind = kinds.get(type);
  if (kind === undefined)
    throw refuse(
      `BPF_MAP_TYPE number ${type} is not supported; these are: ${[...kinds].map(([number, text]) => `${number} ${text}`).join(', ')}`,
    );
  const flags = fields.get('map_flags') ?? 0;
  if ((flags & ~(BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG)) !== 0)
    throw refuse(`map_flags 0x${flags.toString(16)}: only BPF_F_NO_PREALLOC and BPF_F_RDONLY_PROG are supported`);
  const extra = fields.get('map_extra') ?? 0;
  if (kind !== 'bloom' && extra !== 0) throw refuse('map_extra has a meaning for Bloom filters only');
  const sizes = { keySize: fields.get('key') ?? 0, valueSize: fields.get('value') ?? 0 };
  const maxEntries = fields.get('max_entries') ?? 0;
  const map: MapDefinition = {
    name,
    kind,
    ...(kind === 'bloom' ? bloom(sizes, maxEntries, extra, refuse) : { ...sizes, maxEntries, hashCount: 0 }),
    ...((flags & BPF_F_RDONLY_PROG) !== 0 ? { readOnly: true } : {}),
  };
  checkMapDefinition(map);
  return map;
}

function readField(btf: Btf, member: BtfMember, fields: Map<string, number>, refuse: (text: string) => BpfError): void {
  const set = (field: string, value: number): void => {
    const before = fields.get(field);
    if (before !== undefined && before !== value)
      throw refuse(`${name} says ${value} bytes where ${field} said ${before}`);
    fields.set(field, value);
  };
  const pointer = btf.resolve(member.type);
  const name = btf.nameOf(member);
  switch (name) {
    case 'type':
    case 'max_entries':
    case 'key_size':
    case 'value_size':
    case 'map_flags':
    case 'map_extra': {
      const array = pointer.kind === BtfKind.PTR ? btf.resolve(pointer.sizeOrType).array : undefined;
      if (array === undefined) throw refuse(`${name} is not a number; write __uint(${name}, …)`);
      set(name.replace('_size', ''), array.count);
      return;
    }
    case 'key':
    case 'value':
      if (pointer.kind !== BtfKind.PTR) throw refuse(`${name} is not a type; write __type(${name}, …)`);
      set(name, btf.sizeOf(pointer.sizeOrType));
      return;
    default:
      throw refuse(`the attribute ${name || '(unnamed)'} is not supported`);
  }
}

/**
 * Linux declares a Bloom filter by the items it shall hold, and takes for n items and k hash functions n × k / ln 2 bits,
 * rounded up to a power of two; here a definition counts bits.
 */
function bloom(
  sizes: { keySize: number; valueSize: number },
  items: number,
  extra: number,
  refuse: (text: string) => BpfError,
): Pick<MapDefinition, 'keySize' | 'valueSize' | 'maxEntries' | 'hashCount'> {
  if (sizes.keySize !== 0) throw refuse('a Bloom filter has a value (its item) and no key');
  if (extra > MOST_BLOOM_HASHES)
    throw refuse(`map_extra is ${extra}; a Bloom filter has 1 to ${MOST_BLOOM_HASHES} hash functions`);
  const hashCount = extra === 0 ? DEFAULT_BLOOM_HASHES : extra;
  const bits = 2 ** Math.ceil(Math.log2((items * hashCount) / Math.LN2));
  return { keySize: sizes.valueSize, valueSize: 0, maxEntries: items === 0 ? 0 : bits, hashCount };
}
