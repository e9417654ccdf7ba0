import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: process.env.OKO_LONG === '1' ? 900_000 : 60_000,
    globalSetup: ['./scripts/build-core.mjs'],
    setupFiles: ['./test/support/property-seed.ts'],
    hookTimeout: 60_000,
    reporters: ['default', './test/support/closing-reporter.ts'],
  },
});
