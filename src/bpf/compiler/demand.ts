import { HELPER_ID, helperById } from '../helpers.ts';
import type { InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { type AbstractValue, fitsU32 } from './abstract-value.ts';
import type { FunctionFacts, InstructionFacts } from './facts.ts';
import type { FunctionBody } from './function-body.ts';
import type { PreparedProgram } from './prepare.ts';
import { solveBackward } from './register-use.ts';
import { isNarrow, isNarrowJump } from './width.ts';

/**
 * Each register lives in two locals: one of 64 bits and one with its low 32. Which of them an instruction has to set
 * depends on what is read later. In the masks here, bit r is the demand for the low half of register r, bit 16 + r that
 * for the whole.
 */
const WHOLE = 16;

const low = (register: number): number => 1 << register;
const whole = (register: number): number => 1 << (register + WHOLE);
const both = (register: number): number => low(register) | whole(register);

/**
 * The local that reading a register takes. Constants and addresses of frames and maps are written in place; a number
 * below 2^32 is always read from the low local.
 */
function reading(register: number, value: AbstractValue, width: 32 | 64): number {
  if (value.kind === 'constant' || value.kind === 'frame' || value.kind === 'map') return 0;
  return width === 64 && !fitsU32(value) ? whole(register) : low(register);
}

/** Which locals must be set by the instructions of a function. */
export class RegisterDemand {
  /** Demand behind each instruction, by pc. */
  readonly #after: Int32Array;
  #atEntry = 0;

  constructor(
    body: FunctionBody,
    order: readonly number[],
    facts: FunctionFacts,
    { program, forms, conditionalMoves }: PreparedProgram,
  ) {
    this.#after = new Int32Array(program.instructions.length);
    solveBackward(body, order, (block, after) => {
      let demand = after;
      const { start, end } = body.blocks[block];
      for (let pc = end - 1; pc >= start; pc--) {
        const form = forms[pc];
        const known = facts.at[pc];
        if (form === undefined || known === undefined) continue;
        this.#after[pc] = demand;
        demand = demandBefore(form, program.instructions[pc], known, demand, conditionalMoves.has(pc));
      }
      if (block === 0) this.#atEntry = demand;
      return demand;
    });
  }

  /** Whether the low 32 bits of what a register holds at the function's start are read. */
  lowAtEntry(register: number): boolean {
    return (this.#atEntry & low(register)) !== 0;
  }

  wholeAtEntry(register: number): boolean {
    return (this.#atEntry & whole(register)) !== 0;
  }

  /** Whether the low 32 bits of a register are read after an instruction. */
  low(pc: number, register: number): boolean {
    return (this.#after[pc] & low(register)) !== 0;
  }

  /** Whether all its bits are read. */
  whole(pc: number, register: number): boolean {
    return (this.#after[pc] & whole(register)) !== 0;
  }
}

function demandBefore(
  form: InstructionForm,
  instruction: Instruction,
  facts: InstructionFacts,
  after: number,
  isConditional: boolean,
): number {
  const { dst, src } = instruction;
  const left = facts.dst;
  const right = facts.src;
  const needsWhole = (after & whole(dst)) !== 0;
  const needed = (after & both(dst)) !== 0;
  const fromRegister = 'source' in form && form.source === 'reg';
  switch (form.kind) {
    case 'alu': {
      const rest = after & ~both(dst);
      if (!needed) return rest;
      if (form.op === 'mov') {
        // A move copies each half that is needed by itself; if it is perhaps not made, each may be the old one.
        let before = rest;
        const needsLow = (after & low(dst)) !== 0;
        if (isConditional)
          before |= (needsLow ? reading(dst, left, 32) : 0) | (needsWhole ? reading(dst, left, 64) : 0);
        if (!fromRegister) return before;
        return before | (needsLow ? reading(src, right, 32) : 0) | (needsWhole ? reading(src, right, form.width) : 0);
      }
      const width = isNarrow(form, left, right, needsWhole) ? 32 : 64;
      return rest | reading(dst, left, width) | (fromRegister ? reading(src, right, width) : 0);
    }
    case 'neg':
      return needed ? (after & ~both(dst)) | reading(dst, left, needsWhole ? form.width : 32) : after;
    case 'movsx':
      return needed ? (after & ~both(dst)) | reading(src, right, 32) : after;
    case 'endian':
      return needed ? (after & ~both(dst)) | reading(dst, left, form.bits === 64 ? 64 : 32) : after;
    case 'load':
      if (!needed || facts.pieces !== undefined) return after & ~both(dst);
      return (after & ~both(dst)) | reading(src, right, 32);
    case 'store':
      return after | reading(dst, left, 32) | (fromRegister ? reading(src, right, form.bytes === 8 ? 64 : 32) : 0);
    case 'atomic': {
      const width = form.bytes === 8 ? 64 : 32;
      const operands = reading(dst, left, 32) | reading(src, right, width);
      if (form.op !== 'cmpxchg') return (form.fetch ? after & ~both(src) : after) | operands;
      const expected = facts.registers?.[0];
      return (after & ~both(0)) | operands | (expected === undefined ? 0 : reading(0, expected, width));
    }
    case 'jump': {
      const width = isNarrowJump(form, left, right) ? 32 : 64;
      return after | reading(dst, left, width) | (fromRegister ? reading(src, right, width) : 0);
    }
    case 'exit':
      return facts.registers === undefined ? whole(0) : reading(0, facts.registers[0], 64);
    case 'call':
      return demandBeforeCall(form.target, instruction.imm, facts, after);
    case 'packet':
      return (after & ~both(0)) | (form.indirect ? reading(src, right, 32) : 0);
    case 'lddw':
      return after & ~both(dst);
    case 'goto':
      return after;
  }
}

function demandBeforeCall(target: string, id: number, facts: InstructionFacts, after: number): number {
  let demand = after;
  for (let register = 0; register <= 5; register++) demand &= ~both(register);
  const count = target === 'local' ? 5 : (helperById(id)?.args.length ?? 0);
  const width = target === 'local' || id === HELPER_ID.printf ? 64 : 32;
  for (let register = 1; register <= count; register++) {
    const value = facts.registers?.[register];
    // Only numbers that are printed, and all that a function of the program is given, matter beyond 32 bits.
    if (value !== undefined) demand |= reading(register, value, register === 1 && target !== 'local' ? 32 : width);
  }
  return demand;
}
