import type { AbstractValue } from './abstract-value.ts';

/** Bytes of a frame that some instruction stores as one. */
export interface StackSlot {
  /** From the frame pointer, negative. */
  readonly offset: number;
  readonly bytes: number;
}

/** What is known to lie in each slot, by slot number; undefined where the bytes may have changed since. */
export type SlotValues = readonly (AbstractValue | undefined)[];

/** A run of bytes that a slot holds of something read from the stack. */
export interface SlotPiece {
  readonly slot: number;
  /** First byte in the slot. */
  readonly from: number;
  /** First byte in what is read. */
  readonly to: number;
  readonly bytes: number;
}

/** More slots than this are left in memory: the work at a store is proportional to them. */
const MAX_SLOTS = 64;

/**
 * The slots of one function. Slots may overlap, but a store to one ends what is known of those that it overlaps, so that
 * every byte is known from at most one slot.
 */
export class StackSlots {
  readonly slots: StackSlot[] = [];
  readonly #numbers = new Map<number, number>();

  /** The number of a slot, or -1 when it is not kept track of. */
  numberOf(offset: number, bytes: number): number {
    const key = offset * 16 + bytes;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.slots.length === MAX_SLOTS) return -1;
    const number = this.slots.push({ offset, bytes }) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /** Forgets what bytes `offset` up to `offset + bytes` held. */
  forget(values: (AbstractValue | undefined)[], offset: number, bytes: number): void {
    for (let number = 0; number < values.length; number++) {
      const slot = this.slots[number];
      if (slot.offset < offset + bytes && offset < slot.offset + slot.bytes) values[number] = undefined;
    }
  }

  /** The pieces that make up bytes read from the stack, or undefined when memory alone knows some of them. */
  pieces(values: SlotValues, offset: number, bytes: number): SlotPiece[] | undefined {
    const pieces: SlotPiece[] = [];
    for (let at = offset; at < offset + bytes; ) {
      const number = this.#holding(values, at);
      if (number < 0) return undefined;
      const slot = this.slots[number];
      const end = Math.min(slot.offset + slot.bytes, offset + bytes);
      pieces.push({ slot: number, from: at - slot.offset, to: at - offset, bytes: end - at });
      at = end;
    }
    return pieces;
  }

  #holding(values: SlotValues, at: number): number {
    for (let number = 0; number < values.length; number++) {
      const slot = this.slots[number];
      if (values[number] !== undefined && slot.offset <= at && at < slot.offset + slot.bytes) return number;
    }
    return -1;
  }
}
