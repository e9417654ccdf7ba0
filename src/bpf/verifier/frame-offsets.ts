import { type ControlFlow, type Decoded, slotsOf } from './control-flow.ts';
import { STACK_BYTES } from './stack.ts';

/** It does not point into a stack. */
export const NOT_STACK = 1;
/** It may point anywhere into any stack, or not. */
export const UNKNOWN_OFFSET = 2;
/** Nothing is known yet of how control gets there. */
const UNSEEN = 3;

const REGISTERS = 11;
const SLOTS = STACK_BYTES / 8;
/** Places that may keep a stack pointer: the registers, then the slots of the running function's frame. */
const PLACES = REGISTERS + SLOTS;

/**
 * Where in the running function's frame a register certainly points, before each instruction: a number of bytes from the
 * frame pointer (0 or less), NOT_STACK, or UNKNOWN_OFFSET. Knows that stack pointers can be kept only in registers and in
 * stacks, since the verifier refuses to store them elsewhere.
 */
export class FrameOffsets {
  /** By pc, the registers. */
  readonly #registers: Int16Array;
  /** All places, by pc, where paths meet or part. */
  readonly #atBlocks = new Map<number, Int16Array>();

  constructor(flow: ControlFlow) {
    this.#registers = new Int16Array(flow.decoded.length * REGISTERS).fill(UNSEEN);
    this.#solve(flow);
  }

  of(pc: number, register: number): number {
    const offset = this.#registers[pc * REGISTERS + register];
    return offset === UNSEEN ? UNKNOWN_OFFSET : offset;
  }

  #solve(flow: ControlFlow): void {
    const entry = new Int16Array(PLACES).fill(NOT_STACK);
    entry[10] = 0;
    const work: number[] = [];
    const flowTo = (pc: number, after: Int16Array): void => {
      if (this.#join(pc, after)) work.push(pc);
    };
    flowTo(0, entry);
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      const places = this.#atBlocks.get(block)?.slice() ?? entry;
      for (let pc = block; ; ) {
        const found = flow.decoded[pc];
        this.#registers.set(places.subarray(0, REGISTERS), pc * REGISTERS);
        if (found === undefined || found.form.kind === 'exit') break;
        const { form } = found;
        const target = flow.target[pc];
        if (form.kind === 'call' && target >= 0) {
          // The callee sees the caller's frame from outside.
          const inside = entry.slice();
          for (let r = 1; r <= 5; r++) inside[r] = places[r] === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
          flowTo(target, inside);
        }
        transfer(found, places);
        if (target >= 0 && form.kind !== 'call') flowTo(target, places);
        if (form.kind === 'goto') break;
        pc += slotsOf(form);
        if (!flow.meets[pc]) continue;
        flowTo(pc, places);
        break;
      }
    }
  }

  #join(pc: number, after: Int16Array): boolean {
    const known = this.#atBlocks.get(pc);
    if (known === undefined) {
      this.#atBlocks.set(pc, after.slice());
      return true;
    }
    let changed = false;
    for (let i = 0; i < PLACES; i++) {
      if (known[i] === after[i] || known[i] === UNKNOWN_OFFSET) continue;
      known[i] = UNKNOWN_OFFSET;
      changed = true;
    }
    return changed;
  }
}

/** What the instruction does to the places. */
function transfer({ form, instruction }: Decoded, p: Int16Array): void {
  const { dst, src, imm, offset } = instruction;
  switch (form.kind) {
    case 'alu': {
      const operand = form.source === 'reg' ? p[src] : NOT_STACK;
      if (form.op === 'mov') p[dst] = operand;
      else if (form.op === 'add' && form.source === 'imm' && p[dst] <= 0) p[dst] = inFrame(p[dst] + imm);
      else p[dst] = p[dst] === NOT_STACK && operand === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
      break;
    }
    case 'movsx':
      p[dst] = p[src] === NOT_STACK ? NOT_STACK : UNKNOWN_OFFSET;
      break;
    case 'lddw':
      p[dst] = NOT_STACK;
      break;
    case 'load':
      p[dst] = form.bytes === 8 ? loaded(p, p[src], offset) : NOT_STACK;
      break;
    case 'store':
      store(p, p[dst], offset, form.source === 'reg' && form.bytes === 8 ? p[src] : NOT_STACK);
      break;
    case 'atomic':
      store(p, p[dst], offset, NOT_STACK);
      if (form.fetch) p[form.op === 'cmpxchg' ? 0 : src] = NOT_STACK;
      break;
    case 'packet':
      p.fill(NOT_STACK, 0, 6);
      break;
    case 'call':
      call(p, form.target === 'local');
      break;
  }
}

function loaded(p: Int16Array, base: number, offset: number): number {
  if (base === NOT_STACK) return NOT_STACK;
  if (base === UNKNOWN_OFFSET) return UNKNOWN_OFFSET;
  return p[slotPlace(base + offset)] ?? UNKNOWN_OFFSET;
}

function store(p: Int16Array, base: number, offset: number, value: number): void {
  if (base === NOT_STACK) return;
  const place = base === UNKNOWN_OFFSET ? -1 : slotPlace(base + offset);
  if (place >= 0 && place < PLACES) {
    p[place] = value;
    return;
  }
  // Somewhere: what was certainly a stack pointer may be one no longer; anything may have become what was stored.
  for (let i = REGISTERS; i < PLACES; i++) if (p[i] !== value) p[i] = UNKNOWN_OFFSET;
}

function call(p: Int16Array, local: boolean): void {
  if (local && [1, 2, 3, 4, 5].some((r) => p[r] !== NOT_STACK)) p.fill(UNKNOWN_OFFSET, REGISTERS);
  p.fill(NOT_STACK, 1, 6);
  // A local function cannot return a pointer into its own frame, but one into its caller's.
  p[0] = local ? UNKNOWN_OFFSET : NOT_STACK;
}

const slotPlace = (offset: number): number => REGISTERS + ((offset + STACK_BYTES) >> 3);

const inFrame = (offset: number): number => (offset <= 0 && offset >= -0x8000 ? offset : UNKNOWN_OFFSET);
