import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FieldReads } from '../../src/ofproto/field-reads.ts';
import { FilterPrograms, MacTable } from '../../src/ofproto/index.ts';
import { KEY, MPLS_LSE_COUNT } from '../../src/packet/index.ts';
import { runs } from '../support/property-runs.ts';
import { Subject } from './coherence-subject.ts';
import { randomSteps } from './random-pipeline.ts';

/* Does the property of coherence.property.test.ts find what it is for? The switch is broken on purpose, one thing at a time. */

const programs = [new FilterPrograms({ windowBits: 20 }), new FilterPrograms({ windowBits: 20 })] as const;
const MAX_RUNS = runs(5000);
const CONTROL_RUNS = 200;

/** Looks for a case in which a bridge with its cache does what the same bridge does not do without; how many it took. */
function search(maxRuns: number): number | undefined {
  const { failed, numRuns, errorInstance } = fc.check(
    fc.property(randomSteps(0), (steps) => {
      const cached = new Subject(programs[0], []);
      const uncached = new Subject(programs[1], []);
      for (const step of steps) if (`${cached.step(step, true)}` !== `${uncached.step(step, false)}`) return false;
      return true;
    }),
    { numRuns: maxRuns, endOnFailure: true },
  );
  // A case in which something is thrown shows nothing.
  if (errorInstance instanceof Error && !errorInstance.message.includes('returning false')) throw errorInstance;
  return failed ? numRuns : undefined;
}

/**
 * Bytes of the key that only actions know that they read. Not nw_proto: actions that write ports come to the same whatever
 * the protocol is, since a packet without ports keeps what it has.
 */
const READS: readonly (readonly [string, number, number])[] = [
  ['eth_dst', KEY.ethDst, 6],
  ['eth_src', KEY.ethSrc, 6],
  ['eth_type', KEY.ethType, 2],
  ['vlan_tci', KEY.vlanTci, 2],
  ['the inner tag', KEY.innerVlanTci, 2],
  ['nw_tos', KEY.ipTos, 1],
  ['nw_ttl', KEY.ipTtl, 1],
  ['ip_frag', KEY.ipFrag, 1],
  ['ip_src', KEY.ipSrc, 4],
  ['ip_dst', KEY.ipDst, 4],
  ['the outer label', KEY.mplsLse, 4],
  ['the labels below', KEY.mplsLse + 4, 4 * (MPLS_LSE_COUNT - 1)],
  ['the pass', KEY.recircId, 4],
];

afterEach(() => vi.restoreAllMocks());

it('what is not broken is not found to be', () => {
  expect(search(CONTROL_RUNS)).toBeUndefined();
});

describe('a broken cache is found', { timeout: 600_000 }, () => {
  it.each(READS)('whose actions do not declare that they read %s', (_name, offset, bytes) => {
    const { addTo } = FieldReads.prototype;
    vi.spyOn(FieldReads.prototype, 'addTo').mockImplementation(function (this: FieldReads, dense) {
      const before = dense.slice(offset, offset + bytes);
      addTo.call(this, dense);
      dense.set(before, offset);
    });
    expect(search(MAX_RUNS)).toBeDefined();
  });

  it('that does not notice when addresses are learnt', () => {
    const { learn } = MacTable.prototype;
    vi.spyOn(MacTable.prototype, 'learn').mockImplementation(function (this: MacTable, ...lesson) {
      learn.apply(this, lesson);
      return false;
    });
    expect(search(MAX_RUNS)).toBeDefined();
  });
});
