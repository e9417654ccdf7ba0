import { existsSync } from 'node:fs';

/** The directory with package.json, above wherever this was compiled to. */
export const repositoryRoot: URL = (() => {
  for (let at = new URL('.', import.meta.url); at.pathname !== '/'; at = new URL('..', at))
    if (existsSync(new URL('package.json', at))) return at;
  throw new Error('no package.json above the bench');
})();
