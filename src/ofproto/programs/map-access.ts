import {
  BpfError,
  type BpfMap,
  cellsOf,
  ERRNO,
  type MapEntries,
  type MapEntry,
  type MapKind,
  type UpdateMode,
} from '../../bpf/index.ts';
import { type EntryBlock, ExtensionError } from '../../openflow/index.ts';
import type { FilterPrograms } from '../filter-programs.ts';

/** What the control plane may do with each kind of map, for the message that refuses the rest. */
const ABILITIES: Readonly<Record<MapKind, string>> = {
  array: 'can be read and updated; its elements are always there',
  'per-thread-array': 'can be read and updated; its elements are always there',
  hash: 'can be read, updated and deleted from',
  'lru-hash': 'can be read, updated and deleted from',
  'per-thread-hash': 'can be read, updated and deleted from',
  'lpm-trie': 'can be read, updated and deleted from',
  bloom: 'can be added to (an update without a value), asked for an item, dumped, and emptied as a whole',
  'count-min': 'can be added to (an update without a value), asked for an item, dumped, and emptied as a whole',
};

/** Entries that one step of a dump asks for. */
const STEP_ENTRIES = 1024;

/** Bytes of a key, or of an item of the kinds that keep none. */
export function keyBytes({ definition: { keySize, valueSize } }: Pick<BpfMap, 'definition'>): number {
  return keySize > 0 ? keySize : valueSize;
}

/** Bytes of a value as the control plane reads it: in the per-thread kinds the values of all threads. */
export function valueBytes({ definition, threads }: BpfMap): number {
  return definition.kind === 'bloom' ? 8 : definition.valueSize * threads;
}

/** Does it only add up items, of which it keeps none? */
export function isFilter({ definition: { kind } }: Pick<BpfMap, 'definition'>): boolean {
  return kind === 'bloom' || kind === 'count-min';
}

function notSupported({ definition: { name, kind } }: BpfMap, what: string): ExtensionError {
  return new ExtensionError(
    'OKO_NOT_SUPPORTED_BY_MAP',
    `map ${name}: ${what} is nothing that a map of kind ${kind} has: it ${ABILITIES[kind]}`,
  );
}

function* slices({ entries, keySize, valueSize, count }: EntryBlock): Generator<MapEntry> {
  const stride = keySize + valueSize;
  for (let i = 0; i < count; i++) {
    const at = i * stride;
    yield { key: entries.subarray(at, at + keySize), value: entries.subarray(at + keySize, at + stride) };
  }
}

function checkKeySize(map: BpfMap, { keySize, count }: EntryBlock): void {
  const bytes = keyBytes(map);
  if (count > 0 && keySize !== bytes)
    throw new ExtensionError(
      'OKO_BAD_KEY_SIZE',
      `map ${map.definition.name}: a key has ${bytes} bytes, not ${keySize}`,
    );
}

function checkValueSize(map: BpfMap, { valueSize, count }: EntryBlock): void {
  if (count === 0) return;
  const { name, valueSize: bytes, kind } = map.definition;
  if (isFilter(map)) {
    if (valueSize === 0) return;
    throw new ExtensionError(
      'OKO_BAD_VALUE_SIZE',
      `map ${name}: items are added to a map of kind ${kind} without a value, not with ${valueSize} bytes`,
    );
  }
  if (valueSize === bytes || valueSize === bytes * map.threads) return;
  const all = map.threads === 1 ? '' : `, or ${bytes * map.threads} for all threads`;
  throw new ExtensionError('OKO_BAD_VALUE_SIZE', `map ${name}: a value has ${bytes} bytes${all}, not ${valueSize}`);
}

/**
 * Sets the values of entries; adds the keys to a Bloom filter or a sketch. What can be seen beforehand is refused before
 * anything has changed.
 *
 * @throws ExtensionError
 */
export function updateMap(programs: FilterPrograms, map: BpfMap, block: EntryBlock, mode: UpdateMode): void {
  checkUpdate(map, block, mode);
  let done = 0;
  for (const { key, value } of slices(block)) {
    const change = (): number => (isFilter(map) ? map.add(key) : map.update(key, value, mode));
    let result = change();
    if (result === ERRNO.ENOMEM) {
      programs.quiesce();
      result = change();
    }
    if (result !== 0) throw updateRefused(map, result, done);
    done++;
  }
}

/**
 * Refuses what `updateMap` would refuse, as far as it can be seen beforehand, `added`: keys that other updates will have added
 * before; those of this one go there too.
 *
 * @throws ExtensionError
 */
export function checkUpdate(map: BpfMap, block: EntryBlock, mode: UpdateMode, added?: Set<string>): void {
  const { name, readOnly } = map.definition;
  if (readOnly === true)
    throw new ExtensionError(
      'OKO_READ_ONLY_MAP',
      `map ${name} holds constants of the program, which nobody can change`,
    );
  if (isFilter(map) && mode !== 'any') throw notSupported(map, `an update of mode ${mode}`);
  checkKeySize(map, block);
  checkValueSize(map, block);
  checkKeys(map, block, mode, added);
}

