import type { BpfErrorCode } from '../errors.ts';

/** The codes of verifier rejections. */
export type RejectionCode = Extract<BpfErrorCode, `BPF_VERIFIER_${string}`>;

/** Why the verifier stops: thrown by its rules, caught by `verify`, which adds where and how the program got there. */
export class Refusal extends Error {
  readonly code: RejectionCode;
  readonly suggestion: string;
  readonly known: string | undefined;
  /** When the fault lies elsewhere than at the instruction that runs. */
  readonly pc: number | undefined;

  constructor(code: RejectionCode, message: string, suggestion: string, more: { known?: string; pc?: number } = {}) {
    super(message);
    this.code = code;
    this.suggestion = suggestion;
    this.known = more.known;
    this.pc = more.pc;
  }
}
