/**
 * The hash of keys in the hash kinds of map: two multiplications for keys up to 8 bytes, one more for every 8 bytes beyond,
 * all of them independent, so that a processor overlaps them. Each map has a secret seed, against chosen keys.
 *
 * A key is read as n little-endian 64-bit words w[0] … w[n−1], zero-padded. From the map's 64-bit seed come 64-bit
 * numbers r[0], r[1], … (splitmix64: r[i] = mix(seed + (i + 1) × 0x9E3779B97F4A7C15 mod 2^64)). All arithmetic is modulo 2^64.
 *
 *     n = 1:  h = (w[0] xor r[2]) × (r[1] | 1)
 *     n ≥ 2:  h = Σ ((lo32(w[i]) + lo32(r[2 + i])) mod 2^32) × ((hi32(w[i]) + hi32(r[2 + i])) mod 2^32)
 *     both:   hash = (h xor (h >> 32)) × (r[0] | 1)
 *
 * The sum is NH of UMAC (RFC 4418 section 5.2): two keys give the same sum for one seed in 2^32. The home slot is the hash's top
 * bits (multiply-shift: Dietzfelbinger et al., "A reliable randomized algorithm for the closest-pair problem", 1997).
 */
export interface KeyHashSecrets {
  /** r[0] | 1 */
  readonly finalMultiplier: bigint;
  /** r[1] | 1 */
  readonly wordMultiplier: bigint;
  /** r[2], r[3], …: one a key word */
  readonly words: readonly bigint[];
}

const MASK64 = (1n << 64n) - 1n;

export function keyWords(keySize: number): number {
  return Math.max(1, Math.ceil(keySize / 8));
}

function splitmix64(seed: bigint, index: number): bigint {
  let z = (seed + BigInt(index + 1) * 0x9e3779b97f4a7c15n) & MASK64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return z ^ (z >> 31n);
}

export function keyHashSecrets(seed: bigint, keySize: number): KeyHashSecrets {
  return {
    finalMultiplier: splitmix64(seed, 0) | 1n,
    wordMultiplier: splitmix64(seed, 1) | 1n,
    words: Array.from({ length: keyWords(keySize) }, (_, index) => splitmix64(seed, 2 + index)),
  };
}

/** The two numbers of a hash that the slots are found by. */
export interface HashedKey {
  readonly home: number;
  /** Of a live slot: odd, as u32. */
  readonly tag: number;
}

/** The hash in 32-bit halves, for the control plane (a BigInt would cost an allocation a step). */
export class KeyHasher {
  readonly #words: readonly { readonly low: number; readonly high: number }[];
  readonly #wordLow: number;
  readonly #wordHigh: number;
  readonly #finalLow: number;
  readonly #finalHigh: number;
  readonly #slotBits: number;

  constructor(seed: bigint, keySize: number, slotBits: number) {
    const secrets = keyHashSecrets(seed, keySize);
    this.#words = secrets.words.map((word) => ({ low: low32(word), high: high32(word) }));
    this.#wordLow = low32(secrets.wordMultiplier);
    this.#wordHigh = high32(secrets.wordMultiplier);
    this.#finalLow = low32(secrets.finalMultiplier);
    this.#finalHigh = high32(secrets.finalMultiplier);
    this.#slotBits = slotBits;
  }

  /** `key` holds the words of the key as pairs of 32-bit halves, low first. */
  hash(key: Int32Array): HashedKey {
    let low: number;
    let high: number;
    if (this.#words.length === 1) {
      const x = key[0] ^ this.#words[0].low;
      const y = key[1] ^ this.#words[0].high;
      low = Math.imul(x, this.#wordLow);
      high = (multiplyHigh(x, this.#wordLow) + Math.imul(x, this.#wordHigh) + Math.imul(y, this.#wordLow)) | 0;
    } else {
      low = 0;
      high = 0;
      for (let i = 0; i < this.#words.length; i++) {
        const x = (key[2 * i] + this.#words[i].low) | 0;
        const y = (key[2 * i + 1] + this.#words[i].high) | 0;
        const sum = (low >>> 0) + (Math.imul(x, y) >>> 0);
        low = sum | 0;
        high = (high + multiplyHigh(x, y) + (sum > 0xffffffff ? 1 : 0)) | 0;
      }
    }
    low ^= high;
    const hashLow = Math.imul(low, this.#finalLow);
    const hashHigh =
      (multiplyHigh(low, this.#finalLow) + Math.imul(low, this.#finalHigh) + Math.imul(high, this.#finalLow)) >>> 0;
    return {
      home: hashHigh >>> (32 - this.#slotBits),
      tag: ((hashHigh << 8) | (hashLow >>> 24) | 3) >>> 0,
    };
  }
}

function low32(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function high32(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** The upper 32 bits of the 64-bit product of two numbers taken as u32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const upper = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (upper >>> 16)) | 0;
}
