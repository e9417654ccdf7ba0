import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { type LogRecord, readableLine } from './readable.ts';

/** The parts of the daemon that write messages. */
export const LOG_MODULES = ['bridge', 'daemon', 'netdev', 'ofproto', 'ovsdb', 'reconnect', 'unixctl', 'vlog'] as const;
export type LogModule = (typeof LOG_MODULES)[number];

/** pino's numbers for the levels that messages have. */
const PINO_LEVELS = { emer: 60, err: 50, warn: 40, info: 30, dbg: 20 } as const;
export type MessageLevel = keyof typeof PINO_LEVELS;

/** Where one part of the daemon writes its messages. */
export type ModuleLog = Readonly<
  Record<MessageLevel, (text: string, fields?: Readonly<Record<string, unknown>>) => void>
>;

export type LogTarget = 'console' | 'file';

/** Which messages are written. */
export interface LevelFilter {
  isEnabled(module: string, target: LogTarget, level: MessageLevel): boolean;
}

export interface LogOptions {
  /** Takes the console's lines; left out: none are written. */
  readonly console?: { write(text: string): void };
  /** Lines for people (`readableLine`), or records in JSON. */
  readonly form: 'text' | 'json';
  /** Absolute path of the log file; left out: none. */
  readonly file?: string;
  readonly levels: LevelFilter;
}

interface OpenTarget {
  readonly logger: Logger<MessageLevel>;
  reopen(): void;
  close(): void;
}

/** The daemon's log: structured records (pino), each of a module and a level, to the console and to a file. */
export class Log {
  readonly #options: LogOptions;
  readonly #open = new Map<LogTarget, OpenTarget>();
  #sequence = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    const { console: target } = options;
    if (target !== undefined)
      this.#open.set('console', { logger: this.#logger(target), reopen: () => {}, close: () => {} });
    this.#openFile();
  }

  /** A log that writes nothing. */
  static silent(): Log {
    return new Log({ form: 'json', levels: { isEnabled: () => false } });
  }

  module(name: LogModule): ModuleLog {
    const at =
      (level: MessageLevel) =>
      (text: string, fields?: Readonly<Record<string, unknown>>): void =>
        this.#write(name, level, text, fields);
    return { emer: at('emer'), err: at('err'), warn: at('warn'), info: at('info'), dbg: at('dbg') };
  }

  /** Opens the file anew, as after its rotation, or after `closeFile`. */
  reopenFile(): void {
    const file = this.#open.get('file');
    if (file === undefined) this.#openFile();
    else file.reopen();
  }

  /** No more messages go to the console, as nobody is there any more to read them. */
  closeConsole(): void {
    this.#open.delete('console');
  }

  /** No more messages go to the file, until `reopenFile`. */
  closeFile(): void {
    this.#open.get('file')?.close();
    this.#open.delete('file');
  }

  #write(module: LogModule, level: MessageLevel, text: string, fields?: Readonly<Record<string, unknown>>): void {
    let seq = 0;
    for (const [name, { logger }] of this.#open) {
      if (!this.#options.levels.isEnabled(module, name, level)) continue;
      if (seq === 0) seq = ++this.#sequence;
      logger[level]({ ...fields, module, seq }, text);
    }
  }

  #openFile(): void {
    const { file } = this.#options;
    if (file === undefined) return;
    // Synchronous, so that the last words of a daemon that dies are there.
    const stream = destination({ dest: file, sync: true, mkdir: true });
    this.#open.set('file', {
      logger: this.#logger(stream),
      reopen: () => stream.reopen(),
      close: () => {
        stream.flushSync();
        stream.end();
      },
    });
  }

  #logger(target: { write(text: string): void }): Logger<MessageLevel> {
    const stream: DestinationStream =
      this.#options.form === 'json'
        ? target
        : { write: (line) => target.write(readableLine(JSON.parse(line) as LogRecord)) };
    return pino(
      {
        base: null,
        level: 'dbg',
        customLevels: PINO_LEVELS,
        useOnlyCustomLevels: true,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
  }
}
