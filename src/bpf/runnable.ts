import { checkInstructions } from './codec.ts';
import { BpfError } from './errors.ts';
import { helperById } from './helpers.ts';
import { FRAME_POINTER, formOf, type InstructionForm } from './isa.ts';
import type { BpfMap } from './maps/map.ts';
import type { Instruction, Program } from './program.ts';

/**
 * Refuses, by name, what no engine runs: instructions that are no eBPF or not implemented, helpers and maps that do not exist,
 * writing the frame pointer. (Where jumps lead, and all else that depends on how a program runs, is the verifier's question.)
 *
 * @param maps the instances of the program's maps
 * @throws BpfError
 */
export function checkRunnable(program: Program, maps: readonly BpfMap[]): void {
  const { instructions } = program;
  checkInstructions(instructions);
  for (let pc = 0; pc < instructions.length; pc++) {
    const instruction = instructions[pc];
    const form = formOf(instruction);
    if (form === undefined) continue;
    const flaw = unsupported(form, instruction, maps);
    if (flaw !== undefined) throw new BpfError('BPF_UNSUPPORTED', `pc ${pc}: ${flaw}`);
    if (writtenRegister(form, instruction) === FRAME_POINTER)
      throw new BpfError(
        'BPF_BAD_REGISTER',
        `pc ${pc}: ${form.name} writes r10, the frame pointer, which is read-only`,
      );
    if (form.kind === 'lddw') pc++;
  }
}

function unsupported(form: InstructionForm, { imm }: Instruction, maps: readonly BpfMap[]): string | undefined {
  if (form.kind === 'call') {
    if (form.target === 'btf' || form.target === 'register') return `${form.name} is not implemented`;
    return form.target === 'helper' && helperById(imm) === undefined ? `there is no helper ${imm}` : undefined;
  }
  if (form.kind !== 'lddw' || form.value === 'imm') return undefined;
  if (form.value !== 'map' && form.value !== 'map-value') return `${form.name} is not implemented`;
  const map = maps[imm]?.definition;
  if (map === undefined) return `${form.name} names map ${imm}, the program has ${maps.length}`;
  if (form.value === 'map' || (map.kind === 'array' && map.maxEntries === 1)) return undefined;
  return `${form.name} needs an array of one element, map ${map.name} is none`;
}

/** The register an instruction names and writes. */
function writtenRegister(form: InstructionForm, { dst, src }: Instruction): number | undefined {
  switch (form.kind) {
    case 'alu':
    case 'neg':
    case 'movsx':
    case 'endian':
    case 'load':
    case 'lddw':
      return dst;
    case 'atomic':
      return form.fetch && form.op !== 'cmpxchg' ? src : undefined;
    default:
      return undefined;
  }
}
