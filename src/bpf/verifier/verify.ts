import type { Program } from '../program.ts';
import { readControlFlow } from './control-flow.ts';
import { describeState } from './describe.ts';
import { Exploration } from './exploration.ts';
import { instructionText } from './instruction-text.ts';
import { Refusal } from './refusal.ts';
import { makeRejection, type Rejection, sourceAt } from './rejection.ts';
import { State } from './state.ts';

/** Most instructions that are followed over all paths before a program is refused as too complex. */
export const DEFAULT_LIMIT = 1_000_000;

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
  let exploration: Exploration | undefined;
  try {
    const flow = readControlFlow(program);
    exploration = new Exploration(program, flow, {
      limit: options.limit ?? DEFAULT_LIMIT,
      ...(options.trace && { trace: tracer(program, options.trace) }),
    });
    const longestPath = exploration.run();
    const { usage } = exploration.machine;
    return {
      accepted: true,
      summary: {
        instructions: flow.decoded.filter((decoded) => decoded !== undefined).length,
        visited: exploration.visited,
        states: exploration.states,
        longestPath,
        stackBytes: usage.stackBytes,
        frames: usage.frames,
        helpers: [...usage.helpers].sort(),
        maps: [...usage.maps].map((i) => program.maps[i].name).sort(),
        packetBytes: usage.packetBytes,
      },
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { accepted: false, rejection: makeRejection(program, error, exploration?.refusedAt ?? new State()) };
  }
}

function tracer(
  program: Program,
  write: (line: string) => void,
): (state: State, how: 'step' | 'branch' | 'known') => void {
  let lastLine = '';
  return (state, how) => {
    if (how === 'known') {
      write(`${state.pc}: known to be safe: ${describeState(state)}`);
      return;
    }
    if (how === 'branch' && state.path !== undefined) write(`from ${state.path.pc} to ${state.pc}:`);
    const source = sourceAt(program, state.pc);
    const line = source === undefined ? '' : `; ${source.file}:${source.line} ${source.text}`;
    if (line !== lastLine && line !== '') write(line);
    lastLine = line;
    write(`${state.pc}: ${instructionText(program, state.pc)}   ; ${describeState(state)}`);
  };
}
