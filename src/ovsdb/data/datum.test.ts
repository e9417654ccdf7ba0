import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../schema/column-type.ts';
import {
  applyDifference,
  type Datum,
  difference,
  EMPTY,
  equalData,
  mapDatum,
  setDatum,
  subtract,
  union,
} from './datum.ts';

/** The plain twin: a datum as a Map, and set algebra by its definition. */
const key = fc.integer({ min: 0, max: 300 });
const set = fc.uniqueArray(key, { maxLength: 250 });
const map = fc.dictionary(key.map(String), fc.integer({ min: 0, max: 2 }), { maxKeys: 150, noNullPrototype: true });
const SET: ColumnType = { key: { type: 'integer' }, min: 0, max: Number.POSITIVE_INFINITY };
const MAP: ColumnType = { ...SET, key: { type: 'string' }, value: { type: 'integer' } };

function asMap({ keys, values }: Datum): Map<unknown, unknown> {
  return new Map(keys.map((each, i) => [each, values.length > 0 ? values[i] : true]));
}

function sorted(pairs: Map<unknown, unknown>): unknown[] {
  return [...pairs].sort(([a], [b]) => ((a as number) < (b as number) ? -1 : 1));
}

const data = fc.oneof(
  fc
    .tuple(set, set, fc.constant(SET))
    .map(([a, b, type]) => [setDatum(a) ?? EMPTY, setDatum(b) ?? EMPTY, type] as const),
  fc
    .tuple(map, map, fc.constant(MAP))
    .map(([a, b, type]) => [mapDatum(Object.entries(a)) ?? EMPTY, mapDatum(Object.entries(b)) ?? EMPTY, type] as const),
);

describe('data', () => {
  it('are combined as sets and maps are', () => {
    fc.assert(
      fc.property(data, fc.nat({ max: 3 }), ([a, all, type], few) => {
        for (const b of [all, { keys: all.keys.slice(0, few), values: all.values.slice(0, few) }]) {
          const [mapA, mapB] = [asMap(a), asMap(b)];
          expect(sorted(asMap(union(a, b)))).toEqual(sorted(new Map([...mapB, ...mapA])));
          expect(sorted(asMap(subtract(a, b)))).toEqual(
            sorted(new Map([...mapA].filter(([k, v]) => mapB.get(k) !== v))),
          );
          const changed = [...mapA]
            .filter(([k]) => !mapB.has(k))
            .concat([...mapB].filter(([k, v]) => mapA.get(k) !== v));
          expect(sorted(asMap(difference(a, b, type)))).toEqual(sorted(new Map(changed)));
          expect(equalData(applyDifference(a, difference(a, b, type), type), b)).toBe(true);
          expect(equalData(a, b)).toBe(mapA.size === mapB.size && [...mapA].every(([k, v]) => mapB.get(k) === v));
        }
      }),
    );
  });

  it('refuse duplicates', () => {
    expect(setDatum([1, 2, 1])).toBeUndefined();
    expect(
      mapDatum([
        ['a', 1],
        ['a', 2],
      ]),
    ).toBeUndefined();
  });
});
