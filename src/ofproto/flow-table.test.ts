import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseFlow } from '../openflow/index.ts';
import { field, Match, MatchBuilder, newKey, writePlace } from '../packet/index.ts';
import { FlowTable } from './flow-table.ts';
import { Rule } from './rule.ts';

const FIELDS = ['in_port_oxm', 'eth_type', 'ip_proto', 'ip_dst'].map((name) => field(name));
const FILTER_PROG = field('filter_prog');

interface RandomRule {
  readonly priority: number;
  /** For each of FIELDS a value and a mask of few bits, so that rules overlap often. */
  readonly fields: readonly (readonly [number, number] | null)[];
  readonly program: number;
}

const someBits = fc.integer({ min: 0, max: 3 });
const randomRule: fc.Arbitrary<RandomRule> = fc.record({
  priority: fc.integer({ min: 0, max: 3 }),
  fields: fc.array(fc.option(fc.tuple(someBits, someBits)), { minLength: FIELDS.length, maxLength: FIELDS.length }),
  program: fc.integer({ min: 0, max: 4 }),
});
const randomKey = fc.tuple(someBits, someBits, someBits, someBits).map((values) => {
  const key = newKey();
  for (const [i, value] of values.entries()) {
    const bytes = new Uint8Array(FIELDS[i].bytes);
    bytes[bytes.length - 1] = value;
    writePlace(FIELDS[i], key, bytes);
  }
  return key;
});

function matchOf(rule: RandomRule): Match {
  const builder = new MatchBuilder();
  for (const [i, bits] of rule.fields.entries())
    if (bits !== null) builder.setNumber(FIELDS[i], bits[0] & bits[1], bits[1]);
  if (rule.program !== 0) builder.setNumber(FILTER_PROG, rule.program);
  return builder.build();
}

function makeRule(rule: RandomRule, sequence: number): Rule {
  const flow = { ...parseFlow(`priority=${rule.priority},actions=drop`), match: matchOf(rule) };
  return new Rule(0, flow, sequence, 0n);
}

/** Programs whose answers are bits of a number; notes who was asked. */
class Programs {
  readonly asked: number[] = [];
  readonly #answers: number;

  constructor(answers: number) {
    this.#answers = answers;
  }

  hasRefused(program: number): boolean {
    return this.asked.includes(program) && !this.#says(program);
  }

  ask(program: number): boolean {
    if (!this.asked.includes(program)) this.asked.push(program);
    return this.#says(program);
  }

  #says(program: number): boolean {
    return ((this.#answers >> program) & 1) !== 0;
  }
}

/** The definition: walk all rules in order. */
function walk(rules: readonly Rule[], key: Uint8Array, programs: Programs): Rule | undefined {
  const ordered = [...rules].sort((a, b) => (a.precedes(b) ? -1 : 1));
  return ordered.find(
    (rule) => rule.packetMatch.matches(key) && (rule.program === undefined || programs.ask(rule.program)),
  );
}

describe('FlowTable', () => {
  it('finds the rule that a walk over all rules finds, and asks the same programs in the same order', () => {
    fc.assert(
      fc.property(
        fc.array(randomRule, { maxLength: 20 }),
        fc.array(fc.nat({ max: 19 }), { maxLength: 5 }),
        fc.array(fc.tuple(randomKey, fc.nat({ max: 31 })), { maxLength: 10 }),
        (specs, removals, packets) => {
          const table = new FlowTable(0);
          const rules = new Map<string, Rule>();
          for (const [sequence, spec] of specs.entries()) {
            const rule = makeRule(spec, sequence);
            const id = `${rule.priority}|${rule.match.identity}`;
            expect(table.add(rule)).toBe(rules.get(id));
            rules.set(id, rule);
          }
          for (const index of removals) {
            const [id, rule] = [...rules][index] ?? [];
            if (id === undefined || rule === undefined) continue;
            table.remove(rule);
            rules.delete(id);
          }
          expect(table.size).toBe(rules.size);
          for (const [key, answers] of packets) {
            const expectedPrograms = new Programs(answers);
            const programs = new Programs(answers);
            const expected = walk([...rules.values()], key, expectedPrograms);
            expect(table.lookup(key, programs)).toBe(expected);
            expect(programs.asked).toEqual(expectedPrograms.asked);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds an overlap where a walk over all rules finds one', () => {
    fc.assert(
      fc.property(
        fc.array(randomRule, { maxLength: 20 }),
        fc.array(fc.tuple(randomRule, fc.nat({ max: 19 })), { maxLength: 8 }),
        (specs, asked) => {
          const table = new FlowTable(0);
          for (const [sequence, spec] of specs.entries()) table.add(makeRule(spec, sequence));
          for (const [spec, removed] of asked) {
            const match = matchOf(spec);
            const rules = [...table.rules()];
            const expected = rules.filter((rule) => rule.priority === spec.priority && rule.match.overlaps(match));
            const found = table.overlapping(match, spec.priority);
            expect(found === undefined).toBe(expected.length === 0);
            if (found !== undefined) expect(expected).toContain(found);
            // What has been found out so far must keep up with changes.
            const gone = rules[removed];
            if (gone !== undefined) table.remove(gone);
            table.add(makeRule(spec, 100 + removed));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('looks for overlaps without walking the rules', () => {
    const table = new FlowTable(0);
    const COUNT = 1000;
    const match = (i: number, more = ''): Match =>
      parseFlow(`ip,nw_dst=10.0.${i >> 8}.${i & 255}${more},actions=drop`).match;
    const looks = vi.spyOn(Match.prototype, 'overlaps');
    for (let i = 0; i < COUNT; i++) {
      const flow = parseFlow('priority=5,actions=drop');
      expect(table.overlapping(match(i), 5)).toBeUndefined();
      expect(table.overlapping(match(i, ',nw_proto=6'), 5)).toBeUndefined();
      table.add(new Rule(0, { ...flow, match: match(i) }, i, 0n));
    }
    expect(table.overlapping(match(7, ',nw_proto=6'), 5)?.sequence).toBe(7);
    expect(looks.mock.calls.length).toBeLessThan(COUNT / 10);
    looks.mockRestore();
  });

  it('keeps flows apart that differ in nothing but their program', () => {
    const table = new FlowTable(0);
    const plain = { priority: 1, fields: [[1, 3], null, null, null], program: 0 } as const;
    table.add(makeRule(plain, 0));
    table.add(makeRule({ ...plain, program: 1 }, 1));
    table.add(makeRule({ ...plain, program: 2 }, 2));
    expect(table.size).toBe(3);
    expect(table.find(matchOf({ ...plain, program: 2 }), 1)?.sequence).toBe(2);
  });
});
