import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Replica } from '../../src/ovsdb/client/replica.ts';
import { printDatum } from '../../src/ovsdb/data/datum-json.ts';
import {
  compileSchema,
  Database,
  type Json,
  type JsonObject,
  OvsdbServer,
  openVswitch,
  type Uuid,
} from '../../src/ovsdb/index.ts';
import { temporaryDirectory } from './debian-server.ts';
import { RawClient, type RawMessage } from './raw-client.ts';

/*
 * What ovs-vsctl and ovs-vswitchd 3.1 said to ovsdb-server 3.1 and were answered, in a run of some hundred commands of
 * which these files have a choice; schemas are left out. The clients' part is said to our server again.
 */
interface Line {
  readonly connection: number;
  readonly opens?: string;
  readonly request?: RawMessage;
  readonly answer?: RawMessage;
  readonly closes?: boolean;
}

type Updates = Readonly<Record<string, Readonly<Record<string, { readonly initial: JsonObject }>>>>;

const schema = compileSchema(openVswitch);
const directory = join(import.meta.dirname, 'recorded');
const recordings = readdirSync(directory).sort();

/** One recorded client: the connection on which its part is said, and both servers' stories as replicas. */
class Player {
  readonly client: RawClient;
  theirs = new Replica(schema);
  ours = new Replica(schema);

  constructor(socketPath: string) {
    this.client = new RawClient(socketPath);
  }

  hear(): void {
    for (const { method, params } of this.client.takeNotifications())
      if (method === 'update3' && params) this.ours.update(params[2], 'row-update2');
  }
}

