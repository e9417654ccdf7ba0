import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/datapath/index.ts';
import { FilterPrograms, ProgramStore } from '../../src/ofproto/index.ts';
import { mapContents, updateMap } from '../../src/ofproto/programs/map-access.ts';
import { countingObject } from '../support/filter-object.ts';

const clock = new ManualClock(1_700_000_000_000_000_000n);
const MAPS = [
  ...['hash', 'lru-hash', 'per-thread-hash'].map((kind) => ({
    name: kind.replaceAll('-', '_'),
    kind,
    keySize: 2,
    valueSize: 3,
    maxEntries: 2000,
  })),
  { name: 'elements', kind: 'array', keySize: 4, valueSize: 3, maxEntries: 5 },
  { name: 'routes', kind: 'lpm-trie', keySize: 8, valueSize: 3, maxEntries: 10 },
  { name: 'filter', kind: 'bloom', keySize: 2, valueSize: 0, maxEntries: 1000, hashCount: 3 },
  { name: 'sketch', kind: 'count-min', keySize: 2, valueSize: 8, maxEntries: 50, hashCount: 3 },
];
const OBJECT = countingObject(1, MAPS);
const PACKET = new Uint8Array(60);

describe('programs that are kept over a restart', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oko-state-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = async () => {
    const store = new ProgramStore(folder);
    const programs = new FilterPrograms({ store, windowBits: 22 });
    const errors = await store.restore(programs, clock);
    return { store, programs, errors };
  };
  const contents = (programs: FilterPrograms) =>
    programs
      .list()
      .map(({ id, name, maps }) => [
        id,
        name,
        ...maps.map((map) => [...mapContents(programs, map)].flat().sort(byKey)),
      ]);
  const byKey = (a: { key: Uint8Array }, b: { key: Uint8Array }) => (a.key.join() < b.key.join() ? -1 : 1);

  /** A program with something in each kind of map. */
  const filled = async () => {
    const started = await start();
    const { programs } = started;
    await programs.loadObject({ id: 3, name: 'three', object: OBJECT }, clock);
    for (const map of programs.get(3).maps) {
      const { kind, keySize, valueSize, name } = map.definition;
      if (name === 'sequence') continue;
      const isFilter = kind === 'bloom' || kind === 'count-min';
      const count = kind === 'array' ? 5 : kind === 'lpm-trie' ? 10 : 1500;
      const stride = keySize + (isFilter ? 0 : valueSize);
      const entries = new Uint8Array(count * stride);
      for (let i = 0; i < count; i++) {
        if (kind === 'lpm-trie') entries.set([24, 0, 0, 0, i, 0, 0, 0, i, 2, 3], i * stride);
        else entries.set([i & 255, i >> 8], i * stride);
        if (kind !== 'lpm-trie' && !isFilter) entries[(i + 1) * stride - 1] = i;
      }
      updateMap(programs, map, { keySize, valueSize: isFilter ? 0 : valueSize, count, entries }, 'any');
    }
    for (let i = 0; i < 3; i++) programs.matches(3, PACKET, 0n);
    return started;
  };

  it('come back with all that their maps held, of every kind', async () => {
    const { store, programs } = await filled();
    const before = contents(programs);
    await store.snapshot(programs);
    expect(store.failure).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual(['3.maps', '3.program']);
    const again = await start();
    expect(again.errors).toEqual([]);
    expect(contents(again.programs)).toEqual(before);
    expect(again.programs.map(3, 'filter').lookup(Uint8Array.of(7, 0))).toBeDefined();
    again.programs.matches(3, PACKET, 0n);
    expect(again.programs.map(3, 'sequence').lookup(new Uint8Array(4))?.[0]).toBe(4);
    // A snapshot is true once: after a crash, maps start empty rather than with what was long ago.
    expect(readdirSync(folder)).toEqual(['3.program']);
  });

  it('are gone when they were unloaded, and others when they were replaced', async () => {
    const { store, programs } = await filled();
    await programs.loadObject({ id: 4, name: 'four', object: OBJECT }, clock);
    programs.unload(3);
    await programs.loadObject({ id: 4, name: 'other', object: countingObject(2), replace: true }, clock);
    await store.flush();
    expect(readdirSync(folder)).toEqual(['4.program']);
    const again = await start();
    expect(again.programs.list().map(({ id, name, maps }) => [id, name, maps.length])).toEqual([[4, 'other', 1]]);
  });

  const damage: readonly (readonly [string, (bytes: Buffer) => Uint8Array, RegExp])[] = [
    ['a byte is another one', (bytes) => bytes.fill(bytes[500] ^ 1, 500, 501), /checksum/],
    ['the end is missing', (bytes) => bytes.subarray(0, bytes.length - 100), /checksum/],
    ['it is empty', () => new Uint8Array(0), /checksum|no snapshot/],
    ['it is a text', () => Buffer.from('{"format":"oko-maps 1"}\n'.repeat(9)), /checksum/],
  ];
  it.each(damage)('a snapshot of which %s is refused by name, and the maps start empty', async (_what, spoil, why) => {
    const { store, programs } = await filled();
    await store.snapshot(programs);
    const path = join(folder, '3.maps');
    writeFileSync(path, spoil(readFileSync(path)));
    const again = await start();
    expect(again.errors.map(({ code }) => code)).toEqual(['OFPROTO_BAD_SNAPSHOT']);
    expect(again.errors[0].message).toContain(path);
    expect(again.errors[0].message).toMatch(why);
    expect(again.programs.map(3, 'hash').count).toBe(0);
    expect(again.programs.get(3).name).toBe('three');
  });

  it('a snapshot of another program is not taken for this one’s', async () => {
    const { store, programs } = await filled();
    await programs.loadObject({ id: 4, name: 'four', object: countingObject(1, MAPS, 10) }, clock);
    await store.snapshot(programs);
    writeFileSync(join(folder, '4.maps'), readFileSync(join(folder, '3.maps')));
    const again = await start();
    expect(again.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/4\.maps: it belongs to another object/),
    ]);
  });

  it('a stored program that is damaged is refused by name, and the others are loaded', async () => {
    const { store, programs } = await filled();
    await programs.loadObject({ id: 4, name: 'four', object: OBJECT }, clock);
    await store.flush();
    const path = join(folder, '3.program');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const again = await start();
    expect(again.errors.map(({ code, message }) => [code, message.includes(path)])).toEqual([
      ['OFPROTO_BAD_PROGRAM_FILE', true],
    ]);
    expect(again.programs.list().map(({ id }) => id)).toEqual([4]);
  });
});
