import { refusal } from './errors.ts';

/** From quiet to talkative; a message is written when its level is not beyond that of its module. */
export const LOG_LEVELS = ['off', 'emer', 'err', 'warn', 'info', 'dbg'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_DESTINATIONS = ['console', 'syslog', 'file'] as const;
export type LogDestination = (typeof LOG_DESTINATIONS)[number];

/** How a message of a level is called beside those that ovs-appctl(8) documents. */
const LEVEL_ALIASES: Readonly<Record<string, LogLevel>> = {
  emergency: 'emer',
  error: 'err',
  warning: 'warn',
  information: 'info',
  debug: 'dbg',
};

/** As Open vSwitch writes by default. */
const DEFAULT_PATTERNS: Readonly<Record<LogDestination, string>> = {
  syslog: 'ovs|%05N|%c%T|%p|%m',
  console: '%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m',
  file: '%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m',
};

/** Facilities of syslog(3). */
const FACILITIES: readonly string[] = [
  ...[
    'kern',
    'user',
    'mail',
    'daemon',
    'auth',
    'syslog',
    'lpr',
    'news',
    'uucp',
    'clock',
    'ftp',
    'ntp',
    'audit',
    'alert',
  ],
  ...['clock2', ...Array.from({ length: 8 }, (_, i) => `local${i}`)],
];

/** What the log is to write, by module and destination, as `vlog/set` and the option `-v` say. */
export class LogLevels {
  readonly #levels = new Map<string, Record<LogDestination, LogLevel>>();
  readonly #patterns: Record<LogDestination, string> = { ...DEFAULT_PATTERNS };
  readonly #limited = new Set<string>();
  #reopen: () => void = () => undefined;
  #close: () => void = () => undefined;

  /** `modules` are the names that messages of the daemon have, as `bridge`; others are unknown to `set`. */
  constructor(modules: readonly string[], initial: Partial<Record<LogDestination, LogLevel>> = {}) {
    for (const module of [...modules].sort()) {
      this.#levels.set(module, { console: 'info', syslog: 'info', file: 'info', ...initial });
      this.#limited.add(module);
    }
  }

  /** What `vlog/reopen` and `vlog/close` do to the log file. */
  onFile(reopen: () => void, close: () => void): void {
    this.#reopen = reopen;
    this.#close = close;
  }

  isEnabled(module: string, destination: LogDestination, level: LogLevel): boolean {
    const limit = this.#levels.get(module)?.[destination] ?? 'info';
    return level !== 'off' && LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(limit);
  }

  pattern(destination: LogDestination): string {
    return this.#patterns[destination];
  }

  /** Is a message that comes again and again to be left out? */
  isRateLimited(module: string): boolean {
    return this.#limited.has(module);
  }

  modules(): Iterable<readonly [string, Readonly<Record<LogDestination, LogLevel>>]> {
    return this.#levels;
  }

  /**
   * Takes a specification of ovs-appctl(8): words for modules, destinations and a level, or `PATTERN:destination:pattern`,
   * or `FACILITY:facility`.
   *
   * @throws UnixctlError UNIXCTL_REFUSED
   */
  set(specification: string): void {
    if (/^pattern:/i.test(specification)) {
      this.#setPattern(specification.slice('pattern:'.length));
    } else if (/^facility:/i.test(specification)) {
      // Messages for syslog go by way of the file: the facility is checked and has no further effect.
      if (!FACILITIES.includes(specification.slice('facility:'.length).toLowerCase()))
        throw refusal('invalid facility');
    } else {
      this.#setLevels(specification.split(/[ ,:\t]+/).filter((word) => word !== ''));
    }
  }

  #setPattern(text: string): void {
    const [, destination = '', pattern = ''] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
    const chosen = LOG_DESTINATIONS.filter((name) => isWord(destination, name) || isWord(destination, 'any'));
    if (chosen.length === 0) throw refusal(`unknown destination "${destination}"`);
    for (const name of chosen) this.#patterns[name] = pattern;
  }

  #setLevels(words: readonly string[]): void {
    let modules: readonly string[] | undefined;
    let destinations: readonly LogDestination[] | undefined;
    let level: LogLevel | undefined;
    for (const word of words) {
      const name = word.toLowerCase();
      const destination = LOG_DESTINATIONS.find((known) => known === name);
      const module = [...this.#levels.keys()].find(
        (known) => isWord(name, known) || known === name.replaceAll('-', '_'),
      );
      const asLevel = LOG_LEVELS.find((known) => known === name) ?? LEVEL_ALIASES[name];
      if (name === 'any') continue;
      if (destination !== undefined && destinations === undefined) destinations = [destination];
      else if (asLevel !== undefined && level === undefined) level = asLevel;
      else if (module !== undefined && modules === undefined) modules = [module];
      else throw refusal(`no destination, level, or module "${word}"`);
    }
    const chosen = level ?? 'dbg';
    for (const module of modules ?? [...this.#levels.keys()]) {
      const levels = this.#levels.get(module);
      if (levels !== undefined)
        for (const destination of destinations ?? LOG_DESTINATIONS) levels[destination] = chosen;
    }
  }

  /** @throws UnixctlError UNIXCTL_REFUSED */
  setRateLimit(modules: readonly string[], isLimited: boolean): void {
    const chosen =
      modules.length === 0 || modules.some((name) => isWord(name, 'any')) ? [...this.#levels.keys()] : modules;
    for (const module of chosen) {
      if (!this.#levels.has(module)) throw refusal('unknown module');
      if (isLimited) this.#limited.add(module);
      else this.#limited.delete(module);
    }
  }

  reopen(): void {
    this.#reopen();
  }

  close(): void {
    this.#close();
  }
}

function isWord(text: string, word: string): boolean {
  return text.toLowerCase() === word;
}
