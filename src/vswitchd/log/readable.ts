/** One record of the structured log. */
export interface LogRecord {
  readonly time: number;
  readonly seq: number;
  readonly level: string;
  readonly module: string;
  readonly msg: string;
}

/** The line that a person reads, in the form of Open vSwitch's logs: `time|number|module|LEVEL|message`. */
export function readableLine({ time, seq, level, module, msg }: LogRecord): string {
  return `${new Date(time).toISOString()}|${String(seq).padStart(5, '0')}|${module}|${level.toUpperCase()}|${msg}\n`;
}
