import type { DatapathAction } from './action.ts';

/**
 * What happens to the packets of a cached flow. Many flows share one outcome, so the counters stand here and not in the
 * flow; whoever translated it knows which rules they are to be credited to.
 */
export interface Outcome {
  readonly actions: readonly DatapathAction[];
  /** Packets handled so far. */
  packets: number;
  /** Bytes of those packets, as they came in. */
  bytes: number;
  /** Time of the last of them, nanoseconds; 0n before the first. */
  lastUsedNs: bigint;
}

/**
 * Numbers of questions from here on are no programs: `LENGTH_QUESTION + n` asks whether the packet, as it came in, is
 * longer than n bytes.
 */
export const LENGTH_QUESTION = 0x1_0000;

/** The result of one filter program on one packet, or of another question. */
export interface ProgramResult {
  readonly program: number;
  readonly matched: boolean;
}

/**
 * The filter program chain of a cached flow: ask the program, go the way of its answer. For one key the first program
 * asked is always the same, so this is a tree; a way that no packet has gone yet is absent and counts as a miss.
 */
export class Question {
  readonly program: number;
  matched: FlowNode | undefined;
  refused: FlowNode | undefined;

  constructor(program: number) {
    this.program = program;
  }
}

export type FlowNode = Question | Outcome;

/** The tree with one more way in it: `results` in the order they were asked, ending in `outcome`. */
export function withPath(root: FlowNode | undefined, results: readonly ProgramResult[], outcome: Outcome): FlowNode {
  const [first, ...rest] = results;
  if (first === undefined) return outcome;
  const question = root instanceof Question && root.program === first.program ? root : new Question(first.program);
  if (first.matched) question.matched = withPath(question.matched, rest, outcome);
  else question.refused = withPath(question.refused, rest, outcome);
  return question;
}
