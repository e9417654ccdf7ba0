import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Database } from './database.ts';
import { OvsdbError } from './errors.ts';
import { printJson } from './json/text.ts';
import type { Json, JsonObject } from './json/value.ts';
import { compileSchema } from './schema/compile.ts';
import { openVswitch } from './schema/open-vswitch.ts';
import { parseSchema, printSchema } from './schema/schema-json.ts';

const RUNS = process.env.OKO_LONG ? 50_000 : 1500;

function transact(database: Database, operations: readonly Json[]): readonly Json[] {
  let results: readonly Json[] | undefined;
  database.submit({
    operations,
    holdsLock: () => false,
    done: (done) => {
      results = done;
    },
  });
  return results ?? [];
}

/** For transactions so long that they are done in slices. */
function transactLong(database: Database, operations: readonly Json[]): Promise<readonly Json[]> {
  return new Promise((done) => {
    database.submit({ operations, holdsLock: () => false, done });
  });
}

/** Words that mean something somewhere, so that nonsense gets deep into the parsers. */
const word = fc.constantFrom<Json>(
  'op',
  'insert',
  'select',
  'update',
  'mutate',
  'delete',
  'wait',
  'commit',
  'abort',
  'comment',
  'assert',
  'table',
  'row',
  'rows',
  'where',
  'columns',
  'until',
  '==',
  '!=',
  'timeout',
  'durable',
  'lock',
  'uuid',
  'uuid-name',
  'named-uuid',
  'set',
  'map',
  'mutations',
  '+=',
  '/=',
  'includes',
  'Bridge',
  'Port',
  'Open_vSwitch',
  'name',
  'ports',
  'tag',
  'other_config',
  '_uuid',
  '_version',
  '__proto__',
  'constructor',
  '00000000-0000-0000-0000-000000000000',
  '',
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  2n ** 62n,
  1e308,
  true,
  false,
  null,
);
const nonsense = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    word,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(word.map(String), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

const valid: readonly JsonObject[] = [
  {
    op: 'insert',
    table: 'Bridge',
    row: { name: 'br0', other_config: ['map', [['a', 'b']]], ports: ['set', []] },
    'uuid-name': 'b',
  },
  { op: 'insert', table: 'Open_vSwitch', row: { bridges: ['named-uuid', 'b'], next_cfg: 1 } },
  { op: 'select', table: 'Bridge', where: [['name', '==', 'br0']], columns: ['name', 'ports'] },
  { op: 'update', table: 'Open_vSwitch', where: [['next_cfg', '<', 5]], row: { cur_cfg: 2 } },
  {
    op: 'mutate',
    table: 'Bridge',
    where: [],
    mutations: [
      ['other_config', 'insert', ['map', [['c', 'd']]]],
      ['flood_vlans', 'delete', 1],
    ],
  },
  { op: 'wait', table: 'Bridge', where: [], columns: ['name'], until: '==', rows: [{ name: 'br0' }], timeout: 0 },
  { op: 'delete', table: 'Open_vSwitch', where: [] },
  { op: 'commit', durable: false },
  { op: 'comment', comment: 'x' },
  { op: 'assert', lock: 'x' },
];

/** One place in a value replaced by nonsense. */
function replaceAt(value: Json, path: readonly number[], by: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value))
    return value.length === 0
      ? [by]
      : value.with(first % value.length, replaceAt(value[first % value.length], rest, by));
  const object = value as JsonObject;
  const names = Object.keys(object);
  if (names.length === 0) return by;
  const name = names[first % names.length];
  return { ...object, [name]: replaceAt(object[name], rest, by) };
}

const damaged = fc
  .tuple(
    fc.subarray([...valid]),
    fc.array(fc.tuple(fc.array(fc.nat({ max: 7 }), { maxLength: 6 }), nonsense), { maxLength: 3 }),
  )
  .map(([operations, changes]): readonly Json[] => {
    const value = changes.reduce<Json>((damagedSoFar, [path, by]) => replaceAt(damagedSoFar, path, by), operations);
    return Array.isArray(value) ? value : [value];
  });

