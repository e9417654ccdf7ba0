/** How many cases a property or fuzz test tries: `count`, or ten times that when OKO_LONG=1 asks for a long run. */
export function runs(count: number): number {
  return process.env.OKO_LONG === '1' ? 10 * count : count;
}
