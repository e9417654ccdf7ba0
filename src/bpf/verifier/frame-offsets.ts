import { type ControlFlow, slotsOf } from './control-flow.ts';

/** The register does not point into a stack. */
export const NOT_STACK = 1;
/** It may point anywhere into any stack. */
export const UNKNOWN_OFFSET = 2;
/** Nothing is known yet of how control gets there. */
const UNSEEN = 3;

const REGISTERS = 11;

/**
 * Where in the running function's frame a register may point, before each instruction: a number of bytes from the frame
 * pointer (0 or less), NOT_STACK, or UNKNOWN_OFFSET. Errs towards UNKNOWN_OFFSET.
 */
export class FrameOffsets {
  readonly #offsets: Int16Array;
  /** Whether a stack pointer may ever be stored: then any 64-bit load may bring one back. */
  #spilled = false;

  constructor(flow: ControlFlow) {
    this.#offsets = new Int16Array(flow.decoded.length * REGISTERS);
    this.#solve(flow);
    if (this.#findSpills(flow)) {
      this.#spilled = true;
      this.#solve(flow);
    }
  }

  of(pc: number, register: number): number {
    const offset = this.#offsets[pc * REGISTERS + register];
    return offset === UNSEEN ? UNKNOWN_OFFSET : offset;
  }

  #findSpills({ decoded }: ControlFlow): boolean {
    return decoded.some(
      (d, pc) =>
        d?.form.kind === 'store' &&
        d.form.source === 'reg' &&
        d.form.bytes === 8 &&
        this.of(pc, d.instruction.src) !== NOT_STACK,
    );
  }

  #solve(flow: ControlFlow): void {
    this.#offsets.fill(UNSEEN);
    const entry = new Int16Array(REGISTERS).fill(NOT_STACK);
    entry[10] = 0;
    const work: number[] = [];
    const queued = new Uint8Array(flow.decoded.length);
    const flowTo = (pc: number, after: Int16Array): void => {
      if (this.#join(pc, after) && !queued[pc]) {
        queued[pc] = 1;
        work.push(pc);
      }
    };
    flowTo(0, entry);
    for (let pc = work.pop(); pc !== undefined; pc = work.pop()) {
      queued[pc] = 0;
      const found = flow.decoded[pc];
      if (found === undefined || found.form.kind === 'exit') continue;
      const { form } = found;
      const after = this.#offsets.slice(pc * REGISTERS, (pc + 1) * REGISTERS);
      const target = flow.target[pc];
      if (form.kind === 'call' && target >= 0) {
        // The callee sees the caller's frame from outside.
        const inside = entry.slice();
        for (let r = 1; r <= 5; r++) inside[r] = after[r] === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
        flowTo(target, inside);
      }
      this.#transfer(found, after);
      if (target >= 0 && form.kind !== 'call') flowTo(target, after);
      if (form.kind !== 'goto') flowTo(pc + slotsOf(form), after);
    }
  }

  #transfer(found: NonNullable<ControlFlow['decoded'][number]>, r: Int16Array): void {
    const { form, instruction } = found;
    const { dst, src, imm } = instruction;
    switch (form.kind) {
      case 'alu': {
        const operand = form.source === 'reg' ? r[src] : NOT_STACK;
        if (form.op === 'mov') r[dst] = operand;
        else if (form.op === 'add' && form.source === 'imm' && r[dst] <= 0) r[dst] = inFrame(r[dst] + imm);
        else r[dst] = r[dst] === NOT_STACK && operand === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
        break;
      }
      case 'movsx':
        r[dst] = r[src] === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
        break;
      case 'lddw':
        r[dst] = NOT_STACK;
        break;
      case 'load':
        r[dst] = this.#spilled && form.bytes === 8 ? UNKNOWN_OFFSET : NOT_STACK;
        break;
      case 'atomic':
        if (form.fetch) r[form.op === 'cmpxchg' ? 0 : src] = NOT_STACK;
        break;
      case 'packet':
      case 'call':
        // A local function cannot return a pointer into its own frame, but one into its caller's.
        r[0] = form.kind === 'call' && form.target === 'local' ? UNKNOWN_OFFSET : NOT_STACK;
        r.fill(NOT_STACK, 1, 6);
        break;
    }
  }

  #join(pc: number, after: Int16Array): boolean {
    let changed = false;
    for (let r = 0, at = pc * REGISTERS; r < REGISTERS; r++, at++) {
      const known = this.#offsets[at];
      if (known === after[r]) continue;
      const joined = known === UNSEEN ? after[r] : UNKNOWN_OFFSET;
      if (joined === known) continue;
      this.#offsets[at] = joined;
      changed = true;
    }
    return changed;
  }
}

const inFrame = (offset: number): number => (offset <= 0 && offset >= -0x8000 ? offset : UNKNOWN_OFFSET);
