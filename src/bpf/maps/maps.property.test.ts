import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { EpochClock } from '../epoch.ts';
import { ERRNO } from '../helpers.ts';
import { EbpfMemory } from '../memory.ts';
import { createMap } from './create.ts';
import type { MapDefinition, MapKind } from './definition.ts';
import { KeyHasher } from './key-hash.ts';
import type { BpfMap, UpdateMode } from './map.ts';

const memory = EbpfMemory.standalone({ windowBits: 24 });

/** A map and a place for keys and values that helpers read. */
class Bench {
  readonly clock = EpochClock.create(memory, 2);
  readonly map: BpfMap;
  readonly #key = memory.allocate(512, 'key');
  readonly #value = memory.allocate(512, 'value');

  constructor(definition: Partial<MapDefinition> & { kind: MapKind }, seed = 1n) {
    const whole = { name: 'm', keySize: 4, valueSize: 8, maxEntries: 16, hashCount: 0, ...definition };
    this.map = createMap(memory, this.clock, whole, seed);
    this.clock.enter(0);
  }

  release(): void {
    for (const address of [this.map.address, this.#key, this.#value, this.clock.address]) memory.free(address);
  }

  key(bytes: Uint8Array): number {
    memory.bytes.set(bytes, this.#key);
    return this.#key;
  }

  value(bytes: Uint8Array): number {
    memory.bytes.set(bytes, this.#value);
    return this.#value;
  }

  all(): Map<string, string> {
    const found = new Map<string, string>();
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const step = this.map.entries(cursor, 5);
      expect(step.entries.length).toBeLessThanOrEqual(5);
      for (const { key, value } of step.entries) {
        expect(found.has(String(key))).toBe(false);
        found.set(String(key), String(value));
      }
      cursor = step.next;
    }
    return found;
  }
}

function withBench<T>(definition: Partial<MapDefinition> & { kind: MapKind }, body: (bench: Bench) => T): T {
  const bench = new Bench(definition);
  try {
    return body(bench);
  } finally {
    bench.release();
  }
}

const mode = fc.constantFrom<UpdateMode>('any', 'noexist', 'exist');
const small = fc.integer({ min: 0, max: 40 });
const operation = fc.oneof(
  fc.record({ op: fc.constant('update' as const), key: small, value: fc.nat(255), mode }),
  fc.record({ op: fc.constant('helperUpdate' as const), key: small, value: fc.nat(255) }),
  fc.record({ op: fc.constantFrom('delete' as const, 'helperDelete' as const), key: small }),
  fc.record({ op: fc.constantFrom('lookup' as const, 'helperLookup' as const), key: small }),
  fc.record({ op: fc.constant('batch' as const) }),
);

/** Keys of any size; the number sits in its last bytes. */
function keyOf(number: number, size: number): Uint8Array {
  const key = new Uint8Array(size);
  key[size - 1] = number;
  return key;
}

function expectedUpdate(model: Map<number, number>, key: number, maxEntries: number, how: UpdateMode): number {
  if (model.has(key)) return how === 'noexist' ? ERRNO.EEXIST : 0;
  if (how === 'exist') return ERRNO.ENOENT;
  return model.size >= maxEntries ? ERRNO.E2BIG : 0;
}

describe('hash kinds behave like a Map of JavaScript', () => {
  test.each<[MapKind, number, number]>([
    ['hash', 1, 8],
    ['hash', 4, 4],
    ['hash', 13, 3],
    ['hash', 16, 48],
    ['lru-hash', 8, 8],
    ['lru-hash', 12, 100],
  ])('%s, keys of %i bytes, values of %i', (kind, keySize, valueSize) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), fc.integer({ min: 1, max: 24 }), (operations, maxEntries) =>
        withBench({ kind, keySize, valueSize, maxEntries }, (bench) => {
          const { map } = bench;
          // In the order of last use, as JavaScript keeps it.
          const model = new Map<number, number>();
          const use = (key: number, value: number) => {
            model.delete(key);
            model.set(key, value);
          };
          const filled = (number: number) => new Uint8Array(valueSize).fill(number);
          for (const step of operations) {
            bench.clock.advance(0);
            if (step.op === 'batch') continue;
            const key = keyOf(step.key, keySize);
            if (step.op === 'update' || step.op === 'helperUpdate') {
              const how = step.op === 'update' ? step.mode : 'any';
              let expected = expectedUpdate(model, step.key, maxEntries, how);
              if (kind === 'lru-hash' && expected === ERRNO.E2BIG) {
                const oldest = model.keys().next().value;
                if (oldest !== undefined) model.delete(oldest);
                expected = 0;
              }
              const value = filled(step.value);
              const result =
                step.op === 'update'
                  ? map.update(key, value, how)
                  : map.helperUpdate(bench.key(key), bench.value(value), 0);
              expect(result).toBe(expected);
              if (expected === 0) use(step.key, step.value);
            } else if (step.op === 'delete' || step.op === 'helperDelete') {
              const result = step.op === 'delete' ? map.delete(key) : map.helperDelete(bench.key(key));
              expect(result).toBe(model.delete(step.key) ? 0 : ERRNO.ENOENT);
            } else {
              const expected = model.get(step.key);
              if (step.op === 'lookup')
                expect(map.lookup(key)).toEqual(expected === undefined ? undefined : filled(expected));
              else {
                const at = map.helperLookup(bench.key(key), 0);
                expect(at !== 0).toBe(expected !== undefined);
                if (expected !== undefined) {
                  expect(memory.bytes.slice(at, at + valueSize)).toEqual(filled(expected));
                  use(step.key, expected);
                }
              }
            }
            expect(map.count).toBe(model.size);
          }
          const found = bench.all();
          expect(found.size).toBe(model.size);
          for (const [key, value] of model) expect(found.get(String(keyOf(key, keySize)))).toBe(String(filled(value)));
          expect(map.clear(0)).toBeUndefined();
          expect(map.count).toBe(0);
          expect(bench.all().size).toBe(0);
        }),
      ),
      { numRuns: runs(60) },
    );
  });
});

