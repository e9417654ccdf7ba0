import { helperById } from '../helpers.ts';
import { FRAME_POINTER, type InstructionForm } from '../isa.ts';
import type { Instruction, Program } from '../program.ts';
import { Refusal } from './refusal.ts';

/** Throws Refusal for an instruction that no filter may have anywhere, whether control gets there or not. */
export function checkInstruction(program: Program, pc: number, form: InstructionForm, instruction: Instruction): void {
  const { dst, src, imm } = instruction;
  if ((form.uses.dst && dst > FRAME_POINTER) || (form.uses.src && src > FRAME_POINTER)) {
    throw unsupported(pc, 'a register above r10', 'compile for the eBPF target; registers are r0 to r10');
  }
  if (form.uses.dst && dst === FRAME_POINTER && writesDestination(form)) {
    throw new Refusal(
      'BPF_VERIFIER_FRAME_POINTER',
      'r10, the frame pointer, is written',
      'r10 is read-only: copy it to another register first',
      { pc },
    );
  }
  if (form.kind === 'call') checkCall(form.target, imm, pc);
  if (form.kind === 'lddw') checkConstant(program, pc, form.value, imm);
}

function writesDestination({ kind }: InstructionForm): boolean {
  return ['alu', 'neg', 'movsx', 'endian', 'load', 'lddw'].includes(kind);
}

function checkCall(target: 'helper' | 'local' | 'btf' | 'register', imm: number, pc: number): void {
  if (target === 'local') return;
  if (target !== 'helper') {
    throw unsupported(
      pc,
      target === 'register' ? 'a call through a register' : 'a call by BTF id',
      'call functions by name, not through pointers; only the functions of the header exist outside the program',
    );
  }
  if (helperById(imm) !== undefined) return;
  throw new Refusal(
    'BPF_VERIFIER_UNKNOWN_HELPER',
    `there is no helper number ${imm}`,
    'call only the ubpf_ functions of the header; a function of your own must be static or __always_inline',
    { pc },
  );
}

function checkConstant({ instructions, maps }: Program, pc: number, value: string, imm: number): void {
  const unknown = (what: string): Refusal =>
    new Refusal(
      'BPF_VERIFIER_UNKNOWN_MAP',
      `the program refers to ${what}`,
      'load the object as the compiler wrote it',
      {
        pc,
      },
    );
  const map = maps[imm];
  if (value === 'imm') return;
  if (value === 'map') {
    if (map === undefined) throw unknown(`map ${imm}, of ${maps.length} that the program declares`);
    return;
  }
  if (value !== 'map-value') {
    throw unsupported(
      pc,
      `a 64-bit constant of the kind ${value}`,
      'use the addresses of maps and of global variables only',
    );
  }
  if (map?.kind !== 'array' || map.maxEntries !== 1) throw unknown(`global data in map ${imm}, which has none`);
  const at = instructions[pc + 1].imm;
  if (at < 0 || at > map.valueSize) throw unknown(`byte ${at} of ${map.name}, which has ${map.valueSize}`);
}

const unsupported = (pc: number, message: string, suggestion: string): Refusal =>
  new Refusal('BPF_VERIFIER_UNSUPPORTED', message, suggestion, { pc });
