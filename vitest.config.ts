import { defineConfig } from 'vitest/config';

// A long run tries ten times as many cases.
const timeout = process.env.OKO_LONG === '1' ? 1_200_000 : 60_000;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: process.env.OKO_LONG === '1' ? 900_000 : 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/support/closing-reporter.ts'],
  },
});
