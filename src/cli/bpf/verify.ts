import { Command } from 'commander';
import { BpfError, formatRejection, type VerifierSummary, verify } from '../../bpf/index.ts';
import { readProgramFile } from './program-file.ts';

interface VerifyOptions {
  readonly section?: string;
  readonly function?: string;
  readonly verbose?: true;
  readonly json?: true;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Say whether a program may run, and if not, where and why; exit status 1 for a program that may not.')
    .argument('<file>', 'a compiled object (.o), or bare bytecode')
    .option('--section <name>', 'the program in this section of the object')
    .option('--function <name>', 'the program that starts with this function')
    .option('--verbose', 'print what is known before every instruction that is followed')
    .option('--json', 'print JSON')
    .action((file: string, options: VerifyOptions) => {
      const program = readProgramFile(file, options);
      const print = (line: string): void => void process.stdout.write(`${line}\n`);
      const result = verify(program, options.verbose === true ? { trace: print } : {});
      if (options.json === true) {
        print(JSON.stringify(result, undefined, 2));
        if (!result.accepted) process.exitCode = 1;
      } else if (result.accepted) {
        print(`accepted: ${file}`);
        for (const [what, value] of describe(result.summary)) print(`  ${`${what}:`.padEnd(26)}${value}`);
      } else {
        throw new BpfError(result.rejection.code, formatRejection(result.rejection));
      }
    });
}

function describe(summary: VerifierSummary): [what: string, value: string | number][] {
  return [
    ['instructions', summary.instructions],
    ['followed', `${summary.visited} instructions, ${summary.states} states compared`],
    ['longest path', `${summary.longestPath} instructions`],
    ['stack', `${summary.stackBytes} bytes in ${summary.frames} frame(s)`],
    ['helpers', summary.helpers.join(', ') || 'none'],
    ['maps', summary.maps.join(', ') || 'none'],
    ['packet bytes it may read', summary.packetBytes],
  ];
}
