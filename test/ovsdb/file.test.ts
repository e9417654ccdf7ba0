import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  compileSchema,
  type Database,
  DatabaseFile,
  type DatabaseFileOptions,
  type Json,
  loadFcntlLock,
  OvsdbError,
  openVswitch,
} from '../../src/ovsdb/index.ts';
import { recordOfNewRow } from '../../src/ovsdb/transaction/record.ts';
import { transactionArbitrary } from './arbitrary.ts';
import { hasOvsdbServer, ovsdbTool, temporaryDirectory } from './debian-server.ts';
import { everythingSchema, seedTransaction } from './schema-for-tests.ts';

const RUNS = process.env.OKO_LONG ? 1000 : 30;
const schema = compileSchema(everythingSchema);

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, 'conf.db');
});

afterEach(() => directory.remove());

function transact(database: Database, ...operations: Json[]): Promise<readonly Json[]> {
  return new Promise((done) => database.submit({ operations, holdsLock: () => false, done }));
}

function insert(name: string): Json {
  return {
    op: 'insert',
    table: 'Kid',
    row: { name, first: ['named-uuid', 'p'], peer: ['named-uuid', 'other'] },
    'uuid-name': name,
  };
}

/** Rows that keep each other alive. */
function pair(name: string): Json[] {
  return [
    {
      op: 'insert',
      table: 'Plain',
      row: { some: ['set', [1, 2]], counts: ['map', [['a', 1]]], gone: 'x' },
      'uuid-name': 'p',
    },
    { ...(insert(`${name}1`) as object), 'uuid-name': 'other' } as Json,
    { op: 'insert', table: 'Kid', row: { name, first: ['named-uuid', 'p'], peer: ['named-uuid', 'other'] } },
    { op: 'insert', table: 'Root', row: { name, note: name, kid: ['named-uuid', 'other'] } },
  ];
}

/** Everything that a file keeps. */
function persistentRows(database: Database): Record<string, unknown> {
  const tables = [...database.tables.values()].map((table): [string, unknown] => [
    table.schema.name,
    Object.fromEntries([...table.rows.values()].map((row) => [row.uuid, recordOfNewRow(table, row)])),
  ]);
  return Object.fromEntries(tables);
}

