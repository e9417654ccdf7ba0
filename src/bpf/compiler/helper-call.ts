import { type FunctionCode, type Label, Op, ValueType } from '../../wasm/index.ts';
import { BpfError } from '../errors.ts';
import { HELPER_ID, keyArgumentSize, MAX_FORMAT_BYTES, MAX_HASHED_BYTES } from '../helpers.ts';
import type { BpfMap } from '../maps/map.ts';
import type { Instruction } from '../program.ts';
import { THREAD_BLOCK } from '../thread.ts';
import { type AbstractValue, truncated, UNKNOWN } from './abstract-value.ts';
import { type Expression, i32 } from './expression.ts';
import type { InstructionFacts } from './facts.ts';
import { hashlittleOfSize } from './lookup3-code.ts';
import { type KeySource, keyInMemory } from './maps/key.ts';
import type { MemoryAccessEmitter } from './memory-access.ts';
import type { MapOperation, ModuleFunctions } from './module-functions.ts';
import type { RegisterLocals } from './register-locals.ts';
import type { StackLocals } from './stack-locals.ts';
import type { SlotPiece, SlotValues, StackSlots } from './stack-slot.ts';

/** Items of up to so many bytes are hashed where ubpf_hash is called. */
const MAX_INLINE_HASH = 48;

const OPERATIONS: Partial<Record<number, MapOperation>> = {
  [HELPER_ID.mapLookup]: 'lookup',
  [HELPER_ID.mapUpdate]: 'update',
  [HELPER_ID.mapDelete]: 'delete',
  [HELPER_ID.mapAdd]: 'add',
};

/** Bytes that a helper reads through its argument registers. */
export interface HelperRead {
  readonly register: number;
  readonly bytes: number;
  /** When the call reads them part by part, straight from stack slots where those hold them: offsets and bytes. */
  readonly parts?: readonly (readonly [offset: number, bytes: number])[];
}

/** The map that a call's first argument is, when that is known. */
export function mapOfCall(facts: InstructionFacts, maps: readonly BpfMap[]): number | undefined {
  const map = facts.registers?.[1];
  return map?.kind === 'map' && map.index < maps.length ? map.index : undefined;
}

/** What is known of the 4 bytes that a pointer leads to. */
export function keyValue(stack: StackSlots, pointer: AbstractValue, slots: SlotValues): AbstractValue {
  const pieces = pointer.kind === 'frame' ? stack.pieces(slots, pointer.offset, 4) : undefined;
  const only = pieces?.length === 1 ? pieces[0] : undefined;
  const value = only === undefined || only.from > 0 ? undefined : slots[only.slot];
  return value === undefined ? UNKNOWN : truncated(value, 4);
}

/** What memory a helper call reads through pointers. */
export function helperReads(id: number, facts: InstructionFacts, functions: ModuleFunctions): HelperRead[] {
  if (id === HELPER_ID.hash) {
    const size = constantSize(facts);
    const bytes = size ?? MAX_HASHED_BYTES;
    return size !== undefined && size <= MAX_INLINE_HASH
      ? [{ register: 1, bytes, parts: wordsOf(size) }]
      : [{ register: 1, bytes }];
  }
  if (id === HELPER_ID.printf) return [{ register: 1, bytes: MAX_FORMAT_BYTES }];
  if (OPERATIONS[id] === undefined) return [];
  const index = mapOfCall(facts, functions.maps);
  const candidates = index === undefined ? functions.maps : [functions.maps[index]];
  const keyBytes = Math.max(0, ...candidates.map((map) => keyArgumentSize(map.definition)));
  const valueBytes = Math.max(0, ...candidates.map((map) => map.definition.valueSize));
  const code = index === undefined ? undefined : functions.mapCode(index);
  const inlined = id === HELPER_ID.mapLookup && code?.inlinesLookup === true;
  const reads: HelperRead[] = [
    inlined ? { register: 2, bytes: keyBytes, parts: code.keyParts } : { register: 2, bytes: keyBytes },
  ];
  if (id === HELPER_ID.mapUpdate) reads.push({ register: 3, bytes: valueBytes });
  return reads;
}

function constantSize(facts: InstructionFacts): number | undefined {
  const size = facts.registers?.[2];
  return size?.kind === 'constant' && size.value <= BigInt(MAX_HASHED_BYTES) ? Number(size.value) : undefined;
}

function wordsOf(size: number): [number, number][] {
  return Array.from({ length: Math.ceil(size / 4) }, (_, i) => [4 * i, Math.min(4, size - 4 * i)]);
}

/** The pieces of stack slots that hold a part of what a helper reads, when they hold all of it. */
export function partInSlots(
  stack: StackSlots,
  facts: InstructionFacts,
  pointer: AbstractValue,
  offset: number,
  bytes: number,
): readonly SlotPiece[] | undefined {
  if (pointer.kind !== 'frame' || facts.slots === undefined) return undefined;
  return stack.pieces(facts.slots, pointer.offset + offset, bytes);
}

/** Writes calls of helpers. */
export class HelperCallEmitter {
  readonly #code: FunctionCode;
  readonly #registers: RegisterLocals;
  readonly #memory: MemoryAccessEmitter;
  readonly #stackLocals: StackLocals;
  readonly #stack: StackSlots;
  readonly #functions: ModuleFunctions;
  readonly #thread: Expression;

  constructor(
    code: FunctionCode,
    registers: RegisterLocals,
    memory: MemoryAccessEmitter,
    stackLocals: StackLocals,
    stack: StackSlots,
    functions: ModuleFunctions,
    thread: Expression,
  ) {
    this.#code = code;
    this.#registers = registers;
    this.#memory = memory;
    this.#stackLocals = stackLocals;
    this.#stack = stack;
    this.#functions = functions;
    this.#thread = thread;
  }

