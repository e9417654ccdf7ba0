import { formOf, type InstructionForm, Opcode } from '../isa.ts';
import type { Instruction, Program } from '../program.ts';
import { checkInstruction } from './admission.ts';
import { Refusal } from './refusal.ts';

export interface Decoded {
  readonly instruction: Instruction;
  readonly form: InstructionForm;
}

/** A program whose jumps and calls lead to instructions, each function within itself. */
export interface ControlFlow {
  /** By pc; undefined for the second slot of lddw. */
  readonly decoded: readonly (Decoded | undefined)[];
  /** First slot of the function that each pc belongs to. */
  readonly functionOf: Int32Array;
  /** Where a jump leads, or the callee's first slot; -1 for the rest. */
  readonly target: Int32Array;
  /** Pcs where paths meet: the states that arrive there are compared. */
  readonly meets: Uint8Array;
}

export const isLocalCall = (form: InstructionForm): boolean => form.kind === 'call' && form.target === 'local';

/** Slots that the instruction takes. */
export const slotsOf = (form: InstructionForm): number => (form.kind === 'lddw' ? 2 : 1);

/** Where control can go from the instruction within its function: a local call leads on to where it returns. */
export function successorsOf({ decoded, target }: ControlFlow, pc: number): number[] {
  const form = decoded[pc]?.form;
  if (form === undefined || form.kind === 'exit') return [];
  const next = pc + slotsOf(form);
  if (form.kind === 'goto') return [target[pc]];
  return form.kind === 'jump' ? [next, target[pc]] : [next];
}

/** Throws Refusal for a program that control could leave, or that has parts no control reaches. */
export function readControlFlow(program: Program): ControlFlow {
  const { instructions } = program;
  const size = instructions.length;
  const decoded = decode(program);
  const starts = functionStarts(decoded);
  const functionOf = new Int32Array(size);
  for (const [i, start] of starts.entries()) functionOf.fill(start, start, starts[i + 1] ?? size);

  const target = new Int32Array(size).fill(-1);
  const meets = new Uint8Array(size);
  const arrivals = new Uint8Array(size);
  const reached = new Uint8Array(size);
  const work = [0];
  let exits = false;
  const go = (from: number, to: number): void => {
    if (to <= from) meets[to] = 1;
    if (arrivals[to] < 2) arrivals[to]++;
    if (arrivals[to] === 2) meets[to] = 1;
    if (!reached[to]) {
      reached[to] = 1;
      work.push(to);
    }
  };
  reached[0] = 1;
  for (let pc = work.pop(); pc !== undefined; pc = work.pop()) {
    const found = decoded[pc];
    if (found === undefined) continue;
    const { form } = found;
    if (form.kind === 'exit') {
      exits ||= functionOf[pc] === 0;
      continue;
    }
    const to = leadsTo(found, pc);
    if (to !== undefined) {
      checkTarget(decoded, functionOf, pc, to, form.kind === 'call');
      target[pc] = to;
      if (form.kind === 'call') {
        meets[to] = meets[pc + 1 < size ? pc + 1 : pc] = 1;
        if (!reached[to]) work.push(to);
        reached[to] = 1;
      } else go(pc, to);
    }
    if (form.kind === 'goto') continue;
    const next = pc + slotsOf(form);
    if (next >= size || functionOf[next] !== functionOf[pc]) throw fallsOff(pc, next < size);
    go(pc, next);
  }
  for (let pc = 0; pc < size; pc++) {
    if (decoded[pc] !== undefined && !reached[pc]) throw unreachable(pc);
  }
  if (!exits) {
    throw new Refusal(
      'BPF_VERIFIER_NO_EXIT',
      'the program has no way to its end: no exit instruction can be reached',
      'return a value on some path: 1 to match the packet, 0 not to',
      { pc: 0 },
    );
  }
  return { decoded, functionOf, target, meets };
}

function decode(program: Program): (Decoded | undefined)[] {
  const { instructions } = program;
  const decoded: (Decoded | undefined)[] = new Array(instructions.length).fill(undefined);
  for (let pc = 0; pc < instructions.length; pc++) {
    const instruction = instructions[pc];
    const form = formOf(instruction);
    if (form === undefined) {
      throw new Refusal(
        'BPF_VERIFIER_UNSUPPORTED',
        `opcode 0x${instruction.opcode.toString(16).padStart(2, '0')} is no instruction of RFC 9669`,
        'compile with clang --target=bpf and one of -mcpu=v1 to v4',
        { pc },
      );
    }
    decoded[pc] = { instruction, form };
    if (form.kind === 'lddw') {
      pc++;
      if (instructions[pc]?.opcode !== Opcode.LDDW_TAIL) throw cutLddw(pc - 1);
    }
    checkInstruction(program, form.kind === 'lddw' ? pc - 1 : pc, form, instruction);
  }
  return decoded;
}

const cutLddw = (pc: number): Refusal =>
  new Refusal(
    'BPF_VERIFIER_UNSUPPORTED',
    'a 64-bit constant load lacks its second half',
    'keep the two slots of lddw together',
    { pc },
  );

function functionStarts(decoded: readonly (Decoded | undefined)[]): number[] {
  const starts = new Set([0]);
  for (const [pc, found] of decoded.entries()) {
    if (found === undefined || !isLocalCall(found.form)) continue;
    const to = pc + 1 + found.instruction.imm;
    if (to >= 0 && to < decoded.length) starts.add(to);
  }
  return [...starts].sort((a, b) => a - b);
}

function leadsTo({ form, instruction }: Decoded, pc: number): number | undefined {
  if (form.kind === 'jump') return pc + 1 + instruction.offset;
  if (form.kind === 'goto') return pc + 1 + (form.wide ? instruction.imm : instruction.offset);
  if (isLocalCall(form)) return pc + 1 + instruction.imm;
  return undefined;
}

function checkTarget(
  decoded: readonly (Decoded | undefined)[],
  functionOf: Int32Array,
  pc: number,
  to: number,
  call: boolean,
): void {
  const what = call ? 'the call' : 'the jump';
  if (to < 0 || to >= decoded.length) {
    throw badTarget(pc, `${what} leads to instruction ${to}, outside the program (0 to ${decoded.length - 1})`);
  }
  if (decoded[to] === undefined)
    throw badTarget(pc, `${what} leads into the middle of the 64-bit constant load at ${to - 1}`);
  if (!call && functionOf[to] !== functionOf[pc]) {
    throw badTarget(pc, `the jump leads to instruction ${to}, which belongs to another function`);
  }
}

const badTarget = (pc: number, message: string): Refusal =>
  new Refusal(
    'BPF_VERIFIER_BAD_JUMP',
    message,
    'load the program as its compiler wrote it; hand-written code must stay within its function',
    {
      pc,
    },
  );

function fallsOff(pc: number, inside: boolean): Refusal {
  return new Refusal(
    'BPF_VERIFIER_FALLS_OFF',
    inside ? 'control runs from the end of this function into the next one' : 'control runs past the last instruction',
    'end every path of the function with a return',
    { pc },
  );
}

const unreachable = (pc: number): Refusal =>
  new Refusal(
    'BPF_VERIFIER_UNREACHABLE',
    'no path leads to this instruction',
    'remove the code, or the condition that keeps control from it',
    { pc },
  );