/** Six keys that crowd into the first slots of a table with the seed 1, so that they fight for the same ones. */
const crowded: readonly number[] = (() => {
  const hasher = new KeyHasher(1n, 4, 8);
  const keys: number[] = [];
  for (let n = 0; keys.length < 6; n++) if (hasher.hash(new Int32Array([n, 0])).home < 4) keys.push(n);
  return keys;
})();

test('a value that was looked up stays its key’s until the batch has ended', () => {
  fc.assert(
    fc.property(fc.constantFrom<MapKind>('hash', 'lru-hash'), fc.array(operation, { maxLength: 120 }), (kind, steps) =>
      withBench({ kind, maxEntries: 4 }, (bench) => {
        const { map } = bench;
        let held: { readonly at: number; readonly key: number }[] = [];
        const keyAt = (value: number) => memory.view.getUint32(value - map.layout.valueOffset + 8, true);
        for (const step of steps) {
          if (step.op === 'batch') {
            held = [];
            bench.clock.advance(0);
            continue;
          }
          const number = crowded[step.key % 6];
          const key = new Uint8Array(new Uint32Array([number]).buffer);
          if (step.op === 'update' || step.op === 'helperUpdate') map.update(key, new Uint8Array(8));
          else if (step.op === 'delete' || step.op === 'helperDelete') map.delete(key);
          else {
            const at = map.helperLookup(bench.key(key), 0);
            if (at !== 0) held.push({ at, key: number });
          }
          for (const each of held) expect(keyAt(each.at)).toBe(each.key);
        }
      }),
    ),
    { numRuns: runs(200) },
  );
});

test('a map of one element that sees only new keys recovers after two batches', () =>
  withBench({ kind: 'hash', maxEntries: 1 }, ({ map, clock }) => {
    const key = (n: number) => new Uint8Array(new Uint32Array([n]).buffer);
    const value = new Uint8Array(8);
    let n = 0;
    let result = 0;
    for (; n < 1000 && result === 0; n++) {
      result = map.update(key(n), value);
      if (result === 0) expect(map.delete(key(n))).toBe(0);
    }
    expect(result).toBe(ERRNO.ENOMEM);
    expect(n).toBe(257);
    expect(map.count).toBe(0);
    clock.advance(0);
    expect(map.update(key(n), value)).toBe(ERRNO.ENOMEM);
    clock.advance(0);
    for (let i = 0; i < 100; i++) {
      expect(map.update(key(n + i), value)).toBe(0);
      expect(map.delete(key(n + i))).toBe(0);
    }
  }));

test('the epoch waits for every online thread, and for no other', () =>
  withBench({ kind: 'hash' }, ({ clock }) => {
    const start = clock.now;
    clock.advance(0);
    expect(clock.now).toBe(start + 1);
    clock.enter(1);
    const shared = clock.now;
    clock.advance(0);
    clock.advance(0);
    clock.advance(0);
    expect(clock.now).toBeLessThanOrEqual(shared + 1);
    clock.advance(1);
    clock.advance(0);
    clock.advance(1);
    expect(clock.now).toBeGreaterThan(shared + 1);
    clock.leave(1);
    const alone = clock.now;
    for (let i = 0; i < 5; i++) clock.advance(0);
    expect(clock.now).toBeGreaterThanOrEqual(alone + 4);
  }));

