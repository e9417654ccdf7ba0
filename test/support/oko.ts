import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const OKO_MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the built command line as a user would. */
export function oko(
  args: readonly string[],
  options: { input?: string; timeoutMs?: number; env?: Record<string, string> } = {},
): SpawnSyncReturns<string> {
  const { input, timeoutMs = 30_000, env } = options;
  return spawnSync(process.execPath, [OKO_MAIN, ...args], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    timeout: timeoutMs,
    input,
    env: { ...process.env, ...env },
  });
}
