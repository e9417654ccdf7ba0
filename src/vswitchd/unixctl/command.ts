/** A command of ovs-appctl. */
export interface Command {
  /** As `fdb/show`. */
  readonly name: string;
  /** Its arguments, for people. */
  readonly usage: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  /**
   * The text of the answer, now or later. What it throws goes back as an error: of an OkoError the message, of a
   * `refusal` nothing else.
   */
  run(args: readonly string[]): string | Promise<string>;
}

/** Arguments without end. */
export const ANY_NUMBER = Number.POSITIVE_INFINITY;

/** A command, in one line. */
export function command(
  name: string,
  usage: string,
  [minArgs, maxArgs]: readonly [number, number],
  run: Command['run'],
): Command {
  return { name, usage, minArgs, maxArgs, run };
}