test('a full hash takes exactly max_entries keys, whatever they are', () =>
  withBench({ kind: 'hash', keySize: 8, maxEntries: 3000 }, ({ map }) => {
    const keys = Array.from({ length: 3000 }, (_, n) => new Uint8Array(new Uint32Array([n, n << 24]).buffer));
    for (const each of keys) expect(map.update(each, new Uint8Array(8))).toBe(0);
    expect(map.update(new Uint8Array(8).fill(255), new Uint8Array(8))).toBe(ERRNO.E2BIG);
    for (const each of keys) expect(map.lookup(each)).toBeDefined();
    expect(map.count).toBe(3000);
  }));

describe('arrays', () => {
  test.each<[MapKind, number, number]>([
    ['array', 4, 1],
    ['array', 8, 12],
    ['per-thread-array', 4, 20],
  ])('%s with keys of %i bytes and values of %i', (kind, keySize, valueSize) => {
    const key = (n: number) => new Uint8Array(new BigUint64Array([BigInt(n)]).buffer).slice(0, keySize);
    withBench({ kind, keySize, valueSize, maxEntries: 3 }, (bench) => {
      const { map } = bench;
      const value = (n: number) => new Uint8Array(valueSize).fill(n);
      expect(map.lookup(key(2))).toEqual(new Uint8Array(valueSize * map.threads));
      expect(map.lookup(key(3))).toBeUndefined();
      expect(map.helperLookup(bench.key(key(3)), 0)).toBe(0);
      expect(map.update(key(3), value(1))).toBe(ERRNO.E2BIG);
      expect(map.update(key(1), value(1), 'noexist')).toBe(ERRNO.EEXIST);
      expect(map.update(key(1), value(7), 'exist')).toBe(0);
      expect(map.lookup(key(1))).toEqual(new Uint8Array(valueSize * map.threads).fill(7));
      const at = map.helperLookup(bench.key(key(1)), map.threads - 1);
      expect(memory.bytes.slice(at, at + valueSize)).toEqual(value(7));
      expect(map.helperUpdate(bench.key(key(0)), bench.value(value(9)), 0)).toBe(0);
      expect(map.lookup(key(0))?.slice(0, valueSize)).toEqual(value(9));
      expect(map.delete(key(0))).toBe(ERRNO.EINVAL);
      expect(map.helperDelete(bench.key(key(0)))).toBe(ERRNO.EINVAL);
      expect(map.add(new Uint8Array(4))).toBe(ERRNO.EOPNOTSUPP);
      expect([...bench.all().keys()]).toEqual([0, 1, 2].map((n) => String(key(n))));
      expect(map.clear(0)).toBeUndefined();
      expect(map.lookup(key(1))).toEqual(new Uint8Array(valueSize * map.threads));
    });
  });

  test('an 8-byte index beyond 32 bits is past the end', () =>
    withBench({ kind: 'array', keySize: 8 }, ({ map }) => {
      expect(map.lookup(new Uint8Array(new BigUint64Array([2n ** 32n]).buffer))).toBeUndefined();
    }));
});

test.each<MapKind>(['per-thread-array', 'per-thread-hash'])('%s keeps a value a thread', (kind) =>
  withBench({ kind, valueSize: 4 }, (bench) => {
    const { map } = bench;
    expect(map.threads).toBe(2);
    const key = new Uint8Array([5, 0, 0, 0]);
    expect(map.helperUpdate(bench.key(key), bench.value(new Uint8Array([1, 2, 3, 4])), 1)).toBe(0);
    expect(map.lookup(key)).toEqual(new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4]));
    const [first, second] = [0, 1].map((thread) => map.helperLookup(bench.key(key), thread));
    // On a cache line each.
    expect(second - first).toBeGreaterThanOrEqual(64);
    expect(map.update(key, new Uint8Array([9, 9, 9, 9]))).toBe(0);
    expect(map.lookup(key)).toEqual(new Uint8Array(8).fill(9));
    expect(map.update(key, new Uint8Array([1, 1, 1, 1, 2, 2, 2, 2]))).toBe(0);
    expect(bench.all().get(String(key))).toBe('1,1,1,1,2,2,2,2');
  }),
);

const prefix = fc.record({
  length: fc.integer({ min: 0, max: 32 }),
  address: fc.constantFrom(0, 0x0a000000, 0x0a0000ff, 0x0a800001, 0xffffffff),
});
type Prefix = { readonly length: number; readonly address: number };

