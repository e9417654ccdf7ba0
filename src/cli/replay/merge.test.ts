import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CapturedPacket } from '../../packet/index.ts';
import { mergeCaptures } from './merge.ts';

const packet = (timestampNs: bigint): CapturedPacket => ({ timestampNs, originalLength: 0, bytes: new Uint8Array(0) });

it('yields every packet once, in the order of time, then of port', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.bigInt({ min: 0n, max: 20n })), { maxLength: 4 }), (times) => {
      const captures = times.map((list, i) => [i + 1, [...list].sort(compare).map(packet)] as const);
      const merged = [...mergeCaptures(captures)].map(({ port, packet: { timestampNs } }) => ({ port, timestampNs }));
      const expected = captures
        .flatMap(([port, packets]) => packets.map(({ timestampNs }) => ({ port, timestampNs })))
        .sort((a, b) => compare(a.timestampNs, b.timestampNs) || a.port - b.port);
      expect(merged).toEqual(expected);
    }),
  );
});

it('keeps the order within a capture whose times go back', () => {
  const merged = [
    ...mergeCaptures([
      [1, [5n, 1n, 6n].map(packet)],
      [2, [2n].map(packet)],
    ]),
  ];
  expect(merged.map(({ port, packet: { timestampNs } }) => [port, timestampNs])).toEqual([
    [2, 2n],
    [1, 5n],
    [1, 1n],
    [1, 6n],
  ]);
});

it('closes the captures when the reader stops early', () => {
  let isClosed = false;
  function* capture(): Generator<CapturedPacket, void> {
    try {
      yield packet(1n);
      yield packet(2n);
    } finally {
      isClosed = true;
    }
  }
  for (const _ of mergeCaptures([[1, capture()]])) break;
  expect(isClosed).toBe(true);
});

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
