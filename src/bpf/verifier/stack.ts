import { byteOf, concatenate } from './domain/bytes.ts';
import type { Scalar } from './domain/scalar.ts';
import { scalar, type Value } from './value.ts';

/** Bytes of a frame's stack; addresses run from -STACK_BYTES to -1, relative to the frame pointer. */
export const STACK_BYTES = 512;
const SLOT_BYTES = 8;

/** What one store left: the value occupies `size` bytes from byte `at` of its slot. */
interface Piece {
  readonly value: Value;
  readonly at: number;
  readonly size: number;
}

/** A byte that a partial overwrite left of a pointer: neither pointer nor number any more. */
export const REMAINS = 'remains';

/** Who wrote each of a slot's eight bytes; undefined: nobody. */
export type Slot = readonly (Piece | typeof REMAINS | undefined)[];

export type StackRead =
  | { readonly found: 'value'; readonly value: Value }
  /** No byte of a pointer among them. */
  | { readonly found: 'number'; readonly range: Scalar }
  | { readonly found: 'uninitialised' | 'remains' | 'part-of-pointer'; readonly at: number };

const NO_SLOTS: readonly (Slot | undefined)[] = new Array(STACK_BYTES / SLOT_BYTES).fill(undefined);

/**
 * The content of one frame's stack, by byte. Immutable: a write gives a new one that shares the other slots.
 * Offsets are from the frame pointer, so negative; callers have checked them.
 */
export class Stack {
  readonly slots: readonly (Slot | undefined)[];
  /** Whether any value in it belongs together with others, so that comparisons elsewhere may tell something of it. */
  readonly hasLinks: boolean;

  constructor(slots: readonly (Slot | undefined)[] = NO_SLOTS, hasLinks = false) {
    this.slots = slots;
    this.hasLinks = hasLinks;
  }

  /** A store of `size` bytes, aligned to its size, so that it stays within one slot. */
  write(offset: number, size: number, value: Value): Stack {
    const from = offset + STACK_BYTES;
    const index = from >> 3;
    const at = from & 7;
    const piece: Piece = { value, at, size };
    const bytes = size === SLOT_BYTES ? new Array(SLOT_BYTES).fill(piece) : [...(this.slots[index] ?? NO_BYTES)];
    if (size !== SLOT_BYTES) {
      breakPieces(bytes, at, at + size);
      for (let i = at; i < at + size; i++) bytes[i] = piece;
    }
    const slots = [...this.slots];
    slots[index] = bytes;
    return new Stack(slots, this.hasLinks || hasLink(value));
  }

  /** As write, of something that holds nothing. */
  erase(offset: number, size: number): Stack {
    const from = offset + STACK_BYTES;
    const slot = this.slots[from >> 3];
    if (slot === undefined) return this;
    const bytes = [...slot];
    breakPieces(bytes, from & 7, (from & 7) + size);
    bytes.fill(undefined, from & 7, (from & 7) + size);
    const slots = [...this.slots];
    slots[from >> 3] = bytes;
    return new Stack(slots, this.hasLinks);
  }

  /** A store somewhere in from..to (exclusive): bytes that had a number hold an unknown one, of pointers only remains. */
  blur(from: number, to: number): Stack {
    const slots = [...this.slots];
    for (let byte = from + STACK_BYTES; byte < to + STACK_BYTES; byte++) {
      const slot = slots[byte >> 3];
      const owner = slot?.[byte & 7];
      if (slot === undefined || owner === undefined || owner === REMAINS) continue;
      const bytes = [...slot];
      breakPieces(bytes, byte & 7, (byte & 7) + 1);
      bytes[byte & 7] = owner.value.kind === 'scalar' ? { value: UNKNOWN_BYTE, at: byte & 7, size: 1 } : REMAINS;
      slots[byte >> 3] = bytes;
    }
    return new Stack(slots, this.hasLinks);
  }

  /** A load of `size` bytes, anywhere within the stack. */
  read(offset: number, size: number): StackRead {
    const from = offset + STACK_BYTES;
    const first = this.slots[from >> 3]?.[from & 7];
    if (first !== undefined && first !== REMAINS && first.at === (from & 7) && first.size === size) {
      return { found: 'value', value: first.value };
    }
    const bytes: Scalar[] = [];
    for (let i = from; i < from + size; i++) {
      const owner = this.slots[i >> 3]?.[i & 7];
      if (owner === undefined) return { found: 'uninitialised', at: i - STACK_BYTES };
      if (owner === REMAINS) return { found: 'remains', at: i - STACK_BYTES };
      if (owner.value.kind !== 'scalar') return { found: 'part-of-pointer', at: i - STACK_BYTES };
      bytes.push(byteOf(owner.value.range, (i & 7) - owner.at));
    }
    return { found: 'number', range: concatenate(bytes) };
  }

  /** Every value, with how to replace it: used to tell linked values what a comparison said. */
  map(change: (value: Value) => Value): Stack {
    let slots: (Slot | undefined)[] | undefined;
    for (let index = 0; index < this.slots.length; index++) {
      const slot = this.slots[index];
      if (slot === undefined) continue;
      let bytes: (Piece | typeof REMAINS | undefined)[] | undefined;
      for (let at = 0; at < SLOT_BYTES; at++) {
        const owner = slot[at];
        if (owner === undefined || owner === REMAINS || owner.at !== at) continue;
        const value = change(owner.value);
        if (value === owner.value) continue;
        bytes ??= [...slot];
        bytes.fill({ ...owner, value }, at, at + owner.size);
      }
      if (bytes === undefined) continue;
      slots ??= [...this.slots];
      slots[index] = bytes;
    }
    return slots === undefined ? this : new Stack(slots, this.hasLinks);
  }
}

const hasLink = (value: Value): boolean =>
  value.kind === 'map-value' || (value.kind !== 'uninitialised' && value.kind !== 'map' && value.id !== 0);

export const slotHasLinks = (slot: Slot | undefined): boolean =>
  slot?.some((piece) => piece !== undefined && piece !== REMAINS && hasLink(piece.value)) ?? false;

const NO_BYTES: Slot = new Array(SLOT_BYTES).fill(undefined);
const UNKNOWN_BYTE = scalar(byteOf(undefined, 0));

/** Pieces that reach into from..to lose their form: of a number its single bytes stay, of a pointer only remains. */
function breakPieces(bytes: (Piece | typeof REMAINS | undefined)[], from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const owner = bytes[i];
    if (owner === undefined || owner === REMAINS) continue;
    for (let at = owner.at; at < owner.at + owner.size; at++) {
      bytes[at] =
        owner.value.kind === 'scalar'
          ? { value: scalar(byteOf(owner.value.range, at - owner.at)), at, size: 1 }
          : REMAINS;
    }
  }
}
