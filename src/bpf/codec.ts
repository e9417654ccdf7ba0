import { BpfError } from './errors.ts';
import { formOf, formsOfOpcode, type InstructionForm, Opcode, REGISTER_COUNT } from './isa.ts';
import type { Instruction } from './program.ts';

/** Bytes of an instruction slot (RFC 9669 section 3.1). */
export const SLOT_BYTES = 8;
/** Most slots of one program, local functions included. */
export const MAX_INSTRUCTIONS = 65_536;

/** `0x61` */
export function opcodeText(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, '0')}`;
}

/**
 * Decodes a program (RFC 9669 section 3), little-endian, one Instruction for each 8-byte slot.
 *
 *      byte 0      1 low   1 high  2..3     4..7
 *     +---------+--------+-------+--------+---------+
 *     | opcode  |  dst   |  src  | offset |   imm   |
 *     +---------+--------+-------+--------+---------+
 *
 * Refuses what `checkInstructions` refuses.
 */
export function decodeProgram(bytes: Uint8Array): Instruction[] {
  const instructions = decodeSlots(bytes);
  checkInstructions(instructions);
  return instructions;
}

/** As decodeProgram, but only cuts the bytes into slots: an object's code before its relocations are applied. */
export function decodeSlots(bytes: Uint8Array): Instruction[] {
  if (bytes.length === 0 || bytes.length % SLOT_BYTES !== 0)
    throw new BpfError(
      'BPF_BAD_BYTECODE_LENGTH',
      `a program is a whole number of ${SLOT_BYTES}-byte instructions, at least one; got ${bytes.length} bytes`,
    );
  if (bytes.length > MAX_INSTRUCTIONS * SLOT_BYTES)
    throw new BpfError(
      'BPF_BAD_BYTECODE_LENGTH',
      `the program has ${bytes.length / SLOT_BYTES} instructions; at most ${MAX_INSTRUCTIONS} are allowed`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const instructions: Instruction[] = [];
  for (let at = 0; at < bytes.length; at += SLOT_BYTES)
    instructions.push({
      opcode: bytes[at],
      dst: bytes[at + 1] & 0x0f,
      src: bytes[at + 1] >> 4,
      offset: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    });
  return instructions;
}

/**
 * Throws BpfError, naming pc and opcode, for an unknown opcode, a register above r10, a reserved field that is not zero,
 * and a lddw without its second slot. Where jumps and calls lead is the verifier's question.
 */
export function checkInstructions(instructions: readonly Instruction[]): void {
  for (let pc = 0; pc < instructions.length; pc++) {
    const form = checkedForm(instructions[pc], pc);
    if (form.kind !== 'lddw') continue;
    checkLddwTail(instructions[pc + 1], form, pc);
    pc++;
  }
}

function checkedForm(instruction: Instruction, pc: number): InstructionForm {
  const form = formOf(instruction);
  if (form === undefined) throw unknownForm(instruction, pc);
  // Spelled out, without a loop over names: this runs for every instruction of every program.
  const { uses } = form;
  const selects = form.selector?.field;
  const { dst, src, offset, imm } = instruction;
  if (uses.dst ? dst >= REGISTER_COUNT : dst !== 0) throw badField(form, instruction, pc, 'dst');
  if (uses.src ? src >= REGISTER_COUNT : src !== 0 && selects !== 'src') throw badField(form, instruction, pc, 'src');
  if (!uses.offset && offset !== 0 && selects !== 'offset') throw badField(form, instruction, pc, 'offset');
  if (!uses.imm && imm !== 0 && selects !== 'imm') throw badField(form, instruction, pc, 'imm');
  return form;
}

function badField(
  form: InstructionForm,
  instruction: Instruction,
  pc: number,
  field: 'dst' | 'src' | 'offset' | 'imm',
): BpfError {
  const where = `pc ${pc}: ${form.name} (opcode ${opcodeText(instruction.opcode)})`;
  return form.uses[field]
    ? new BpfError('BPF_BAD_REGISTER', `${where}: ${field} is r${instruction[field]}; registers are r0 to r10`)
    : new BpfError('BPF_RESERVED_FIELD', `${where}: ${field} is ${instruction[field]} and must be 0`);
}

function unknownForm(instruction: Instruction, pc: number): BpfError {
  const { opcode } = instruction;
  const selector = formsOfOpcode(opcode)[0]?.selector;
  if (selector === undefined)
    return new BpfError('BPF_UNKNOWN_OPCODE', `pc ${pc}: no instruction has opcode ${opcodeText(opcode)}`);
  return new BpfError(
    'BPF_UNKNOWN_OPCODE',
    `pc ${pc}: no instruction has opcode ${opcodeText(opcode)} with ${selector.field} ${instruction[selector.field]}`,
  );
}

function checkLddwTail(tail: Instruction | undefined, form: InstructionForm & { kind: 'lddw' }, pc: number): void {
  const where = `pc ${pc}: ${form.name} (opcode ${opcodeText(Opcode.LDDW)})`;
  if (tail === undefined)
    throw new BpfError('BPF_CUT_LDDW', `${where}: the program ends before the second half of this instruction`);
  if (tail.opcode !== Opcode.LDDW_TAIL)
    throw new BpfError('BPF_CUT_LDDW', `${where}: the next slot has opcode ${opcodeText(tail.opcode)}, not 0x00`);
  for (const field of ['dst', 'src', 'offset'] as const) {
    if (tail[field] !== 0)
      throw new BpfError('BPF_RESERVED_FIELD', `${where}: ${field} of its second slot is ${tail[field]} and must be 0`);
  }
  const hasNextImm = form.value === 'imm' || form.value === 'map-value' || form.value === 'map-index-value';
  if (!hasNextImm && tail.imm !== 0)
    throw new BpfError('BPF_RESERVED_FIELD', `${where}: imm of its second slot is ${tail.imm} and must be 0`);
}

/** The bytes of a program; refuses a field out of its range and whatever decodeProgram would refuse. */
export function encodeProgram(instructions: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  if (instructions.length === 0 || instructions.length > MAX_INSTRUCTIONS)
    throw new BpfError(
      'BPF_BAD_BYTECODE_LENGTH',
      `a program has 1 to ${MAX_INSTRUCTIONS} instructions; got ${instructions.length}`,
    );
  for (const [pc, instruction] of instructions.entries()) {
    checkRange(instruction, pc, 'opcode', 0, 0xff);
    checkRange(instruction, pc, 'dst', 0, 0x0f);
    checkRange(instruction, pc, 'src', 0, 0x0f);
    checkRange(instruction, pc, 'offset', -0x8000, 0x7fff);
    checkRange(instruction, pc, 'imm', -0x8000_0000, 0x7fff_ffff);
  }
  checkInstructions(instructions);
  const bytes = new Uint8Array(instructions.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { opcode, dst, src, offset, imm } of instructions) {
    bytes[at] = opcode;
    bytes[at + 1] = dst | (src << 4);
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, imm, true);
    at += SLOT_BYTES;
  }
  return bytes;
}

function checkRange(instruction: Instruction, pc: number, field: keyof Instruction, min: number, max: number): void {
  const value = instruction[field];
  if (!Number.isInteger(value) || value < min || value > max)
    throw new BpfError('BPF_BAD_OPERAND', `pc ${pc}: ${field} ${value} is not a whole number of ${min} to ${max}`);
}
