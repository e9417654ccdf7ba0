import type { Scalar } from './domain/scalar.ts';
import type { Interest } from './interest.ts';
import type { State } from './state.ts';
import { isLinked, type Value } from './value.ts';

/** Holds nothing, so that it covers whatever the other state has there. */
const ANYTHING = -1;

/**
 * A state's registers as plain numbers, to tell in a moment that it does not cover another one. Bounds are rounded, always
 * the same way, so an order that holds between them exactly holds between the rounded ones too.
 */
export class Outline {
  readonly #kinds: number[] = [];
  readonly #least: number[] = [];
  readonly #greatest: number[] = [];

  constructor(state: State, { registers }: Interest) {
    for (const { register, decisive } of registers) {
      const value = state.registers[register];
      this.#kinds.push(kindOf(value));
      const counts = isLinked(value) && (value.kind !== 'scalar' || decisive);
      this.#least.push(counts ? least(value.range) : 0);
      this.#greatest.push(counts ? greatest(value.range) : 0);
    }
  }

  /** Whether this state may cover the other, as far as that can be told from here. */
  mayCover(next: Outline): boolean {
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i];
      if (kind === ANYTHING) continue;
      if (kind !== next.#kinds[i] || this.#least[i] > next.#least[i] || this.#greatest[i] < next.#greatest[i])
        return false;
    }
    return true;
  }
}

const least = (range: Scalar): number => (range.isSmall ? range.u32min : Number(range.umin));
const greatest = (range: Scalar): number => (range.isSmall ? range.u32max : Number(range.umax));

/** Kinds of values that never cover one another have different numbers. */
function kindOf(value: Value): number {
  switch (value.kind) {
    case 'uninitialised':
      return ANYTHING;
    case 'scalar':
      return 0;
    case 'packet':
      return 1;
    case 'stack':
      return 16 + value.frame;
    case 'map':
      return 1024 + 2 * value.map;
    case 'map-value':
      return 1025 + 2 * value.map;
  }
}
