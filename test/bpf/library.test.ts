import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../support/oko.ts';

const ENTRY = resolve(REPOSITORY, 'src/bpf/index.ts');

/** All files that the entry imports, and all modules from elsewhere. */
function importGraph(entry: string): { files: string[]; modules: string[] } {
  const files = new Set<string>();
  const modules = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?'([^']+)'/g))
      if (target.startsWith('.')) visit(resolve(dirname(file), target));
      else modules.add(target);
  };
  visit(entry);
  return { files: [...files].map((file) => relative(REPOSITORY, file)), modules: [...modules] };
}

test('the library imports nothing but its own files', () => {
  const { files, modules } = importGraph(ENTRY);
  expect(files).toContain('src/bpf/interpreter.ts');
  expect(files).toContain('src/bytes/reader.ts');
  expect(modules).toEqual([]);
  for (const file of files) expect(readFileSync(resolve(REPOSITORY, file), 'utf8')).not.toMatch(/\b(Buffer|process)\./);
});

test('it works where there is nothing of Node.js, as in a browser page', async () => {
  const bundle = await rolldown({ input: ENTRY });
  const { output } = await bundle.generate({ format: 'iife', name: 'bpf' });
  // What JavaScript itself brings, and what every browser has besides of what the library uses.
  const page = createContext({ WebAssembly, TextDecoder, TextEncoder, crypto, Uint8Array, ArrayBuffer });
  runInContext(output[0].code.replace('var bpf', 'globalThis.bpf'), page);
  page.object = readFileSync(resolve(REPOSITORY, 'examples/rate-limiter.o'));
  const result = runInContext(
    `(() => {
      const program = bpf.loadObject(new Uint8Array(object)).select();
      const results = [];
      for (const engine of [new bpf.WasmCompiler(), new bpf.Interpreter()]) {
        const world = bpf.createWorld(program);
        const runner = new bpf.PacketRunner(world);
        const loaded = engine.load(program, world);
        results.push(bpf.verify(program).accepted, String(runner.run(loaded, new Uint8Array(64))));
      }
      return results.join(' ');
    })()`,
    page,
  );
  expect(result).toMatch(/^true (\d+) true \1$/);
});

test('the example of docs/bpf-library.md does what the page says', () => {
  const page = readFileSync(resolve(REPOSITORY, 'docs/bpf-library.md'), 'utf8');
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const printed = /```text\n(.*?)```/s.exec(page)?.[1];
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    cwd: REPOSITORY,
    input: code,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe(printed);
});
