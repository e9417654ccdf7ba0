import type { Program, SourceLine } from '../program.ts';
import { describeState, shortValue } from './describe.ts';
import { instructionText } from './instruction-text.ts';
import type { Refusal, RejectionCode } from './refusal.ts';
import type { State, Step } from './state.ts';

/** Where in the C source an instruction comes from. */
export interface SourcePlace {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line, without the blanks around it; empty when the object does not carry it. */
  readonly text: string;
}

/** One turn of the way that led to the rejected instruction. */
export interface PathStep {
  /** Of a conditional jump or a call. */
  readonly pc: number;
  readonly instruction: string;
  /** Whether the jump was taken, or the call entered. */
  readonly taken: boolean;
  readonly source?: SourcePlace;
}

/** Why a program may not run: data first; `formatRejection` makes it text. */
export interface Rejection {
  readonly code: RejectionCode;
  /** Slot of the instruction at fault. */
  readonly pc: number;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** In llvm-objdump's syntax. */
  readonly instruction: string;
  readonly source?: SourcePlace;
  /** What is known that bears on it, when that says more than the message. */
  readonly known?: string;
  /** What each register holds before the instruction, by name; those that hold nothing are left out. */
  readonly registers: Readonly<Record<string, string>>;
  /** The whole state in one line: registers, stack, the packet's length. */
  readonly state: string;
  /** From the program's start; the last MOST_STEPS turns of it. */
  readonly path: readonly PathStep[];
  /** What to change. */
  readonly suggestion: string;
}

/** Turns of the path that a rejection keeps. */
const MOST_STEPS = 64;

export function sourceAt(program: Program, pc: number): SourcePlace | undefined {
  const { lines } = program;
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].pc <= pc) low = middle + 1;
    else high = middle;
  }
  const line = lines[low - 1] as SourceLine | undefined;
  return line && { file: line.file, line: line.line, text: line.text.trim() };
}

export function makeRejection(program: Program, refusal: Refusal, state: State): Rejection {
  const pc = refusal.pc ?? state.pc;
  const source = sourceAt(program, pc);
  const registers: Record<string, string> = {};
  for (let r = 0; r < 11; r++) {
    if (state.registers[r].kind !== 'uninitialised') registers[`r${r}`] = shortValue(state.registers[r]);
  }
  const learnt = state.lengthLearntAt;
  const at = learnt === undefined ? undefined : placeText(program, learnt);
  const known = refusal.known === undefined || at === undefined ? refusal.known : `${refusal.known} (checked at ${at})`;
  return {
    code: refusal.code,
    pc,
    message: refusal.message,
    instruction: instructionText(program, pc),
    ...(source && { source }),
    ...(known !== undefined && { known }),
    registers,
    state: describeState(state),
    path: pathTo(program, state.path),
    suggestion: refusal.suggestion,
  };
}

/** `file.c:48`, or `pc 12` without debug information. */
function placeText(program: Program, pc: number): string {
  const source = sourceAt(program, pc);
  return source ? `${source.file}:${source.line}` : `pc ${pc}`;
}

function pathTo(program: Program, last: Step | undefined): PathStep[] {
  const steps: PathStep[] = [];
  for (let step = last; step !== undefined && steps.length < MOST_STEPS; step = step.before) {
    const source = sourceAt(program, step.pc);
    steps.push({
      pc: step.pc,
      instruction: instructionText(program, step.pc),
      taken: step.to !== step.pc + 1,
      ...(source && { source }),
    });
  }
  return steps.reverse();
}

/** Source lines of the path that the text shows. */
const MOST_SHOWN = 8;

/** The rejection for people: what, where, what is known there, how it got there, what to change. */
export function formatRejection(rejection: Rejection): string {
  const { pc, instruction, source, known, suggestion } = rejection;
  const where = source
    ? `${source.file}:${source.line}   ${source.text}   (pc ${pc}: ${instruction})`
    : `pc ${pc}: ${instruction}`;
  const lines = [`rejected: ${rejection.message}`, `  at ${where}`];
  if (known !== undefined) lines.push(`  known here: ${known}`);
  lines.push(`  registers: ${registersText(rejection)}`);
  const path = pathText(rejection.path);
  if (path !== undefined) lines.push(`  path: ${path}`);
  lines.push(`  suggestion: ${suggestion}`, `  code: ${rejection.code}`);
  return lines.join('\n');
}

/** The registers that the instruction names. */
function registersText({ instruction, registers }: Rejection): string {
  const named = new Set([...instruction.matchAll(/\b[rw](\d+)\b/g)].map(([, n]) => `r${n}`));
  if (instruction.startsWith('call')) for (const r of ['r1', 'r2', 'r3']) named.add(r);
  if (instruction === 'exit') named.add('r0');
  const texts = [...named].map((r) => `${r}=${registers[r] ?? 'nothing'}`);
  return texts.length > 0 ? texts.join(' ') : 'none used';
}

/** The turns taken, by source line where known; neighbours of one line are one. */
function pathText(path: readonly PathStep[]): string | undefined {
  const turns: string[] = [];
  for (const { pc, taken, source } of path) {
    const place = source ? `line ${source.line}` : `pc ${pc}`;
    const turn = source ? place : `${place} ${taken ? 'taken' : 'not taken'}`;
    if (turns.at(-1) !== turn) turns.push(turn);
  }
  if (turns.length === 0) return undefined;
  const shown = turns.slice(-MOST_SHOWN);
  return `${turns.length > shown.length ? '… → ' : ''}${shown.join(' → ')}`;
}
