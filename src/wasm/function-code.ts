import { BinaryWriter } from './binary.ts';
import { type AtomicOp, type BlockType, BulkOp, EMPTY_BLOCK, Op, type ValueType } from './opcode.ts';

/** An enclosing block, loop or if, named by how many constructs were open before it. */
export type Label = number;

const BULK_PREFIX = 0xfc;
const ATOMIC_PREFIX = 0xfe;

/**
 * The code of one function as it is written. Locals are added when they are needed; branches name the construct that
 * they leave (or, for a loop, repeat), and the relative depth that the format wants is counted here.
 */
export class FunctionCode {
  /** Index in the module's function index space. */
  readonly index: number;
  readonly #parameterCount: number;
  readonly #locals: ValueType[] = [];
  readonly #body = new BinaryWriter(1024);
  #depth = 0;

  constructor(index: number, parameterCount: number) {
    this.index = index;
    this.#parameterCount = parameterCount;
  }

  /** Bytes of code written so far. */
  get length(): number {
    return this.#body.length;
  }

  /** How many blocks, loops and ifs are open. */
  get depth(): number {
    return this.#depth;
  }

  /** Adds a local, zero at the start, and returns its index; parameters come first. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#parameterCount + this.#locals.length - 1;
  }

  /** An instruction without immediates. */
  op(op: Op): void {
    this.#body.byte(op);
  }

  i32Const(value: number): void {
    this.#body.byte(Op.i32Const);
    this.#body.s32(value);
  }

  /** A number must lie in the signed 32-bit range; anything wider is a bigint. */
  i64Const(value: number | bigint): void {
    this.#body.byte(Op.i64Const);
    this.#body.s64(value);
  }

  #indexed(op: Op, index: number): void {
    this.#body.byte(op);
    this.#body.u32(index);
  }

  localGet(index: number): void {
    this.#indexed(Op.localGet, index);
  }

  localSet(index: number): void {
    this.#indexed(Op.localSet, index);
  }

  localTee(index: number): void {
    this.#indexed(Op.localTee, index);
  }

  globalGet(index: number): void {
    this.#indexed(Op.globalGet, index);
  }

  globalSet(index: number): void {
    this.#indexed(Op.globalSet, index);
  }

  call(functionIndex: number): void {
    this.#indexed(Op.call, functionIndex);
  }

  callIndirect(typeIndex: number, tableIndex: number): void {
    this.#indexed(Op.callIndirect, typeIndex);
    this.#body.u32(tableIndex);
  }

  /** A load or store. `align` is the exponent of the promised alignment; 0 promises none and is never wrong. */
  memory(op: Op, offset = 0, align = 0): void {
    this.#body.byte(op);
    this.#body.u32(align);
    this.#body.u32(offset);
  }

  /** An atomic access. `align` is the exponent of the access's whole width; the format admits no other. */
  atomic(op: AtomicOp, align: number, offset = 0): void {
    this.#body.byte(ATOMIC_PREFIX);
    this.#body.u32(op);
    this.#body.u32(align);
    this.#body.u32(offset);
  }

  /** `memory.copy` or `memory.fill` in the module's only memory. */
  bulk(op: BulkOp): void {
    this.#body.byte(BULK_PREFIX);
    this.#body.u32(op);
    this.#body.byte(0);
    if (op === BulkOp.memoryCopy) this.#body.byte(0);
  }

  #open(op: Op, type: BlockType): Label {
    this.#body.byte(op);
    this.#body.byte(type);
    return this.#depth++;
  }

  block(type: BlockType = EMPTY_BLOCK): Label {
    return this.#open(Op.block, type);
  }

  loop(type: BlockType = EMPTY_BLOCK): Label {
    return this.#open(Op.loop, type);
  }

  /** Takes an i32 from the stack. */
  if(type: BlockType = EMPTY_BLOCK): Label {
    return this.#open(Op.if, type);
  }

  else(): void {
    this.#body.byte(Op.else);
  }

  end(): void {
    if (this.#depth === 0) throw new RangeError('end without an open block');
    this.#depth--;
    this.#body.byte(Op.end);
  }

  #relative(label: Label): number {
    if (label < 0 || label >= this.#depth) throw new RangeError(`label ${label} is not open`);
    return this.#depth - 1 - label;
  }

  br(label: Label): void {
    this.#indexed(Op.br, this.#relative(label));
  }

  brIf(label: Label): void {
    this.#indexed(Op.brIf, this.#relative(label));
  }

  /** Branches to `labels[i]` for the i32 i on the stack, to `otherwise` past the end. */
  brTable(labels: readonly Label[], otherwise: Label): void {
    this.#indexed(Op.brTable, labels.length);
    for (const label of labels) this.#body.u32(this.#relative(label));
    this.#body.u32(this.#relative(otherwise));
  }

  /** The entry of the code section: size, runs of equal locals, the body with its final `end`. */
  writeTo(section: BinaryWriter): void {
    if (this.#depth !== 0) throw new RangeError(`${this.#depth} blocks are still open`);
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const head = new BinaryWriter(16);
    head.u32(runs.length);
    for (const { type, count } of runs) {
      head.u32(count);
      head.byte(type);
    }
    section.u32(head.length + this.#body.length + 1);
    section.append(head);
    section.append(this.#body);
    section.byte(Op.end);
  }
}
