import type { Field } from './field.ts';
import { field as fieldByName } from './fields.ts';
import { KEY, KEY_BYTES, KEY_FULL_BYTES } from './key.ts';
import { Mask } from './mask.ts';
import { type KnownBits, prerequisiteHolds } from './prerequisite.ts';
import { type FieldValue, fieldValue, portFrom16, readPlace, tunMetadataPresence, valueToNumber } from './value.ts';

/** One field of a match. */
export interface FieldMatch {
  readonly field: Field;
  readonly value: FieldValue;
  /** Bits of `value` that count; the others are zero in both. */
  readonly mask: FieldValue;
}

/**
 * What a flow matches: an immutable set of key bits with their values. Kept small, since a switch holds one for each of
 * its flows: the mask is shared by all matches that look at the same bits, and the value is a string of one character for
 * each byte of the mask, which makes it a hash table's key as it is.
 */
export class Match implements KnownBits {
  readonly mask: Mask;
  /** The bytes of the key at `mask.offsets`, as characters 0 to 255. */
  readonly value: string;

  constructor(mask: Mask, value: string) {
    if (value.length !== mask.length) throw new RangeError('a match has one value byte for each mask byte');
    this.mask = mask;
    this.value = value;
  }

  /** Matches every packet. */
  static readonly ALL: Match = new Match(Mask.NONE, '');

  /** A text that is equal for equal matches and for no others (while either lives). */
  get identity(): string {
    return `${this.mask.id}|${this.value}`;
  }

  equals(other: Match): boolean {
    return this.mask === other.mask && this.value === other.value;
  }

  /** Does the packet of this key match? */
  matches(key: Uint8Array): boolean {
    const { offsets, bits } = this.mask;
    for (let i = 0; i < offsets.length; i++)
      if (((key[offsets[i]] ?? 0) & bits[i]) !== this.value.charCodeAt(i)) return false;
    return true;
  }

  /** Does every packet that `other` matches match this too? (The rule of loose flow_mods and dumps.) */
  covers(other: Match): boolean {
    const { offsets, bits } = this.mask;
    for (let i = 0; i < offsets.length; i++) {
      const at = other.mask === this.mask ? i : other.mask.indexOf(offsets[i]);
      if (at < 0 || (bits[i] & ~other.mask.bits[at]) !== 0) return false;
      if ((other.value.charCodeAt(at) & bits[i]) !== this.value.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Can one packet match both? */
  overlaps(other: Match): boolean {
    const { offsets, bits } = this.mask;
    for (let i = 0; i < offsets.length; i++) {
      const at = other.mask.indexOf(offsets[i]);
      if (at < 0) continue;
      const both = bits[i] & other.mask.bits[at];
      if (((this.value.charCodeAt(i) ^ other.value.charCodeAt(at)) & both) !== 0) return false;
    }
    return true;
  }

  /** The value and mask that this match has for a field, `undefined` when it looks at none of its bits. */
  get(field: Field): FieldMatch | undefined {
    const { offset, bytes, shift, bits } = field.place;
    const whole = shift === 0 && bits === 8 * bytes && bytes === field.bytes && field.special === undefined;
    return whole ? this.#getWhole(field, offset, bytes) : this.#getBits(field, offset, bytes);
  }

  /** A field of whole bytes, as most are. Its bytes stand together in the mask. */
  #getWhole(field: Field, offset: number, bytes: number): FieldMatch | undefined {
    const { offsets, bits } = this.mask;
    let at = this.mask.from(offset);
    if (at >= offsets.length || offsets[at] >= offset + bytes) return undefined;
    const value = new Uint8Array(bytes);
    let exact = 0;
    const first = at;
    for (; at < offsets.length && offsets[at] < offset + bytes; at++) {
      value[offsets[at] - offset] = this.value.charCodeAt(at);
      if (bits[at] === 0xff) exact++;
    }
    if (exact === bytes) return { field, value, mask: field.ones };
    const mask = new Uint8Array(bytes);
    for (let i = first; i < at; i++) mask[offsets[i] - offset] = bits[i];
    return { field, value, mask };
  }

  #getBits(field: Field, offset: number, bytes: number): FieldMatch | undefined {
    const maskBytes = new Uint8Array(bytes);
    const valueBytes = new Uint8Array(bytes);
    let any = field.special === 'tunMetadata' && this.#isTunMetadataPresent(field);
    for (let i = 0; i < bytes; i++) {
      const at = this.mask.indexOf(offset + i);
      if (at < 0) continue;
      maskBytes[i] = this.mask.bits[at];
      valueBytes[i] = this.value.charCodeAt(at);
      any = true;
    }
    if (!any) return undefined;
    if (field.special === 'tos') {
      maskBytes[0] &= 0xfc;
      valueBytes[0] &= 0xfc;
    }
    const mask = readPlace(field, maskBytes, 0);
    if (field.special !== 'tunMetadata' && mask.every((byte) => byte === 0)) return undefined;
    return { field, value: readPlace(field, valueBytes, 0), mask };
  }

  /** The number that this match wants a field of at most 6 bytes to be exactly, `undefined` when it does not. */
  number(field: Field): number | undefined {
    const found = this.get(field);
    if (!found || !isExact(found)) return undefined;
    return valueToNumber(found.value);
  }

  /** The fields that this match looks at, in registry order, every bit in one field; see `Field.canonical`. */
  *fields(): Generator<FieldMatch> {
    for (const field of this.mask.fieldsOf(this)) {
      const found = this.get(field);
      if (found) yield found;
    }
  }

  exact(offset: number, bytes: number): number | undefined {
    let number = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.mask.indexOf(offset + i);
      if (at < 0 || this.mask.bits[at] !== 0xff) return undefined;
      number = number * 256 + this.value.charCodeAt(at);
    }
    return number;
  }

