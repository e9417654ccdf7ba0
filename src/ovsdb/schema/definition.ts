import type { Uuid } from '../data/uuid.ts';
import type { BaseType } from './base-type.ts';
import type { ColumnType } from './column-type.ts';

/**
 * A schema as it is written down in TypeScript: plain data, whose types carry the type of each column's values, so that
 * the rows of a table have a type without being declared again (`RowOf`).
 */
export interface SchemaDefinition {
  readonly name: string;
  readonly version: string;
  readonly cksum?: string;
  readonly tables: { readonly [table: string]: TableDefinition };
}

export interface TableDefinition {
  readonly columns: { readonly [column: string]: ColumnDefinition };
  readonly isRoot?: boolean;
  readonly maxRows?: number;
  readonly indexes?: readonly (readonly string[])[];
}

declare const valueType: unique symbol;

/** `T` exists for the compiler only: the type of the column's value in a row. */
export interface ColumnDefinition<T = unknown> {
  readonly type: ColumnType;
  readonly ephemeral?: boolean;
  readonly mutable?: boolean;
  readonly [valueType]?: T;
}

export interface BaseDefinition<T> extends BaseType {
  readonly [valueType]?: T;
}

/**
 * A row of table `T` as the program sees it: a scalar as its value, an optional as value or null, a set as an array, a map
 * as a Map. Integers are numbers (beyond 2^53 rounded).
 */
export type RowOf<D extends SchemaDefinition, T extends TableName<D>> = {
  readonly [C in ColumnName<D, T>]: D['tables'][T]['columns'][C] extends ColumnDefinition<infer V> ? V : never;
} & { readonly _uuid: Uuid };

export type TableName<D extends SchemaDefinition> = keyof D['tables'] & string;
export type ColumnName<D extends SchemaDefinition, T extends TableName<D>> = keyof D['tables'][T]['columns'] & string;

export const boolean: BaseDefinition<boolean> = { type: 'boolean' };
export const string: BaseDefinition<string> = { type: 'string' };
export const uuid: BaseDefinition<Uuid> = { type: 'uuid' };

export function integer(minInteger?: number, maxInteger?: number): BaseDefinition<number> {
  return { type: 'integer', minInteger, maxInteger };
}

export function real(minReal?: number, maxReal?: number): BaseDefinition<number> {
  return { type: 'real', minReal, maxReal };
}

/** A string of `minLength` to `maxLength` characters. */
export function text(minLength?: number, maxLength?: number): BaseDefinition<string> {
  return { type: 'string', minLength, maxLength };
}

export function oneOf<const T extends string>(...values: readonly T[]): BaseDefinition<T> {
  return { type: 'string', enum: [...values].sort() };
}

export function ref(refTable: string): BaseDefinition<Uuid> {
  return { type: 'uuid', refTable, refType: 'strong' };
}

export function weakRef(refTable: string): BaseDefinition<Uuid> {
  return { type: 'uuid', refTable, refType: 'weak' };
}

export function one<T>(key: BaseDefinition<T>): ColumnDefinition<T> {
  return { type: { key, min: 1, max: 1 } };
}

export function optional<T>(key: BaseDefinition<T>): ColumnDefinition<T | null> {
  return { type: { key, min: 0, max: 1 } };
}

export function set<T>(
  key: BaseDefinition<T>,
  max = Number.POSITIVE_INFINITY,
  min: 0 | 1 = 0,
): ColumnDefinition<readonly T[]> {
  return { type: { key, min, max } };
}

export function map<K, V>(
  key: BaseDefinition<K>,
  value: BaseDefinition<V>,
  max = Number.POSITIVE_INFINITY,
): ColumnDefinition<ReadonlyMap<K, V>> {
  return { type: { key, value, min: 0, max } };
}

export function immutable<T>(column: ColumnDefinition<T>): ColumnDefinition<T> {
  return { ...column, mutable: false };
}

export function ephemeral<T>(column: ColumnDefinition<T>): ColumnDefinition<T> {
  return { ...column, ephemeral: true };
}