/** Looks at what will be refused before the first entry is written. */
function checkKeys(map: BpfMap, block: EntryBlock, mode: UpdateMode, added: Set<string> | undefined): void {
  const { kind, maxEntries, keySize } = map.definition;
  if (isFilter(map)) return;
  if (kind === 'array' || kind === 'per-thread-array') {
    if (mode === 'noexist' && block.count > 0) throw updateRefused(map, ERRNO.EEXIST);
    for (const { key } of slices(block)) if (indexOf(key, keySize) >= maxEntries) throw updateRefused(map, ERRNO.E2BIG);
    return;
  }
  // A trie finds a longer or shorter prefix where the key itself is not there; it answers for each key as it is written.
  if (kind === 'lpm-trie') return;
  const mayOverflow = kind !== 'lru-hash' && map.count + block.count > maxEntries;
  if (mode === 'any' && !mayOverflow && added === undefined) return;
  const absent = added ?? new Set<string>();
  for (const { key } of slices(block)) {
    const isThere = map.lookup(key) !== undefined;
    if (mode === 'noexist' && isThere) throw updateRefused(map, ERRNO.EEXIST);
    if (mode === 'exist' && !isThere) throw updateRefused(map, ERRNO.ENOENT);
    if (!isThere) absent.add(key.join());
  }
  if (kind !== 'lru-hash' && map.count + absent.size > maxEntries) throw updateRefused(map, ERRNO.E2BIG);
}

function indexOf(key: Uint8Array, keySize: number): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return keySize === 8 ? Number(view.getBigUint64(0, true)) : view.getUint32(0, true);
}

function updateRefused({ definition: { name, kind, maxEntries } }: BpfMap, result: number, done = 0): ExtensionError {
  const after = done === 0 ? '' : `; ${done} entries before it are done`;
  switch (result) {
    case ERRNO.ENOENT:
      return new ExtensionError('OKO_NO_SUCH_KEY', `map ${name} has no such key${after}`);
    case ERRNO.EEXIST:
      return new ExtensionError('OKO_KEY_EXISTS', `map ${name} has this key already${after}`);
    case ERRNO.E2BIG:
      return kind === 'array' || kind === 'per-thread-array'
        ? new ExtensionError('OKO_BAD_INDEX', `map ${name} has ${maxEntries} elements, 0 to ${maxEntries - 1}`)
        : new ExtensionError('OKO_MAP_FULL', `map ${name} is full with ${maxEntries} entries${after}`);
    case ERRNO.ENOMEM:
      return new ExtensionError(
        'OKO_MAP_FULL',
        `map ${name} is full until packets that are under way have left it${after}`,
      );
    default:
      return new ExtensionError('OKO_BAD_REQUEST', `map ${name} refuses the key (error ${-result})${after}`);
  }
}

/** Deletes keys, all of which have to be there. @throws ExtensionError; nothing is deleted then, save from a trie */
export function deleteKeys(map: BpfMap, block: EntryBlock): void {
  const { kind } = map.definition;
  if (isFilter(map) || kind === 'array' || kind === 'per-thread-array') throw notSupported(map, 'deleting a key');
  checkKeySize(map, block);
  if (block.valueSize !== 0) throw new ExtensionError('OKO_BAD_REQUEST', 'keys to be deleted have no values');
  if (kind !== 'lpm-trie')
    for (const { key } of slices(block)) if (map.lookup(key) === undefined) throw updateRefused(map, ERRNO.ENOENT);
  let done = 0;
  for (const { key } of slices(block)) {
    const result = map.delete(key);
    // In other kinds it may have gone since it was looked for.
    if (result !== 0 && kind === 'lpm-trie') throw updateRefused(map, result, done);
    done++;
  }
}

/** Empties a map step by step. @throws ExtensionError OKO_READ_ONLY_MAP */
export function* clearMap(programs: FilterPrograms, map: BpfMap): Generator<undefined> {
  if (map.definition.readOnly === true)
    throw new ExtensionError('OKO_READ_ONLY_MAP', `map ${map.definition.name} holds constants of the program`);
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    checkLive(programs, map);
    cursor = map.clear(cursor);
    yield;
  }
}

/** The entries of keys, all of which have to be there. @throws ExtensionError */
export function lookupKeys(map: BpfMap, block: EntryBlock): MapEntry[] {
  checkKeySize(map, block);
  if (block.valueSize !== 0) throw new ExtensionError('OKO_BAD_REQUEST', 'keys to be looked up have no values');
  const found: MapEntry[] = [];
  for (const { key } of slices(block)) {
    const value = lookup(map, key);
    if (value === undefined)
      throw map.definition.kind.endsWith('array') ? updateRefused(map, ERRNO.E2BIG) : updateRefused(map, ERRNO.ENOENT);
    found.push({ key: key.slice(), value });
  }
  return found;
}

function lookup(map: BpfMap, key: Uint8Array): Uint8Array | undefined {
  try {
    return map.lookup(key);
  } catch (error) {
    if (error instanceof BpfError) throw new ExtensionError('OKO_BAD_KEY_SIZE', error.message, { cause: error });
    throw error;
  }
}

/**
 * What a map holds, step by step: a step is a bounded amount of work and of memory. While others write, an entry that is there all
 * the time comes once. Of a Bloom filter or a sketch come its cells (`cellsOf`).
 *
 * @throws ExtensionError when the program goes away in between
 */
export function* mapContents(programs: FilterPrograms, map: BpfMap): Generator<readonly MapEntry[]> {
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    checkLive(programs, map);
    const step: MapEntries = isFilter(map) ? cellsOf(map, cursor, STEP_ENTRIES) : map.entries(cursor, STEP_ENTRIES);
    yield step.entries;
    cursor = step.next;
  }
}

/** Bytes of the entries that `mapContents` gives. */
export function contentBytes(map: BpfMap): { readonly keySize: number; readonly valueSize: number } {
  switch (map.definition.kind) {
    case 'bloom':
      return { keySize: 4, valueSize: 0 };
    case 'count-min':
      return { keySize: 8, valueSize: map.definition.valueSize };
    default:
      return { keySize: map.definition.keySize, valueSize: valueBytes(map) };
  }
}

function checkLive(programs: FilterPrograms, map: BpfMap): void {
  if (!programs.isLive(map))
    throw new ExtensionError('OKO_NO_SUCH_MAP', `map ${map.definition.name} went away with its program meanwhile`);
}
