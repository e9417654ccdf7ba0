import { AccessRights } from './access.ts';
import { alu, atomic, compare, negate, signExtend, swapBytes } from './arithmetic.ts';
import type { Engine, LoadedProgram, LoadOptions, World } from './engine.ts';
import { BpfError } from './errors.ts';
import { callHelper } from './helper-calls.ts';
import { type Helper, helperById } from './helpers.ts';
import { FRAME_POINTER, formOf, type InstructionForm, Opcode, REGISTER_COUNT } from './isa.ts';
import type { Instruction, Program } from './program.ts';
import { checkRunnable } from './runnable.ts';
import { FRAME_BYTES, MAX_FRAMES } from './thread.ts';
import { BpfViolation, type Registers, type ViolationKind } from './violation.ts';

export interface InterpreterOptions {
  /** Lets programs write the packet, which in the switch they may not: for memory that is no packet. */
  readonly writablePacket?: boolean;
}

/** The reference: every instruction as RFC 9669 words it, every access checked, every violation named. */
export class Interpreter implements Engine {
  readonly name = 'interpreter';
  readonly #writablePacket: boolean;

  constructor(options: InterpreterOptions = {}) {
    this.#writablePacket = options.writablePacket ?? false;
  }

  load(program: Program, world: World, options: LoadOptions = {}): InterpretedProgram {
    return new InterpretedProgram(program, world, options.fuel ?? Number.POSITIVE_INFINITY, this.#writablePacket);
  }
}

/** An instruction with what it means looked up once. */
interface Step extends Instruction {
  /** Undefined for the second slot of lddw. */
  readonly form: InstructionForm | undefined;
  /** The helper that it calls. */
  readonly helper: Helper | undefined;
}

/** What a local call puts away for the function that called. */
interface Frame {
  readonly returnTo: number;
  readonly saved: readonly bigint[];
  readonly savedWritten: number;
  readonly savedHollow: number;
}

const CALLER_SAVED = [1, 2, 3, 4, 5];
const CALLEE_SAVED = [6, 7, 8, 9];
const ALL_ARGUMENTS = 0b111110;

export class InterpretedProgram implements LoadedProgram {
  readonly #world: World;
  readonly #steps: readonly Step[];
  readonly #fuel: number;
  readonly #writablePacket: boolean;
  readonly #rights: AccessRights;
  readonly #registers = new BigUint64Array(REGISTER_COUNT);
  /** Bit n: register n was written. */
  #written = 0;
  /**
   * Bit n: register n was loaded from stack bytes that were never written. Compilers keep variables on the stack that have no value
   * yet, and copy them to and fro, on paths that never use them; so they may be copied, and nothing else.
   */
  #hollow = 0;
  readonly #frames: Frame[] = [];
  #packet = 0;
  #packetLength = 0;
  #pc = 0;
  #executed = 0;

  constructor(program: Program, world: World, fuel: number, writablePacket: boolean) {
    this.#world = world;
    checkRunnable(program, world.maps);
    this.#steps = program.instructions.map(stepOf);
    this.#fuel = fuel;
    this.#writablePacket = writablePacket;
    this.#rights = new AccessRights(world.thread.stackTop);
  }

  /** Instructions that the last run executed. */
  get executed(): number {
    return this.#executed;
  }

