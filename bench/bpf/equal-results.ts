import type { Bed } from './bed.ts';
import type { Runner } from './runner.ts';
import type { Scenario } from './scenario.ts';

/** Throws unless two runners gave the same results and left the same maps: else they are not worth comparing. */
export function expectEqualResults({ filter, flows }: Scenario, bed: Bed, a: Runner, b: Runner): void {
  const [x, y] = [a, b].map((runner) => bed.results(runner.bytes));
  const differs = x.findIndex((result, i) => result !== y[i]);
  if (differs >= 0)
    throw new Error(`${filter}, ${flows} flows: packet ${differs}: ${a.name} ${x[differs]}, ${b.name} ${y[differs]}`);
  for (const map of bed.world.maps) {
    const [m, n] = [a, b].map((runner) => runner.bytes.subarray(map.address, map.address + map.bytesUsed));
    if (Buffer.compare(m, n) !== 0)
      throw new Error(`${filter}, ${flows} flows: ${a.name} and ${b.name} leave map ${map.definition.name} different`);
  }
}
