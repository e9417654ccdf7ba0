// Compiles the core of the fast path (src/datapath/core, AssemblyScript) to WebAssembly: into .cache/core, anew only when its sources have
// changed, and from there into dist.

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const sources = new URL('src/datapath/core/', root);
const layout = new URL('src/datapath/layout.ts', root);
const cache = new URL('.cache/core/', root);

const OPTIONS = [
  ...['--runtime', 'stub', '--noAssert', '-O3', '--enable', 'simd,threads'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--importTable'],
];

function stamp() {
  const hash = createHash('sha256').update(OPTIONS.join(' ')).update(readFileSync(layout));
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(new URL(file, sources)));
  return hash.digest('hex');
}

/** Compiles when need be. */
export async function buildCore() {
  mkdirSync(cache, { recursive: true });
  const now = stamp();
  const stampFile = new URL('stamp', cache);
  const binary = new URL('core.wasm', cache);
  if (existsSync(binary) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === now) return;
  const { default: asc } = await import('assemblyscript/asc');
  const part = `.cache/core/core.${process.pid}.wasm`;
  const arguments_ = ['src/datapath/core/main.ts', '--baseDir', fileURLToPath(root), '-o', part, ...OPTIONS];
  const { error, stderr } = await asc.main(arguments_);
  if (error) throw new Error(`the core does not compile: ${error.message}\n${stderr.toString()}`);
  renameSync(new URL(part, root), binary);
  writeFileSync(stampFile, now);
}

/** Called by vitest before all tests. */
export async function setup() {
  await buildCore();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildCore();
  const target = new URL('dist/datapath/', root);
  mkdirSync(target, { recursive: true });
  copyFileSync(new URL('core.wasm', cache), new URL('core.wasm', target));
}
