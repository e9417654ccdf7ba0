import { runDirectory } from '../run-directory.ts';
import { type LongOption, type ParsedOption, takeOptions } from './getopt.ts';
import { isCellFormat, isTableFormat, type TableStyle } from './table-text.ts';
import { VsctlError } from './vsctl-error.ts';

/** The options that stand before the first command. */
export interface VsctlOptions {
  readonly remote: string;
  readonly waits: boolean;
  readonly isDryRun: boolean;
  readonly isOneLine: boolean;
  readonly retries: boolean;
  readonly timeoutSec: number | undefined;
  readonly style: TableStyle;
  readonly tls: { readonly key?: string; readonly cert?: string; readonly ca?: string };
  /** What is printed in place of doing anything. */
  readonly inform: 'help' | 'version' | 'commands' | 'options' | undefined;
  /** Options of the first command, given without a `--` before them. */
  readonly local: readonly ParsedOption[];
  readonly rest: readonly string[];
}

/** In the order in which ovs-vsctl knows them, which its messages show. */
export const GLOBAL_OPTIONS: readonly LongOption[] = [
  { name: 'db', argument: 'required' },
  { name: 'no-syslog', argument: 'none' },
  { name: 'no-wait', argument: 'none' },
  { name: 'dry-run', argument: 'none' },
  { name: 'oneline', argument: 'none' },
  { name: 'timeout', argument: 'required', letter: 't' },
  { name: 'retry', argument: 'none' },
  { name: 'help', argument: 'none', letter: 'h' },
  { name: 'commands', argument: 'none' },
  { name: 'options', argument: 'none' },
  { name: 'leader-only', argument: 'none' },
  { name: 'no-leader-only', argument: 'none' },
  { name: 'shuffle-remotes', argument: 'none' },
  { name: 'no-shuffle-remotes', argument: 'none' },
  { name: 'version', argument: 'none', letter: 'V' },
  { name: 'verbose', argument: 'optional', letter: 'v' },
  { name: 'log-file', argument: 'optional' },
  { name: 'syslog-method', argument: 'required' },
  { name: 'syslog-target', argument: 'required' },
  { name: 'format', argument: 'required', letter: 'f' },
  { name: 'data', argument: 'required', letter: 'd' },
  { name: 'no-headings', argument: 'none' },
  { name: 'pretty', argument: 'none' },
  { name: 'bare', argument: 'none' },
  { name: 'max-column-width', argument: 'required' },
  { name: 'private-key', argument: 'required', letter: 'p' },
  { name: 'certificate', argument: 'required', letter: 'c' },
  { name: 'ca-cert', argument: 'required', letter: 'C' },
  { name: 'ssl-protocols', argument: 'required' },
  { name: 'ssl-ciphers', argument: 'required' },
  { name: 'bootstrap-ca-cert', argument: 'required' },
  { name: 'peer-ca-cert', argument: 'required' },
];

const INFORMING = ['help', 'version', 'commands', 'options'] as const;

/** Throws VsctlError. `commandOptions` are the options that any command takes, each as `--name` or `--name=`. */
export function parseVsctlOptions(args: readonly string[], commandOptions: ReadonlySet<string>): VsctlOptions {
  const local = [...commandOptions].map(
    (text): LongOption => ({
      name: text.replace(/^--|=$/g, ''),
      argument: text.endsWith('=') ? 'required' : 'none',
    }),
  );
  const { options, rest } = takeOptions(args, [...GLOBAL_OPTIONS, ...local]);
  const isGlobal = ({ name }: ParsedOption): boolean => GLOBAL_OPTIONS.some((option) => option.name === name);
  const given = new Map(options.filter(isGlobal).map(({ name, argument }) => [name, argument]));
  return {
    remote: given.get('db') ?? `unix:${runDirectory()}/db.sock`,
    waits: !given.has('no-wait'),
    isDryRun: given.has('dry-run'),
    isOneLine: given.has('oneline'),
    retries: given.has('retry'),
    timeoutSec: given.has('timeout') ? parseTimeout(given.get('timeout') ?? '') : undefined,
    style: parseStyle(options),
    tls: { key: given.get('private-key'), cert: given.get('certificate'), ca: given.get('ca-cert') },
    inform: INFORMING.find((name) => given.has(name)),
    local: options.filter((option) => !isGlobal(option)),
    rest,
  };
}

function parseTimeout(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new VsctlError(`value ${text} on -t or --timeout is invalid`);
}

/** The later option wins: `--bare` sets three at once. */
function parseStyle(options: readonly ParsedOption[]): TableStyle {
  let style: TableStyle = { format: 'list', cells: 'string', hasHeadings: true, isPretty: false, maxWidth: 0 };
  for (const { name, argument = '' } of options) {
    if (name === 'format') {
      if (!isTableFormat(argument)) throw new VsctlError(`unknown output format "${argument}"`);
      style = { ...style, format: argument };
    } else if (name === 'data') {
      if (!isCellFormat(argument)) throw new VsctlError(`unknown data format "${argument}"`);
      style = { ...style, cells: argument };
    } else if (name === 'no-headings') style = { ...style, hasHeadings: false };
    else if (name === 'pretty') style = { ...style, isPretty: true };
    else if (name === 'bare') style = { ...style, format: 'list', cells: 'bare', hasHeadings: false };
    else if (name === 'max-column-width') style = { ...style, maxWidth: Number.parseInt(argument, 10) || 0 };
  }
  return style;
}
