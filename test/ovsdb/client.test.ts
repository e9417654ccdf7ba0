import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programValue } from '../../src/ovsdb/client/value.ts';
import {
  compileSchema,
  Database,
  type Json,
  newUuid,
  OvsdbClient,
  type OvsdbClientOptions,
  OvsdbServer,
  openVswitch,
  type RowEvent,
  type Transport,
  type TransportHandlers,
} from '../../src/ovsdb/index.ts';
import { printSchema } from '../../src/ovsdb/schema/schema-json.ts';
import { transactionArbitrary } from './arbitrary.ts';
import { DebianServer, hasOvsdbServer, ovsdbTool, temporaryDirectory } from './debian-server.ts';
import { everythingSchema, seedTransaction } from './schema-for-tests.ts';

type Ovs = typeof openVswitch;
type Everything = typeof everythingSchema;

const RUNS = process.env.OKO_LONG ? 500 : 25;

let directory: ReturnType<typeof temporaryDirectory>;
let database: Database;
let server: OvsdbServer;
const clients = new Set<{ close(): void }>();

beforeEach(() => {
  directory = temporaryDirectory();
  database = new Database(compileSchema(openVswitch));
  server = new OvsdbServer({ databases: [database] });
});

afterEach(async () => {
  for (const client of clients) client.close();
  clients.clear();
  await server.close();
  directory.remove();
});

async function connected(options: Partial<OvsdbClientOptions<Ovs>> = {}): Promise<OvsdbClient<Ovs>> {
  const client = new OvsdbClient({
    schema: openVswitch,
    connect: () => server.connectInProcess(),
    minBackoffMs: 10,
    ...options,
  });
  clients.add(client);
  client.start();
  await client.whenReady();
  return client;
}

