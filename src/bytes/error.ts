/** What the catalogue (docs/errors.md) says of one error code. */
export interface ErrorEntry {
  /** One sentence: what happened. */
  readonly meaning: string;
  /** One sentence: what the user can do. */
  readonly remedy: string;
}

/** A room's table of error codes. */
export type ErrorTable = Readonly<Record<string, ErrorEntry>>;

/**
 * The base of every error that Oko raises on purpose. `code` is stable: programs may compare it; the message is for
 * people and may improve. Anything else that is thrown is a defect.
 */
export class OkoError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
