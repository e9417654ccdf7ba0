import { BpfError } from '../errors.ts';
import { HELPERS } from '../helpers.ts';
import { formOf, OpClass } from '../isa.ts';
import type { Instruction } from '../program.ts';
import type { CodeSection } from './code-section.ts';

/** Instructions that are followed from one lddw; compilers load a map's address close to its use. */
const MAX_STEPS = 1024;
const FIRST_ARGUMENT = 1;

/** How many instructions may be followed for all variables of an object together. */
export class StepBudget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  take(): void {
    if (this.#left-- === 0)
      throw new BpfError(
        'BPF_OBJECT_TOO_LARGE',
        'the object has too many references to global data to tell which are maps; declare maps in section maps',
      );
  }
}

const CALLER_SAVED = 0b11_1111;

const mapHelpers = new Set(HELPERS.filter((helper) => helper.args[0] === 'map').map((helper) => helper.id));

/**
 * Whether the address that the lddw at `slot` loads reaches r1 at a call of a helper whose first argument is a map. Follows the
 * registers that hold the address along every branch; the address on the stack or in a local function is not followed.
 */
export function isUsedAsMap(code: CodeSection, slot: number, budget: StepBudget): boolean {
  const seen = new Set<number>();
  const work: [slot: number, holders: number][] = [[slot + 2, 1 << code.instructions[slot].dst]];
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const next = work.pop();
    if (next === undefined) return false;
    budget.take();
    const [at, holders] = next;
    const instruction = code.instructions[at];
    // One word for both: 11 bits of registers above a slot number.
    const state = at * 2048 + holders;
    if (instruction === undefined || holders === 0 || seen.has(state)) continue;
    seen.add(state);
    const form = formOf(instruction);
    if (form === undefined || form.kind === 'exit') continue;
    if (form.kind === 'goto') {
      work.push([at + 1 + (form.wide ? instruction.imm : instruction.offset), holders]);
      continue;
    }
    if (form.kind === 'jump') work.push([at + 1 + instruction.offset, holders]);
    if (form.kind === 'call') {
      const passes = (holders & (1 << FIRST_ARGUMENT)) !== 0;
      if (form.target === 'helper' && passes && mapHelpers.has(instruction.imm)) return true;
      work.push([at + 1, holders & ~CALLER_SAVED]);
      continue;
    }
    work.push([at + (form.kind === 'lddw' ? 2 : 1), holdersAfter(instruction, holders)]);
  }
  return false;
}

function holdersAfter(instruction: Instruction, holders: number): number {
  const form = formOf(instruction);
  const dst = 1 << instruction.dst;
  if (form?.kind === 'alu' && form.op === 'mov' && form.width === 64 && form.source === 'reg')
    return (holders & (1 << instruction.src)) !== 0 ? holders | dst : holders & ~dst;
  const opClass = instruction.opcode & 7;
  const writesDst =
    opClass === OpClass.ALU || opClass === OpClass.ALU64 || opClass === OpClass.LDX || form?.kind === 'lddw';
  return writesDst ? holders & ~dst : holders;
}