describe('recorded clients', () => {
  const place = temporaryDirectory();
  const players = new Map<number, Player>();
  let server: OvsdbServer;
  let admin: RawClient;

  beforeAll(async () => {
    server = new OvsdbServer({ databases: [new Database(schema)] });
    await server.addRemote(`punix:${place.path}/s`);
    admin = new RawClient(`${place.path}/s`);
  });

  afterAll(async () => {
    await server.close();
    place.remove();
  });

  /** Commands between two recordings changed the database too: makes it what the next client was told it is. */
  async function bringTo(initial: Updates, monitored: readonly string[], nextCfg: number | undefined): Promise<void> {
    const operations: Json[] = [];
    for (const name of monitored) {
      const table = schema.tables.get(name);
      const wanted = initial[name] ?? {};
      const { result } = await admin.call('transact', ['Open_vSwitch', { op: 'select', table: name, where: [] }]);
      const [{ rows }] = result as unknown as [{ rows: { _uuid: [string, string] }[] }];
      const present = rows.map((row) => row._uuid[1]);
      for (const uuid of present) {
        const where: Json = [['_uuid', '==', ['uuid', uuid]]];
        if (!wanted[uuid]) operations.push({ op: 'delete', table: name, where });
        else {
          const { name: _immutable, ...row } = wanted[uuid].initial;
          if (table && Object.keys(row).length > 0) operations.push({ op: 'update', table: name, where, row });
        }
      }
      for (const [uuid, { initial: row }] of Object.entries(wanted))
        if (!present.includes(uuid))
          operations.push({ op: 'insert', table: name, uuid, row: withInterface(name, row, operations) });
    }
    if (nextCfg !== undefined)
      operations.push({ op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: nextCfg } });
    const { result } = await admin.call('transact', ['Open_vSwitch', ...operations]);
    expect(JSON.stringify(result)).not.toContain('"error":');
    for (const player of players.values()) {
      await player.client.call('echo', []);
      player.hear();
      player.theirs = copyOf(player.ours);
    }
  }

  it.each(recordings)('%s: the same answers, and the same updates', async (file) => {
    const lines = readFileSync(join(directory, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const closed: number[] = [];
    let compared = 0;
    for (const { connection, opens, request, answer, closes } of lines) {
      if (opens !== undefined) players.set(connection, new Player(`${place.path}/s`));
      const player = players.get(connection);
      if (!player) throw new Error(`no connection ${connection}`);
      if (answer?.method === 'update3' && answer.params) player.theirs.update(answer.params[2], 'row-update2');
      if (request) {
        const recorded = lines.find((line) => line.connection === connection && line.answer?.id === request.id)?.answer;
        expect(recorded).toBeDefined();
        await replay(player, request, recorded?.result ?? null, nextCfgBefore(lines));
        compared++;
      }
      if (closes) closed.push(connection);
    }
    // Only now: the recorder noted some updates after the end of the connection that they came by.
    for (const player of players.values()) {
      // Statistics that changed before the first recorded line are unknown; updates tell only what differs from them.
      if (lines[0].opens === undefined) player.theirs = copyOf(player.ours);
      else compareReplicas(player);
    }
    for (const connection of closed) {
      players.get(connection)?.client.close();
      players.delete(connection);
    }
    expect(compared).toBeGreaterThan(1);
  });

  async function replay(
    player: Player,
    request: RawMessage,
    recorded: Json,
    nextCfg: number | undefined,
  ): Promise<void> {
    const { method = '', params = [] } = request;
    if (method === 'monitor_cond_since') {
      const [, , initial] = recorded as unknown as [boolean, string, Updates];
      await bringTo(initial, Object.keys(params[2] as JsonObject), nextCfg);
      const { result } = await player.client.call(method, params);
      expect(result).toEqual(recorded);
      player.theirs.replace(initial as unknown as Json, 'row-update2');
      player.ours.replace((result as readonly Json[])[2], 'row-update2');
      return;
    }
    const asked = method === 'transact' ? withRecordedUuids(params, recorded) : params;
    const { result, error } = await player.client.call(method, asked);
    expect(error).toBeNull();
    for (const other of players.values()) {
      // Every client has by now what the request brought about.
      await other.client.call('echo', []);
      other.hear();
    }
    if (method === 'get_schema') expect(result).toHaveProperty('tables');
    else if (method === 'monitor_cond') expect(rowsOf(result ?? null)).toEqual(rowsOf(recorded));
    else expect(result).toEqual(recorded);
  }
});

/** A port of which the client was not told the interfaces has one all the same. */
function withInterface(table: string, row: JsonObject, operations: Json[]): JsonObject {
  if (table !== 'Port' || 'interfaces' in row) return row;
  const name = `of_${row.name}`;
  operations.push({ op: 'insert', table: 'Interface', row: { name }, 'uuid-name': name });
  return { ...row, interfaces: ['named-uuid', name] };
}

/** ovs-vsctl counts next_cfg up and asks for the result. */
function nextCfgBefore(lines: readonly Line[]): number | undefined {
  const [, after] = /"rows":\[\{"next_cfg":([0-9]+)\}\]/.exec(JSON.stringify(lines)) ?? [];
  return after === undefined ? undefined : Number(after) - 1;
}

/** Inserted rows get the UUIDs that they got when it was recorded, so that later requests mean them. */
function withRecordedUuids(params: readonly Json[], results: Json): readonly Json[] {
  const [database, ...operations] = params as readonly JsonObject[];
  let text = JSON.stringify(operations);
  operations.forEach((operation, i) => {
    const { uuid } = (results as readonly JsonObject[])[i];
    if (!uuid) return;
    text = text.replaceAll(JSON.stringify(['named-uuid', operation['uuid-name']]), JSON.stringify(uuid));
    text = text.replace(`"uuid-name":${JSON.stringify(operation['uuid-name'])}`, `"uuid":"${(uuid as string[])[1]}"`);
  });
  return [database, ...(JSON.parse(text) as Json[])];
}

/** The rows of `_Server`'s Database, whose UUIDs each server chooses. */
function rowsOf(updates: Json): unknown[] {
  const { Database: rows } = updates as unknown as { Database: Record<string, { initial: JsonObject }> };
  return Object.values(rows)
    .map(({ initial: { schema: _schema, ...row } }) => row)
    .sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
}

function compareReplicas(player: Player): void {
  expect(contents(player.ours)).toEqual(contents(player.theirs));
}

function contents(replica: Replica): Record<string, unknown> {
  return Object.fromEntries([...replica.tables].map(([name, table]) => [name, Object.fromEntries(table.rows)]));
}

function copyOf(replica: Replica): Replica {
  const copy = new Replica(schema);
  const updates: Record<string, Json> = {};
  for (const [name, table] of replica.tables)
    updates[name] = Object.fromEntries(
      [...table.rows].map(([uuid, { data }]: [Uuid, { data: readonly Parameters<typeof printDatum>[0][] }]) => [
        uuid,
        {
          initial: Object.fromEntries(
            table.schema.columns.map(({ name: column, index, type }) => [column, printDatum(data[index], type)]),
          ),
        },
      ]),
    );
  copy.replace(updates, 'row-update2');
  return copy;
}