describe('Database', () => {
  it('answers every nonsense with a result or an error for each operation, and never by a defect of its own', () => {
    const database = new Database(compileSchema(openVswitch));
    fc.assert(
      fc.property(fc.oneof(fc.array(nonsense, { maxLength: 4 }), damaged), (operations) => {
        const results = transact(database, operations);
        expect(printJson(results)).not.toContain('internal error');
        const isWaiting = results.length === 0;
        expect(isWaiting || results.length === operations.length || results.length === operations.length + 1).toBe(
          true,
        );
        if (database.tables.get('Open_vSwitch')?.rows.size)
          transact(database, [{ op: 'delete', table: 'Open_vSwitch', where: [] }]);
      }),
      { numRuns: RUNS },
    );
  });

  it('refuses a transaction that costs too much, in work or in its answer', async () => {
    const database = new Database(compileSchema(openVswitch));
    const rows = Array.from(
      { length: 2000 },
      (_, i): Json => ({ op: 'insert', table: 'AutoAttach', row: { system_name: `${i}${'x'.repeat(4000)}` } }),
    );
    const keep: Json = { op: 'insert', table: 'Open_vSwitch', row: {} };
    const look: Json = { op: 'select', table: 'AutoAttach', where: [['system_description', '==', 'x']], columns: [] };
    const all: Json = { op: 'select', table: 'AutoAttach', where: [] };
    const many = (operation: Json, count: number): Json[] => [
      ...rows,
      keep,
      ...Array.from({ length: count }, () => operation),
    ];
    expect((await transactLong(database, many(all, 2))).slice(2001)).toHaveLength(2);
    expect(
      (await transactLong(database, many(all, 50))).find((result) => result && 'error' in (result as object)),
    ).toMatchObject({
      error: 'resources exhausted',
    });
    const committed = new Database(
      compileSchema({ ...openVswitch, tables: { AutoAttach: { ...openVswitch.tables.AutoAttach, isRoot: true } } }),
    );
    await transactLong(committed, rows);
    expect(committed.tables.get('AutoAttach')?.rows.size).toBe(2000);
    const results = await transactLong(
      committed,
      Array.from({ length: 5001 }, () => look),
    );
    expect(results.at(-1)).toMatchObject({ error: 'resources exhausted' });
    expect(results.slice(0, -1).every((result) => !('error' in (result as object)))).toBe(true);
  });

  it('lets others on the thread while it works on a long transaction, and shows nothing of it before its end', async () => {
    const database = new Database(compileSchema(openVswitch));
    const rows = Array.from({ length: 20_000 }, (): Json => ({ op: 'insert', table: 'Queue', row: {} }));
    let isDone = false;
    let turns = 0;
    const seen = new Set<number | undefined>();
    const long = transactLong(database, rows).then(() => {
      isDone = true;
    });
    const short = transactLong(database, [{ op: 'select', table: 'Queue', where: [], columns: ['_uuid'] }]);
    while (!isDone) {
      turns++;
      seen.add(database.tables.get('Queue')?.rows.size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await long;
    // Slices are of 4 ms; no machine does 20,000 rows in three of them.
    expect(turns).toBeGreaterThan(3);
    expect([...seen].every((size) => size === 0 || size === 20_000)).toBe(true);
    // Transactions stay in their order.
    const [{ rows: found }] = (await short) as unknown as [{ rows: Json[] }];
    expect(found).toHaveLength(20_000);
  });

  it('keeps nothing of a transaction that fails at its end', () => {
    const database = new Database(compileSchema(openVswitch));
    let commits = 0;
    database.onCommit(() => commits++);
    transact(database, [{ op: 'insert', table: 'Open_vSwitch', row: {} }]);
    expect(commits).toBe(1);
    const results = transact(database, [
      { op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: 7 } },
      { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
      { op: 'insert', table: 'Open_vSwitch', row: {} },
    ]);
    expect(results).toMatchObject([{ count: 1 }, { rows: [{ next_cfg: 7 }] }, {}, { error: 'constraint violation' }]);
    expect(transact(database, [{ op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] }])).toEqual([
      { rows: [{ next_cfg: 0 }] },
    ]);
    expect(commits).toBe(1);
  });
});

describe('a schema', () => {
  const whole = printSchema(compileSchema(openVswitch));

  it('is refused with an error of ours, however it is damaged', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 8 }), nonsense, (path, by) => {
        try {
          compileSchema(parseSchema(replaceAt(whole, path, by)));
        } catch (error) {
          expect(error).toBeInstanceOf(OvsdbError);
        }
      }),
      { numRuns: RUNS / 5 },
    );
  });

  it.each([
    ['an unknown table referred to', ['Bridge', 'columns', 'ports', 'type', 'key', 'refTable'], 'Nowhere'],
    ['an index on no column', ['Bridge', 'indexes'], [['nothing']]],
    ['an index on an ephemeral column', ['Bridge', 'indexes'], [['status']]],
    ['an empty index', ['Bridge', 'indexes'], [[]]],
    ['a max of 0', ['Bridge', 'columns', 'ports', 'type', 'max'], 0],
    ['a min of 2', ['Bridge', 'columns', 'ports', 'type', 'min'], 2],
    ['a type that is none', ['Bridge', 'columns', 'name', 'type'], 'text'],
    ['a minimum above the maximum', ['Port', 'columns', 'tag', 'type', 'key', 'minInteger'], 5000],
    ['a column that begins with _', ['Bridge', 'columns'], { _x: { type: 'string' } }],
    ['no columns', ['Bridge'], {}],
    ['an unknown member', ['Bridge', 'colums'], {}],
    ['maxRows of 0', ['Bridge', 'maxRows'], 0],
  ])('is refused for %s', (_name, path, by) => {
    const copy = structuredClone(whole) as { tables: Record<string, unknown> };
    let place = copy.tables as Record<string, unknown>;
    for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>;
    place[path.at(-1) as string] = by;
    expect(() => compileSchema(parseSchema(copy as unknown as Json))).toThrow(OvsdbError);
  });
});
