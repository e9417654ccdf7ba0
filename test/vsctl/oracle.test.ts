import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runVsctl } from '../../src/cli/vsctl/run-vsctl.ts';
import { compileSchema, Database, type Json, OvsdbServer, openVswitch } from '../../src/ovsdb/index.ts';
import { DebianServer, hasOvsdbServer, hasOvsVsctl, temporaryDirectory } from '../ovsdb/debian-server.ts';
import { RawClient } from '../ovsdb/raw-client.ts';
import { SESSIONS } from './sessions.ts';

const TABLES = Object.keys(openVswitch.tables);
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

interface Result {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!hasOvsdbServer || !hasOvsVsctl)('oko vsctl beside ovs-vsctl (needs openvswitch-switch)', () => {
  const place = temporaryDirectory();
  let theirs: DebianServer;
  let ours: DebianServer;
  let own: OvsdbServer;

  async function serve(name: string): Promise<DebianServer> {
    const directory = join(place.path, name);
    const path = join(directory, 'conf.db');
    mkdirSync(directory);
    execFileSync('ovsdb-tool', ['create', path, '/usr/share/openvswitch/vswitch.ovsschema']);
    return new DebianServer(directory, [path]).started();
  }

  beforeAll(async () => {
    theirs = await serve('theirs');
    ours = await serve('ours');
    own = new OvsdbServer({ databases: [new Database(compileSchema(openVswitch))] });
    await own.addRemote(`punix:${place.path}/own.sock`);
  });

  afterAll(async () => {
    await theirs?.stop();
    await ours?.stop();
    await own?.close();
    place.remove();
  });

  function runTheirs(words: readonly string[]): Result {
    const { status, stdout, stderr } = spawnSync(
      'ovs-vsctl',
      [`--db=unix:${theirs.socketPath}`, '--no-wait', ...words],
      { encoding: 'utf8', timeout: 30_000 },
    );
    return { status, out: stdout, err: stderr };
  }

  describe.each(SESSIONS)('%s', (_name, lines) => {
    const commands = lines.split('\n').map((line) => line.trim());

    it('prints, answers and leaves behind the same, on both servers', async () => {
      await empty(theirs.socketPath);
      const expected = commands.map((command) => runTheirs(splitWords(command)));
      const left = await contents(theirs.socketPath);
      for (const [socketPath, hidesDetails] of [
        [ours.socketPath, false],
        [join(place.path, 'own.sock'), true],
      ] as const) {
        await empty(socketPath);
        const got: Result[] = [];
        for (const command of commands)
          got.push(await run([`--db=unix:${socketPath}`, '--no-wait', ...splitWords(command)]));
        const shown = (results: readonly Result[]): unknown[] =>
          results.map((result, i) => ({ command: commands[i], ...comparable(result, commands[i], hidesDetails) }));
        expect(shown(got)).toEqual(shown(expected));
        expect(await contents(socketPath)).toEqual(left);
      }
    }, 300_000);
  });

  it('knows the same commands and options, but for those of what Oko does not have', async () => {
    const absent = /,(add-zone-tp|del-zone-tp|list-zone-tp|list-dp-cap),/;
    const expected = runTheirs(['--commands']).out.trim().split('\n');
    const got = (await run(['--commands'])).out.trim().split('\n');
    expect(got.sort()).toEqual(expected.filter((line) => !absent.test(line)).sort());
    expect((await run(['--options'])).out).toBe(runTheirs(['--options']).out);
  });
});

async function run(words: readonly string[]): Promise<Result> {
  let [out, err] = ['', ''];
  const status = await runVsctl(words, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}

/** What is the same each time: UUIDs are not, nor the times of warnings, nor the order of rows. */
function comparable({ status, out, err }: Result, command: string, hidesDetails: boolean): Result {
  const isUnordered = /\b(list|find|show|create)\b/.test(command);
  const text = out.replace(UUID, 'UUID').replace(/\\[(UUID(, )?)+\\]/g, '[UUIDs]');
  const errors = err
    .split('\n')
    .filter((line) => !line.includes('|ovsdb_idl|'))
    .map((line) => line.replace(/^\S+Z\|\d+\|/, '').replace(UUID, 'UUID'))
    .map((line) => (hidesDetails ? line.replace(/"details":"([^"\\]|\\.)*",/, '') : line));
  return {
    status,
    out: isUnordered ? text.split('\n').sort().join('\n') : text,
    err: errors.join('\n'),
  };
}

function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));
}

async function transact(socketPath: string, operations: readonly Json[]): Promise<Json> {
  const client = new RawClient(socketPath);
  const { result, error } = await client.call('transact', ['Open_vSwitch', ...operations]);
  client.close();
  expect(error ?? null).toBeNull();
  return result ?? null;
}

async function empty(socketPath: string): Promise<void> {
  await transact(
    socketPath,
    TABLES.map((table) => ({ op: 'delete', table, where: [] })),
  );
}

/** All rows, each UUID replaced by what the row that it names holds. */
async function contents(socketPath: string): Promise<unknown> {
  const results = (await transact(
    socketPath,
    TABLES.map((table) => ({ op: 'select', table, where: [] })),
  )) as unknown as { rows: Record<string, Json>[] }[];
  const rows = new Map<string, Record<string, Json>>();
  for (const { rows: found } of results)
    for (const { _uuid, _version, ...row } of found) rows.set((_uuid as string[])[1], row);
  const spell = (json: Json | undefined, depth: number): unknown => {
    if (Array.isArray(json)) {
      if (json[0] === 'uuid') return depth > 4 ? 'UUID' : spell(rows.get(json[1] as string), depth + 1);
      const inner = json.map((element) => spell(element, depth));
      return json[0] === 'set' ? ['set', (inner[1] as unknown[]).map((one) => JSON.stringify(one)).sort()] : inner;
    }
    if (typeof json !== 'object' || json === null) return json;
    return Object.fromEntries(
      Object.keys(json)
        .sort()
        .map((key) => [key, spell((json as Record<string, Json>)[key], depth)]),
    );
  };
  return results.map(({ rows: found }, i) => [
    TABLES[i],
    found.map(({ _uuid, _version, ...row }) => JSON.stringify(spell(row, 0))).sort(),
  ]);
}
