import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERIFIER_ERRORS } from '../errors.ts';
import { formatRejection, verify } from '../index.ts';
import { readSuite, type SuiteCase } from './case.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.suite'));
const suites = files.map((file) => ({ file, cases: readSuite(`${folder}${file}`) }));

/** The case's verdict in words, with what the verifier said when they differ. */
function judge({ program, preludeSlots, states, verdict, limit }: SuiteCase): void {
  const trace: string[] = [];
  const result = verify(program, {
    ...(limit !== undefined && { limit }),
    ...(states.length > 0 && { trace: (line) => trace.push(line) }),
  });
  const said = result.accepted ? 'accept' : formatRejection(result.rejection);
  if (verdict.accepted) {
    expect(said).toBe('accept');
    for (const [name, value] of Object.entries(verdict.summary)) {
      const summary: Readonly<Record<string, unknown>> = result.accepted ? { ...result.summary } : {};
      expect(`${name}=${String(summary[name])}`).toBe(`${name}=${value}`);
    }
  } else {
    if (result.accepted) throw new Error('accepted');
    const { code, message, pc } = result.rejection;
    expect(code, said).toBe(verdict.code);
    expect(message).toContain(verdict.message);
    if (verdict.pc !== undefined) expect(pc - preludeSlots, said).toBe(verdict.pc);
    expect(result.rejection.suggestion.length).toBeGreaterThan(10);
  }
  for (const { pc, parts } of states) {
    const known = trace.filter((line) => line.startsWith(`${pc}: `) && !line.includes('covered by'));
    const fits = known.some((line) => parts.every((part) => ` ${line} `.includes(` ${part} `)));
    if (!fits) expect.fail(`nowhere "${parts.join(', ')}" before pc ${pc}, but\n${known.join('\n')}`);
  }
}

describe.each(suites)('$file', ({ cases }) => {
  it.each(cases)('$name ($place)', (each) => {
    judge(each);
  });
});

it('has at least 250 cases, and one for every code', () => {
  const all = suites.flatMap(({ cases }) => cases);
  expect(all.length).toBeGreaterThanOrEqual(250);
  const tested = new Set(all.flatMap(({ verdict }) => (verdict.accepted ? [] : [verdict.code])));
  expect(Object.keys(VERIFIER_ERRORS).filter((code) => !tested.has(code))).toEqual([]);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});
