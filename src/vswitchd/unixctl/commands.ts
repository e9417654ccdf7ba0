import type { Command } from './command.ts';
import { CommandRegistry } from './command-registry.ts';
import { daemonCommands } from './daemon-commands.ts';
import { fdbCommands } from './fdb-commands.ts';
import { logCommands } from './log-commands.ts';
import type { SwitchView } from './switch-view.ts';
import { timeCommands } from './time-commands.ts';
import { traceCommands } from './trace-commands.ts';

/** Everything that ovs-appctl may ask of a daemon, those for tests only where the view has a `dummy`. */
export function unixctlCommands(view: SwitchView): CommandRegistry {
  const registry = new CommandRegistry();
  const groups: readonly (readonly Command[])[] = [
    daemonCommands(view),
    logCommands(view.log),
    fdbCommands(view),
    traceCommands(view),
    view.dummy === undefined ? [] : timeCommands(view.dummy),
  ];
  for (const group of groups) registry.register(...group);
  return registry;
}
