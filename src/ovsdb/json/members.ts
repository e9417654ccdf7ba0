import { OvsdbError } from '../errors.ts';
import { isArray, isObject, type Json } from './value.ts';

interface Kinds {
  readonly string: string;
  readonly boolean: boolean;
  readonly integer: number;
  readonly number: number;
  readonly array: readonly Json[];
  readonly object: { readonly [member: string]: Json };
  readonly any: Json;
}

const IS_KIND: { readonly [K in keyof Kinds]: (value: Json) => boolean } = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  array: isArray,
  object: isObject,
  any: () => true,
};

/** Takes the members of a JSON object one by one, each of a known kind, and refuses what nobody took. */
export class Members {
  readonly json: { readonly [member: string]: Json };
  readonly #what: string;
  readonly #taken = new Set<string>();

  /** `what` names the object in errors. */
  constructor(json: Json, what: string) {
    if (!isObject(json)) throw new OvsdbError('OVSDB_SYNTAX', `${what} must be an object`, { syntax: json });
    this.json = json;
    this.#what = what;
  }

  optional<K extends keyof Kinds>(name: string, ...kinds: readonly K[]): Kinds[K] | undefined {
    if (!Object.hasOwn(this.json, name)) return undefined;
    this.#taken.add(name);
    const value = this.json[name];
    for (const kind of kinds) if (IS_KIND[kind](value)) return value as Kinds[K];
    throw this.error(`member "${name}" of ${this.#what} must be of type ${kinds.join(' or ')}`);
  }

  required<K extends keyof Kinds>(name: string, ...kinds: readonly K[]): Kinds[K] {
    const value = this.optional(name, ...kinds);
    if (value === undefined) throw this.error(`member "${name}" of ${this.#what} is missing`);
    return value;
  }

  /** To be called when everything known has been taken. */
  finish(): void {
    for (const name of Object.keys(this.json))
      if (!this.#taken.has(name)) throw this.error(`${this.#what} has no member "${name}"`);
  }

  error(message: string): OvsdbError {
    return new OvsdbError('OVSDB_SYNTAX', message, { syntax: this.json });
  }
}