  /** `absent`: where a lookup that branches by itself goes when there is no value. */
  call(pc: number, { imm }: Instruction, facts: InstructionFacts, absent: Label | undefined): void {
    const code = this.#code;
    const operation = OPERATIONS[imm];
    if (operation !== undefined) this.#mapOperation(pc, operation, facts, absent);
    else if (imm === HELPER_ID.timeGetNs) {
      this.#thread(code);
      code.memory(Op.i64Load, THREAD_BLOCK.timeNs, 3);
      this.#registers.define(pc, 0, 64);
    } else if (imm === HELPER_ID.hash) this.#hash(pc, facts);
    else if (imm === HELPER_ID.printf) {
      this.#pushArgument(1, facts, MAX_FORMAT_BYTES);
      for (let register = 2; register <= 5; register++)
        this.#registers.push(register, this.#value(facts, register), 64);
      code.call(this.#functions.print());
      code.i32Const(0);
      this.#registers.define(pc, 0, 32);
    } else throw new BpfError('BPF_UNSUPPORTED', `pc ${pc}: there is no helper ${imm}`);
  }

  #value(facts: InstructionFacts, register: number): AbstractValue {
    return facts.registers?.[register] ?? { kind: 'unknown' };
  }

  /** Pushes an address at which `bytes` bytes lie in memory; what only stack locals hold is brought there first. */
  #pushArgument(register: number, facts: InstructionFacts, bytes: number): void {
    const pieces = partInSlots(this.#stack, facts, this.#value(facts, register), 0, bytes);
    if (pieces !== undefined) this.#stackLocals.spill(new Set(pieces.map(({ slot }) => slot)), this.#memory.frame);
    this.#pushPointer(register, facts, bytes);
  }

  /** Pushes an address from which `bytes` bytes can be read within window and guard. */
  #pushPointer(register: number, facts: InstructionFacts, bytes: number): void {
    const offset = this.#memory.pushAddress(register, this.#value(facts, register), 0, bytes);
    if (offset === 0) return;
    this.#code.i32Const(offset);
    this.#code.op(Op.i32Add);
  }

  /** Reads what a register points to, from the locals of stack slots where those hold it. */
  #source(register: number, facts: InstructionFacts, bytes: number): KeySource {
    const pointer = this.#value(facts, register);
    const inMemory = this.#pointerLocal(register, facts, bytes);
    const read = (offset: number, count: 1 | 2 | 4 | 8): Expression => {
      const pieces = partInSlots(this.#stack, facts, pointer, offset, count);
      if (pieces !== undefined) return () => this.#stackLocals.push(pieces, count);
      const source = keyInMemory(inMemory);
      return count === 8 ? source.wide(offset) : source.narrow(offset, count);
    };
    const known = keyValue(this.#stack, pointer, facts.slots ?? []);
    return { narrow: (offset, count) => read(offset, count), wide: (offset) => read(offset, 8), known };
  }

  /** The address in a local, which may turn out not to be needed. */
  #pointerLocal(register: number, facts: InstructionFacts, bytes: number): Expression {
    const code = this.#code;
    this.#pushPointer(register, facts, bytes);
    const pointer = code.local(ValueType.i32);
    code.localSet(pointer);
    return (target) => target.localGet(pointer);
  }

  #mapOperation(pc: number, operation: MapOperation, facts: InstructionFacts, absent: Label | undefined): void {
    const functions = this.#functions;
    const code = this.#code;
    const index = mapOfCall(facts, functions.maps);
    const [key, value] = helperReads(idOf(operation), facts, functions);
    const map = index === undefined ? undefined : functions.mapCode(index);
    if (absent !== undefined && this.#registers.isNeeded(pc, 0)) {
      // What r0 is where the lookup goes when there is no value.
      code.i32Const(0);
      this.#registers.define(pc, 0, 32);
    }
    if (operation === 'lookup' && map?.inlinesLookup === true) {
      map.lookup(code, this.#source(2, facts, key.bytes), absent);
    } else {
      if (index === undefined) this.#registers.push(1, this.#value(facts, 1), 32);
      this.#pushArgument(2, facts, key.bytes);
      if (operation === 'update') this.#pushArgument(3, facts, value?.bytes ?? 0);
      code.call(index === undefined ? functions.dispatch(operation) : functions.mapFunction(index, operation));
      if (absent !== undefined) {
        const value = code.local(ValueType.i32);
        code.localTee(value);
        code.op(Op.i32Eqz);
        code.brIf(absent);
        code.localGet(value);
      }
    }
    if (operation === 'lookup' || !this.#registers.isWholeNeeded(pc, 0)) this.#registers.define(pc, 0, 32);
    else {
      code.op(Op.i64ExtendI32S);
      this.#registers.define(pc, 0, 64);
    }
  }

  #hash(pc: number, facts: InstructionFacts): void {
    const code = this.#code;
    const size = constantSize(facts);
    if (size !== undefined && size <= MAX_INLINE_HASH) {
      const hash = hashlittleOfSize(code, this.#source(1, facts, size), size, i32.const(0));
      hash(code);
    } else {
      this.#pushArgument(1, facts, size ?? MAX_HASHED_BYTES);
      this.#registers.push(2, this.#value(facts, 2), 32);
      code.call(this.#functions.hash());
    }
    this.#registers.define(pc, 0, 32);
  }
}

function idOf(operation: MapOperation): number {
  const ids = {
    lookup: HELPER_ID.mapLookup,
    update: HELPER_ID.mapUpdate,
    delete: HELPER_ID.mapDelete,
    add: HELPER_ID.mapAdd,
  };
  return ids[operation];
}
