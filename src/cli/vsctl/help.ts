import type { VsctlOptions } from './options.ts';
import { GLOBAL_OPTIONS } from './options.ts';
import { VERBS } from './verbs.ts';

const SCHEMA_VERSION = '8.3.1';
const OPEN_VSWITCH_VERSION = '3.1.0';

/** What `--help`, `--version`, `--commands` and `--options` print. */
export function helpText(what: NonNullable<VsctlOptions['inform']>): string {
  switch (what) {
    case 'version':
      // Scripts, Mininet's among them, look for these words.
      return `ovs-vsctl (Open vSwitch) ${OPEN_VSWITCH_VERSION}\nDB Schema ${SCHEMA_VERSION}\n`;
    case 'commands':
      return [...VERBS]
        .map(([name, { options, usage }]) => {
          const given = options.map((option) => `[${option}] `).join('');
          return `${given},${name},${usage}\n`;
        })
        .join('');
    case 'options':
      return GLOBAL_OPTIONS.map(({ name, argument, letter }) => {
        const long = `--${name}${argument === 'none' ? '' : '=ARG'}\n`;
        return letter === undefined ? long : `${long}-${letter}${argument === 'none' ? '' : ' ARG'}\n`;
      }).join('');
    default:
      return helpPage();
  }
}

function helpPage(): string {
  const commands = [...VERBS].map(([name, { options, usage }]) => {
    const given = options.map((option) => `[${option.endsWith('=') ? `${option}ARG` : option}] `).join('');
    return `  ${given}${name} ${usage.split(' ').map(readable).join(' ')}`.trimEnd();
  });
  const options = GLOBAL_OPTIONS.map(({ name, argument, letter }) => {
    const long = argument === 'none' ? `--${name}` : `--${name}=ARG`;
    return `  ${letter === undefined ? long : `-${letter}, ${long}`}`;
  });
  return [
    "oko vsctl: look at and change a switch's configuration, as ovs-vsctl(8) does",
    'usage: oko vsctl [OPTIONS] [--] [OPTIONS] COMMAND [ARG...] [-- [OPTIONS] COMMAND [ARG...]]...',
    '',
    'Commands:',
    ...commands,
    '',
    'Options:',
    ...options,
    '',
    'Records are named as in ovs-vsctl(8): by UUID or its beginning, bridges, ports and interfaces by name, "." for the',
    'only row of Open_vSwitch or SSL.',
    '',
  ].join('\n');
}

/** `!BRIDGE` is needed, `?VLAN` is not, `*ARG` may be given often, `+IFACE` once or oftener. */
function readable(word: string): string {
  const text = word
    .slice(1)
    .replaceAll('?:KEY', '[:KEY]')
    .replace(/^\?KEY=/, '[KEY=]');
  switch (word[0]) {
    case '?':
      return `[${text}]`;
    case '*':
      return `[${text}]...`;
    case '+':
      return `${text}...`;
    default:
      return text;
  }
}
