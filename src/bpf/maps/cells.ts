import { BLOOM_BITS } from './layout.ts';
import type { BpfMap, MapEntries, MapEntry } from './map.ts';

/** Words of a filter, counters of a sketch that one step looks at, most of which may be zero. */
const STEP_CELLS = 1 << 14;
const NO_BYTES = new Uint8Array(0);

/**
 * What a Bloom filter or a count-min sketch holds, which do not keep their items. Of a filter the bits that are set: the key is the
 * bit's number (u32), the value has no bytes. Of a sketch the counters that are not zero: the key is row and column (u32 each), the value the
 * counter. Numbers are little-endian, as in the map. From `cursor` (0 at first) on, about `limit` entries and a bounded amount of work; any
 * other kind has no cells.
 */
export function cellsOf(map: BpfMap, cursor: number, limit: number): MapEntries {
  switch (map.definition.kind) {
    case 'bloom':
      return setBits(map, cursor, limit);
    case 'count-min':
      return counters(map, cursor, limit);
    default:
      return { entries: [], next: undefined };
  }
}

function setBits({ memory, address, layout }: BpfMap, cursor: number, limit: number): MapEntries {
  const first = (address + layout.data + BLOOM_BITS) / 4;
  const wordCount = 2 ** (layout.slotBits - 5);
  const end = Math.min(cursor + STEP_CELLS, wordCount);
  const entries: MapEntry[] = [];
  let word = cursor;
  for (; word < end && entries.length < limit; word++) {
    const bits = Atomics.load(memory.words, first + word);
    for (let bit = 0; bits !== 0 && bit < 32; bit++)
      if ((bits >>> bit) & 1) entries.push({ key: littleEndian(32 * word + bit), value: NO_BYTES });
  }
  return { entries, next: word < wordCount ? word : undefined };
}

function counters({ memory, address, layout, definition }: BpfMap, cursor: number, limit: number): MapEntries {
  const { maxEntries, hashCount, valueSize } = definition;
  const count = maxEntries * hashCount;
  const end = Math.min(cursor + STEP_CELLS, count);
  const entries: MapEntry[] = [];
  let cell = cursor;
  for (; cell < end && entries.length < limit; cell++) {
    const at = address + layout.data + cell * valueSize;
    const value = memory.bytes.slice(at, at + valueSize);
    if (value.every((byte) => byte === 0)) continue;
    entries.push({ key: littleEndian(Math.floor(cell / maxEntries), cell % maxEntries), value });
  }
  return { entries, next: cell < count ? cell : undefined };
}

function littleEndian(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number, true);
  return new Uint8Array(view.buffer);
}

/** Puts a cell back as `cellsOf` gave it. False when the map has no such cell. */
export function putCell({ memory, address, layout, definition }: BpfMap, key: Uint8Array, value: Uint8Array): boolean {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  if (definition.kind === 'bloom' && key.length === 4) {
    const bit = view.getUint32(0, true);
    if (bit >= 2 ** layout.slotBits) return false;
    Atomics.or(memory.words, (address + layout.data + BLOOM_BITS) / 4 + (bit >>> 5), 1 << (bit & 31));
    return true;
  }
  const { maxEntries, hashCount, valueSize } = definition;
  if (definition.kind !== 'count-min' || key.length !== 8 || value.length !== valueSize) return false;
  const [row, column] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (row >= hashCount || column >= maxEntries) return false;
  memory.bytes.set(value, address + layout.data + (row * maxEntries + column) * valueSize);
  return true;
}
