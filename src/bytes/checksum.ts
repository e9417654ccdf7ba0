/**
 * The Internet checksum of RFC 1071 over `length` bytes at `offset`: the one's complement of the one's complement sum
 * of big-endian 16-bit words, an odd last byte padded with zero. `initial` is a partial sum, as of a pseudo header.
 */
export function internetChecksum(bytes: Uint8Array, offset: number, length: number, initial = 0): number {
  return ~fold(partialSum(bytes, offset, length, initial)) & 0xffff;
}

/** The sum before folding and complement, to be continued by `internetChecksum`. */
export function partialSum(bytes: Uint8Array, offset: number, length: number, initial = 0): number {
  let sum = initial;
  const evenEnd = offset + (length & ~1);
  for (let i = offset; i < evenEnd; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (length & 1) sum += bytes[evenEnd] << 8;
  return sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}
