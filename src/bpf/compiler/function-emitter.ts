import { type FunctionCode, type Label, Op, reversePostorder, structurize, ValueType } from '../../wasm/index.ts';
import { BpfError } from '../errors.ts';
import type { InstructionForm } from '../isa.ts';
import type { Instruction } from '../program.ts';
import { FRAME_BYTES } from '../thread.ts';
import { ArithmeticEmitter, swapBytes } from './arithmetic.ts';
import { emitCondition } from './comparison.ts';
import { RegisterDemand } from './demand.ts';
import { type Expression, i32, i64, let32, when } from './expression.ts';
import { FunctionFacts, type InstructionFacts } from './facts.ts';
import { type Frame, pushFrame } from './frame.ts';
import type { FunctionBody } from './function-body.ts';
import { HelperCallEmitter } from './helper-call.ts';
import { MemoryAccessEmitter } from './memory-access.ts';
import type { ProgramContext } from './program-context.ts';
import { RegisterLocals } from './register-locals.ts';
import { StackLocals } from './stack-locals.ts';
import { stackBytesRead } from './stack-reads.ts';

/** How a function of the program stands in the module. */
export interface FunctionRole {
  readonly frame: Frame;
  /** Pushes the address of the running thread's block. */
  readonly thread: Expression;
  /** What r1, r2 … hold at its start. */
  readonly parameters: readonly { readonly width: 32 | 64; readonly push: Expression; readonly max: number }[];
  /** Address and length of the packet, as i32. */
  readonly packet: Expression;
  readonly packetLength: Expression;
  /** Leaves the function with an i64. */
  readonly leave: (result: Expression) => void;
}

/** Writes one function of a program. */
export class FunctionEmitter {
  readonly #context: ProgramContext;
  readonly #code: FunctionCode;
  readonly #body: FunctionBody;
  readonly #role: FunctionRole;
  readonly #facts: FunctionFacts;
  readonly #registers: RegisterLocals;
  readonly #arithmetic: ArithmeticEmitter;
  readonly #memory: MemoryAccessEmitter;
  readonly #helpers: HelperCallEmitter;
  readonly #stackBytesRead: Uint8Array | undefined;

