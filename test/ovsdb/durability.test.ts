import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileSchema, DatabaseFile, type Json, printSchema } from '../../src/ovsdb/index.ts';
import { integer, one, type SchemaDefinition, string } from '../../src/ovsdb/schema/definition.ts';
import { buildLibrary } from './built-library.ts';
import { hasOvsdbServer, ovsdbTool, temporaryDirectory } from './debian-server.ts';
import { CLOSED, RawClient } from './raw-client.ts';

const COMMITS = process.env.OKO_LONG ? 10_000 : 1000;
const KILLS = 5;

const schemaDefinition = {
  name: 'Ledger',
  version: '1.0.0',
  tables: { Entry: { columns: { number: one(integer()), text: one(string) }, indexes: [['number']] } },
} as const satisfies SchemaDefinition;

describe('a server killed without warning', () => {
  const place = temporaryDirectory();
  const path = join(place.path, 'ledger.db');
  const socketPath = join(place.path, 's');
  let library: ReturnType<typeof buildLibrary>;

  beforeAll(() => {
    library = buildLibrary();
    const schema = JSON.stringify(printSchema(compileSchema(schemaDefinition)));
    writeFileSync(
      join(library.index, '../../serve.mjs'),
      `import { compileSchema, DatabaseFile, loadFcntlLock, OvsdbServer, parseSchema } from ${JSON.stringify(library.index)};
       const schema = compileSchema(parseSchema(${schema}));
       const file = DatabaseFile.open(${JSON.stringify(path)}, { schema, lock: await loadFcntlLock(), compactAboveBytes: 5000 });
       const server = new OvsdbServer({ databases: [file.database] });
       await server.addRemote(${JSON.stringify(`punix:${socketPath}`)});
       console.log('serving');`,
    );
  });

  afterAll(() => {
    library.remove();
    place.remove();
  });

  async function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [join(library.index, '../../serve.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return child;
  }

  /** Commits one after the other until the connection is gone. Gives how many were acknowledged. */
  async function commitUntilGone(client: RawClient, from: number, to: number): Promise<number> {
    for (let number = from; number < to; number++) {
      const operations: Json[] = [
        { op: 'insert', table: 'Entry', row: { number, text: 'x'.repeat(number % 300) } },
        // Few rows stay, so that the file is compacted again and again.
        { op: 'delete', table: 'Entry', where: [['number', '<', number - 20]] },
        { op: 'commit', durable: true },
      ];
      const { result, error } = await client.call('transact', ['Ledger', ...operations]);
      if (error === CLOSED) return number;
      expect(result).toEqual([{ uuid: expect.anything() }, { count: expect.anything() }, {}]);
    }
    return to;
  }

  function numbersInFile(): number[] {
    const file = DatabaseFile.open(path);
    const entries = file.database.tables.get('Entry');
    const numbers = [...(entries?.rows.values() ?? [])].map(({ data }) => Number(data[0].keys[0]));
    void file.close();
    return numbers.sort((a, b) => a - b);
  }

  it(`has every acknowledged commit of ${COMMITS}, after each of ${KILLS} kills`, async () => {
    let acknowledged = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = await start();
      const client = new RawClient(socketPath);
      const goal = kill === KILLS ? COMMITS : Math.floor((COMMITS * kill) / KILLS);
      const committing = commitUntilGone(client, acknowledged, COMMITS);
      // Somewhere in the middle of a commit, or of a compaction.
      let known = acknowledged;
      while (known < goal) {
        await sleep(1);
        const { result } = await client.call('transact', [
          'Ledger',
          { op: 'select', table: 'Entry', where: [], columns: ['number'] },
        ]);
        const [{ rows }] = result as unknown as [{ rows: { number: number }[] }];
        known = Math.max(known, ...rows.map((row) => row.number + 1));
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      acknowledged = await committing;
      client.close();
      const numbers = numbersInFile();
      const last = numbers.at(-1) ?? -1;
      // The commit that was under way when the process died may be there or not.
      expect([acknowledged - 1, acknowledged]).toContain(last);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => last - numbers.length + 1 + i));
      expect(numbers.length).toBe(Math.min(last + 1, 21));
      if (hasOvsdbServer) {
        const query = JSON.stringify(['Ledger', { op: 'select', table: 'Entry', where: [], columns: ['number'] }]);
        const [{ rows }] = JSON.parse(ovsdbTool('query', path, query)) as [{ rows: { number: number }[] }];
        expect(rows.map((row) => row.number).sort((a, b) => a - b)).toEqual(numbers);
      }
      acknowledged = last + 1;
    }
    expect(acknowledged).toBeGreaterThanOrEqual(COMMITS - 1);
  }, 300_000);

  it('is refused the file while another process serves it', async () => {
    const child = await start();
    const second = spawn(process.execPath, [join(library.index, '../../serve.mjs')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect((await once(second, 'exit'))[0]).not.toBe(0);
    expect(said).toContain(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
