import { HELPER_ID } from '../helpers.ts';
import { type InstructionForm, Pseudo } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { FRAME_BYTES } from '../thread.ts';
import {
  type AbstractValue,
  bounded,
  constant,
  joinValues,
  sameValue,
  truncated,
  U32_MAX,
  UNKNOWN,
} from './abstract-value.ts';
import { arithmeticResult } from './arithmetic-bounds.ts';
import type { FunctionBody } from './function-body.ts';
import { keyValue } from './helper-call.ts';
import type { PreparedProgram } from './prepare.ts';
import { liveAtStart } from './register-use.ts';
import { type SlotPiece, type SlotValues, StackSlots } from './stack-slot.ts';

/** What is known where an instruction begins. */
export interface InstructionFacts {
  /** Of the destination register, before. */
  readonly dst: AbstractValue;
  /** Of the source register, or the immediate where the instruction has one instead. */
  readonly src: AbstractValue;
  /** Of r0 to r5, for a call, an exit and an atomic operation. */
  readonly registers?: readonly AbstractValue[];
  /** What the stack's slots hold, for a call. */
  readonly slots?: SlotValues;
  /** The slots that a load reads, when they hold all of it. */
  readonly pieces?: readonly SlotPiece[];
  /** The slot that a store writes; undefined when it is not kept track of. */
  readonly slot?: number;
}

/** What the analysis needs to know from outside of the function. */
export interface FactsContext {
  readonly prepared: PreparedProgram;
  /** r1 to r5 at the function's start, as many as it is given. */
  readonly parameters: readonly AbstractValue[];
  /** The largest address of the window. */
  readonly mask: number;
  /** What a lookup gives for certain, from r0 to r5 before and what is known of the first 4 bytes of the key. */
  readonly lookupResult: (registers: readonly AbstractValue[], key: AbstractValue) => AbstractValue | undefined;
  /** Address of byte `offset` in the only value of map `index`. */
  readonly mapValueAddress: (index: number, offset: number) => number;
}

interface State {
  readonly registers: AbstractValue[];
  readonly slots: (AbstractValue | undefined)[];
}

/** A register that holds nothing, at a function's start or after a call, reads as 0. */
const UNWRITTEN = constant(0n);

/** A block is joined this often before its numbers lose their bounds, and the function before nothing is known of it. */
const PRECISE_VISITS = 3;
const MAX_PASSES = 12;

/**
 * What is known of registers and stack slots at every instruction of a function, by one forward data flow analysis.
 */
export class FunctionFacts {
  readonly stack = new StackSlots();
  /** By pc. */
  readonly at: (InstructionFacts | undefined)[];
  /**
   * Whether an address within the frame went where it is no longer followed: then stores through unknown pointers may
   * change the stack.
   */
  frameEscapes = false;
  readonly #body: FunctionBody;
  readonly #order: readonly number[];
  readonly #context: FactsContext;
  readonly #live: Int32Array;
  /** By pc: made once, for a BigInt is dear. */
  readonly #immediates: AbstractValue[] = [];

  constructor(body: FunctionBody, order: readonly number[], context: FactsContext) {
    this.#body = body;
    this.#order = order;
    this.#context = context;
    this.at = new Array(context.prepared.program.instructions.length);
    this.#live = liveAtStart(body, order, context.prepared);
    const states = this.#solve();
    for (const block of order) this.#transferBlock(block, states[block], true);
  }