function transact(to: Database, ...operations: Json[]): readonly Json[] {
  let results: readonly Json[] = [];
  to.submit({ operations, holdsLock: () => false, done: (done) => (results = done) });
  return results;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

/** Adds a bridge with a port, as a daemon's user would. */
async function addBridge(client: OvsdbClient<Ovs>, name: string): Promise<string> {
  const transaction = client.transaction().comment(`add ${name}`);
  const iface = transaction.insert('Interface', { name, type: 'internal', options: { a: 'b' } });
  const port = transaction.insert('Port', { name, interfaces: [iface], tag: 7 });
  const bridge = transaction.insert('Bridge', { name, ports: [port], flood_vlans: [1, 2], protocols: ['OpenFlow13'] });
  const [root] = client.rows('Open_vSwitch').keys();
  if (root)
    transaction.insertInto('Open_vSwitch', root, 'bridges', [bridge]).increment('Open_vSwitch', root, 'next_cfg');
  else transaction.insert('Open_vSwitch', { bridges: [bridge], next_cfg: 1 });
  const result = await transaction.commit({ isDurable: true });
  return result.uuidOf(bridge);
}

describe('OvsdbClient', () => {
  it('has typed rows, and hears of its own changes before they are confirmed', async () => {
    const client = await connected();
    const events: RowEvent<Ovs>[] = [];
    client.onChange((some) => events.push(...some));
    const uuid = await addBridge(client, 'br0');
    const bridge = [...client.rows('Bridge').values()][0];
    expect(bridge).toMatchObject({
      _uuid: uuid,
      name: 'br0',
      flood_vlans: [1, 2],
      protocols: ['OpenFlow13'],
      fail_mode: null,
      stp_enable: false,
    });
    const [port] = client.rows('Port').values();
    expect(bridge.ports).toEqual([port._uuid]);
    expect(port).toMatchObject({ tag: 7, vlan_mode: null });
    expect([...client.rows('Interface').values()][0].options).toEqual(new Map([['a', 'b']]));
    expect(events.map(({ table, before, after }) => [table, before === undefined, after === undefined]).sort()).toEqual(
      [
        ['Bridge', true, false],
        ['Interface', true, false],
        ['Open_vSwitch', true, false],
        ['Port', true, false],
      ],
    );
    events.length = 0;
    await client
      .transaction()
      .update('Bridge', bridge._uuid, { fail_mode: 'secure', other_config: new Map([['x', 'y']]) })
      .deleteFrom('Bridge', bridge._uuid, 'flood_vlans', [1])
      .commit();
    expect(client.row('Bridge', bridge._uuid)).toMatchObject({
      fail_mode: 'secure',
      flood_vlans: [2],
      other_config: new Map([['x', 'y']]),
    });
    expect(events).toHaveLength(1);
    expect(events[0].before).toBe(bridge);
    await client
      .transaction()
      .update('Bridge', bridge._uuid, { fail_mode: null })
      .deleteFrom('Bridge', bridge._uuid, 'other_config', ['x'])
      .commit();
    expect(client.row('Bridge', bridge._uuid)).toMatchObject({ fail_mode: null, other_config: new Map() });
    await client
      .transaction()
      .delete('Open_vSwitch', [...client.rows('Open_vSwitch').keys()][0])
      .commit();
    expect(client.rows('Interface').size).toBe(0);
  });

  it('tells in its errors what the server found', async () => {
    const client = await connected();
    const bridge = newUuid();
    await expect(
      client.transaction().insert('Port', { name: 'p' }) && client.transaction().assertLock('none').commit(),
    ).rejects.toMatchObject({ code: 'OVSDB_NOT_OWNER' });
    const bad = client.transaction();
    bad.insert('Port', { name: 'p', tag: 5000 });
    await expect(bad.commit()).rejects.toMatchObject({
      code: 'OVSDB_CONSTRAINT',
      message: expect.stringContaining('5000'),
    });
    await addBridge(client, 'br0');
    await expect(addBridge(client, 'br0')).rejects.toMatchObject({ code: 'OVSDB_CONSTRAINT' });
    expect((await client.transaction().update('Bridge', bridge, { stp_enable: true }).commit()).counts).toEqual([0]);
    await expect(client.call('convert', ['Open_vSwitch', {}])).rejects.toMatchObject({
      code: 'OVSDB_REJECTED',
      message: expect.stringContaining('not supported'),
    });
    await expect(client.call('nonsense', [])).rejects.toMatchObject({
      code: 'OVSDB_REJECTED',
      message: '"unknown method"',
    });
  });

  it('verifies what it based a change on', async () => {
    const [one, two] = [await connected(), await connected()];
    await addBridge(one, 'br0');
    await until(() => two.rows('Bridge').size === 1);
    const [bridge] = two.rows('Bridge').keys();
    const change = two
      .transaction()
      .verify('Bridge', bridge, 'flood_vlans', 'fail_mode')
      .update('Bridge', bridge, { flood_vlans: [9] });
    await one
      .transaction()
      .update('Bridge', bridge, { flood_vlans: [3] })
      .commit();
    await expect(change.commit()).rejects.toMatchObject({ code: 'OVSDB_TIMED_OUT' });
    await until(() => two.row('Bridge', bridge)?.flood_vlans[0] === 3);
    await two
      .transaction()
      .verify('Bridge', bridge, 'flood_vlans', 'fail_mode')
      .update('Bridge', bridge, { flood_vlans: [9] })
      .commit();
    expect(two.row('Bridge', bridge)?.flood_vlans).toEqual([9]);
  });

  it('shows only the tables and columns asked for', async () => {
    const client = await connected({ tables: { Bridge: ['name'], Port: true } });
    const other = await connected();
    await addBridge(other, 'br0');
    await until(() => client.rows('Bridge').size === 1);
    expect([...client.rows('Bridge').values()][0]).toMatchObject({ name: 'br0', ports: [], flood_vlans: [] });
    expect([...client.rows('Port').values()][0].interfaces).toHaveLength(1);
    expect(client.rows('Interface').size).toBe(0);
  });

  it('reconnects, keeps its rows meanwhile, and then tells of the differences only', async () => {
    const path = join(directory.path, 's');
    const remote = await server.addRemote(`punix:${path}`);
    const client = await connected({ connect: `unix:${path}` });
    await addBridge(client, 'br0');
    await addBridge(client, 'br1');
    const errors: (string | undefined)[] = [];
    client.onState((error) => errors.push(error?.code));
    await remote.close();
    await until(() => !client.isReady);
    expect(client.rows('Bridge').size).toBe(2);
    await expect(client.transaction().comment('x').commit()).rejects.toMatchObject({ code: 'OVSDB_DISCONNECTED' });
    transact(database, { op: 'update', table: 'Bridge', where: [['name', '==', 'br1']], row: { stp_enable: true } });
    const events: RowEvent<Ovs>[] = [];
    client.onChange((some) => events.push(...some));
    await server.addRemote(`punix:${path}`);
    await until(() => client.isReady);
    expect(events).toMatchObject([
      { table: 'Bridge', before: { stp_enable: false }, after: { stp_enable: true, name: 'br1' } },
    ]);
    expect(errors).toContain('OVSDB_DISCONNECTED');
  });

  it('fights with another over a lock', async () => {
    const one = await connected({ lock: 'ovs_vswitchd' });
    const two = await connected({ lock: 'ovs_vswitchd' });
    expect([one.hasLock, two.hasLock]).toEqual([true, false]);
    await two.call('unlock', ['ovs_vswitchd']);
    await two.call('steal', ['ovs_vswitchd']);
    await until(() => !one.hasLock);
    await two.transaction().assertLock('ovs_vswitchd').commit();
    await expect(one.transaction().assertLock('ovs_vswitchd').commit()).rejects.toMatchObject({
      code: 'OVSDB_NOT_OWNER',
    });
    two.close();
    await until(() => one.hasLock);
    await one.transaction().assertLock('ovs_vswitchd').commit();
  });

  it.each([
    ['monitor_cond', ['monitor_cond_since']],
    ['monitor', ['monitor_cond_since', 'monitor_cond']],
  ])('falls back to %s on an old server', async (method, unknown) => {
    const asked: string[] = [];
    const client = await connected({ connect: () => new OldServer(server.connectInProcess(), unknown, asked) });
    expect(asked).toContain(method);
    await addBridge(client, 'br0');
    const [bridge] = client.rows('Bridge').values();
    await client
      .transaction()
      .update('Bridge', bridge._uuid, { flood_vlans: [2, 3] })
      .commit();
    expect(client.row('Bridge', bridge._uuid)?.flood_vlans).toEqual([2, 3]);
    await client
      .transaction()
      .delete('Open_vSwitch', [...client.rows('Open_vSwitch').keys()][0])
      .commit();
    expect(client.rows('Bridge').size).toBe(0);
  });

  it('is what the database is, whatever is done to it, by each method', async () => {
    const schema = compileSchema(everythingSchema);
    await fc.assert(
      fc.asyncProperty(
        fc.array(transactionArbitrary(schema), { maxLength: 15 }),
        fc
          .subarray(['monitor_cond_since', 'monitor_cond'])
          .map((unknown) => (unknown.includes('monitor_cond') ? ['monitor_cond_since', 'monitor_cond'] : unknown)),
        async (transactions, unknown) => {
          const everything = new Database(schema);
          const itsServer = new OvsdbServer({ databases: [everything] });
          const client = new OvsdbClient<Everything>({
            schema: everythingSchema,
            connect: () => new OldServer(itsServer.connectInProcess(), unknown, []),
          });
          transact(everything, ...seedTransaction(schema));
          client.start();
          await client.whenReady();
          for (const operations of transactions) transact(everything, ...operations);
          await client.call('echo', []);
          for (const table of everything.tables.values()) {
            const rows = [...table.rows.values()].map(({ uuid, data }) => [
              uuid,
              {
                _uuid: uuid,
                ...Object.fromEntries(
                  table.schema.columns.map(({ name, index, type }) => [name, programValue(data[index], type)]),
                ),
              },
            ]);
            const replica = client.rows(table.schema.name as 'Root');
            expect(Object.fromEntries(replica)).toEqual(Object.fromEntries(rows));
          }
          client.close();
          await itsServer.close();
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe.skipIf(!hasOvsdbServer)('OvsdbClient of ovsdb-server (needs openvswitch-common)', () => {
  it('does there what it does here, also with a schema that lacks a table and a column', async () => {
    const schema = printSchema(compileSchema(openVswitch)) as {
      tables: Record<string, { columns: Record<string, Json> }>;
    };
    delete schema.tables.AutoAttach;
    delete schema.tables.Bridge.columns.auto_attach;
    delete schema.tables.Bridge.columns.rstp_enable;
    mkdirSync(join(directory.path, 'theirs'));
    const file = join(directory.path, 'theirs', 'conf.db');
    writeFileSync(join(directory.path, 'schema'), JSON.stringify(schema));
    ovsdbTool('create', file, join(directory.path, 'schema'));
    const debian = await new DebianServer(join(directory.path, 'theirs'), [file]).started();
    try {
      const client = await connected({ connect: `unix:${debian.socketPath}`, lock: 'ovs_vswitchd' });
      expect(client.hasLock).toBe(true);
      const uuid = await addBridge(client, 'br0');
      const [bridge] = client.rows('Bridge').values();
      expect(bridge).toMatchObject({
        _uuid: uuid,
        name: 'br0',
        flood_vlans: [1, 2],
        auto_attach: null,
        rstp_enable: false,
      });
      await client
        .transaction()
        .assertLock('ovs_vswitchd')
        .insertInto('Bridge', bridge._uuid, 'flood_vlans', [3])
        .commit();
      expect(client.row('Bridge', bridge._uuid)?.flood_vlans).toEqual([1, 2, 3]);
      await expect(addBridge(client, 'br0')).rejects.toMatchObject({ code: 'OVSDB_CONSTRAINT' });
    } finally {
      await debian.stop();
    }
  });
});

/** A server that does not know some methods. */
class OldServer implements Transport {
  readonly #transport: Transport;
  readonly #unknown: readonly string[];
  readonly #asked: string[];
  #handlers: TransportHandlers | undefined;

  constructor(transport: Transport, unknown: readonly string[], asked: string[]) {
    this.#transport = transport;
    this.#unknown = unknown;
    this.#asked = asked;
  }

  get peer(): string {
    return this.#transport.peer;
  }

  get backlog(): number {
    return this.#transport.backlog;
  }

  open(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#transport.open(handlers);
  }

  send(message: Json): void {
    const { id, method } = message as { id: Json; method: string };
    this.#asked.push(method);
    if (this.#unknown.includes(method))
      setImmediate(() => this.#handlers?.message({ id, result: null, error: 'unknown method' }));
    else this.#transport.send(message);
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  close(): void {
    this.#transport.close();
  }
}
