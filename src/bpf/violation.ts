import { BpfError } from './errors.ts';

/** What the interpreter sees that no verified program does. */
export type ViolationKind =
  /** An operand register was never written on this path. */
  | 'uninitialised-register'
  /** A stack byte that was never written is read. */
  | 'uninitialised-stack'
  /** A load, or a helper's reading, outside packet, stack frames and map values. */
  | 'read-out-of-bounds'
  /** A store, or a helper's writing, outside stack frames and map values. */
  | 'write-out-of-bounds'
  /** A store into the packet or a read-only map value. */
  | 'write-read-only'
  /** An atomic instruction on an address that its size does not divide. */
  | 'misaligned-atomic'
  /** A jump, call or the last instruction leads out of the program, or into the second slot of lddw. */
  | 'jump-out-of-program'
  /** More local calls inside one another than there are frames. */
  | 'call-depth'
  /** An argument that the helper's contract (`helpers.ts`) excludes. */
  | 'helper-argument';

/** Registers r0 to r10 as u64; undefined where uninitialised. */
export type Registers = readonly (bigint | undefined)[];

export class BpfViolation extends BpfError {
  readonly kind: ViolationKind;
  /** Slot of the instruction. */
  readonly pc: number;
  /** As they were before the instruction. */
  readonly registers: Registers;

  constructor(kind: ViolationKind, pc: number, what: string, registers: Registers) {
    super('BPF_VIOLATION', `pc ${pc}: ${kind}: ${what}`);
    this.kind = kind;
    this.pc = pc;
    this.registers = registers;
  }
}
