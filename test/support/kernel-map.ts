import koffi from 'koffi';
import type { MapDefinition, MapKind } from '../../src/bpf/maps/definition.ts';
import { KernelRefusal } from './kernel-bpf.ts';

const SYS_BPF = process.arch === 'arm64' ? 280 : 321;
const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_FREEZE = 22;

/** Flags of BPF_MAP_CREATE. */
const NO_PREALLOC = 1;
const READ_ONLY_PROGRAM = 1 << 7;

/** enum bpf_map_type; a count-min sketch is not among them. */
const TYPES: Readonly<Partial<Record<MapKind, number>>> = {
  hash: 1,
  array: 2,
  'per-thread-hash': 5,
  'per-thread-array': 6,
  'lru-hash': 9,
  'lpm-trie': 11,
  bloom: 30,
};

const CreateAttributes = koffi.struct({
  type: 'uint32',
  keySize: 'uint32',
  valueSize: 'uint32',
  maxEntries: 'uint32',
  flags: 'uint32',
});
const ElementAttributes = koffi.struct({ fd: 'uint32', key: 'void *', value: 'void *', flags: 'uint64' });
const FreezeAttributes = koffi.struct({ fd: 'uint32' });

const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : undefined;
const create = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(CreateAttributes)), 'uint']);
const update = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(ElementAttributes)), 'uint']);
const freeze = libc?.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(FreezeAttributes)), 'uint']);
const closeFd = libc?.func('int close(int fd)');

/** Maps in the kernel like those that a program declares; close them. */
export class KernelMaps {
  readonly #fds = new Map<string, number>();

  /** A map like this one; `undefined` when Linux has none of its kind. */
  fdOf(definition: MapDefinition): number | undefined {
    const { kind, keySize, valueSize, maxEntries, readOnly = false, initial } = definition;
    const type = TYPES[kind];
    if (type === undefined) return undefined;
    const name = [kind, keySize, valueSize, maxEntries, readOnly, initial].join();
    let fd = this.#fds.get(name);
    if (fd !== undefined) return fd;
    const isBloom = kind === 'bloom';
    fd = checked(
      create?.(
        SYS_BPF,
        BPF_MAP_CREATE,
        {
          type,
          keySize: isBloom ? 0 : keySize,
          valueSize: isBloom ? keySize : valueSize,
          maxEntries,
          flags: (kind === 'lpm-trie' ? NO_PREALLOC : 0) | (readOnly ? READ_ONLY_PROGRAM : 0),
        },
        koffi.sizeof(CreateAttributes),
      ),
      'BPF_MAP_CREATE',
    );
    this.#fds.set(name, fd);
    if (readOnly && initial !== undefined) fill(fd, initial);
    return fd;
  }

  close(): void {
    for (const fd of this.#fds.values()) closeFd?.(fd);
    this.#fds.clear();
  }
}

/** The value of the map's only element, from now on for ever: so the kernel knows its bytes. */
function fill(fd: number, value: Uint8Array): void {
  const attributes = { fd, key: Buffer.alloc(4), value: Buffer.from(value), flags: 0 };
  checked(update?.(SYS_BPF, BPF_MAP_UPDATE_ELEM, attributes, koffi.sizeof(ElementAttributes)), 'BPF_MAP_UPDATE_ELEM');
  checked(freeze?.(SYS_BPF, BPF_MAP_FREEZE, { fd }, koffi.sizeof(FreezeAttributes)), 'BPF_MAP_FREEZE');
}

function checked(result: unknown, what: string): number {
  const value = Number(result ?? -1);
  if (value < 0) throw new KernelRefusal(koffi.errno(), what);
  return value;
}
