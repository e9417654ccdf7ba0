import { describe, expect, it } from 'vitest';
import { assemble, bytecodeProgram, verify } from '../../src/bpf/index.ts';
import { DEFAULT_LIMIT } from '../../src/bpf/verifier/verify.ts';
import { SHAPES } from './shapes.ts';

const HALF = 5000;

function counts(program: Parameters<typeof verify>[0]): { visited: number; states: number } {
  const result = verify(program);
  if (!result.accepted) throw new Error(result.rejection.message);
  return result.summary;
}

describe.each(SHAPES)('$name: $about', ({ build }) => {
  const half = counts(build(HALF));
  const whole = counts(build(2 * HALF));

  it('takes twice as many steps and states for twice as many branches', () => {
    expect(whole.visited / half.visited).toBeLessThan(2.2);
    expect(whole.states / half.states).toBeLessThan(2.2);
  });

  it('follows an instruction of 10,000 branches a few times at most', () => {
    // Of the loop, each round's.
    const instructions = Math.max(build(2 * HALF).instructions.length, 2 * HALF * 3);
    expect(whole.visited / instructions).toBeLessThan(4);
  });
});

it('a million steps are the limit, and the refusal names the place that takes most', () => {
  expect(DEFAULT_LIMIT).toBe(1_000_000);
  const limit = 50_000;
  const endless = ['r6 = 0', 'again: r6 += 1', 'if r6 != 2000000 goto again', 'r0 = 0', 'exit'];
  const result = verify(bytecodeProgram(assemble(endless.join('\n'))), { limit });
  expect(result).toMatchObject({ accepted: false, rejection: { code: 'BPF_VERIFIER_TOO_COMPLEX', pc: 1 } });
  if (!result.accepted) expect(result.rejection.message).toMatch(/too complex: \d{5} instructions were followed/);
});
