import { ANY_NUMBER, type Command, command } from './command.ts';
import { LOG_DESTINATIONS, type LogLevels } from './log-levels.ts';

/** As Open vSwitch prints what goes before a message by the destination's own ways. */
const PREFIXES = { syslog: '<%B> %D{%h %e %T} %E %A: ', console: 'none', file: 'none' } as const;
const SHOWN = ['syslog', 'console', 'file'] as const;

/** vlog/*: what the log writes. */
export function logCommands(log: LogLevels): readonly Command[] {
  return [
    command('vlog/set', '{spec | PATTERN:destination:pattern}', [0, ANY_NUMBER], (args) => {
      for (const specification of args.length === 0 ? ['dbg'] : args) log.set(specification);
      return '';
    }),
    command('vlog/list', '', [0, 0], () => list(log)),
    command('vlog/list-pattern', '', [0, 0], () => listPatterns(log)),
    command('vlog/reopen', '', [0, 0], () => {
      log.reopen();
      return '';
    }),
    command('vlog/close', '', [0, 0], () => {
      log.close();
      return '';
    }),
    command('vlog/enable-rate-limit', '[module]...', [0, ANY_NUMBER], (args) => {
      log.setRateLimit(args, true);
      return '';
    }),
    command('vlog/disable-rate-limit', '[module]...', [0, ANY_NUMBER], (args) => {
      log.setRateLimit(args, false);
      return '';
    }),
  ];
}

function list(log: LogLevels): string {
  const lines = ['                 console    syslog    file', '                 -------    ------    ------'];
  for (const [module, levels] of log.modules()) {
    const shown = LOG_DESTINATIONS.map((destination) => levels[destination].toUpperCase().padStart(4));
    lines.push(`${module.padEnd(16)}  ${shown[0]}       ${shown[1]}       ${shown[2]}`);
  }
  return lines.join('\n');
}

function listPatterns(log: LogLevels): string {
  const lines = [
    '         prefix                            format',
    '         ------                            ------',
  ];
  for (const destination of SHOWN)
    lines.push(
      `${destination.toUpperCase().padEnd(7)}  ${PREFIXES[destination].padEnd(32)}  ${log.pattern(destination)}`,
    );
  return lines.join('\n');
}
