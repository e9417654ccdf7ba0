import type { ConformanceCase } from './case.ts';
import { CONTROL_CASES } from './control-cases.ts';
import { EDGE_CASES } from './edge-cases.ts';
import { HELPER_CASES } from './helper-cases.ts';
import { MEMORY_CASES } from './memory-cases.ts';
import { VIOLATION_CASES } from './violation-cases.ts';

export type { ConformanceCase } from './case.ts';
export { conformancePacket, conformanceProgram, runCase } from './run-case.ts';

/** The conformance suite, by kind. */
export const CONFORMANCE_CASES: Readonly<Record<string, readonly ConformanceCase[]>> = {
  edges: EDGE_CASES,
  memory: MEMORY_CASES,
  control: CONTROL_CASES,
  helpers: HELPER_CASES,
  violations: VIOLATION_CASES,
};
