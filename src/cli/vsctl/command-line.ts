import type { ParsedOption } from './getopt.ts';
import { VsctlError } from './vsctl-error.ts';

/** What a command's command line looks like. */
export interface CommandSyntax {
  readonly minArguments: number;
  readonly maxArguments: number;
  /** Each as `--name`, or as `--name=` when it has an argument. */
  readonly options: readonly string[];
}

/** One command with its options and arguments, checked against its syntax. */
export interface ParsedCommand {
  readonly name: string;
  /** The arguments after the name. */
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, string | undefined>;
}

/**
 * The commands of `words`, between each two of which stands `--`. `local` are options of the first one.
 *
 * @throws VsctlError
 */
export function parseCommands(
  words: readonly string[],
  local: readonly ParsedOption[],
  syntaxes: ReadonlyMap<string, CommandSyntax>,
): ParsedCommand[] {
  const commands: ParsedCommand[] = [];
  let start = 0;
  for (let i = 0; i <= words.length; i++) {
    if (i < words.length && words[i] !== '--') continue;
    if (i > start) commands.push(parseCommand(words.slice(start, i), commands.length === 0 ? local : [], syntaxes));
    start = i + 1;
  }
  if (commands.length === 0) throw new VsctlError('missing command name (use --help for help)');
  return commands;
}

function parseCommand(
  words: readonly string[],
  local: readonly ParsedOption[],
  syntaxes: ReadonlyMap<string, CommandSyntax>,
): ParsedCommand {
  const options = new Map(local.map(({ name, argument }) => [`--${name}`, argument]));
  let at = 0;
  for (; at < words.length && words[at].startsWith('-'); at++) {
    const [, name, , argument] = /^([^=]*)(=(.*))?$/s.exec(words[at]) ?? [];
    if (options.has(name)) throw new VsctlError(`'${name}' option specified multiple times`);
    options.set(name, argument);
  }
  const name = words[at];
  if (name === undefined) throw new VsctlError('missing command name (use --help for help)');
  const syntax = syntaxes.get(name);
  if (!syntax) throw new VsctlError(`unknown command '${name}'; use --help for help`);
  checkOptions(name, options, syntax);
  const args = words.slice(at + 1);
  checkArguments(name, args, syntax);
  const known = [...options.keys()].sort((a, b) => placeOf(a, syntax) - placeOf(b, syntax));
  return { name, args, options: new Map(known.map((option) => [option, options.get(option)])) };
}

function placeOf(option: string, { options }: CommandSyntax): number {
  return options.findIndex((known) => known.replace(/=$/, '') === option);
}

function checkOptions(command: string, options: ReadonlyMap<string, string | undefined>, syntax: CommandSyntax): void {
  for (const [name, argument] of options) {
    if (syntax.options.includes(name)) {
      if (argument !== undefined) throw new VsctlError(`'${name}' option on '${command}' does not accept an argument`);
    } else if (syntax.options.includes(`${name}=`)) {
      if (argument === undefined) throw new VsctlError(`missing argument to '${name}' option on '${command}' command`);
    } else throw new VsctlError(`'${command}' command has no '${name}' option`);
  }
}

function checkArguments(command: string, args: readonly string[], { minArguments, maxArguments }: CommandSyntax): void {
  if (args.length < minArguments)
    throw new VsctlError(`'${command}' command requires at least ${minArguments} arguments`);
  if (args.length <= maxArguments) return;
  const hint = args.some((arg) => arg.startsWith('-'))
    ? ' (note that options must precede command names and follow a "--" argument)'
    : '';
  throw new VsctlError(`'${command}' command takes at most ${maxArguments} arguments${hint}`);
}

/** The command as it was typed, for messages; its options in the syntax's order. */
export function commandText({ name, args, options }: ParsedCommand): string {
  const given = [...options].map(([option, argument]) => (argument === undefined ? option : `${option}=${argument}`));
  return [...given, name, ...args].join(' ');
}
