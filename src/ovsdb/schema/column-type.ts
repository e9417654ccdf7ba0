import type { BaseType } from './base-type.ts';

/** `<type>` of RFC 7047 section 3.2. A map has a `value`; a scalar is min = max = 1; `max` may be Infinity. */
export interface ColumnType {
  readonly key: BaseType;
  readonly value?: BaseType;
  readonly min: 0 | 1;
  readonly max: number;
}

export function isScalar(type: ColumnType): boolean {
  return type.min === 1 && type.max === 1 && type.value === undefined;
}

export function isOptionalScalar(type: ColumnType): boolean {
  return type.min === 0 && type.max === 1 && type.value === undefined;
}

/** More than one element fits: then differences are told element by element. */
export function isComposite(type: ColumnType): boolean {
  return type.max > 1;
}

/** For error messages: `integer`, `set of 0 to 3 strings`, `map of string to uuid`. */
export function describeType(type: ColumnType): string {
  if (isScalar(type)) return type.key.type;
  if (type.value) return `map of ${type.key.type} to ${type.value.type}`;
  return `set of ${type.min} to ${type.max === Number.POSITIVE_INFINITY ? 'any number of' : type.max} ${type.key.type}s`;
}
