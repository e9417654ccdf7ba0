import { expect, test } from 'vitest';
import { hashlittle } from './lookup3.ts';

const text = new TextEncoder().encode('Four score and seven years ago');

// The results that driver5() of the original lookup3.c prints.
test.each([
  [0, 0, 0xdeadbeef],
  [0, 0xdeadbeef, 0xbd5b7dde],
  [30, 0, 0x17770551],
  [30, 1, 0xcd628161],
])('hashlittle of %i bytes with seed %i', (length, seed, expected) => {
  expect(hashlittle(text, 0, length, seed)).toBe(expected);
});
