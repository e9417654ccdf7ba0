import fc from 'fast-check';

/** One damage done to bytes: positions and lengths are taken modulo what there is. */
type Damage =
  | { kind: 'set'; at: number; value: number }
  | { kind: 'word'; at: number; value: number; littleEndian: boolean }
  | { kind: 'cut'; at: number }
  | { kind: 'remove'; at: number; count: number }
  | { kind: 'repeat'; at: number; count: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array };

const position = fc.nat(0xffff);
const edge = fc.constantFrom(
  0,
  1,
  3,
  4,
  7,
  8,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  0x7fffffff,
  0x80000000,
  0xfffffffc,
  0xffffffff,
);

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: position, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('word' as const), at: position, value: edge, littleEndian: fc.boolean() }),
  fc.record({ kind: fc.constant('cut' as const), at: position }),
  fc.record({ kind: fc.constant('remove' as const), at: position, count: fc.nat(16) }),
  fc.record({ kind: fc.constant('repeat' as const), at: position, count: fc.nat(64) }),
  fc.record({ kind: fc.constant('insert' as const), at: position, bytes: fc.uint8Array({ maxLength: 8 }) }),
);

const damages = fc.array(damage, { minLength: 1, maxLength: 6 });

/** One to six damages, to be done to any input. */
export const mutation: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = damages.map(
  (list) => (bytes) => list.reduce(apply, bytes),
);

/** Real inputs with one to six damages each; a failing case shrinks to fewer. */
export function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.constantFrom(...seeds), damages).map(([seed, list]) => list.reduce(apply, seed));
}

function apply(bytes: Uint8Array, d: Damage): Uint8Array {
  const at = d.at % (bytes.length + 1);
  switch (d.kind) {
    case 'set': {
      const copy = bytes.slice();
      if (at < copy.length) copy[at] = d.value;
      return copy;
    }
    case 'word': {
      const copy = bytes.slice();
      if (at + 4 <= copy.length) new DataView(copy.buffer).setUint32(at, d.value, d.littleEndian);
      return copy;
    }
    case 'cut':
      return bytes.slice(0, at);
    case 'remove':
      return concat(bytes.subarray(0, at), bytes.subarray(at + d.count));
    case 'repeat':
      return concat(bytes.subarray(0, at + d.count), bytes.subarray(at));
    case 'insert':
      return concat(bytes.subarray(0, at), d.bytes, bytes.subarray(at));
  }
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
