import { bridgeCommands } from './bridge-commands.ts';
import type { Command } from './command.ts';
import { CommandRegistry } from './command-registry.ts';
import { counterCommands } from './counter-commands.ts';
import { CoverageRates } from './coverage.ts';
import { daemonCommands } from './daemon-commands.ts';
import { datapathCommands } from './datapath-commands.ts';
import { dummyCommands } from './dummy-commands.ts';
import { fdbCommands } from './fdb-commands.ts';
import { logCommands } from './log-commands.ts';
import type { SwitchView } from './switch-view.ts';
import { timeCommands } from './time-commands.ts';
import { traceCommands } from './trace-commands.ts';

/** Everything that ovs-appctl may ask of a daemon, those for tests only where the view has a `dummy`. */
export function unixctlCommands(view: SwitchView): CommandRegistry {
  const registry = new CommandRegistry();
  const rates = new CoverageRates(view);
  registry.onClose(() => rates.close());
  const groups: readonly (readonly Command[])[] = [
    daemonCommands(view),
    logCommands(view.log),
    fdbCommands(view),
    traceCommands(view),
    bridgeCommands(view),
    datapathCommands(view),
    counterCommands(view, rates),
    ...(view.dummy === undefined ? [] : [timeCommands(view.dummy), dummyCommands(view)]),
  ];
  for (const group of groups) registry.register(...group);
  return registry;
}
