import { expect, it } from 'vitest';
import { MacTable } from './mac-table.ts';

const SECOND = 1_000_000_000n;

it('finds an address where it was last seen, by VLAN', () => {
  const table = new MacTable();
  expect(table.learn(0, '02:00:00:00:00:01', 1, 0n)).toBe(true);
  expect(table.learn(10, '02:00:00:00:00:01', 2, 0n)).toBe(true);
  expect(table.lookup(0, '02:00:00:00:00:01')).toBe(1);
  expect(table.lookup(10, '02:00:00:00:00:01')).toBe(2);
  expect(table.learn(0, '02:00:00:00:00:01', 1, SECOND)).toBe(false);
  expect(table.learn(0, '02:00:00:00:00:01', 3, SECOND)).toBe(true);
  expect(table.lookup(0, '02:00:00:00:00:01')).toBe(3);
  expect(table.lookup(0, '02:00:00:00:00:02')).toBeUndefined();
});

it('forgets after 300 silent seconds, and not before', () => {
  const table = new MacTable();
  table.learn(0, 'a', 1, 0n);
  table.learn(0, 'b', 1, 0n);
  table.learn(0, 'a', 1, 100n * SECOND);
  expect(table.expire(300n * SECOND - 1n)).toBe(false);
  expect(table.expire(300n * SECOND)).toBe(true);
  expect([...table.entries()].map((entry) => entry.mac)).toEqual(['a']);
});

it('makes room for a new address by the one longest silent', () => {
  const table = new MacTable({ capacity: 2 });
  table.learn(0, 'a', 1, 0n);
  table.learn(0, 'b', 1, 1n);
  table.learn(0, 'a', 1, 2n);
  table.learn(0, 'c', 1, 3n);
  expect([...table.entries()].map((entry) => entry.mac)).toEqual(['a', 'c']);
  expect(table.counters.evicted).toBe(1);
});

it('forgets a port with all that was learnt on it', () => {
  const table = new MacTable();
  table.learn(0, 'a', 1, 0n);
  table.learn(0, 'b', 2, 0n);
  expect(table.forgetPort(1)).toBe(true);
  expect(table.forgetPort(1)).toBe(false);
  expect(table.size).toBe(1);
});

it('leaves addresses alone that were given by hand', () => {
  const table = new MacTable({ agingNs: 10n, capacity: 2 });
  expect(table.setStatic(0, 'a', 1, 0n)).toBeUndefined();
  expect(table.learn(0, 'a', 2, 5n)).toBe(false);
  table.learn(0, 'b', 3, 5n);
  table.learn(0, 'c', 3, 6n);
  expect(table.expire(100n)).toBe(true);
  expect(table.flush()).toBe(false);
  expect([...table.entries()].map(({ mac, port, isStatic }) => [mac, port, isStatic])).toEqual([['a', 1, true]]);
  expect(table.counters).toEqual({ learned: 2, expired: 1, evicted: 1, moved: 0 });
  expect(table.setStatic(0, 'a', 4, 0n)).toMatchObject({ port: 1, isStatic: true });
  expect(table.removeStatic(0, 'b')).toBe(false);
  expect(table.removeStatic(0, 'a')).toBe(true);
  expect(table.size).toBe(0);
});
