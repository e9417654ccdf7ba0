import type { WriteStream } from 'node:tty';

/** Standard output as a screen that is written over, or as plain lines when it is no terminal. */
export class Terminal {
  readonly isInteractive: boolean;
  readonly #out: WriteStream;
  #linesShown = 0;

  constructor(out: WriteStream) {
    this.#out = out;
    this.isInteractive = out.isTTY === true;
  }

  /** Shows a text in place of the one shown before. */
  replace(text: string): void {
    const fitted = this.isInteractive ? cropped(text, this.#out.columns, this.#out.rows) : text;
    const up = this.isInteractive && this.#linesShown > 0 ? `\x1b[${this.#linesShown}F\x1b[J` : '';
    this.#out.write(`${up}${fitted}\n`);
    this.#linesShown = fitted.split('\n').length;
  }

  /** Adds a line that stays. */
  line(text: string): void {
    this.#out.write(`${text}\n`);
    this.#linesShown = 0;
  }
}

/** Cuts a text to the terminal, so that the lines shown can be counted. */
export function cropped(text: string, columns: number, rows: number): string {
  const lines = text.split('\n').map((line) => line.slice(0, Math.max(1, columns - 1)));
  return lines.slice(0, Math.max(1, rows - 1)).join('\n');
}