  #entryState(): State {
    const registers = new Array<AbstractValue>(11).fill(UNWRITTEN);
    this.#context.parameters.forEach((value, i) => {
      registers[i + 1] = value;
    });
    registers[10] = { kind: 'frame', offset: 0 };
    return { registers, slots: [] };
  }

  #ignorance(): State {
    const registers = new Array<AbstractValue>(11).fill(UNKNOWN);
    registers[10] = { kind: 'frame', offset: 0 };
    return { registers, slots: [] };
  }

  /** The states at the start of the blocks. */
  #solve(): State[] {
    const { graph } = this.#body;
    const states: (State | undefined)[] = new Array(graph.length);
    const visits = new Int32Array(graph.length);
    const dirty = new Uint8Array(graph.length);
    const escaped = this.frameEscapes;
    states[0] = this.#entryState();
    dirty[0] = 1;
    for (let pass = 0; ; pass++) {
      if (pass === MAX_PASSES) {
        this.frameEscapes = true;
        return graph.map(() => this.#ignorance());
      }
      let changed = false;
      for (const block of this.#order) {
        const state = states[block];
        if (dirty[block] === 0 || state === undefined) continue;
        dirty[block] = 0;
        const result = copyState(state);
        this.#transferBlock(block, result, false);
        const lookup = this.#context.prepared.absentTargets.has(this.#body.blocks[block].end - 1);
        for (const successor of graph[block]) {
          // A lookup's second successor is where it found nothing.
          if (lookup && successor === graph[block][1]) result.registers[0] = UNWRITTEN;
          const known = states[successor];
          if (known === undefined) states[successor] = copyState(result);
          else if (!this.#join(known, result, successor, visits)) continue;
          dirty[successor] = 1;
          changed = true;
        }
        // Perhaps only met after a store that it concerns.
        if (this.frameEscapes !== escaped) return this.#solve();
      }
      if (!changed) return states.map((state) => state ?? this.#ignorance());
    }
  }

  /** Makes `known` hold of both; false when `other` adds nothing to it. */
  #join(known: State, other: State, block: number, visits: Int32Array): boolean {
    const live = this.#live[block];
    const widens = visits[block] > PRECISE_VISITS;
    let changed = false;
    for (let i = 0; i < known.registers.length; i++) {
      const value = known.registers[i];
      const incoming = other.registers[i];
      if (value === incoming || value.kind === 'unknown' || sameValue(value, incoming)) continue;
      const isLive = (live & (1 << i)) !== 0;
      if (isLive && (value.kind === 'frame' || incoming.kind === 'frame')) this.frameEscapes = true;
      const joined = isLive ? joinValues(value, incoming) : UNKNOWN;
      if (sameValue(joined, value)) continue;
      known.registers[i] = widens ? UNKNOWN : joined;
      changed = true;
    }
    for (let i = 0; i < known.slots.length; i++) {
      const value = known.slots[i];
      const incoming = other.slots[i];
      if (value === undefined || value === incoming) continue;
      const joined = incoming === undefined ? undefined : joinValues(value, incoming);
      if (joined !== undefined && sameValue(joined, value)) continue;
      known.slots[i] = joined !== undefined && widens ? slotBound(this.stack.slots[i].bytes) : joined;
      if (known.slots[i] !== undefined && sameValue(value, known.slots[i] ?? UNKNOWN)) continue;
      changed = true;
    }
    if (changed) visits[block]++;
    return changed;
  }

  #transferBlock(block: number, state: State, record: boolean): void {
    const { forms, program } = this.#context.prepared;
    const { start, end } = this.#body.blocks[block];
    for (let pc = start; pc < end; pc++) {
      const form = forms[pc];
      if (form !== undefined) this.#transfer(pc, form, program.instructions[pc], state, record);
    }
  }

  #transfer(pc: number, form: InstructionForm, instruction: Instruction, state: State, record: boolean): void {
    const { registers, slots } = state;
    const { dst, src, imm, offset } = instruction;
    const left = registers[dst];
    const fromImmediate = 'source' in form && form.source === 'imm';
    const right = fromImmediate ? this.#immediate(pc, imm) : registers[src];
    // Made only where it is kept: this runs over every instruction several times.
    let facts: InstructionFacts | undefined = record ? { dst: left, src: right } : undefined;
    switch (form.kind) {
      case 'alu': {
        const result = arithmeticResult(form.op, form.width, left, right);
        if (result.kind !== 'frame') this.#lose(right, form.op === 'mov' ? right : left);
        if (!this.#context.prepared.conditionalMoves.has(pc)) registers[dst] = result;
        else {
          if (!sameValue(left, result)) this.#lose(left, result);
          registers[dst] = joinValues(left, result);
        }
        break;
      }
      case 'neg':
        this.#lose(left, left);
        registers[dst] = form.width === 64 ? UNKNOWN : bounded(U32_MAX);
        break;
      case 'movsx':
        this.#lose(right, right);
        registers[dst] = form.width === 64 ? UNKNOWN : bounded(U32_MAX);
        break;
      case 'endian':
        this.#lose(left, left);
        registers[dst] = form.bits === 64 ? UNKNOWN : bounded(2 ** form.bits - 1);
        break;
      case 'load': {
        const pieces = right.kind === 'frame' ? this.stack.pieces(slots, right.offset + offset, form.bytes) : undefined;
        if (record && pieces !== undefined) facts = { dst: left, src: right, pieces };
        registers[dst] = this.#loaded(form.bytes, form.signed, pieces, slots);
        break;
      }
      case 'store': {
        const slot = this.#store(state, left, offset, form.bytes, right);
        if (record && slot !== undefined) facts = { dst: left, src: right, slot };
        break;
      }
      case 'atomic':
        if (record) facts = { dst: left, src: right, registers: registers.slice(0, 6) };
        this.#lose(right, right);
        if (left.kind === 'frame') this.stack.forget(slots, left.offset + offset, form.bytes);
        else this.#unknownStore(slots);
        if (form.op === 'cmpxchg') registers[0] = slotBound(form.bytes);
        else if (form.fetch) registers[src] = slotBound(form.bytes);
        break;
      case 'call':
        if (record) facts = { dst: left, src: right, registers: registers.slice(0, 6), slots: [...slots] };
        this.#call(form.target, imm, state);
        break;
      case 'exit':
        if (record) facts = { dst: left, src: right, registers: registers.slice(0, 6) };
        break;
      case 'packet':
        registers[0] = bounded(2 ** (8 * form.bytes) - 1);
        break;
      case 'lddw':
        this.#immediates[pc] ??= this.constantOf(pc, instruction);
        registers[dst] = this.#immediates[pc];
        break;
      default:
    }
    if (facts !== undefined) this.at[pc] = facts;
  }

  #immediate(pc: number, imm: number): AbstractValue {
    this.#immediates[pc] ??= constant(BigInt(imm));
    return this.#immediates[pc];
  }

  /** An address within the frame that took part in something else than adding a constant is no longer followed. */
  #lose(one: AbstractValue, other: AbstractValue): void {
    if (one.kind === 'frame' || other.kind === 'frame') this.frameEscapes = true;
  }

  #unknownStore(slots: (AbstractValue | undefined)[]): void {
    if (this.frameEscapes) slots.fill(undefined);
  }

  /** The slot that is written, if it is kept track of. */
  #store(
    { slots }: State,
    base: AbstractValue,
    displacement: number,
    bytes: number,
    value: AbstractValue,
  ): number | undefined {
    this.#lose(value, value);
    if (base.kind !== 'frame') {
      this.#unknownStore(slots);
      return undefined;
    }
    const offset = base.offset + displacement;
    this.stack.forget(slots, offset, bytes);
    if (offset < -FRAME_BYTES || offset + bytes > 0) return undefined;
    const slot = this.stack.numberOf(offset, bytes);
    if (slot < 0) return undefined;
    while (slots.length <= slot) slots.push(undefined);
    slots[slot] = truncated(value, bytes);
    return slot;
  }

  #loaded(bytes: number, signed: boolean, pieces: readonly SlotPiece[] | undefined, slots: SlotValues): AbstractValue {
    if (signed) return UNKNOWN;
    const only = pieces?.length === 1 ? pieces[0] : undefined;
    const value = only?.from === 0 ? slots[only.slot] : undefined;
    return value === undefined ? slotBound(bytes) : truncated(value, bytes);
  }

  #call(target: string, id: number, { registers, slots }: State): void {
    if (target === 'local') {
      for (let i = 1; i <= 5; i++) this.#lose(registers[i], registers[i]);
      this.#unknownStore(slots);
      registers[0] = UNKNOWN;
    } else if (id === HELPER_ID.mapLookup) {
      const key = keyValue(this.stack, registers[2], slots);
      registers[0] = this.#context.lookupResult(registers, key) ?? bounded(this.#context.mask);
    } else if (id === HELPER_ID.hash) registers[0] = bounded(U32_MAX);
    else if (id === HELPER_ID.printf) registers[0] = constant(0n);
    else registers[0] = UNKNOWN;
    registers.fill(UNWRITTEN, 1, 6);
  }

  /** What lddw loads. */
  constantOf(pc: number, { src, imm }: Instruction): AbstractValue {
    const next = this.#context.prepared.program.instructions[pc + 1].imm;
    if (src === Pseudo.LDDW_IMM) return constant((BigInt(next) << 32n) | BigInt(imm >>> 0));
    if (src === Pseudo.LDDW_MAP) return { kind: 'map', index: imm };
    return constant(BigInt(this.#context.mapValueAddress(imm, next)));
  }
}

function copyState({ registers, slots }: State): State {
  return { registers: [...registers], slots: [...slots] };
}

function slotBound(bytes: number): AbstractValue {
  return bytes === 8 ? UNKNOWN : bounded(2 ** (8 * bytes) - 1);
}
