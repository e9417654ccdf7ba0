import { checkInstructions, MAX_INSTRUCTIONS } from '../codec.ts';
import { BpfError } from '../errors.ts';
import { formOf, Opcode, Pseudo } from '../isa.ts';
import type { Instruction, Program, ProgramFunction, SourceLine } from '../program.ts';
import type { CodeFunction } from './code-section.ts';
import type { ObjectCode } from './object-code.ts';
import type { ObjectMaps } from './object-maps.ts';

/** Most functions of a program, its entry included. */
export const MAX_FUNCTIONS = 256;

/**
 * Makes a program of a function: the function itself first, then each local function that it calls, directly or through others,
 * once; calls and references are patched as `Program` says.
 */
export function linkProgram(entry: CodeFunction, code: ObjectCode, maps: ObjectMaps): Program {
  const placed = new Map<CodeFunction, number>([[entry, 0]]);
  const order: CodeFunction[] = [entry];
  let total = entry.length;
  for (const func of order) {
    for (let slot = func.start; slot < func.start + func.length; slot++) {
      const callee = code.callee(func.code, slot);
      if (callee === undefined || placed.has(callee)) continue;
      placed.set(callee, total);
      order.push(callee);
      total += callee.length;
      if (order.length > MAX_FUNCTIONS)
        throw new BpfError(
          'BPF_TOO_MANY_FUNCTIONS',
          `program ${entry.name} calls more than ${MAX_FUNCTIONS} local functions`,
        );
      if (total > MAX_INSTRUCTIONS)
        throw new BpfError(
          'BPF_BAD_BYTECODE_LENGTH',
          `program ${entry.name} has ${total} instructions with its local functions; at most ${MAX_INSTRUCTIONS} are allowed`,
        );
    }
  }

  const instructions: Instruction[] = [];
  const functions: ProgramFunction[] = [];
  const lines: SourceLine[] = [];
  for (const func of order) {
    const start = instructions.length;
    functions.push({ pc: start, name: func.name });
    for (const line of func.code.info.lines)
      if (line.pc >= func.start && line.pc < func.start + func.length)
        lines.push({ ...line, pc: line.pc - func.start + start });
    linkFunction(func, code, maps, placed, instructions);
  }
  checkInstructions(instructions);
  return {
    name: entry.name,
    section: entry.code.section.name,
    instructions,
    maps: maps.definitions,
    functions,
    lines,
  };
}

function linkFunction(
  func: CodeFunction,
  code: ObjectCode,
  maps: ObjectMaps,
  placed: ReadonlyMap<CodeFunction, number>,
  out: Instruction[],
): void {
  const end = func.start + func.length;
  for (const slot of func.code.info.coreRelocations)
    if (slot >= func.start && slot < end)
      throw new BpfError(
        'BPF_UNSUPPORTED_RELOCATION',
        `${func.code.where(slot)}: CO-RE relocations (preserve_access_index) are not supported`,
      );
  for (let slot = func.start; slot < end; slot++) {
    const instruction = func.code.instructions[slot];
    const where = func.code.where(slot);
    if (instruction.opcode === Opcode.LDDW) {
      if (slot + 1 >= end)
        throw new BpfError('BPF_CUT_LDDW', `${where}: function ${func.name} ends before the second half of this lddw`);
      out.push(...linkLddw(func, slot, code, maps));
      slot++;
      continue;
    }
    const callee = code.callee(func.code, slot);
    if (callee !== undefined) {
      const target = placed.get(callee) ?? 0;
      out.push({ ...instruction, src: Pseudo.CALL_LOCAL, imm: target - out.length - 1 });
      continue;
    }
    if (func.code.relocationAt(slot) !== undefined)
      throw new BpfError('BPF_BAD_RELOCATION', `${where}: a relocation patches neither a lddw nor a call`);
    checkJump(func, slot);
    out.push(instruction);
  }
}

function linkLddw(func: CodeFunction, slot: number, code: ObjectCode, maps: ObjectMaps): [Instruction, Instruction] {
  const instruction = func.code.instructions[slot];
  const tail = func.code.instructions[slot + 1];
  const where = func.code.where(slot);
  const target = code.dataTarget(func.code, slot);
  if (func.code.relocationAt(slot + 1) !== undefined)
    throw new BpfError('BPF_BAD_RELOCATION', `${where}: a relocation patches the second half of a lddw`);
  if (target === undefined) {
    if (instruction.src !== Pseudo.LDDW_IMM)
      throw new BpfError(
        'BPF_UNSUPPORTED_RELOCATION',
        `${where}: lddw with source ${instruction.src} and no relocation; in an object, maps are referred to by symbols`,
      );
    return [instruction, tail];
  }
  const reference = maps.resolve(target, where);
  return reference.kind === 'map'
    ? [
        { ...instruction, src: Pseudo.LDDW_MAP, imm: reference.index },
        { ...tail, imm: 0 },
      ]
    : [
        { ...instruction, src: Pseudo.LDDW_MAP_VALUE, imm: reference.index },
        { ...tail, imm: reference.offset },
      ];
}

/** Functions move when they are linked, so a jump must not leave its own. */
function checkJump(func: CodeFunction, slot: number): void {
  const instruction = func.code.instructions[slot];
  const form = formOf(instruction);
  if (form?.kind !== 'jump' && form?.kind !== 'goto') return;
  const distance = form.kind === 'goto' && form.wide ? instruction.imm : instruction.offset;
  const target = slot + 1 + distance;
  if (target < func.start || target >= func.start + func.length)
    throw new BpfError(
      'BPF_BAD_FUNCTION',
      `${func.code.where(slot)}: jumps to instruction ${target}, out of its function ${func.name}`,
    );
}
