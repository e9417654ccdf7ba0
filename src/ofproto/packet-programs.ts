import type { ProgramResult, ProgramRunner, Upcall } from '../datapath/index.ts';
import type { ProgramAnswers } from './flow-table.ts';

/** The filter programs as one packet meets them: each runs once at most, and what it said is kept in order. */
export class PacketPrograms implements ProgramAnswers {
  /** What was asked so far, the answers that the packet brought along first. */
  readonly results: ProgramResult[];
  readonly #runner: ProgramRunner;
  readonly #upcall: Upcall;

  constructor(runner: ProgramRunner, upcall: Upcall) {
    this.#runner = runner;
    this.#upcall = upcall;
    this.results = [...upcall.results];
  }

  hasRefused(program: number): boolean {
    return this.#known(program) === false;
  }

  ask(program: number): boolean {
    const known = this.#known(program);
    if (known !== undefined) return known;
    const matched = this.#runner.matches(program, this.#upcall.packet, this.#upcall.timeNs);
    this.results.push({ program, matched });
    return matched;
  }

  #known(program: number): boolean | undefined {
    return this.results.find((result) => result.program === program)?.matched;
  }
}
