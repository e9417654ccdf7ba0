import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const examplesFolder = fileURLToPath(new URL('../../examples/', import.meta.url));
/** `rate-limiter`, … */
export const exampleNames = readdirSync(examplesFolder)
  .filter((name) => name.endsWith('.c'))
  .map((name) => basename(name, '.c'));

/** The compilers of Debian 12, and what each can be asked for. */
export const compilers = [
  { version: 14, cpus: ['v1', 'v2', 'v3'] },
  { version: 19, cpus: ['v1', 'v2', 'v3', 'v4'] },
].map(({ version, cpus }) => ({
  name: `clang-${version}`,
  version,
  cpus,
  isHere: existsSync(`/usr/bin/clang-${version}`),
  objdump: `llvm-objdump-${version}`,
  hasObjdump: existsSync(`/usr/bin/llvm-objdump-${version}`),
}));
export type Compiler = (typeof compilers)[number];

/** Flags to try with a compiler: every processor at -O2 and the latest at the other levels; all with all when OKO_LONG=1. */
export function flagMatrix({ cpus }: Compiler): [cpu: string, level: string][] {
  return cpus.flatMap((cpu) =>
    ['-O2', '-O1', '-Os']
      .filter((level) => level === '-O2' || cpu === cpus.at(-1) || process.env.OKO_LONG === '1')
      .map((level): [string, string] => [`-mcpu=${cpu}`, level]),
  );
}

/** A folder for the files of one test file; `remove` it when done. */
export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-bpf-'));
  #count = 0;

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Compiles an example; the object's path. */
  compileExample(compiler: Compiler, name: string, flags: readonly string[]): string {
    return this.#compile(compiler, join(examplesFolder, `${name}.c`), flags);
  }

  /** Compiles sources by one call of the compiler; the path of the object of each, by the name of the source. */
  compileAll(compiler: Compiler, sources: readonly string[], flags: readonly string[]): (name: string) => string {
    const folder = join(this.folder, `all-${this.#count++}`);
    mkdirSync(folder);
    this.run(compiler.name, [...flags, '-target', 'bpf', '-c', ...sources], folder);
    return (name) => join(folder, `${name}.o`);
  }

  /** Compiles C text, which may include oko.h; the object's bytes. */
  compileText(compiler: Compiler, text: string, flags: readonly string[] = ['-O2', '-g']): Uint8Array {
    const source = join(this.folder, `source-${this.#count++}.c`);
    writeFileSync(source, text);
    return new Uint8Array(readFileSync(this.#compile(compiler, source, ['-I', examplesFolder, ...flags])));
  }

  /** As compileText, without the symbol of function `entry`. */
  compileNameless(compiler: Compiler, text: string, flags: readonly string[]): Uint8Array {
    const object = join(this.folder, `stripped-${this.#count++}.o`);
    writeFileSync(object, this.compileText(compiler, text, flags));
    this.run(compiler.objdump.replace('objdump', 'strip'), ['-N', 'entry', object]);
    return new Uint8Array(readFileSync(object));
  }

  #compile(compiler: Compiler, source: string, flags: readonly string[]): string {
    const object = join(this.folder, `${basename(source, '.c')}-${this.#count++}.o`);
    this.run(compiler.name, [...flags, '-target', 'bpf', '-c', source, '-o', object]);
    return object;
  }

  /** Runs a tool; its standard output. Throws with its messages when it fails. */
  run(command: string, args: readonly string[], cwd = this.folder): string {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      encoding: 'utf8',
      cwd,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
}
