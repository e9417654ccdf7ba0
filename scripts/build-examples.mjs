#!/usr/bin/env node
// Compiles examples/*.c into the objects that are committed beside them. They are made by clang 14, the oldest compiler that
// is supported, so that whoever has a newer one can compare; another may be named by the environment variable CLANG.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples');
const clang = process.env.CLANG ?? 'clang-14';
const strip = clang.replace('clang', 'llvm-strip');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (error !== undefined) {
    console.error(`${command} could not be run: ${error.message}`);
    console.error(
      'Install it (Debian: apt install clang-14 llvm-14), or name another compiler: CLANG=clang npm run build:examples',
    );
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

for (const source of readdirSync(folder).filter((name) => name.endsWith('.c'))) {
  const object = `${basename(source, '.c')}.o`;
  // -g for the type and line information (BTF); the paths of the machine it is built on do not belong into it.
  const flags = [
    '-O2',
    '-g',
    '-mcpu=v3',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-target',
    'bpf',
    `-ffile-prefix-map=${folder}=.`,
  ];
  run(clang, [...flags, '-c', source, '-o', object]);
  // DWARF is ten times the program, and BTF says what is needed of it.
  run(strip, ['-g', object]);
  console.log(`examples/${object}`);
}