function lpmKey({ length, address }: Prefix): Uint8Array {
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, address, false);
  return key;
}

function networkOf({ length, address }: Prefix): number {
  return length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0;
}

test('an LPM trie finds the longest prefix, as a search through all of them does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ op: fc.constantFrom('update', 'update', 'delete'), prefix, value: fc.nat(255) }), {
        maxLength: 60,
      }),
      fc.array(prefix, { maxLength: 20 }),
      (operations, asked) =>
        withBench({ kind: 'lpm-trie', keySize: 8, valueSize: 1, maxEntries: 20 }, (bench) => {
          const { map } = bench;
          const model = new Map<string, Prefix & { value: number }>();
          for (const { op, prefix: each, value } of operations) {
            bench.clock.advance(0);
            const name = `${networkOf(each)}/${each.length}`;
            if (op === 'delete') expect(map.delete(lpmKey(each))).toBe(model.delete(name) ? 0 : ERRNO.ENOENT);
            else {
              const fits = model.has(name) || model.size < 20;
              const result = map.helperUpdate(bench.key(lpmKey(each)), bench.value(new Uint8Array([value])), 0);
              expect(result).toBe(fits ? 0 : ERRNO.E2BIG);
              if (fits) model.set(name, { ...each, value });
            }
          }
          for (const question of asked) {
            const best = [...model.values()]
              .filter(
                (each) =>
                  each.length <= question.length && networkOf({ ...question, length: each.length }) === networkOf(each),
              )
              .sort((a, b) => b.length - a.length)[0];
            expect(map.lookup(lpmKey(question))?.[0]).toBe(best?.value);
            const at = map.helperLookup(bench.key(lpmKey(question)), 0);
            expect(at === 0 ? undefined : memory.bytes[at]).toBe(best?.value);
          }
          expect(bench.all().size).toBe(model.size);
          expect(map.clear(0)).toBeUndefined();
          for (const question of asked) expect(map.lookup(lpmKey(question))).toBeUndefined();
        }),
    ),
    { numRuns: runs(100) },
  );
});

test('LPM keys longer than a word, and absurd lengths', () =>
  withBench({ kind: 'lpm-trie', keySize: 20, valueSize: 4, maxEntries: 8 }, (bench) => {
    const { map } = bench;
    const key = (length: number, ...head: number[]) => {
      const bytes = new Uint8Array(20);
      new DataView(bytes.buffer).setUint32(0, length, true);
      bytes.set(head, 4);
      return bytes;
    };
    expect(map.update(key(64, 0x20, 1, 0xd, 0xb8), new Uint8Array([64, 0, 0, 0]))).toBe(0);
    expect(map.update(key(128, 0x20, 1, 0xd, 0xb8), new Uint8Array([128, 0, 0, 0]))).toBe(0);
    const longest = key(128, 0x20, 1, 0xd, 0xb8);
    expect(map.lookup(longest)?.[0]).toBe(128);
    longest[19] = 1;
    expect(map.lookup(longest)?.[0]).toBe(64);
    expect(map.update(key(129), new Uint8Array(4))).toBe(ERRNO.EINVAL);
    expect(map.delete(key(4_000_000_000))).toBe(ERRNO.EINVAL);
    // A length beyond the key asks for its whole length.
    expect(map.lookup(key(4_000_000_000, 0x20, 1, 0xd, 0xb8))?.[0]).toBe(128);
  }));

test('a Bloom filter never forgets, and finds few that it never saw', () =>
  withBench({ kind: 'bloom', keySize: 4, valueSize: 0, maxEntries: 10_000, hashCount: 4 }, (bench) => {
    const { map } = bench;
    const item = (n: number) => new Uint8Array(new Uint32Array([n]).buffer);
    for (let n = 0; n < 1000; n++) expect(n % 2 ? map.add(item(n)) : map.helperAdd(bench.key(item(n)))).toBe(0);
    for (let n = 0; n < 1000; n++) expect(map.lookup(item(n))).toEqual(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
    let wrong = 0;
    for (let n = 1000; n < 3000; n++) if (map.helperLookup(bench.key(item(n)), 0) !== 0) wrong++;
    // (1 − e^(−4000 / 16384))^4 = 0.0022
    expect(wrong).toBeLessThan(20);
    expect(map.count).toBeGreaterThan(3300);
    expect(map.count).toBeLessThanOrEqual(4000);
    expect(map.helperUpdate(0, 0, 0)).toBe(ERRNO.EOPNOTSUPP);
    expect(map.helperDelete(0)).toBe(ERRNO.EOPNOTSUPP);
    expect(map.entries(0, 10)).toEqual({ entries: [], next: undefined });
    map.clear(0);
    expect(map.lookup(item(1))).toBeUndefined();
  }));

test.each([4, 8])('a count-min sketch of %i-byte counters never estimates too low', (valueSize) => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 200 }), (items) =>
      withBench({ kind: 'count-min', keySize: 2, valueSize, maxEntries: 64, hashCount: 3 }, (bench) => {
        const { map } = bench;
        const counts = new Map<number, number>();
        for (const item of items) {
          expect(map.helperAdd(bench.key(new Uint8Array([item, 1])))).toBe(0);
          counts.set(item, (counts.get(item) ?? 0) + 1);
        }
        for (const [item, count] of counts) {
          const at = map.helperLookup(bench.key(new Uint8Array([item, 1])), 0);
          const estimate = memory.view.getUint32(at, true);
          expect(estimate).toBeGreaterThanOrEqual(count);
          expect(estimate).toBeLessThanOrEqual(items.length);
          expect(map.lookup(new Uint8Array([item, 1]))?.length).toBe(valueSize);
        }
        expect(map.count).toBe(items.length);
      }),
    ),
    { numRuns: runs(50) },
  );
});

