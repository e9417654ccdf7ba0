import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { assemble, encodeProgram } from '../../bpf/index.ts';
import { toHex } from '../../bytes/index.ts';
import { readObjectFile } from './program-file.ts';

export function asmCommand(): Command {
  return new Command('asm')
    .description('Assemble the text that disasm prints: bytecode into a file, or as hex on standard output.')
    .argument('<file>', 'assembly text in the syntax of llvm-objdump')
    .option('-o, --output <file>', 'write the bytecode here, 8 bytes an instruction')
    .action((file: string, { output }: { readonly output?: string }) => {
      const bytes = encodeProgram(assemble(new TextDecoder().decode(readObjectFile(file))));
      if (output === undefined) process.stdout.write(`${toHex(bytes)}\n`);
      else writeWhole(output, bytes);
    });
}

/** The file takes its name only when it is whole. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const part = `${path}.part-${process.pid}`;
  try {
    writeFileSync(part, bytes);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
