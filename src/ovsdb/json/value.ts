/** JSON as OVSDB uses it: integers are 64 bits wide (RFC 7047 section 3.1), those beyond ±2^53 are bigints here. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [member: string]: Json };

/** A JSON object under construction. */
export interface JsonObject {
  [member: string]: Json;
}

export function isObject(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Own members only: a member called `__proto__` or `constructor` is data like any other. */
export function member(object: { readonly [member: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** The one form of an integer: a number where that is exact, a bigint beyond. */
export function canonicalInteger(value: bigint): number | bigint {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}