  bits(offset: number, bytes: number): { value: number; mask: number } {
    let value = 0;
    let mask = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.mask.indexOf(offset + i);
      value = value * 256 + (at < 0 ? 0 : this.value.charCodeAt(at));
      mask = mask * 256 + (at < 0 ? 0 : this.mask.bits[at]);
    }
    return { value, mask };
  }

  /** A key with this match's bits and zeros elsewhere: the plainest packet that matches. */
  toKey(): Uint8Array {
    const { offsets } = this.mask;
    const key = new Uint8Array(
      offsets.length > 0 && offsets[offsets.length - 1] >= KEY_BYTES ? KEY_FULL_BYTES : KEY_BYTES,
    );
    for (let i = 0; i < offsets.length; i++) key[offsets[i]] = this.value.charCodeAt(i);
    return key;
  }

  toBuilder(): MatchBuilder {
    return new MatchBuilder(this);
  }

  #isTunMetadataPresent(field: Field): boolean {
    const { offset, bit } = tunMetadataPresence(field);
    return (this.mask.at(offset) & bit) !== 0;
  }
}

export function isExact(match: FieldMatch): boolean {
  const { ones } = match.field;
  return match.mask.every((byte, i) => byte === ones[i]);
}

/**
 * Collects field matches into a `Match`. Setting a field again replaces its bits. Holds only the key's bytes that are
 * matched, in ascending order, since they are few.
 */
export class MatchBuilder implements KnownBits {
  readonly #offsets: number[];
  readonly #masks: number[];
  readonly #values: number[];

  constructor(start: Match = Match.ALL) {
    this.#offsets = Array.from(start.mask.offsets);
    this.#masks = Array.from(start.mask.bits);
    this.#values = this.#offsets.map((_, i) => start.value.charCodeAt(i));
  }

  /**
   * Matches the bits `mask` of a field (all of them when left out) against `value`; both as the wire has them. Bits
   * outside the mask or the field are dropped. Prerequisites are the caller's to check, with `holds`.
   */
  set(field: Field, value: FieldValue, mask: FieldValue = field.ones): this {
    if (value.length !== field.bytes || mask.length !== field.bytes)
      throw new RangeError(`${field.name} takes values of ${field.bytes} bytes`);
    switch (field.special) {
      case 'port16':
        return this.set(IN_PORT, fieldValue(IN_PORT, portFrom16(valueToNumber(value))));
      case 'tos':
        return this.set(IP_DSCP, fieldValue(IP_DSCP, value[0] >> 2));
      case 'packetType':
        // Ethernet is what every flow matches that says nothing else.
        if (valueToNumber(value) === 0) return this.clear(field);
        this.#write(field, value, mask);
        return this;
      case 'dlVlan':
        if (value[0] === 0xff && value[1] === 0xff) {
          this.#put(KEY.vlanTci, 0xff, 0xff, 0);
          this.#put(KEY.vlanTci + 1, 0xff, 0xff, 0);
          return this;
        }
        this.#write(field, value, mask);
        this.#put(KEY.vlanTci, 0x10, 0x10, 0x10);
        return this;
      case 'vlanPcp':
        this.#write(field, value, mask);
        this.#put(KEY.vlanTci, 0x10, 0x10, 0x10);
        return this;
      case 'tunMetadata': {
        this.#write(field, value, mask);
        const { offset, bit } = tunMetadataPresence(field);
        this.#put(offset, bit, bit, bit);
        return this;
      }
      default:
        this.#write(field, value, mask);
        return this;
    }
  }

