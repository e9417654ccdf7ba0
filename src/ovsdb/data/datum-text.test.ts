import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../test/support/property-runs.ts';
import { OvsdbError } from '../errors.ts';
import type { ColumnType } from '../schema/column-type.ts';
import type { AtomicType } from './atom.ts';
import { type Datum, mapDatum, setDatum } from './datum.ts';
import { parseDatumText, printDatumText } from './datum-text.ts';
import type { Uuid } from './uuid.ts';

const RUNS = runs(2000);
const MANY = Number.POSITIVE_INFINITY;

const atoms = {
  integer: fc.oneof(
    fc.integer(),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).filter((n) => !Number.isSafeInteger(Number(n))),
  ),
  // Fifteen digits are printed.
  real: fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 64 + 0),
  boolean: fc.boolean(),
  string: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'true', 'a b', '"', '\\', 'br0')),
  uuid: fc.uuid(),
} as const satisfies Record<AtomicType, unknown>;

const typeName = fc.constantFrom<AtomicType>('integer', 'real', 'boolean', 'string', 'uuid');

const columns: fc.Arbitrary<readonly [ColumnType, Datum]> = fc
  .tuple(typeName, fc.option(typeName, { nil: undefined }))
  .chain(([key, value]) => {
    const keys = fc.uniqueArray(atoms[key] as fc.Arbitrary<string>, { maxLength: 6 });
    if (value === undefined)
      return keys.map((list) => [{ key: { type: key }, min: 0, max: MANY }, setDatum(list) as Datum] as const);
    const type: ColumnType = { key: { type: key }, value: { type: value }, min: 0, max: MANY };
    return fc
      .tuple(keys, fc.array(atoms[value] as fc.Arbitrary<string>, { minLength: 6, maxLength: 6 }))
      .map(([list, values]) => [type, mapDatum(list.map((one, i) => [one, values[i]])) as Datum] as const);
  });

const noSymbols = (): Uuid => {
  throw new OvsdbError('OVSDB_VALUE_TEXT', 'no symbols here');
};

describe('the text of a value', () => {
  it('is read back as what was printed', () => {
    fc.assert(
      fc.property(columns, ([type, datum]) => {
        expect(parseDatumText(printDatumText(datum, type), type, noSymbols)).toEqual(datum);
      }),
      { numRuns: RUNS },
    );
  });

  it('that nobody has printed is a value or an error with a code', () => {
    const piece = fc.oneof(
      fc.constantFrom('[', ']', '{', '}', ',', ' ', '=', '"', '\\', '@', '-', '1', 'true', '\\u12', ':', 'a'),
      fc.string({ maxLength: 3 }),
    );
    const mutated = fc.tuple(columns, fc.nat(40), fc.nat(4), piece).map(([[type, datum], at, cut, text]) => {
      const printed = printDatumText(datum, type);
      return [type, printed.slice(0, at) + text + printed.slice(at + cut)] as const;
    });
    fc.assert(
      fc.property(mutated, ([type, text]) => {
        try {
          const again = printDatumText(parseDatumText(text, type, noSymbols), type);
          expect(printDatumText(parseDatumText(again, type, noSymbols), type)).toBe(again);
        } catch (error) {
          if (!(error instanceof OvsdbError)) throw error;
        }
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    [0.1, '0.1'],
    [1e21, '1e+21'],
    [1.5e-7, '1.5e-07'],
    [123456789.123, '123456789.123'],
    [-2, '-2'],
    [1 / 3, '0.333333333333333'],
  ])('of the real %d is %s', (value, text) => {
    expect(printDatumText({ keys: [value], values: [] }, { key: { type: 'real' }, min: 1, max: 1 })).toBe(text);
  });
});
