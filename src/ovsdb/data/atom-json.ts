import { OvsdbError } from '../errors.ts';
import { isArray, type Json } from '../json/value.ts';
import { type BaseType, brokenConstraint } from '../schema/base-type.ts';
import type { Atom, AtomicType } from './atom.ts';
import { parseUuid, type Uuid } from './uuid.ts';

/** Gives the UUID that stands for a `["named-uuid", name]` in one transaction. */
export type NamedUuids = (name: string) => Uuid;

const LONE_SURROGATE = /\p{Surrogate}/u;
const ID = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `<id>` of RFC 7047 section 3.1. */
export function isId(text: Json | undefined): text is string {
  return typeof text === 'string' && ID.test(text);
}

/** An atom of JSON (RFC 7047 section 5.1), with the constraints of its base type. */
export function parseAtom(json: Json, base: BaseType, named?: NamedUuids): Atom {
  const atom = parseUnconstrainedAtom(json, base.type, named);
  const broken = brokenConstraint(atom, base);
  if (broken) throw new OvsdbError('OVSDB_CONSTRAINT', broken);
  return atom;
}

function parseUnconstrainedAtom(json: Json, type: AtomicType, named?: NamedUuids): Atom {
  switch (type) {
    case 'integer':
      if (typeof json === 'bigint') return json;
      if (Number.isSafeInteger(json)) return (json as number) + 0;
      break;
    case 'real':
      if (typeof json === 'bigint') return Number(json);
      if (Number.isFinite(json)) return (json as number) + 0;
      break;
    case 'boolean':
      if (typeof json === 'boolean') return json;
      break;
    case 'string':
      if (typeof json !== 'string') break;
      if (json.includes('\0') || LONE_SURROGATE.test(json))
        throw new OvsdbError('OVSDB_SYNTAX', 'a string holds a NUL character or half a surrogate pair', {
          syntax: json,
        });
      return json;
    case 'uuid':
      return parseUuidAtom(json, named);
  }
  throw new OvsdbError('OVSDB_SYNTAX', `expected ${type}`, { syntax: json });
}

function parseUuidAtom(json: Json, named: NamedUuids | undefined): Uuid {
  if (isArray(json) && json.length === 2 && typeof json[1] === 'string') {
    if (json[0] === 'uuid') {
      const uuid = parseUuid(json[1]);
      if (uuid) return uuid;
      throw new OvsdbError('OVSDB_SYNTAX', 'not a valid UUID', { syntax: json });
    }
    if (json[0] === 'named-uuid' && named) {
      if (isId(json[1])) return named(json[1]);
      throw new OvsdbError('OVSDB_SYNTAX', 'a named-uuid must be an <id>', { syntax: json });
    }
  }
  throw new OvsdbError('OVSDB_SYNTAX', 'expected ["uuid", <string>]', { syntax: json });
}

export function printAtom(atom: Atom, type: AtomicType): Json {
  return type === 'uuid' ? ['uuid', atom as string] : atom;
}
