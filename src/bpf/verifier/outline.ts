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
  readonly #kinds: Int32Array;
  readonly #least: Float64Array;
  readonly #greatest: Float64Array;
  /** The same for equal outlines. */
  readonly signature: number;

  constructor(state: State, { registers }: Interest) {
    this.#kinds = new Int32Array(registers.length);
    this.#least = new Float64Array(registers.length);
    this.#greatest = new Float64Array(registers.length);
    for (const [i, { register, decisive }] of registers.entries()) {
      const value = state.registers[register];
      this.#kinds[i] = kindOf(value);
      if (!isLinked(value) || (value.kind === 'scalar' && !decisive)) continue;
      this.#least[i] = Number(value.range.umin);
      this.#greatest[i] = Number(value.range.umax);
    }
    this.signature = this.#hash();
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

  #hash(): number {
    let hash = 0;
    for (let i = 0; i < this.#kinds.length; i++) {
      hash = (Math.imul(hash, 31) + this.#kinds[i]) | 0;
      hash = (Math.imul(hash, 31) + (this.#least[i] % 0x7fff_ffff) * 3 + (this.#greatest[i] % 0x7fff_ffff)) | 0;
    }
    return hash;
  }
}

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
