import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FilterPrograms } from '../../src/ofproto/index.ts';
import { runs } from '../support/property-runs.ts';
import { core, PROGRAMS, plain, Subject } from './coherence-subject.ts';
import { randomSteps } from './random-pipeline.ts';

/*
 * Invariant 1 of docs/architecture.md, cache coherence: a bridge does to every packet what the same bridge does whose
 * cache is emptied before every packet. Tables, programs, packets and changes in between are at random. That it finds what
 * it is for is tested in coherence.mutants.test.ts.
 */

const programsOf: readonly FilterPrograms[] = [
  new FilterPrograms({ windowBits: 27 }),
  new FilterPrograms({ windowBits: 27 }),
];

it.each([
  ['with its cache', plain],
  ['in the core of the fast path', core],
])('does to every packet %s what it does without a cache', (_, datapath) => {
  fc.assert(
    fc.property(randomSteps(PROGRAMS.length), (steps) => {
      const named = new Set(steps.map((step) => ('flow' in step ? step.flow.program : 0)));
      const loaded = PROGRAMS.map((_program, i) => i + 1).filter((id) => named.has(id));
      const cached = new Subject(programsOf[0], loaded, datapath);
      const uncached = new Subject(programsOf[1], loaded);
      for (const step of steps) expect(cached.step(step, true)).toEqual(uncached.step(step, false));
      expect(cached.state()).toEqual(uncached.state());
    }),
    { numRuns: runs(200) },
  );
});