async function reopened(options?: DatabaseFileOptions): Promise<Record<string, unknown>> {
  const file = DatabaseFile.open(path, options);
  const rows = persistentRows(file.database);
  await file.close();
  return rows;
}

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof OvsdbError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('a database file', () => {
  it('has after a restart what it had before, whatever was done, compacted or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(transactionArbitrary(schema), { maxLength: 12 }),
        fc.integer({ min: 0, max: 12 }),
        async (transactions, compactAt) => {
          directory.remove();
          mkdirSync(directory.path);
          const file = DatabaseFile.open(path, { schema });
          await transact(file.database, ...seedTransaction(schema));
          for (const [i, operations] of transactions.entries()) {
            if (i === compactAt) void file.compact();
            await transact(file.database, ...operations, { op: 'commit', durable: i % 4 === 0 });
          }
          const rows = persistentRows(file.database);
          await file.close();
          expect(await reopened()).toEqual(rows);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('drops a last record that was cut off anywhere, and goes on behind the one before', async () => {
    const file = DatabaseFile.open(path, { schema });
    await transact(file.database, ...pair('a'));
    const rowsBefore = persistentRows(file.database);
    const sizeBefore = file.size;
    await transact(file.database, ...pair('b'));
    const sizeAfter = file.size;
    await file.close();
    const whole = readFileSync(path);
    for (const size of [sizeBefore + 1, sizeBefore + 20, sizeBefore + 70, sizeAfter - 1]) {
      writeFileSync(path, whole.subarray(0, size));
      const notices: string[] = [];
      const torn = DatabaseFile.open(path, { onNotice: (text) => notices.push(text) });
      expect(persistentRows(torn.database)).toEqual(rowsBefore);
      expect(notices).toEqual([expect.stringContaining(`${size - sizeBefore} bytes from offset ${sizeBefore}`)]);
      expect((await transact(torn.database, ...pair('c'))).length).toBe(4);
      const rows = persistentRows(torn.database);
      await torn.close();
      expect(await reopened()).toEqual(rows);
    }
  });

  it('refuses damage in the middle, naming the offset, and what it says to do mends it', async () => {
    const file = DatabaseFile.open(path, { schema });
    await transact(file.database, ...pair('a'));
    const rowsBefore = persistentRows(file.database);
    const offset = file.size;
    await transact(file.database, ...pair('b'));
    await transact(file.database, ...pair('c'));
    await file.close();
    const bytes = readFileSync(path);
    bytes[offset + 90] ^= 1;
    writeFileSync(path, bytes);
    expect(() => DatabaseFile.open(path)).toThrow(new RegExp(`offset ${offset}: damaged record.*head -c ${offset}`));
    expect(code(() => DatabaseFile.open(path))).toBe('OVSDB_FILE_CORRUPT');
    truncateSync(path, offset);
    expect(await reopened()).toEqual(rowsBefore);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'OVSDB_FILE_CORRUPT'],
    ['another file', Buffer.from('hello, world\n'), 'OVSDB_FILE_CORRUPT'],
    ['a clustered database', Buffer.from(`OVSDB CLUSTER 3 ${'0'.repeat(40)}\n{}\n`), 'OVSDB_FILE_SCHEMA'],
  ])('refuses %s', (_name, bytes, expected) => {
    writeFileSync(path, bytes);
    expect(code(() => DatabaseFile.open(path, { schema }))).toBe(expected);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('refuses another schema, and a path that it may not use', async () => {
    await DatabaseFile.open(path, { schema }).close();
    expect(code(() => DatabaseFile.open(path, { schema: compileSchema(openVswitch) }))).toBe('OVSDB_FILE_SCHEMA');
    expect(code(() => DatabaseFile.open(directory.path))).toBe('OVSDB_FILE_ACCESS');
    expect(code(() => DatabaseFile.open(join(directory.path, 'none.db')))).toBe('OVSDB_FILE_ACCESS');
    expect(code(() => DatabaseFile.open(join(directory.path, 'no', 'such.db'), { schema }))).toBe('OVSDB_FILE_ACCESS');
  });

  it('reads whatever damaged bytes without hanging, and fails only with its own errors', async () => {
    const file = DatabaseFile.open(path, { schema });
    for (const name of ['a', 'b', 'c']) await transact(file.database, ...pair(name));
    await file.close();
    const whole = readFileSync(path);
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), to: fc.nat({ max: 255 }), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let bytes = Buffer.from(whole);
        for (const { at, to, cut } of changes) {
          if (cut) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + to)]);
          else if (at < bytes.length) bytes[at] = to;
        }
        writeFileSync(path, bytes);
        const result = code(() => void DatabaseFile.open(path).close());
        expect(['no error', 'OVSDB_FILE_CORRUPT', 'OVSDB_FILE_SCHEMA']).toContain(result);
      }),
      { numRuns: 10 * RUNS },
    );
  });

  it('is compacted by itself when it has grown, and the client notices nothing', async () => {
    const file = DatabaseFile.open(path, { schema, compactAboveBytes: 4000 });
    await transact(file.database, ...pair('a'));
    let largest = 0;
    for (let i = 0; i < 200; i++) {
      const [result] = await transact(
        file.database,
        { op: 'update', table: 'Root', where: [], row: { settings: ['map', [['n', `value ${i}`]]] } },
        { op: 'commit', durable: i % 10 === 0 },
      );
      expect(result).toEqual({ count: 1 });
      largest = Math.max(largest, file.size);
    }
    const rows = persistentRows(file.database);
    await file.close();
    expect(await reopened()).toEqual(rows);
    expect(largest).toBeLessThan(40_000);
    expect(existsSync(`${path}.tmp`)).toBe(false);
  });

  it('is refused to a second opener', async () => {
    const lock = await loadFcntlLock();
    const file = DatabaseFile.open(path, { schema, lock });
    expect(code(() => DatabaseFile.open(path, { lock }))).toBe('OVSDB_FILE_LOCKED');
    if (hasOvsdbServer) expect(() => ovsdbTool('compact', path)).toThrow(/lock/);
    await file.close();
    if (hasOvsdbServer) ovsdbTool('compact', path);
    await DatabaseFile.open(path, { lock }).close();
  });
});

