import { CommanderError } from 'commander';
import { OkoError } from '../bytes/index.ts';
import { okoCommand } from './oko.ts';

/**
 * Runs the command line and answers the exit status: 0, or 1 after one line on standard error. What users can cause ends in
 * such a line with a stable code; a stack trace means a defect of ours.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const command = await okoCommand(args);
  try {
    await command.parseAsync(args, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has printed it
    const line = explain(error);
    if (line === undefined) throw error;
    process.stderr.write(`oko: ${line}\n`);
    return 1;
  }
}

function explain(error: unknown): string | undefined {
  if (error instanceof OkoError) {
    // Some errors explain themselves in further lines, the code among them.
    if (error.message.includes(error.code)) return error.message;
    const [first, ...rest] = error.message.split('\n');
    return [`${first} (${error.code})`, ...rest].join('\n');
  }
  if (error instanceof Error && 'syscall' in error && 'code' in error)
    return `${error.message} (SYSTEM_${String(error.code)})`;
  return undefined;
}
