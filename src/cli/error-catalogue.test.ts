import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorCatalogue } from './error-catalogue.ts';

it('docs/errors.md is what the source says (npm run docs:errors writes it)', () => {
  expect(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorCatalogue());
});
