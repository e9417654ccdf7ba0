import type { Program } from '../program.ts';
import { type ControlFlow, readControlFlow } from './control-flow.ts';
import { describeState } from './describe.ts';
import { Exploration } from './exploration.ts';
import { instructionText } from './instruction-text.ts';
import { Refusal } from './refusal.ts';
import { makeRejection, type Rejection, sourceAt } from './rejection.ts';
import { State } from './state.ts';

/** Most instructions that are followed over all paths before a program is refused as too complex. */
export const DEFAULT_LIMIT = 1_000_000;

/** Most that are followed to see whether a program that was refused in a joined state passes without joining. */
const EXACT_LIMIT = 100_000;

export interface VerifyOptions {
  /** Instead of DEFAULT_LIMIT. */
  readonly limit?: number;
  /** Called with a line before each instruction that is followed: what is known there. */
  readonly trace?: (line: string) => void;
}

/** What an accepted program does at most. */
export interface VerifierSummary {
  /** Instructions, a 64-bit constant counted once. */
  readonly instructions: number;
  /** Instructions followed, over all paths. */
  readonly visited: number;
  /** States compared where paths meet. */
  readonly states: number;
  /** Instructions of the longest path: no run takes more. */
  readonly longestPath: number;
  /** Bytes of stack that the deepest chain of calls uses. */
  readonly stackBytes: number;
  /** Most functions active at once. */
  readonly frames: number;
  /** Names, in alphabetical order. */
  readonly helpers: readonly string[];
  readonly maps: readonly string[];
  /** Bytes from the start of the packet that it may read; a longer packet's rest never matters but for its length. */
  readonly packetBytes: number;
}

export type VerifierResult =
  | { readonly accepted: true; readonly summary: VerifierSummary }
  | { readonly accepted: false; readonly rejection: Rejection };

/**
 * Whether the program may run: on any packet and any map contents it reads only its packet, writes only its stack and its
 * maps' values, uses nothing uninitialised, shows no address, calls helpers as their contracts say, and ends.
 * Rules and limits: docs/filters.md. Never throws for a decoded program.
 */
export function verify(program: Program, options: VerifyOptions = {}): VerifierResult {
  let flow: ControlFlow;
  try {
    flow = readControlFlow(program);
  } catch (error) {
    return { accepted: false, rejection: rejectionOf(program, error, new State()) };
  }
  const first = explore(program, flow, options, true);
  if (first.accepted || !first.joined) return first.result;
  // Perhaps only what the joined states do not tell apart: once more, exactly.
  const limit = Math.min(options.limit ?? DEFAULT_LIMIT, EXACT_LIMIT);
  const second = explore(program, flow, { ...options, limit }, false);
  const told = second.accepted || second.result.rejection.code !== 'BPF_VERIFIER_TOO_COMPLEX';
  return told ? second.result : first.result;
}

type Explored =
  | { readonly accepted: true; readonly result: Extract<VerifierResult, { accepted: true }> }
  | {
      readonly accepted: false;
      /** Whether the state that was refused stood for several. */
      readonly joined: boolean;
      readonly result: Extract<VerifierResult, { accepted: false }>;
    };

function explore(program: Program, flow: ControlFlow, options: VerifyOptions, joins: boolean): Explored {
  let exploration: Exploration | undefined;
  try {
    exploration = new Exploration(program, flow, {
      limit: options.limit ?? DEFAULT_LIMIT,
      joins,
      ...(options.trace && { trace: tracer(program, options.trace) }),
    });
    exploration.run();
    return { accepted: true, result: { accepted: true, summary: summaryOf(program, flow, exploration) } };
  } catch (error) {
    const state = exploration?.refusedAt ?? new State();
    const rejection = rejectionOf(program, error, state);
    const joined = state.isJoined && rejection.code !== 'BPF_VERIFIER_TOO_COMPLEX';
    return { accepted: false, joined, result: { accepted: false, rejection } };
  }
}

function rejectionOf(program: Program, error: unknown, state: State): Rejection {
  if (error instanceof Refusal) return makeRejection(program, error, state);
  throw error;
}

function summaryOf(
  program: Program,
  flow: ControlFlow,
  { machine, visited, states, longestPath }: Exploration,
): VerifierSummary {
  const { usage } = machine;
  return {
    instructions: flow.decoded.filter((decoded) => decoded !== undefined).length,
    visited,
    states,
    longestPath,
    stackBytes: usage.stackBytes,
    frames: usage.frames,
    helpers: [...usage.helpers].sort(),
    maps: [...usage.maps].map((i) => program.maps[i].name).sort(),
    packetBytes: usage.packetBytes,
  };
}

function tracer(
  program: Program,
  write: (line: string) => void,
): (state: State, how: 'step' | 'meeting' | 'covered') => void {
  let last: string | undefined;
  let lastPath: State['path'];
  return (state, how) => {
    if (how === 'covered') {
      write(`${state.pc}: covered by another state: ${describeState(state)}`);
      return;
    }
    if (state.path !== lastPath && state.path !== undefined) write(`from ${state.path.pc} to ${state.path.to}:`);
    lastPath = state.path;
    const source = sourceAt(program, state.pc);
    const line = source && `; ${source.file}:${source.line} ${source.text}`;
    if (line !== undefined && line !== last) write(line);
    last = line;
    write(`${state.pc}: ${instructionText(program, state.pc)}   ; ${describeState(state)}`);
  };
}
