import type { Program } from '../program.ts';
import { executeAlu, executeEndian, executeMovsx, executeNeg } from './arithmetic-instructions.ts';
import { executeExit, executeHelperCall, executeLocalCall } from './call-instructions.ts';
import { type ControlFlow, slotsOf } from './control-flow.ts';
import { constant } from './domain/scalar.ts';
import { executeJump } from './jump-instructions.ts';
import type { LoopNest } from './loop-nest.ts';
import type { Place } from './memory-access.ts';
import { executeAtomic, executeLoad, executePacketLoad, executeStore } from './memory-instructions.ts';
import { orderKey } from './order.ts';
import { writeRegister } from './registers.ts';
import type { State } from './state.ts';
import { LENGTH_ID, scalar, type Value } from './value.ts';

/** What the instructions that were followed used, for the summary. */
export interface Usage {
  readonly helpers: Set<string>;
  readonly maps: Set<number>;
  /** Byte after the last that a packet read may reach. */
  packetBytes: number;
  /** Greatest sum of what the active functions use of their stacks. */
  stackBytes: number;
  /** Most functions active at once. */
  frames: number;
}

/** Where control goes after an instruction. */
export interface Successors {
  /** Undefined when the program ends here, or cannot get further. */
  readonly next: State | undefined;
  readonly other: State | undefined;
}

const END: Successors = { next: undefined, other: undefined };

/** Carries out one instruction on a state. Throws Refusal for what the rules forbid. */
export class Machine {
  readonly usage: Usage = { helpers: new Set(), maps: new Set(), packetBytes: 0, stackBytes: 0, frames: 1 };
  readonly #program: Program;
  readonly #flow: ControlFlow;
  readonly #nest: LoopNest;
  readonly #stackOf = new Map<number, number>();
  #lastId = LENGTH_ID;

  constructor(program: Program, flow: ControlFlow, nest: LoopNest) {
    this.#program = program;
    this.#flow = flow;
    this.#nest = nest;
  }

  readonly freshId = (): number => ++this.#lastId;

  /** Uses up `state`: one of the successors is made from it. */
  step(state: State): Successors {
    const { pc } = state;
    const decoded = this.#flow.decoded[pc];
    if (decoded === undefined) throw new Error(`no instruction at pc ${pc}`);
    const { form, instruction } = decoded;
    const { maps } = this.#program;
    switch (form.kind) {
      case 'alu':
        executeAlu(state, form, instruction, this.freshId);
        break;
      case 'neg':
        executeNeg(state, form, instruction);
        break;
      case 'movsx':
        executeMovsx(state, form, instruction, this.freshId);
        break;
      case 'endian':
        executeEndian(state, form, instruction);
        break;
      case 'load':
        this.#note(state, executeLoad(state, maps, form, instruction));
        break;
      case 'store':
        this.#note(state, executeStore(state, maps, form, instruction, this.freshId));
        break;
      case 'atomic':
        this.#note(state, executeAtomic(state, maps, form, instruction));
        break;
      case 'packet':
        this.#note(state, executePacketLoad(state, maps, form, instruction));
        break;
      case 'lddw':
        writeRegister(state, instruction.dst, this.#constant(pc));
        break;
      case 'goto':
        state.pc = this.#flow.target[pc];
        return { next: state, other: undefined };
      case 'jump':
        return this.#jump(state);
      case 'exit':
        return executeExit(state) ? END : { next: state, other: undefined };
      case 'call':
        if (form.target === 'local') {
          executeLocalCall(state, this.#flow.target[pc], orderKey(state, this.#nest));
          state.path = { pc, to: state.pc, before: state.path };
          this.usage.frames = Math.max(this.usage.frames, state.stacks.length);
          this.#noteStack(state);
          return { next: state, other: undefined };
        }
        this.#helper(state, instruction.imm);
        break;
    }
    state.pc = pc + slotsOf(form);
    return { next: state, other: undefined };
  }

  #jump(state: State): Successors {
    const { pc } = state;
    const decoded = this.#flow.decoded[pc];
    if (decoded?.form.kind !== 'jump') return END;
    const { form, instruction } = decoded;
    const { taken, passed } = executeJump(state, form, instruction, this.freshId);
    const before = state.path;
    if (taken !== undefined) {
      taken.pc = this.#flow.target[pc];
      taken.path = { pc, to: taken.pc, before };
    }
    if (passed !== undefined) {
      passed.pc = pc + 1;
      passed.path = { pc, to: pc + 1, before };
    }
    return { next: passed ?? taken, other: passed && taken };
  }

  #helper(state: State, id: number): void {
    const { helper, map, read } = executeHelperCall(state, this.#program, id, this.freshId);
    this.usage.helpers.add(helper.name);
    if (map !== undefined) this.usage.maps.add(map);
    for (const place of read) this.#note(state, place);
  }

  /** What lddw gives; `checkInstruction` has let only these kinds of it in. */
  #constant(pc: number): Value {
    const { imm } = this.#program.instructions[pc];
    const upper = this.#program.instructions[pc + 1].imm;
    const form = this.#flow.decoded[pc]?.form;
    if (form?.kind === 'lddw' && form.value === 'map') return { kind: 'map', map: imm };
    if (form?.kind !== 'lddw' || form.value !== 'map-value') {
      return scalar(constant((BigInt(upper) << 32n) | BigInt(imm >>> 0)));
    }
    this.usage.maps.add(imm);
    const range = constant(BigInt(upper));
    return { kind: 'map-value', map: imm, nullable: false, lookup: -1 - imm, range, id: 0, delta: 0 };
  }

  #note(state: State, place: Place): void {
    if (place.kind === 'packet') this.usage.packetBytes = Math.max(this.usage.packetBytes, place.end);
    if (place.kind === 'map-value') this.usage.maps.add(place.map);
    if (place.kind !== 'stack') return;
    const owner = place.frame === state.frame ? state.functionPc : state.callers[place.frame].functionPc;
    const depth = -Number(place.range.smin);
    if (depth <= (this.#stackOf.get(owner) ?? 0)) return;
    this.#stackOf.set(owner, depth);
    this.#noteStack(state);
  }

  #noteStack(state: State): void {
    const active = [...state.callers.map((caller) => caller.functionPc), state.functionPc];
    const bytes = active.reduce((sum, pc) => sum + (this.#stackOf.get(pc) ?? 0), 0);
    this.usage.stackBytes = Math.max(this.usage.stackBytes, bytes);
  }
}