describe('definitions that are refused', () => {
  const good = { name: 'm', kind: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, hashCount: 0 } as const;
  test.each<[string, Partial<MapDefinition>]>([
    ['no entries', { maxEntries: 0 }],
    ['2^31 entries', { maxEntries: 2 ** 31 }],
    ['entries that are no number', { maxEntries: Number.NaN }],
    ['no key', { keySize: 0 }],
    ['a key too long', { keySize: 513 }],
    ['no value', { valueSize: 0 }],
    ['an array with a key of 2 bytes', { kind: 'array', keySize: 2 }],
    ['LPM without data', { kind: 'lpm-trie', keySize: 4 }],
    ['Bloom without hash functions', { kind: 'bloom' }],
    ['count-min with counters of 3 bytes', { kind: 'count-min', valueSize: 3, hashCount: 2 }],
    ['count-min without an item', { kind: 'count-min', keySize: 0, hashCount: 2 }],
    ['initial content in a hash', { initial: new Uint8Array(1) }],
    ['initial content longer than the value', { kind: 'array', initial: new Uint8Array(9) }],
  ])('%s', (_name, wrong) => {
    const clock = EpochClock.create(memory, 1);
    const before = memory.bytesUsed;
    expect(() => createMap(memory, clock, { ...good, ...wrong })).toThrow(
      expect.objectContaining({ code: 'BPF_BAD_MAP', message: expect.stringContaining('map m') }),
    );
    expect(memory.bytesUsed).toBe(before);
    memory.free(clock.address);
  });

  test.each<[string, Partial<MapDefinition>]>([
    ['2^30 entries', { maxEntries: 2 ** 30 }],
    ['an array beyond the window', { kind: 'array', maxEntries: 2 ** 21 }],
    ['2^30 bits', { kind: 'bloom', maxEntries: 2 ** 30, hashCount: 1 }],
  ])('%s: no room', (_name, wrong) => {
    const clock = EpochClock.create(memory, 1);
    expect(() => createMap(memory, clock, { ...good, ...wrong })).toThrow(
      expect.objectContaining({ code: 'BPF_MEMORY_LIMIT' }),
    );
    memory.free(clock.address);
  });

  test('keys, values and items of the wrong length', () =>
    withBench({ kind: 'hash' }, ({ map }) => {
      const wrong = expect.objectContaining({ code: 'BPF_MAP_ARGUMENT' });
      expect(() => map.lookup(new Uint8Array(3))).toThrow(wrong);
      expect(() => map.update(new Uint8Array(4), new Uint8Array(9))).toThrow(wrong);
      expect(() => map.delete(new Uint8Array(5))).toThrow(wrong);
    }));
});

test('a read-only map refuses programs, not the control plane', () =>
  withBench({ kind: 'array', readOnly: true, initial: new Uint8Array([1, 2]), maxEntries: 1 }, (bench) => {
    const { map } = bench;
    expect(map.lookup(new Uint8Array(4))).toEqual(new Uint8Array([1, 2, 0, 0, 0, 0, 0, 0]));
    const key = bench.key(new Uint8Array(4));
    expect(map.helperUpdate(key, key, 0)).toBe(ERRNO.EPERM);
    expect(map.helperDelete(key)).toBe(ERRNO.EPERM);
    expect(map.helperAdd(key)).toBe(ERRNO.EPERM);
    expect(map.update(new Uint8Array(4), new Uint8Array(8))).toBe(0);
  }));
