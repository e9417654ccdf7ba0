import type { Command } from 'commander';
import { PassThroughCommand } from '../pass-through-command.ts';
import { runVsctl, TIMEOUT_STATUS } from './run-vsctl.ts';

export function vsctlCommand(): Command {
  return new PassThroughCommand('vsctl')
    .description("Look at and change the switch's configuration, with the commands of ovs-vsctl.")
    .helpOption(false)
    .argument('[words...]', 'options and commands, as ovs-vsctl(8) has them')
    .action(async (words: readonly string[]) => {
      const status = await runVsctl(words, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      });
      if (status === TIMEOUT_STATUS) process.kill(process.pid, 'SIGALRM');
      process.exitCode = status;
    });
}
