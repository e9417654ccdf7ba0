import type { Json, JsonObject } from '../../src/ovsdb/json/value.ts';
import {
  boolean,
  ephemeral,
  immutable,
  integer,
  map,
  one,
  oneOf,
  optional,
  real,
  ref,
  type SchemaDefinition,
  set,
  string,
  text,
  uuid,
  weakRef,
} from '../../src/ovsdb/schema/definition.ts';
import type { DatabaseSchema } from '../../src/ovsdb/schema/schema.ts';
import { uuidOf } from './arbitrary.ts';

/** Every kind of column and constraint that RFC 7047 has, in tables small enough to collide. */
export const everythingSchema = {
  name: 'Everything',
  version: '1.0.0',
  tables: {
    Root: {
      isRoot: true,
      maxRows: 4,
      indexes: [['name'], ['number', 'note']],
      columns: {
        name: one(string),
        number: one(integer()),
        note: optional(string),
        kids: set(ref('Kid')),
        kid: optional(ref('Kid')),
        byNumber: map(integer(), ref('Kid')),
        friends: set(weakRef('Kid')),
        friend: optional(weakRef('Kid')),
        settings: map(string, string),
      },
    },
    Kid: {
      columns: {
        name: one(string),
        peer: optional(ref('Kid')),
        parents: set(weakRef('Root'), 2),
        first: set(weakRef('Plain'), 3, 1),
      },
    },
    Plain: {
      isRoot: true,
      columns: {
        bounded: one(integer(-1, 3)),
        ratio: one(real(-10.5, 1000)),
        short: set(text(2, 5), 3),
        choice: one(oneOf('', 'x', 'y')),
        reals: set(real()),
        some: set(integer(), 4, 1),
        flag: one(boolean),
        flags: set(boolean),
        maybe: optional(integer()),
        fixed: immutable(one(integer())),
        gone: ephemeral(one(string)),
        goneSet: ephemeral(set(integer())),
        any: one(uuid),
        counts: map(string, integer(), 3),
        bools: map(boolean, real()),
      },
    },
  },
} as const satisfies SchemaDefinition;

/** A small world of rows that refer to each other, for random transactions to change. */
export function seedTransaction(schema: DatabaseSchema): Json[] {
  const uuid = (table: string, n: number): Json => ['uuid', uuidOf(schema, table, n)];
  const insert = (table: string, n: number, row: JsonObject): Json => ({
    op: 'insert',
    table,
    uuid: uuidOf(schema, table, n),
    row,
  });
  return schema.name === everythingSchema.name
    ? [
        insert('Plain', 0, {}),
        insert('Plain', 1, { some: ['set', [1, 2]], short: 'ab', counts: ['map', [['ab', 1]]] }),
        insert('Kid', 0, { name: 'ab', first: uuid('Plain', 0), peer: uuid('Kid', 1) }),
        insert('Kid', 1, {
          name: 'cd',
          first: ['set', [uuid('Plain', 0), uuid('Plain', 1)]],
          parents: uuid('Root', 0),
        }),
        insert('Kid', 2, { name: 'abc', first: uuid('Plain', 1), peer: uuid('Kid', 0) }),
        insert('Root', 0, {
          name: 'ab',
          kids: ['set', [uuid('Kid', 0), uuid('Kid', 2)]],
          friends: ['set', [uuid('Kid', 0), uuid('Kid', 1)]],
        }),
        insert('Root', 1, { name: 'cd', number: 1, byNumber: ['map', [[1, uuid('Kid', 1)]]], friend: uuid('Kid', 2) }),
      ]
    : [
        insert('Interface', 0, { name: 'ab' }),
        insert('Interface', 1, { name: 'cd', options: ['map', [['ab', 'cd']]] }),
        insert('Port', 0, { name: 'ab', interfaces: uuid('Interface', 0), qos: uuid('QoS', 0) }),
        insert('Port', 1, { name: 'cd', interfaces: uuid('Interface', 1), trunks: ['set', [1, 2]] }),
        insert('QoS', 0, { queues: ['map', [[0, uuid('Queue', 0)]]] }),
        insert('Queue', 0, {}),
        insert('Mirror', 0, { select_src_port: uuid('Port', 0), output_port: uuid('Port', 1) }),
        insert('Controller', 0, { target: 'ab' }),
        insert('Bridge', 0, {
          name: 'ab',
          ports: ['set', [uuid('Port', 0), uuid('Port', 1)]],
          mirrors: uuid('Mirror', 0),
          controller: uuid('Controller', 0),
        }),
        insert('Open_vSwitch', 0, { bridges: uuid('Bridge', 0), manager_options: uuid('Manager', 0) }),
        insert('Manager', 0, { target: 'ab' }),
      ];
}