  constructor(context: ProgramContext, code: FunctionCode, body: FunctionBody, role: FunctionRole) {
    const order = reversePostorder(body.graph);
    const { window, functions, maps } = context;
    this.#context = context;
    this.#code = code;
    this.#body = body;
    this.#role = role;
    this.#facts = new FunctionFacts(body, order, {
      prepared: context,
      parameters: role.parameters.map(({ max }) =>
        max === Number.POSITIVE_INFINITY ? { kind: 'unknown' } : { kind: 'bounded', max },
      ),
      mask: window.mask,
      mapValueAddress: (index, offset) => context.mapValueAddress(index, offset),
      lookupResult: (registers, key) => functions.lookupResult(registers[1], key),
    });
    const demand = new RegisterDemand(body, order, this.#facts, context);
    const mapAddresses = maps.map((map) => map.address);
    this.#registers = new RegisterLocals(code, demand, mapAddresses, role.frame);
    const stackLocals = new StackLocals(code, this.#facts.stack);
    this.#arithmetic = new ArithmeticEmitter(code, this.#registers);
    this.#memory = new MemoryAccessEmitter(code, this.#registers, stackLocals, window, role.frame);
    this.#helpers = new HelperCallEmitter(
      code,
      this.#registers,
      this.#memory,
      stackLocals,
      this.#facts.stack,
      functions,
      role.thread,
    );
    this.#stackBytesRead = context.keepsStack ? undefined : stackBytesRead(this.#facts, context, functions);
  }

  /** Control does not come out behind what this writes, though a validator cannot know it. */
  emit(): void {
    for (let register = 0; register < 10; register++) {
      const parameter = this.#role.parameters[register - 1];
      if (parameter !== undefined) this.#registers.begin(register, parameter.width, () => parameter.push(this.#code));
      else this.#registers.begin(register, 32, () => this.#code.i32Const(0));
    }
    const loopHeaders = this.#context.fuel === undefined ? undefined : this.#loopHeaders();
    structurize(
      this.#body.graph,
      this.#code,
      (block, negated, absent) => {
        if (loopHeaders?.has(block) === true) this.#context.fuel?.burn(this.#code);
        const { start, end } = this.#body.blocks[block];
        for (let pc = start; pc < end; pc++) {
          const form = this.#context.forms[pc];
          const facts = this.#facts.at[pc];
          if (form !== undefined && facts !== undefined) this.#instruction(pc, form, facts, negated, absent);
        }
      },
      (block) => this.#context.absentTargets.has((this.#body.blocks[block]?.end ?? 0) - 1),
    );
    this.#code.op(Op.unreachable);
  }

  /** Every cycle passes one of these blocks: those that a block at the same or a later place jumps to. */
  #loopHeaders(): Set<number> {
    const headers = new Set<number>();
    this.#body.graph.forEach((successors, block) => {
      for (const successor of successors)
        if (this.#body.blocks[successor].start <= this.#body.blocks[block].start) headers.add(successor);
    });
    return headers;
  }

  #instruction(pc: number, form: InstructionForm, facts: InstructionFacts, negated: boolean, absent?: Label): void {
    const instruction = this.#context.program.instructions[pc];
    switch (form.kind) {
      case 'alu':
        if (this.#context.conditionalMoves.has(pc)) this.#conditionalMove(pc, form.width, instruction, facts);
        else this.#arithmetic.alu(pc, form, instruction, facts);
        break;
      case 'neg':
        this.#arithmetic.neg(pc, form, instruction, facts);
        break;
      case 'movsx':
        this.#arithmetic.movsx(pc, form, instruction, facts);
        break;
      case 'endian':
        this.#arithmetic.endian(pc, form, instruction, facts);
        break;
      case 'jump':
        // Of a conditional move the condition is written with the move.
        if (this.#context.conditionalMoves.has(pc + 1)) break;
        emitCondition(this.#code, this.#registers, form, instruction, facts, negated);
        break;
      case 'goto':
        break;
      case 'load':
        this.#memory.load(pc, form, instruction, facts);
        break;
      case 'store':
        this.#memory.store(form, instruction, facts, this.#isStackRead(instruction, form.bytes, facts));
        break;
      case 'atomic':
        this.#memory.atomic(pc, form, instruction, facts);
        break;
      case 'lddw':
        this.#constant(pc, instruction);
        break;
      case 'packet':
        this.#packetLoad(pc, form, instruction, facts);
        break;
      case 'call':
        this.#call(pc, form, instruction, facts, this.#context.absentTargets.has(pc) ? absent : undefined);
        break;
      case 'exit':
        this.#role.leave(() => this.#registers.push(0, facts.registers?.[0] ?? { kind: 'unknown' }, 64));
        break;
    }
  }

  /** The move at `pc` is made unless the jump in front of it is taken. */
  #conditionalMove(pc: number, width: 32 | 64, instruction: Instruction, facts: InstructionFacts): void {
    const code = this.#code;
    const { dst, src } = instruction;
    const form = this.#context.forms[pc - 1];
    const jump = this.#context.program.instructions[pc - 1];
    const known = this.#facts.at[pc - 1];
    if (form?.kind !== 'jump' || known === undefined || !this.#registers.isNeeded(pc, dst)) return;
    const keeps = let32(code, () => emitCondition(code, this.#registers, form, jump, known, false));
    this.#registers.choose(pc, dst, keeps.get, facts.dst, (half) => {
      this.#registers.push(src, facts.src, half === 32 ? 32 : width);
      if (half === 64 && width === 32) code.op(Op.i64ExtendI32U);
    });
  }

  /** Whether a store must reach memory: not if it goes to bytes of the stack that are only ever read from locals. */
  #isStackRead({ offset }: Instruction, bytes: number, { dst, slot }: InstructionFacts): boolean {
    if (this.#stackBytesRead === undefined || slot === undefined || dst.kind !== 'frame') return true;
    const from = FRAME_BYTES + dst.offset + offset;
    return this.#stackBytesRead.subarray(from, from + bytes).includes(1);
  }

  #constant(pc: number, instruction: Instruction): void {
    const registers = this.#registers;
    const value = this.#facts.constantOf(pc, instruction);
    if (!registers.isNeeded(pc, instruction.dst)) return;
    registers.push(instruction.dst, value, 64);
    registers.define(pc, instruction.dst, 64);
  }

  /** Past the packet's end the function returns 0. */
  #packetLoad(
    pc: number,
    form: Extract<InstructionForm, { kind: 'packet' }>,
    { src, imm }: Instruction,
    facts: InstructionFacts,
  ): void {
    const code = this.#code;
    const { packet, packetLength } = this.#role;
    const { bytes } = form;
    const at = let32(code, (target) => {
      if (form.indirect) {
        this.#registers.push(src, facts.src, 32);
        target.i32Const(imm);
        target.op(Op.i32Add);
      } else target.i32Const(imm);
    });
    const end = i64.add(i64.extendU(at.get), i64.const(BigInt(bytes)));
    when(code, i64.ltU(i64.extendU(packetLength), end), () => {
      this.#role.leave(i64.const(0n));
    });
    i32.add(packet, at.get)(code);
    this.#context.window.force(code);
    code.memory(bytes === 4 ? Op.i32Load : bytes === 2 ? Op.i32Load16U : Op.i32Load8U);
    if (bytes > 1) swapBytes(code, bytes === 2 ? 16 : 32);
    this.#registers.define(pc, 0, 32);
  }

  #call(
    pc: number,
    form: Extract<InstructionForm, { kind: 'call' }>,
    instruction: Instruction,
    facts: InstructionFacts,
    absent: Label | undefined,
  ): void {
    const code = this.#code;
    const registers = this.#registers;
    if (form.target === 'helper') this.#helpers.call(pc, instruction, facts, absent);
    else if (form.target === 'local') {
      this.#context.fuel?.burn(code);
      for (let register = 1; register <= 5; register++)
        registers.push(register, facts.registers?.[register] ?? { kind: 'unknown' }, 64);
      // The lowest byte of a frame below this one.
      code.i32Const(pushFrame(code, this.#role.frame, -2 * FRAME_BYTES));
      code.op(Op.i32Add);
      code.call(this.#context.localFunction(pc + 1 + instruction.imm));
      registers.define(pc, 0, 64);
    } else throw new BpfError('BPF_UNSUPPORTED', `pc ${pc}: ${form.name} is not implemented`);
    registers.clearArguments(pc);
  }
}

/** The parameters of a local function: r1 to r5, then the lowest byte of its frame. */
export const LOCAL_FUNCTION_PARAMETERS: readonly ValueType[] = [
  ...new Array<ValueType>(5).fill(ValueType.i64),
  ValueType.i32,
];
