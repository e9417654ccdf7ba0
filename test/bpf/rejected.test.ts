import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatRejection, loadObject, type VerifierResult, verify } from '../../src/bpf/index.ts';
import { REPOSITORY } from '../support/oko.ts';

const FOLDER = join(REPOSITORY, 'examples/rejected');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.c'));
const CLANGS = ['clang-14', 'clang-19'].filter((clang) => existsSync(`/usr/bin/${clang}`));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'oko-rejected-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function verdict(clang: string, file: string, ...options: string[]): VerifierResult {
  const object = join(dir, 'program.o');
  const args = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Iexamples', ...options];
  const run = spawnSync(clang, [...args, '-c', `examples/rejected/${file}`, '-o', object], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  return verify(loadObject(readFileSync(object)).select());
}

describe('the ten rejections of docs/filters.md', () => {
  it('are ten', () => expect(FILES).toHaveLength(10));

  for (const clang of ['clang-14', 'clang-19']) {
    it.skipIf(!CLANGS.includes(clang)).each(FILES)(
      `${clang}: %s is rejected with its code, its line and a remedy, and accepted when mended`,
      (file) => {
        const source = readFileSync(join(FOLDER, file), 'utf8');
        const code = /BPF_VERIFIER_\w+/.exec(source)?.[0];
        const before = verdict(clang, file);
        expect(before.accepted ? 'accepted' : before.rejection.code).toBe(code);
        if (!before.accepted) {
          expect(formatRejection(before.rejection)).toContain(`${file}:`);
          expect(before.rejection.suggestion.length).toBeGreaterThan(10);
        }
        const after = verdict(clang, file, '-DFIXED');
        expect(after.accepted ? 'accepted' : formatRejection(after.rejection)).toBe('accepted');
      },
    );
  }
});
