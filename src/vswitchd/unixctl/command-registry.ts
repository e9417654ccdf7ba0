import { OkoError } from '../../bytes/index.ts';
import { type Command, command } from './command.ts';
import { refusal, UnixctlError } from './errors.ts';

const NAME_WIDTH = 23;
const DEFAULT_TIMEOUT_MS = 60_000;

/** The commands that a daemon understands, by name. */
export class CommandRegistry {
  readonly #commands = new Map<string, Command>();
  readonly #timeoutMs: number;
  readonly #closers: (() => void)[] = [];

  constructor(options: { timeoutMs?: number } = {}) {
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.register(command('list-commands', '', [0, 0], () => this.#list()));
  }

  /** A later command of the same name takes the place of the earlier one. */
  register(...commands: readonly Command[]): void {
    for (const added of commands) this.#commands.set(added.name, added);
  }

  /** What is to be done when no more commands come. */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  unregister(name: string): void {
    this.#commands.delete(name);
  }

  /** @throws UnixctlError; a defect of a command rejects with whatever it threw */
  async run(name: string, args: readonly string[]): Promise<string> {
    const found = this.#commands.get(name);
    if (found === undefined)
      throw refusal(`"${name}" is not a valid command (use "list-commands" to see a list of valid commands)`);
    if (args.length < found.minArgs) throw refusal(`"${name}" command requires at least ${found.minArgs} arguments`);
    if (args.length > found.maxArgs) throw refusal(`"${name}" command takes at most ${found.maxArgs} arguments`);
    try {
      const answer = found.run(args);
      return typeof answer === 'string' ? answer : await this.#inTime(name, answer);
    } catch (error) {
      if (error instanceof OkoError && !(error instanceof UnixctlError))
        throw new UnixctlError('UNIXCTL_REFUSED', `${error.message} (${error.code})`, { cause: error });
      throw error;
    }
  }

  async #inTime(name: string, answer: Promise<string>): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new UnixctlError('UNIXCTL_TIMEOUT', `"${name}" did not end within ${this.#timeoutMs / 1000} s`)),
        this.#timeoutMs,
      );
      timer.unref();
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #list(): string {
    const lines = [...this.#commands.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, usage }) => `  ${name.padEnd(NAME_WIDTH)} ${usage}`);
    return ['The available commands are:', ...lines].join('\n');
  }
}
