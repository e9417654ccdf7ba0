import {
  UNION_COUNT,
  UNION_FIXED_WORDS,
  UNION_MAX_WORDS,
  UNION_WORD_BYTES,
  UNION_WORD_FACTOR,
  UNION_WORD_MASK,
  UNION_WORD_OFFSET,
  UNION_WORDS,
} from '../layout.ts';
import type { DatapathMemory } from './memory.ts';

/** Eight bytes of the flow key that hold bits of the union, as a little-endian number. */
export interface UnionWord {
  readonly offset: number;
  readonly mask: bigint;
  /** What the word is multiplied with in the hash. */
  readonly factor: bigint;
}

/** The words of a union mask, those of the common packet whether they hold bits of it or not. The hash's factors are random, so that nobody can prepare packets that collide. */
export function unionWords(mask: Uint8Array): readonly UnionWord[] {
  const view = new DataView(mask.buffer, mask.byteOffset, mask.byteLength);
  const words: UnionWord[] = [];
  for (let offset = 0; offset + 8 <= mask.length && offset < 8 * UNION_MAX_WORDS; offset += 8) {
    const bits = view.getBigUint64(offset, true);
    if (bits !== 0n || offset < 8 * UNION_FIXED_WORDS) words.push({ offset, mask: bits, factor: randomOdd() });
  }
  return words;
}

export function writeUnion(memory: DatapathMemory, address: number, words: readonly UnionWord[]): void {
  memory.setWord(address + UNION_COUNT, words.length);
  for (const [i, { offset, mask, factor }] of words.entries()) {
    const at = address + UNION_WORDS + i * UNION_WORD_BYTES;
    memory.setWord(at + UNION_WORD_OFFSET, offset);
    memory.view.setBigUint64(at + UNION_WORD_MASK, mask, true);
    memory.view.setBigUint64(at + UNION_WORD_FACTOR, factor, true);
  }
}

function randomOdd(): bigint {
  const number = new BigUint64Array(1);
  crypto.getRandomValues(number);
  return number[0] | 1n;
}
