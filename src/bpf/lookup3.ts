/**
 * Bob Jenkins' lookup3 `hashlittle` (May 2006, public domain): the 32-bit hash of helper 6, Bloom filters and count-min
 * sketches. Bit-exact with the C original on little-endian machines.
 *
 * @param initial the seed, u32
 * @returns u32
 */
export function hashlittle(bytes: Uint8Array, offset: number, length: number, initial: number): number {
  let a = (0xdeadbeef + length + initial) | 0;
  let b = a;
  let c = a;
  let at = offset;
  let left = length;
  while (left > 12) {
    a = (a + word(bytes, at, 4)) | 0;
    b = (b + word(bytes, at + 4, 4)) | 0;
    c = (c + word(bytes, at + 8, 4)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  // An empty rest (only of an empty input) is not mixed.
  if (left === 0) return c >>> 0;
  a = (a + word(bytes, at, left)) | 0;
  b = (b + word(bytes, at + 4, left - 4)) | 0;
  c = (c + word(bytes, at + 8, left - 8)) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

/** The little-endian word at `at`, of which only `count` bytes (at most 4, at least 0) count. */
function word(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  if (count > 0) value = bytes[at];
  if (count > 1) value |= bytes[at + 1] << 8;
  if (count > 2) value |= bytes[at + 2] << 16;
  if (count > 3) value |= bytes[at + 3] << 24;
  return value;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
