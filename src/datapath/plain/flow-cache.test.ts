import { expect, it } from 'vitest';
import type { Outcome } from '../outcome.ts';
import { FlowCache } from './flow-cache.ts';

const outcome = (): Outcome => ({ actions: [], packets: 0, bytes: 0, lastUsedNs: 0n });

it('knows keys apart by the bits of the union only', () => {
  const cache = new FlowCache(4, 10);
  cache.setUnion(new Uint8Array([0, 0xf0, 0, 0xff]));
  const one = outcome();
  cache.set(cache.index(new Uint8Array([1, 0x21, 3, 4])), one);
  expect(cache.get(cache.index(new Uint8Array([9, 0x2f, 9, 4])))).toBe(one);
  expect(cache.get(cache.index(new Uint8Array([1, 0x31, 3, 4])))).toBeUndefined();
  expect([...cache.flows()]).toEqual([{ key: new Uint8Array([0, 0x20, 0, 4]), node: one }]);
});

it('forgets everything when it is invalidated or the union changes', () => {
  const cache = new FlowCache(1, 10);
  cache.setUnion(new Uint8Array([0xff]));
  const index = cache.index(new Uint8Array([1]));
  cache.set(index, outcome());
  cache.invalidate();
  expect(cache.get(index)).toBeUndefined();
  expect([...cache.flows()]).toEqual([]);
  cache.set(index, outcome());
  cache.setUnion(new Uint8Array([0x0f]));
  expect(cache.get(cache.index(new Uint8Array([1])))).toBeUndefined();
});

it('never holds more flows than it may', () => {
  const cache = new FlowCache(1, 3);
  cache.setUnion(new Uint8Array([0xff]));
  for (let i = 0; i < 10; i++) cache.set(cache.index(new Uint8Array([i])), outcome());
  expect([...cache.flows()].map(({ key }) => key[0])).toEqual([7, 8, 9]);
  expect(cache.evictions).toBe(7);
});
