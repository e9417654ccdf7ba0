import { fromBits, type Scalar, unknownOfSize } from './scalar.ts';
import type { Tnum } from './tnum.ts';

/** Byte `index` (0 is the least significant, which comes first in memory); any byte for undefined. */
export function byteOf(a: Scalar | undefined, index: number): Scalar {
  if (a === undefined) return unknownOfSize(1);
  const shift = BigInt(8 * index);
  const mask = (a.bits.mask >> shift) & 0xffn;
  return mask === 0xffn ? unknownOfSize(1) : fromBits({ value: (a.bits.value >> shift) & 0xffn, mask });
}

/** The number whose bytes lie in memory in this order. */
export function concatenate(bytes: readonly Scalar[]): Scalar {
  const bits = bytes.reduceRight<Tnum>(
    (high, byte) => ({ value: (high.value << 8n) | byte.bits.value, mask: (high.mask << 8n) | byte.bits.mask }),
    { value: 0n, mask: 0n },
  );
  return fromBits(bits);
}
