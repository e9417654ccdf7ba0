import type { Command } from 'commander';
import { PassThroughCommand } from '../pass-through-command.ts';
import { runAppctl, TIMEOUT_STATUS } from './run-appctl.ts';

export function appctlCommand(): Command {
  return new PassThroughCommand('appctl')
    .description('Question and command a running daemon, as ovs-appctl does.')
    .helpOption(false)
    .argument('[words...]', 'options and a command, as ovs-appctl(8) has them')
    .action(async (words: readonly string[]) => {
      const status = await runAppctl(words, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      });
      if (status === TIMEOUT_STATUS) process.kill(process.pid, 'SIGALRM');
      process.exitCode = status;
    });
}
