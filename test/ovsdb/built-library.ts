import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** The library compiled to JavaScript, for tests that need it in a process of its own. */
export function buildLibrary(): { readonly index: string; remove(): void } {
  // Inside the project, where its dependencies are found.
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const directory = mkdtempSync(join(ROOT, '.cache', 'ovsdb-'));
  const config = join(directory, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.build.json'),
      compilerOptions: { rootDir: join(ROOT, 'src'), outDir: directory, declaration: false, sourceMap: false },
      include: [join(ROOT, 'src/ovsdb'), join(ROOT, 'src/bytes')],
      exclude: [join(ROOT, 'src/**/*.test.ts')],
    }),
  );
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', config], { stdio: 'pipe' });
  return {
    index: join(directory, 'ovsdb/index.js'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