  /** r0 to r10 as they are; after a run, as they were at its end. */
  get registers(): Registers {
    return Array.from(this.#registers, (value, n) => ((this.#written >> n) & 1 ? value : undefined));
  }

  run(address: number, length: number): bigint {
    this.#rights.begin(address, length, this.#writablePacket);
    this.#packet = address;
    this.#packetLength = length;
    this.#frames.length = 0;
    this.#registers.fill(0n);
    this.#written = 0;
    this.#hollow = 0;
    this.#write(1, BigInt(address));
    this.#write(2, BigInt(length));
    this.#setFramePointer();
    this.#pc = 0;
    this.#executed = 0;
    for (;;) {
      const step = this.#steps[this.#pc];
      if (step?.form === undefined)
        throw this.#violation('jump-out-of-program', `there is no instruction at ${this.#pc}`);
      if (this.#executed >= this.#fuel)
        throw new BpfError('BPF_FUEL_EXHAUSTED', `pc ${this.#pc}: stopped after ${this.#executed} instructions`);
      this.#executed++;
      if (this.#step(step, step.form)) return this.#registers[0];
    }
  }

  /** Executes one instruction and moves the pc on; true when the program has ended. */
  #step(step: Step, form: InstructionForm): boolean {
    let next = this.#pc + 1;
    switch (form.kind) {
      case 'alu': {
        if (form.op === 'mov' && form.source === 'reg' && !this.#isWritten(step.src)) {
          this.#copyUnwritten(step.dst, step.src, form.width);
          break;
        }
        const operand = form.source === 'imm' ? BigInt(step.imm) : this.#read(step.src);
        const dst = form.op === 'mov' ? 0n : this.#read(step.dst);
        this.#write(step.dst, alu(form.op, form.width, dst, operand));
        break;
      }
      case 'neg':
        this.#write(step.dst, negate(form.width, this.#read(step.dst)));
        break;
      case 'movsx':
        this.#write(step.dst, signExtend(form.bits, form.width, this.#read(step.src)));
        break;
      case 'endian':
        this.#write(step.dst, swapBytes(form.op, form.bits, this.#read(step.dst)));
        break;
      case 'jump': {
        const operand = form.source === 'imm' ? BigInt(step.imm) : this.#read(step.src);
        if (compare(form.condition, form.width, this.#read(step.dst), operand)) next += step.offset;
        break;
      }
      case 'goto':
        next += form.wide ? step.imm : step.offset;
        break;
      case 'load': {
        const address = BigInt.asUintN(64, this.#read(step.src) + BigInt(step.offset));
        const refusal = this.#rights.read(address, form.bytes);
        if (refusal !== undefined && refusal.kind !== 'uninitialised-stack')
          throw this.#violation(refusal.kind, refusal.what);
        const raw = this.#loadBytes(Number(address), form.bytes);
        const value = form.signed && form.bytes !== 8 ? signExtend(bitsOf(form.bytes), 64, raw) : raw;
        if (refusal === undefined) this.#write(step.dst, value);
        else this.#writeHollow(step.dst, value);
        break;
      }
      case 'store': {
        const hollow = form.source === 'reg' && this.#isHollow(step.src);
        const value =
          form.source === 'imm' ? BigInt(step.imm) : hollow ? this.#registers[step.src] : this.#read(step.src);
        const at = this.#checkedWrite(this.#read(step.dst) + BigInt(step.offset), form.bytes);
        if (hollow && !this.#rights.forget(at, form.bytes)) this.#read(step.src);
        this.#storeBytes(at, form.bytes, value);
        break;
      }
      case 'atomic':
        this.#atomic(step, form);
        break;
      case 'packet': {
        const offset = BigInt.asUintN(32, BigInt(step.imm) + (form.indirect ? this.#read(step.src) : 0n));
        if (Number(offset) + form.bytes > this.#packetLength) {
          // As in Linux: the function that asked returns 0.
          this.#write(0, 0n);
          return this.#exit();
        }
        const value = this.#loadBytes(this.#packet + Number(offset), form.bytes);
        this.#write(0, form.bytes === 1 ? value : swapBytes('be', form.bytes === 2 ? 16 : 32, value));
        break;
      }
      case 'lddw':
        this.#write(step.dst, this.#wideConstant(step, form.value));
        next++;
        break;
      case 'call':
        if (step.helper === undefined) next = this.#enter(next, step.imm);
        else this.#callHelper(step.helper);
        break;
      case 'exit':
        return this.#exit();
    }
    this.#pc = next;
    return false;
  }

  #exit(): boolean {
    const frame = this.#frames.pop();
    if (frame === undefined) {
      this.#read(0);
      return true;
    }
    this.#pc = this.#leave(frame);
    return false;
  }

  #wideConstant(step: Step, value: string): bigint {
    const high = this.#steps[this.#pc + 1].imm;
    const { maps } = this.#world;
    if (value === 'imm') return (BigInt(high) << 32n) | BigInt(step.imm >>> 0);
    const map = maps[step.imm];
    if (value === 'map') return BigInt(map.address);
    const { valueSize, name, readOnly } = map.definition;
    const start = map.address + map.layout.data;
    this.#rights.grantValue(name, start, valueSize, readOnly !== true);
    return BigInt(start) + BigInt(high);
  }

  #atomic(step: Step, form: InstructionForm & { kind: 'atomic' }): void {
    const operand = this.#read(step.src);
    const expected = form.op === 'cmpxchg' ? this.#read(0) : 0n;
    const address = BigInt.asUintN(64, this.#read(step.dst) + BigInt(step.offset));
    this.#checkedRead(address, form.bytes);
    const at = this.#checkedWrite(address, form.bytes);
    if (at % form.bytes !== 0)
      throw this.#violation('misaligned-atomic', `an atomic operation on ${form.bytes} bytes at address ${at}`);
    const { words, longs } = this.#world.memory;
    const old = atomic(form.bytes === 8 ? longs : words, at / form.bytes, form.op, operand, expected);
    if (form.op === 'cmpxchg') this.#write(0, old);
    else if (form.fetch) this.#write(step.src, old);
  }

  #callHelper(helper: Helper): void {
    const result = callHelper(helper, {
      world: this.#world,
      rights: this.#rights,
      register: (n) => this.#read(n),
      registerOrZero: (n) => ((this.#written >> n) & 1 ? this.#registers[n] : 0n),
      refuse: (refusal) => this.#violation(refusal.kind, refusal.what),
    });
    this.#written &= ~ALL_ARGUMENTS;
    this.#hollow &= ~ALL_ARGUMENTS;
    this.#write(0, result);
  }

  #enter(next: number, offset: number): number {
    if (this.#rights.frames === MAX_FRAMES)
      throw this.#violation('call-depth', `more than ${MAX_FRAMES} functions inside one another`);
    this.#frames.push({
      returnTo: next,
      saved: CALLEE_SAVED.map((n) => this.#registers[n]),
      savedWritten: this.#written,
      savedHollow: this.#hollow,
    });
    this.#rights.enterFrame();
    this.#setFramePointer();
    // The function sees its arguments only.
    this.#written &= ALL_ARGUMENTS | (1 << FRAME_POINTER);
    this.#hollow &= ALL_ARGUMENTS;
    return next + offset;
  }

  #leave(frame: Frame): number {
    this.#rights.leaveFrame();
    this.#setFramePointer();
    CALLEE_SAVED.forEach((n, i) => {
      this.#registers[n] = frame.saved[i];
    });
    const savedMask = CALLEE_SAVED.reduce((mask, n) => mask | (1 << n), 0);
    const clobbered = CALLER_SAVED.reduce((mask, n) => mask | (1 << n), 0);
    this.#written = (this.#written & ~savedMask & ~clobbered) | (frame.savedWritten & savedMask);
    this.#hollow = (this.#hollow & ~savedMask & ~clobbered) | (frame.savedHollow & savedMask);
    return frame.returnTo;
  }

  #setFramePointer(): void {
    this.#registers[FRAME_POINTER] = BigInt(this.#world.thread.stackTop - (this.#rights.frames - 1) * FRAME_BYTES);
    this.#written |= 1 << FRAME_POINTER;
  }

  #read(register: number): bigint {
    if (this.#isHollow(register))
      throw this.#violation('uninitialised-stack', `r${register} was loaded from stack bytes that were never written`);
    if (!this.#isWritten(register)) throw this.#violation('uninitialised-register', `r${register} was never written`);
    return this.#registers[register];
  }

  #write(register: number, value: bigint): void {
    this.#registers[register] = value;
    this.#written |= 1 << register;
    this.#hollow &= ~(1 << register);
  }

  #isWritten(register: number): boolean {
    return ((this.#written >> register) & 1) === 1;
  }

  /** A copy of what has no value has none either. */
  #copyUnwritten(dst: number, src: number, width: 32 | 64): void {
    const isHollow = this.#isHollow(src);
    this.#writeHollow(dst, alu('mov', width, 0n, this.#registers[src]));
    if (!isHollow) this.#hollow &= ~(1 << dst);
  }

  #isHollow(register: number): boolean {
    return ((this.#hollow >> register) & 1) === 1;
  }

  #writeHollow(register: number, value: bigint): void {
    this.#write(register, value);
    this.#written &= ~(1 << register);
    this.#hollow |= 1 << register;
  }

  #checkedRead(address: bigint, bytes: number): number {
    const at = BigInt.asUintN(64, address);
    const refusal = this.#rights.read(at, bytes);
    if (refusal !== undefined) throw this.#violation(refusal.kind, refusal.what);
    return Number(at);
  }

  #checkedWrite(address: bigint, bytes: number): number {
    const at = BigInt.asUintN(64, address);
    const refusal = this.#rights.write(at, bytes);
    if (refusal !== undefined) throw this.#violation(refusal.kind, refusal.what);
    return Number(at);
  }

  #loadBytes(at: number, bytes: 1 | 2 | 4 | 8): bigint {
    const { view } = this.#world.memory;
    if (bytes === 8) return view.getBigUint64(at, true);
    if (bytes === 4) return BigInt(view.getUint32(at, true));
    return BigInt(bytes === 2 ? view.getUint16(at, true) : view.getUint8(at));
  }

  #storeBytes(at: number, bytes: 1 | 2 | 4 | 8, value: bigint): void {
    const { view } = this.#world.memory;
    if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else if (bytes === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else if (bytes === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), true);
    else view.setUint8(at, Number(BigInt.asUintN(8, value)));
  }

  #violation(kind: ViolationKind, what: string): BpfViolation {
    return new BpfViolation(kind, this.#pc, what, this.registers);
  }
}

function bitsOf(bytes: 1 | 2 | 4): 8 | 16 | 32 {
  return bytes === 1 ? 8 : bytes === 2 ? 16 : 32;
}

function stepOf(instruction: Instruction): Step {
  const form = instruction.opcode === Opcode.LDDW_TAIL ? undefined : formOf(instruction);
  const calls = form?.kind === 'call' && form.target === 'helper';
  return { ...instruction, form, helper: calls ? helperById(instruction.imm) : undefined };
}
