import type { Field } from './field.ts';
import { field as fieldByName } from './fields.ts';
import { KEY, KEY_BYTES, KEY_FULL_BYTES } from './key.ts';
import { Mask } from './mask.ts';
import { type KnownBits, prerequisiteHolds } from './prerequisite.ts';
import {
  allOnes,
  type FieldValue,
  fieldValue,
  portFrom16,
  readPlace,
  setTunMetadataPresent,
  tunMetadataPresence,
  valueToNumber,
  writePlace,
} from './value.ts';

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
    const { offset, bytes } = field.place;
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
    for (const field of this.mask.fields) {
      if (!prerequisiteHolds(field.prerequisite, this)) continue;
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
  const ones = allOnes(match.field);
  return match.mask.every((byte, i) => byte === ones[i]);
}

/** Collects field matches into a `Match`. Setting a field again replaces its bits. */
export class MatchBuilder implements KnownBits {
  #value: Uint8Array;
  #mask: Uint8Array;

  constructor(start: Match = Match.ALL) {
    this.#value = start.toKey();
    this.#mask = new Uint8Array(this.#value.length);
    start.mask.addTo(this.#mask);
  }

  /**
   * Matches the bits `mask` of a field (all of them when left out) against `value`; both as the wire has them. Bits
   * outside the mask or the field are dropped. Prerequisites are the caller's to check, with `holds`.
   */
  set(field: Field, value: FieldValue, mask: FieldValue = allOnes(field)): this {
    if (value.length !== field.bytes || mask.length !== field.bytes)
      throw new RangeError(`${field.name} takes values of ${field.bytes} bytes`);
    if (field.place.offset >= this.#mask.length) this.#growToFull();
    const masked = value.map((byte, i) => byte & mask[i]);
    switch (field.special) {
      case 'port16':
        return this.set(
          fieldByName('in_port_oxm'),
          fieldValue(fieldByName('in_port_oxm'), portFrom16(valueToNumber(value))),
        );
      case 'tos':
        return this.set(fieldByName('ip_dscp'), fieldValue(fieldByName('ip_dscp'), value[0] >> 2));
      case 'packetType':
        // Ethernet is what every flow matches that says nothing else.
        writePlace(field, this.#mask, valueToNumber(masked) === 0 ? masked : mask);
        writePlace(field, this.#value, masked);
        return this;
      case 'dlVlan':
        if (valueToNumber(value) === 0xffff) {
          this.#put(KEY.vlanTci, 0xffff, 0);
          return this;
        }
        this.#write(field, masked, mask);
        this.#put(KEY.vlanTci, 0x1000, 0x1000);
        return this;
      case 'vlanPcp':
        this.#write(field, masked, mask);
        this.#put(KEY.vlanTci, 0x1000, 0x1000);
        return this;
      case 'tunMetadata':
        this.#write(field, masked, mask);
        setTunMetadataPresent(field, this.#value);
        setTunMetadataPresent(field, this.#mask);
        return this;
      default:
        this.#write(field, masked, mask);
        return this;
    }
  }

  setNumber(field: Field, value: number | bigint, mask?: number | bigint): this {
    return this.set(field, fieldValue(field, value), mask === undefined ? undefined : fieldValue(field, mask));
  }

  /** Forgets what was said of a field's bits. */
  clear(field: Field): this {
    if (field.place.offset >= this.#mask.length) return this;
    const none = new Uint8Array(field.bytes);
    writePlace(field, this.#mask, none);
    writePlace(field, this.#value, none);
    return this;
  }

  /** Does what was set so far imply the field's prerequisites? */
  holds(field: Field): boolean {
    return prerequisiteHolds(field.prerequisite, this);
  }

  exact(offset: number, bytes: number): number | undefined {
    const { value, mask } = this.bits(offset, bytes);
    return mask === 256 ** bytes - 1 ? value : undefined;
  }

  bits(offset: number, bytes: number): { value: number; mask: number } {
    let value = 0;
    let mask = 0;
    for (let i = 0; i < bytes; i++) {
      value = value * 256 + (this.#value[offset + i] ?? 0);
      mask = mask * 256 + (this.#mask[offset + i] ?? 0);
    }
    return { value, mask };
  }

  build(): Match {
    const mask = Mask.ofDense(this.#mask);
    return new Match(mask, mask.pack(this.#value));
  }

  #write(field: Field, value: FieldValue, mask: FieldValue): void {
    writePlace(field, this.#mask, mask);
    writePlace(field, this.#value, value);
  }

  /** Sets the 16 bits at `offset` under `mask` to be matched against `value`. */
  #put(offset: number, mask: number, value: number): void {
    for (const [i, shift] of [8, 0].entries()) {
      const m = (mask >> shift) & 0xff;
      this.#mask[offset + i] |= m;
      this.#value[offset + i] = (this.#value[offset + i] & ~m) | ((value >> shift) & m);
    }
  }

  #growToFull(): void {
    const value = new Uint8Array(KEY_FULL_BYTES);
    value.set(this.#value);
    this.#value = value;
    const mask = new Uint8Array(KEY_FULL_BYTES);
    mask.set(this.#mask);
    this.#mask = mask;
  }
}
