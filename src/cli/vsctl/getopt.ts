import { VsctlError } from './vsctl-error.ts';

/** Whether an option has an argument; `optional` only as `--name=ARGUMENT`. */
export type OptionArgument = 'none' | 'required' | 'optional';

export interface LongOption {
  readonly name: string;
  readonly argument: OptionArgument;
  /** The letter that means the same. */
  readonly letter?: string;
}

export interface ParsedOption {
  readonly name: string;
  readonly argument: string | undefined;
}

/**
 * The options at the beginning of `args` as getopt_long(3) takes them (names may be cut short, letters bundled), up to the
 * first word that is none, or up to and with `--`.
 *
 * @throws VsctlError in getopt's words
 */
export function takeOptions(
  args: readonly string[],
  known: readonly LongOption[],
): { readonly options: ParsedOption[]; readonly rest: readonly string[] } {
  const options: ParsedOption[] = [];
  let at = 0;
  while (at < args.length) {
    const word = args[at];
    if (!word.startsWith('-') || word === '-') break;
    at++;
    if (word === '--') break;
    if (word.startsWith('--')) {
      const [, name, , given] = /^--([^=]*)(=(.*))?$/s.exec(word) ?? [];
      const option = findLong(name, known);
      if (given !== undefined && option.argument === 'none')
        throw new VsctlError(`option '--${option.name}' doesn't allow an argument`);
      const argument = given ?? (option.argument === 'required' ? args[at++] : undefined);
      if (argument === undefined && option.argument === 'required')
        throw new VsctlError(`option '--${option.name}' requires an argument`);
      options.push({ name: option.name, argument });
    } else at = takeLetters(word, args, at, known, options);
  }
  return { options, rest: args.slice(at) };
}

function findLong(name: string, known: readonly LongOption[]): LongOption {
  const exact = known.find((option) => option.name === name);
  if (exact) return exact;
  const candidates = known.filter((option) => option.name.startsWith(name));
  if (candidates.length === 0) throw new VsctlError(`unrecognized option '--${name}'`);
  if (candidates.length > 1) {
    const possibilities = candidates.map((option) => `'--${option.name}'`).join(' ');
    throw new VsctlError(`option '--${name}' is ambiguous; possibilities: ${possibilities}`);
  }
  return candidates[0];
}

/** Gives where the next word is. */
function takeLetters(
  word: string,
  args: readonly string[],
  next: number,
  known: readonly LongOption[],
  options: ParsedOption[],
): number {
  for (let i = 1; i < word.length; i++) {
    const option = known.find(({ letter }) => letter === word[i]);
    if (!option) throw new VsctlError(`invalid option -- '${word[i]}'`);
    if (option.argument === 'none') {
      options.push({ name: option.name, argument: undefined });
      continue;
    }
    const attached = word.slice(i + 1);
    if (attached !== '' || option.argument === 'optional') {
      options.push({ name: option.name, argument: attached === '' ? undefined : attached });
      return next;
    }
    if (next === args.length) throw new VsctlError(`option requires an argument -- '${word[i]}'`);
    options.push({ name: option.name, argument: args[next] });
    return next + 1;
  }
  return next;
}
