import type { MapDefinition } from './maps/definition.ts';

/**
 * One decoded eBPF instruction (RFC 9669 section 3). Programs count in 8-byte slots: `lddw` takes two, and its second
 * slot is kept in the array as an instruction with opcode 0, so that index = slot = the pc that jumps count in.
 */
export interface Instruction {
  /** The whole opcode byte: class in the low three bits. */
  readonly opcode: number;
  /** Destination register, 0 to 10. */
  readonly dst: number;
  /** Source register, 0 to 10, or the pseudo source of lddw and calls (`Pseudo` in `isa.ts`). */
  readonly src: number;
  /** Signed 16-bit offset. */
  readonly offset: number;
  /** Signed 32-bit immediate. */
  readonly imm: number;
}

/**
 * A program ready to be verified, interpreted or compiled: linked, so that nothing in it refers to the object file.
 *
 * - A map reference is `lddw` with src = 1 and imm = index in `maps` (the value is the map itself).
 * - A global variable is `lddw` with src = 2, imm = index in `maps`, and in the second slot imm = byte offset in the
 *   value of that array map's only element.
 * - A helper call is `call` with src = 0 and imm = helper id; a local call has src = 1 and imm = slots from the next one.
 */
export interface Program {
  readonly name: string;
  /** Section of the object it comes from, when it comes from one. */
  readonly section?: string;
  readonly instructions: readonly Instruction[];
  readonly maps: readonly MapDefinition[];
  /** First slot of the entry function and of every local function, with names where known; the first is the entry. */
  readonly functions: readonly ProgramFunction[];
  /** Sorted by pc; empty without debug information. */
  readonly lines: readonly SourceLine[];
}

export interface ProgramFunction {
  readonly pc: number;
  readonly name: string;
}

/** The source of the instructions from `pc` up to the next entry. */
export interface SourceLine {
  readonly pc: number;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The line's text when the object carries it, else empty. */
  readonly text: string;
}
