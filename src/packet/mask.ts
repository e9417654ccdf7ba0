import type { Field } from './field.ts';
import { FIELDS } from './fields.ts';
import { KEY } from './key.ts';
import { type KnownBits, prerequisiteHolds } from './prerequisite.ts';
import { placeMask } from './value.ts';

/** The key bytes that prerequisites look at. */
const DECIDING_OFFSETS: readonly number[] = [
  ...[0, 1, 2, 3].map((byte) => KEY.packetType + byte),
  ...[KEY.ethType, KEY.ethType + 1, KEY.vlanTci, KEY.ipProto, KEY.ipFrag, KEY.l4Src + 1, KEY.l4Dst + 1, KEY.ctNwProto],
  ...[0, 1, 2, 3].map((byte) => KEY.ctState + byte),
];
const MAX_KEPT = 64;

/**
 * Which bits of a key a match looks at, stored once for all matches that look at the same ones. Two masks are equal if
 * and only if they are the same object.
 */
export class Mask {
  /** Small number that tells masks apart while they live. */
  readonly id: number;
  /** Key offsets of the bytes with any bit set, ascending. */
  readonly offsets: Uint16Array;
  /** The mask byte at each of `offsets`. */
  readonly bits: Uint8Array;
  #fields: readonly Field[] | undefined;
  #deciding: readonly number[] | undefined;
  readonly #fieldsByKey = new Map<string, readonly Field[]>();

  static #nextId = 0;
  static readonly #interned = new Map<string, WeakRef<Mask>>();
  static readonly #registry = new FinalizationRegistry<string>((identity) => {
    if (Mask.#interned.get(identity)?.deref() === undefined) Mask.#interned.delete(identity);
  });

  private constructor(offsets: Uint16Array, bits: Uint8Array) {
    this.id = Mask.#nextId++;
    this.offsets = offsets;
    this.bits = bits;
  }

  /** The one mask with these bytes; `bits` must not contain zeros and `offsets` must ascend. */
  static of(offsets: readonly number[], bits: readonly number[]): Mask {
    const latest = Mask.#latest?.deref();
    if (latest && isMask(latest, offsets, bits)) return latest;
    const mask = Mask.#find(offsets, bits);
    Mask.#latest = new WeakRef(mask);
    return mask;
  }

  /** The mask asked for last: flows that come one after the other mostly look at the same bits. */
  static #latest: WeakRef<Mask> | undefined;

  static #find(offsets: readonly number[], bits: readonly number[]): Mask {
    const characters: number[] = [];
    for (let i = 0; i < offsets.length; i++) characters.push(offsets[i], bits[i]);
    const identity = String.fromCharCode(...characters);
    const known = Mask.#interned.get(identity)?.deref();
    if (known) return known;
    const mask = new Mask(Uint16Array.from(offsets), Uint8Array.from(bits));
    Mask.#interned.set(identity, new WeakRef(mask));
    Mask.#registry.register(mask, identity);
    return mask;
  }

  /** The mask of all bits set in `dense`, a mask in the key's layout. */
  static ofDense(dense: Uint8Array): Mask {
    const offsets: number[] = [];
    const bits: number[] = [];
    for (let offset = 0; offset < dense.length; offset++) {
      if (dense[offset] === 0) continue;
      offsets.push(offset);
      bits.push(dense[offset]);
    }
    return Mask.of(offsets, bits);
  }

  static readonly NONE: Mask = Mask.of([], []);

  get length(): number {
    return this.offsets.length;
  }

  /** The mask byte at a key offset. */
  at(offset: number): number {
    const i = this.indexOf(offset);
    return i < 0 ? 0 : this.bits[i];
  }

  /** Where `offset` stands in `offsets`, or -1. */
  indexOf(offset: number): number {
    const at = this.from(offset);
    return this.offsets[at] === offset ? at : -1;
  }

  /** Where the first of `offsets` stands that is not before `offset`. */
  from(offset: number): number {
    let low = 0;
    let high = this.offsets.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.offsets[middle];
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * The bits of `key` under the mask, packed into a string with one character (0 to 255) for each of `offsets`: equal
   * strings are equal packets as far as the mask looks, so it serves as the key of a hash table.
   */
  pack(key: Uint8Array): string {
    const { offsets, bits } = this;
    const packed: number[] = [];
    for (let i = 0; i < offsets.length; i++) packed.push((key[offsets[i]] ?? 0) & bits[i]);
    return String.fromCharCode(...packed);
  }

  /** Sets in `dense` (key layout) every bit of this mask. Bytes past its end are left out. */
  addTo(dense: Uint8Array): void {
    for (let i = 0; i < this.offsets.length; i++) dense[this.offsets[i]] |= this.bits[i];
  }

  /**
   * Those of `fields` whose prerequisites a match with this mask meets. They depend on few of its bytes, and matches with
   * the same mask mostly agree in those, so that what was found is kept.
   */
  fieldsOf(match: KnownBits & { readonly value: string }): readonly Field[] {
    let key = '';
    this.#deciding ??= DECIDING_OFFSETS.map((offset) => this.indexOf(offset)).filter((at) => at >= 0);
    for (const at of this.#deciding) key += match.value[at];
    const known = this.#fieldsByKey.get(key);
    if (known) return known;
    const found = this.fields.filter((field) => prerequisiteHolds(field.prerequisite, match));
    if (this.#fieldsByKey.size >= MAX_KEPT) this.#fieldsByKey.clear();
    this.#fieldsByKey.set(key, found);
    return found;
  }

  /** The canonical fields that have any bit in this mask, in registry order, whatever their prerequisites. */
  get fields(): readonly Field[] {
    this.#fields ??= FIELDS.filter((field) => field.canonical && this.#touches(field));
    return this.#fields;
  }

  #touches(field: Field): boolean {
    return placeMask(field).some((bits, i) => (bits & this.at(field.place.offset + i)) !== 0);
  }
}

function isMask(mask: Mask, offsets: readonly number[], bits: readonly number[]): boolean {
  if (offsets.length !== mask.offsets.length) return false;
  for (let i = 0; i < offsets.length; i++) if (offsets[i] !== mask.offsets[i] || bits[i] !== mask.bits[i]) return false;
  return true;
}