  setNumber(field: Field, value: number | bigint, mask?: number | bigint): this {
    return this.set(field, fieldValue(field, value), mask === undefined ? undefined : fieldValue(field, mask));
  }

  /** Forgets what was said of a field's bits. */
  clear(field: Field): this {
    const none = new Uint8Array(field.bytes);
    this.#write(field, none, none);
    return this;
  }

  /** Does what was set so far imply the field's prerequisites? */
  holds(field: Field): boolean {
    return prerequisiteHolds(field.prerequisite, this);
  }

  exact(offset: number, bytes: number): number | undefined {
    let value = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.#find(offset + i);
      if (at < 0 || this.#masks[at] !== 0xff) return undefined;
      value = value * 256 + this.#values[at];
    }
    return value;
  }

  bits(offset: number, bytes: number): { value: number; mask: number } {
    let value = 0;
    let mask = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.#find(offset + i);
      value = value * 256 + (at < 0 ? 0 : this.#values[at]);
      mask = mask * 256 + (at < 0 ? 0 : this.#masks[at]);
    }
    return { value, mask };
  }

  build(): Match {
    // Bytes of which nothing is matched any more, after clear(), are no part of the match.
    for (let i = this.#masks.length - 1; i >= 0; i--) {
      if (this.#masks[i] !== 0) continue;
      this.#offsets.splice(i, 1);
      this.#masks.splice(i, 1);
      this.#values.splice(i, 1);
    }
    return new Match(Mask.of(this.#offsets, this.#masks), String.fromCharCode(...this.#values));
  }

  /** Where `offset` stands, or the complement of where it would. */
  #find(offset: number): number {
    let low = 0;
    let high = this.#offsets.length - 1;
    // Fields mostly come in no order that helps, but there are few of them.
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#offsets[middle];
      if (found === offset) return middle;
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return ~low;
  }

  /** Replaces the bits `clear` of a key byte by those of `mask` and `value`. */
  #put(offset: number, clear: number, mask: number, value: number): void {
    let at = this.#find(offset);
    if (at < 0) {
      if (mask === 0) return;
      at = ~at;
      this.#offsets.splice(at, 0, offset);
      this.#masks.splice(at, 0, 0);
      this.#values.splice(at, 0, 0);
    }
    this.#masks[at] = (this.#masks[at] & ~clear) | mask;
    this.#values[at] = (this.#values[at] & ~clear) | (value & mask);
  }

  #write(field: Field, value: FieldValue, mask: FieldValue): void {
    const { offset, bytes, shift, bits } = field.place;
    if (shift === 0 && bits === 8 * bytes) {
      const skipped = field.bytes - bytes;
      for (let i = 0; i < bytes; i++) this.#put(offset + i, 0xff, mask[i + skipped], value[i + skipped]);
      return;
    }
    const ones = (((1 << bits) - 1) << shift) >>> 0;
    const maskNumber = (valueToNumber(mask) << shift) & ones;
    const number = valueToNumber(value) << shift;
    for (let i = 0; i < bytes; i++) {
      const down = 8 * (bytes - 1 - i);
      const clear = (ones >>> down) & 0xff;
      if (clear !== 0) this.#put(offset + i, clear, (maskNumber >>> down) & 0xff, (number >>> down) & 0xff);
    }
  }
}

const IN_PORT = fieldByName('in_port_oxm');
const IP_DSCP = fieldByName('ip_dscp');
