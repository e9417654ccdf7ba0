import { Command } from 'commander';
import { errorEntries } from './error-catalogue.ts';
import { CliError } from './errors.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .description('Say what an error code means and what to do; without a code, list all.')
    .argument('[code]', 'the code in brackets at the end of an error message')
    .action((code: string | undefined) => {
      const entries = errorEntries();
      if (code === undefined) {
        for (const known of [...entries.keys()].sort()) process.stdout.write(`${known}\n`);
        return;
      }
      const entry = entries.get(code.toUpperCase());
      if (entry === undefined) throw new CliError('CLI_NO_SUCH_CODE', `there is no error code ${code}`);
      process.stdout.write(`${code.toUpperCase()}\n${entry.meaning}\n${entry.remedy}\n`);
    });
}
