import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyHasher, keyHashSecrets, keyWords } from './key-hash.ts';

const M = (1n << 64n) - 1n;

/** The definition in `key-hash.ts`, word for word, in BigInt. */
function hashAsDefined(seed: bigint, key: Uint8Array): bigint {
  const { finalMultiplier, wordMultiplier, words } = keyHashSecrets(seed, key.length);
  const padded = new Uint8Array(8 * words.length);
  padded.set(key);
  const view = new DataView(padded.buffer);
  let h = 0n;
  if (words.length === 1) h = ((view.getBigUint64(0, true) ^ words[0]) * wordMultiplier) & M;
  else
    words.forEach((word, i) => {
      const low = (view.getUint32(8 * i, true) + Number(word & 0xffffffffn)) % 2 ** 32;
      const high = (view.getUint32(8 * i + 4, true) + Number(word >> 32n)) % 2 ** 32;
      h = (h + BigInt(low) * BigInt(high)) & M;
    });
  return ((h ^ (h >> 32n)) * finalMultiplier) & M;
}

test('the 32-bit computation of the key hash is the defined one', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: M }),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.integer({ min: 8, max: 28 }),
      (seed, key, slotBits) => {
        const padded = new Uint8Array(8 * keyWords(key.length));
        padded.set(key);
        const hash = hashAsDefined(seed, key);
        expect(new KeyHasher(seed, key.length, slotBits).hash(new Int32Array(padded.buffer))).toEqual({
          home: Number(hash >> BigInt(64 - slotBits)),
          tag: Number(((hash >> 24n) & 0xffffffffn) | 3n),
        });
      },
    ),
    { numRuns: 2000 },
  );
});

test.each([4, 8, 13, 16])('consecutive addresses of %i-byte keys spread over the slots', (keySize) => {
  for (const at of [0, 3, keySize - 2]) {
    const hasher = new KeyHasher(0x1234567890abcdefn, keySize, 12);
    const homes = new Set<number>();
    for (let i = 0; i < 2048; i++) {
      const padded = new Uint8Array(8 * keyWords(keySize));
      padded[at] = i & 0xff;
      padded[at + 1] = i >> 8;
      homes.add(hasher.hash(new Int32Array(padded.buffer)).home);
    }
    // A random function hits 4096 × (1 − e^(−1/2)) = 1611 of them.
    expect(homes.size).toBeGreaterThan(1400);
  }
});
