import { describe, expect, it } from 'vitest';
import { Database } from '../database.ts';
import type { Json } from '../json/value.ts';
import { compileSchema } from '../schema/compile.ts';
import { map, one, optional, ref, type SchemaDefinition, string, weakRef } from '../schema/definition.ts';

const schema = {
  name: 'Families',
  version: '1.0.0',
  tables: {
    Root: {
      isRoot: true,
      columns: { name: one(string), byFriend: map(weakRef('Root'), ref('Kid')) },
    },
    Kid: { columns: { name: one(string), kid: optional(ref('Kid')), friend: optional(weakRef('Kid')) } },
  },
} as const satisfies SchemaDefinition;

function transact(database: Database, ...operations: Json[]): readonly Json[] {
  let results: readonly Json[] = [];
  database.submit({
    operations,
    holdsLock: () => false,
    done: (done) => {
      results = done;
    },
  });
  return results;
}

function names(database: Database, table: string): Json[] {
  const [{ rows }] = transact(database, { op: 'select', table, where: [], columns: ['name'] }) as unknown as [
    { rows: { name: Json }[] },
  ];
  return rows.map(({ name }) => name).sort();
}

describe('settle', () => {
  it('collects a row whose last strong reference goes away together with a weak one, and what hangs on it', () => {
    const database = new Database(compileSchema(schema));
    const results = transact(
      database,
      { op: 'insert', table: 'Root', row: { name: 'gone' }, 'uuid-name': 'gone' },
      { op: 'insert', table: 'Kid', row: { name: 'grandchild' }, 'uuid-name': 'grandchild' },
      { op: 'insert', table: 'Kid', row: { name: 'child', kid: ['named-uuid', 'grandchild'] }, 'uuid-name': 'child' },
      {
        op: 'insert',
        table: 'Kid',
        row: { name: 'other', friend: ['named-uuid', 'grandchild'] },
        'uuid-name': 'other',
      },
      {
        op: 'insert',
        table: 'Root',
        row: {
          name: 'holder',
          byFriend: [
            'map',
            [
              [
                ['named-uuid', 'gone'],
                ['named-uuid', 'child'],
              ],
            ],
          ],
        },
      },
      {
        op: 'insert',
        table: 'Root',
        row: {
          name: 'keeper',
          byFriend: [
            'map',
            [
              [
                ['named-uuid', 'keeper'],
                ['named-uuid', 'other'],
              ],
            ],
          ],
        },
        'uuid-name': 'keeper',
      },
    );
    expect(results).toHaveLength(6);
    expect(names(database, 'Kid')).toEqual(['child', 'grandchild', 'other']);
    expect(transact(database, { op: 'delete', table: 'Root', where: [['name', '==', 'gone']] })).toEqual([
      { count: 1 },
    ]);
    expect(names(database, 'Kid')).toEqual(['other']);
    expect(transact(database, { op: 'select', table: 'Kid', where: [], columns: ['friend'] })).toEqual([
      { rows: [{ friend: ['set', []] }] },
    ]);
    expect(transact(database, { op: 'delete', table: 'Root', where: [] })).toEqual([{ count: 2 }]);
    expect(names(database, 'Kid')).toEqual([]);
  });
});