describe.skipIf(!hasOvsdbServer)('beside ovsdb-tool (needs openvswitch-common)', () => {
  it('reads what ovsdb-tool wrote, and ovsdb-tool reads what it wrote', async () => {
    await DatabaseFile.open(path, { schema }).close();
    ovsdbTool('transact', path, JSON.stringify([schema.name, ...pair('a')]));
    ovsdbTool(
      'transact',
      path,
      JSON.stringify([
        schema.name,
        {
          op: 'mutate',
          table: 'Plain',
          where: [],
          mutations: [
            ['some', 'insert', 3],
            ['some', 'delete', 1],
            ['counts', 'insert', ['map', [['b', 2]]]],
          ],
        },
        { op: 'comment', comment: 'theirs' },
      ]),
    );
    const file = DatabaseFile.open(path);
    const select: Json = { op: 'select', table: 'Plain', where: [], columns: ['some', 'counts'] };
    expect(await transact(file.database, select)).toEqual([
      {
        rows: [
          {
            some: ['set', [2, 3]],
            counts: [
              'map',
              [
                ['a', 1],
                ['b', 2],
              ],
            ],
          },
        ],
      },
    ]);
    await transact(
      file.database,
      {
        op: 'mutate',
        table: 'Plain',
        where: [],
        mutations: [
          ['some', 'insert', 9],
          ['some', 'delete', 2],
          ['counts', 'delete', 'a'],
        ],
      },
      { op: 'update', table: 'Root', where: [], row: { number: 2 ** 40, note: 'é "\\\n' } },
      { op: 'comment', comment: 'ours' },
    );
    await file.close();
    const query = (): unknown =>
      JSON.parse(
        ovsdbTool(
          'query',
          path,
          JSON.stringify([
            schema.name,
            select,
            { op: 'select', table: 'Root', where: [], columns: ['number', 'note'] },
          ]),
        ),
      );
    const expected = [
      { rows: [{ some: ['set', [3, 9]], counts: ['map', [['b', 2]]] }] },
      { rows: [{ number: 2 ** 40, note: 'é "\\\n' }] },
    ];
    expect(query()).toEqual(expected);
    expect(ovsdbTool('show-log', '-mm', path)).toMatch(/theirs.*ours/s);
    expect(ovsdbTool('db-version', path).trim()).toBe(schema.version);
    expect(ovsdbTool('db-name', path).trim()).toBe(schema.name);
    ovsdbTool('compact', path);
    const compacted = DatabaseFile.open(path);
    await compacted.compact();
    await compacted.close();
    expect(query()).toEqual(expected);
  });

  it('refuses a file of an older schema with the command that converts it', async () => {
    const shipped = '/usr/share/openvswitch/vswitch.ovsschema';
    const older = JSON.parse(readFileSync(shipped, 'utf8'));
    older.version = '7.16.1';
    delete older.cksum;
    delete older.tables.Datapath;
    delete older.tables.Open_vSwitch.columns.datapaths;
    delete older.tables.CT_Zone;
    delete older.tables.CT_Timeout_Policy;
    writeFileSync(join(directory.path, 'older.ovsschema'), JSON.stringify(older));
    ovsdbTool('create', path, join(directory.path, 'older.ovsschema'));
    const insert = ['Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: { next_cfg: 7 } }];
    ovsdbTool('transact', path, JSON.stringify(insert));
    const open = (): DatabaseFile => DatabaseFile.open(path, { schema: compileSchema(openVswitch) });
    const { message } = (() => {
      try {
        open();
      } catch (error) {
        return error as Error;
      }
      throw new Error('it was opened');
    })();
    const [, command] = /convert it: (.*)$/.exec(message) ?? [];
    execFileSync('sh', ['-c', command.replace('SCHEMA-FILE', shipped)]);
    const file = open();
    const [row] = file.database.tables.get('Open_vSwitch')?.rows.values() ?? [];
    expect(row.data[file.database.schema.tables.get('Open_vSwitch')?.column('next_cfg')?.index ?? -1].keys).toEqual([
      7,
    ]);
    await file.close();
  });

  it('reads the files of random transactions as ovsdb-tool does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(transactionArbitrary(schema), { maxLength: 10 }), async (transactions) => {
        directory.remove();
        mkdirSync(directory.path);
        const file = DatabaseFile.open(path, { schema });
        await transact(file.database, ...seedTransaction(schema));
        for (const operations of transactions) await transact(file.database, ...operations);
        const rows = persistentRows(file.database);
        await file.close();
        // The compacted file is what ovsdb-tool understood.
        ovsdbTool('compact', path);
        expect(await reopened()).toEqual(rows);
      }),
      { numRuns: RUNS },
    );
  });
});

