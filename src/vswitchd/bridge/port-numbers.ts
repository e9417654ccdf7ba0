import { MAX_PORT } from '../../ofproto/index.ts';

/** Gives the ports of a bridge their OpenFlow numbers. A number that was just given back is the last to be given again. */
export class PortNumbers {
  readonly #taken = new Set<number>();
  #last = 0;

  /** The first of `wishes` that is free, else the next free number; undefined when none is left. */
  take(...wishes: readonly (number | null | undefined)[]): number | undefined {
    const wish = wishes.find(
      (number) => number != null && number >= 1 && number < MAX_PORT && !this.#taken.has(number),
    );
    const number = wish ?? this.#next();
    if (number !== undefined) this.#taken.add(number);
    return number;
  }

  isTaken(number: number): boolean {
    return this.#taken.has(number);
  }

  giveBack(number: number): void {
    this.#taken.delete(number);
  }

  #next(): number | undefined {
    for (let i = 1; i < MAX_PORT; i++) {
      const number = ((this.#last + i - 1) % (MAX_PORT - 1)) + 1;
      if (this.#taken.has(number)) continue;
      this.#last = number;
      return number;
    }
    return undefined;
  }
}
