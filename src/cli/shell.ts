import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** The familiar names, and what of Oko answers to them. */
const NAMES: Readonly<Record<string, string>> = {
  'ovs-appctl': 'appctl',
  'ovs-ofctl': 'ofctl',
  'ovs-vsctl': 'vsctl',
};

export function shellCommand(): Command {
  return new Command('shell')
    .description(`Open a shell in which ${Object.keys(NAMES).join(', ')} and oko are Oko's own.`)
    .argument('[command...]', 'run this instead of an interactive shell')
    .allowUnknownOption()
    .passThroughOptions()
    .action((words: readonly string[]) => shell(words));
}

/** Runs a shell with a folder of small scripts before everything else in its PATH; the exit status is the shell's. */
async function shell(words: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oko-shell-'));
  try {
    const script = (name: string, command: string): void =>
      writeFileSync(
        join(folder, name),
        `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(MAIN)} ${command} "$@"\n`,
        { mode: 0o755 },
      );
    script('oko', '');
    for (const [name, command] of Object.entries(NAMES)) script(name, command);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` };
    const program = process.env.SHELL || '/bin/sh';
    const args = words.length === 0 ? [] : ['-c', words.join(' ')];
    const child = spawn(program, args, { env, stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
