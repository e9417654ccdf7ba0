import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OvsdbError } from '../errors.ts';
import { JsonFramer } from './framing.ts';
import { parseJson, printJson, printJsonSorted } from './text.ts';
import type { Json } from './value.ts';

const RUNS = process.env.OKO_LONG ? 20_000 : 500;

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
});
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      int64,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Number.isInteger(n) ? 0.5 : n)),
      fc.string({ unit: 'grapheme' }),
      fc.string(),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const message = fc.dictionary(fc.string(), json, { maxKeys: 5, noNullPrototype: true });

function feed(framer: JsonFramer, bytes: Uint8Array, cuts: readonly number[]): Json[] {
  const messages: Json[] = [];
  let start = 0;
  for (const cut of [...cuts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b), bytes.length]) {
    messages.push(...framer.push(bytes.subarray(start, cut)));
    start = cut;
  }
  return messages;
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('JSON text', () => {
  it.each([
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775808', 2 ** 63],
    ['1e3', 1000],
    ['0.12345678901234567890', 0.12345678901234568],
    ['12345678901234567890.5', Number('12345678901234567890.5')],
    [
      '{"a":["9223372036854775807",9223372036854775807,"\\"9223372036854775807"]}',
      { a: ['9223372036854775807', 9223372036854775807n, '"9223372036854775807'] },
    ],
    ['{"__proto__":1}', JSON.parse('{"__proto__":1}')],
  ])('reads %s exactly', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it.each([
    '01',
    '1234567890123456789x',
    '0000000000000000001',
    '12345678901234567-8',
    '{"a":1,}',
    '"\u0001"',
    'NaN',
    '',
  ])('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('prints what it reads', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(parseJson(printJson(value))).toEqual(value);
        expect(parseJson(printJsonSorted(value))).toEqual(value);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('JsonFramer', () => {
  it('finds the messages, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.constantFrom('', ' ', '\n\t'))), cuts, (messages, places) => {
        const bytes = Buffer.from(messages.map(([value, space]) => printJson(value) + space).join(''));
        const framer = new JsonFramer();
        expect(feed(framer, bytes, places)).toEqual(messages.map(([value]) => value));
        expect(framer.pendingBytes).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  it('fails on damaged bytes with its own errors only, and keeps no more than its limit', () => {
    const limits = { maxMessageBytes: 200, maxDepth: 10 };
    const damage = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 3 }), damage, cuts, (messages, changes, places) => {
        const bytes = Buffer.from(messages.map(printJson).join(''));
        for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to;
        const framer = new JsonFramer(limits);
        try {
          feed(framer, bytes, places);
          expect(framer.pendingBytes).toBeLessThanOrEqual(limits.maxMessageBytes);
        } catch (error) {
          expect(error).toBeInstanceOf(OvsdbError);
        }
      }),
      { numRuns: 2 * RUNS },
    );
  });

  it('reads lists in pieces as it reads them whole, sound or damaged, and counts alike', () => {
    const limits = { maxMessageBytes: 300, maxDepth: 10 };
    const lists = fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.array(json, { maxLength: 8 }), json), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const damage = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.constantFrom(...Buffer.from('[]{},":1 a'))), {
      maxLength: 2,
    });
    const outcome = (bytes: Uint8Array, places: readonly number[], pieceBytes: number): unknown => {
      try {
        const framer = new JsonFramer(limits, pieceBytes);
        return [feed(framer, bytes, places), framer.pendingBytes];
      } catch (error) {
        return (error as OvsdbError).code;
      }
    };
    fc.assert(
      fc.property(fc.array(lists, { maxLength: 3 }), damage, cuts, fc.nat(20), (messages, changes, places, piece) => {
        const bytes = Buffer.from(messages.map(printJson).join(''));
        for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to;
        const inPieces = outcome(bytes, places, piece);
        const whole = outcome(bytes, places, 1e9);
        // What is wrong may be noticed earlier in pieces, before the message turns out to be too long or not to end.
        if (inPieces !== 'OVSDB_PROTOCOL') expect(inPieces).toEqual(whole);
        else expect(Array.isArray(whole) && whole[1] === 0).toBe(false);
      }),
      { numRuns: 3 * RUNS },
    );
  });

  it('counts size and depth to the byte', () => {
    const text = '{"a":[[1]]}';
    const run = (maxMessageBytes: number, maxDepth: number): string => {
      try {
        return printJson([...new JsonFramer({ maxMessageBytes, maxDepth }).push(Buffer.from(text))]);
      } catch (error) {
        return (error as OvsdbError).code;
      }
    };
    expect(run(text.length, 3)).toBe(`[${text}]`);
    expect(run(text.length - 1, 3)).toBe('OVSDB_MESSAGE_TOO_BIG');
    expect(run(text.length, 2)).toBe('OVSDB_MESSAGE_TOO_DEEP');
  });
});
