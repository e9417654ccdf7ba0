/** Are two values of a column the same? Sets may come in any order. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && b.get(key) === value);
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  if (a.every((element, i) => element === b[i])) return true;
  const elements = new Set<unknown>(b);
  return a.every((element) => elements.has(element));
}
