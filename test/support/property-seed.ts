import { configureGlobal } from 'fast-check';

/**
 * The seed of all property tests: the same in every run, so that a change is what makes a test fail; another one at
 * each run when OKO_LONG=1 asks for a long run, and OKO_SEED names it to repeat what such a run has found.
 */
const seed = process.env.OKO_SEED ?? (process.env.OKO_LONG === '1' ? Date.now() & 0x7fff_ffff : 20_261_122);

configureGlobal({ seed: Number(seed) });