const canMount = process.getuid?.() === 0 && process.platform === 'linux';

describe.skipIf(!canMount)('on a full disk (needs root, to mount a small tmpfs)', () => {
  it('refuses the commit, loses nothing, and goes on when there is room', async () => {
    const mountPoint = join(directory.path, 'small');
    mkdirSync(mountPoint);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mountPoint]);
    try {
      path = join(mountPoint, 'conf.db');
      const file = DatabaseFile.open(path, { schema });
      const ballast = join(mountPoint, 'ballast');
      await transact(file.database, ...pair('a'));
      writeFileSync(ballast, Buffer.alloc(100 * 1024));
      const grow = (i: number, durable: boolean): Promise<readonly Json[]> =>
        transact(
          file.database,
          { op: 'update', table: 'Root', where: [], row: { settings: ['map', [['n', `${i}${'x'.repeat(20_000)}`]]] } },
          { op: 'commit', durable },
        );
      let committed = -1;
      let refused: unknown;
      for (let i = 0; i < 40 && !refused; i++) {
        const before = persistentRows(file.database);
        const [, , error] = await grow(i, i % 2 === 0);
        if (!error) committed = i;
        else {
          refused = error;
          expect(persistentRows(file.database)).toEqual(before);
        }
      }
      expect(committed).toBeGreaterThan(2);
      expect(refused).toMatchObject({ error: 'I/O error', details: expect.stringMatching(/ENOSPC|no space/i) });
      copyFileSync(path, join(directory.path, 'copy.db'));
      const rows = persistentRows(file.database);
      writeFileSync(ballast, '');
      expect((await grow(99, true)).length).toBe(2);
      const rowsAfter = persistentRows(file.database);
      await file.close();
      expect(await reopened()).toEqual(rowsAfter);
      path = join(directory.path, 'copy.db');
      expect(await reopened()).toEqual(rows);
    } finally {
      execFileSync('umount', [mountPoint]);
    }
  });
});

describe('garbage after the last record', () => {
  it('is dropped with a notice', async () => {
    const file = DatabaseFile.open(path, { schema });
    await transact(file.database, ...pair('a'));
    const rows = persistentRows(file.database);
    await file.close();
    appendFileSync(path, Buffer.alloc(5000));
    const notices: string[] = [];
    expect(await reopened({ onNotice: (text) => notices.push(text) })).toEqual(rows);
    expect(notices).toHaveLength(1);
  });
});
