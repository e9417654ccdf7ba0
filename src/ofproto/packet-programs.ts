import { LENGTH_QUESTION, type ProgramResult, type ProgramRunner, type Upcall } from '../datapath/index.ts';
import type { ProgramAnswers } from './flow-table.ts';

/** The questions of one pass of a packet, asked once at most each: what filter programs say of it, and how long it is. */
export interface PacketAnswers extends ProgramAnswers {
  /** Is the packet, as it entered the pass, longer than that? */
  isLonger(bytes: number): boolean;
}

/** The filter programs as one packet meets them: each runs once at most, and what it said is kept in order. */
export class PacketPrograms implements PacketAnswers {
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
    const { packet, timeNs } = this.#upcall;
    return this.#known(program) ?? this.#note(program, this.#runner.matches(program, packet, timeNs));
  }

  isLonger(bytes: number): boolean {
    const length = Math.max(0, bytes);
    const question = LENGTH_QUESTION + length;
    return this.#known(question) ?? this.#note(question, this.#upcall.packet.length > length);
  }

  #known(question: number): boolean | undefined {
    return this.results.find(({ program }) => program === question)?.matched;
  }

  #note(program: number, matched: boolean): boolean {
    this.results.push({ program, matched });
    return matched;
  }
}
