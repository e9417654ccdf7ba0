import type { Relevance } from './relevance.ts';
import { STACK_BYTES } from './stack.ts';

/** What matters of one frame at a pc, from Relevance, in the form that comparing states wants. */
export interface Interest {
  /** Registers that may be read. */
  readonly registers: readonly { readonly register: number; readonly decisive: boolean }[];
  /** 8-byte slots of the stack with bytes that may be read: bit b for byte b. */
  readonly slots: readonly { readonly index: number; readonly live: number; readonly decisive: number }[];
}

/** Interests by pc, found when first asked for. */
export class Interests {
  readonly relevance: Relevance;
  readonly #own = new Map<number, Interest>();
  readonly #whole = new Map<number, Interest>();
  #latest: { readonly pc: number; readonly slots: Interest['slots'] } | undefined;

  constructor(relevance: Relevance) {
    this.relevance = relevance;
  }

  /** With `wholeStack`, every byte of the frame counts: a function that it called may read it. */
  at(pc: number, wholeStack: boolean): Interest {
    const known = wholeStack ? this.#whole : this.#own;
    let interest = known.get(pc);
    if (interest === undefined) {
      interest = { registers: this.#registers(pc), slots: wholeStack ? WHOLE_STACK : this.#slots(pc) };
      known.set(pc, interest);
    }
    return interest;
  }

  #registers(pc: number): Interest['registers'] {
    const { liveRegisters, decisiveRegisters } = this.relevance;
    const registers: { register: number; decisive: boolean }[] = [];
    for (let register = 0; register < 10; register++) {
      const bit = 1 << register;
      if (liveRegisters[pc] & bit) registers.push({ register, decisive: (decisiveRegisters[pc] & bit) !== 0 });
    }
    // Those that decide something tell states apart soonest.
    return registers.sort((a, b) => Number(b.decisive) - Number(a.decisive));
  }

  /** Mostly the same as at the pc before that was asked about. */
  #slots(pc: number): Interest['slots'] {
    const last = this.#latest;
    if (last !== undefined && this.relevance.sameBytes(pc, last.pc)) return last.slots;
    const slots: { index: number; live: number; decisive: number }[] = [];
    for (let index = 0; index < STACK_BYTES / 8; index++) {
      const live = this.relevance.liveBytesOf(pc, index);
      if (live !== 0) slots.push({ index, live, decisive: this.relevance.decisiveBytesOf(pc, index) });
    }
    this.#latest = { pc, slots };
    return slots;
  }
}

const WHOLE_STACK: Interest['slots'] = Array.from({ length: STACK_BYTES / 8 }, (_, index) => ({
  index,
  live: 0xff,
  decisive: 0xff,
}));
